#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    /// A number.
    #[prompt]
    pub fn number() -> u32 {
        5
    }

    /// Messages of another kind.
    #[prompt]
    pub fn replies() -> Result<Vec<Reply<u32>>, ToolError> {
        Ok(Vec::new())
    }
}

fn main() {}
