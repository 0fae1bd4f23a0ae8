#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub const unsafe extern "C" fn generic<T>(value: T) -> String
    where
        T: Copy,
    {
        String::new()
    }

    #[prompt(blocking)]
    pub async fn blocking(text: &str) -> String {
        String::new()
    }

    #[prompt]
    pub fn mirrored(#[arg(header = "Region")] region: String) -> String {
        region
    }

    #[cfg(unix)]
    #[prompt]
    pub fn conditional() -> String {
        String::new()
    }
}

fn main() {}
