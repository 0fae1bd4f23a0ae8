#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Adds.
    #[tool]
    pub const fn add(a: i64, b: i64) -> i64 {
        a + b
    }

    /// Removes.
    #[tool]
    pub unsafe extern "C" fn remove() {}
}

fn main() {}
