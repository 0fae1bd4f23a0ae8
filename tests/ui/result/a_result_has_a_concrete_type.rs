#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Lists.
    #[tool]
    pub fn list() -> impl Iterator<Item = String> {
        std::iter::empty()
    }

    /// Waits.
    #[tool]
    pub fn wait() -> impl Future<Output = String> {
        std::future::ready(String::new())
    }

    /// Fails.
    #[tool]
    pub fn fail() -> ! {
        panic!()
    }
}

fn main() {}
