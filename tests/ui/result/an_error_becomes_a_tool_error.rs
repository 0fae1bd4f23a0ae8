#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Reads.
    #[tool]
    pub async fn read() -> Result<String, std::io::Error> {
        Ok(String::new())
    }
}

fn main() {}
