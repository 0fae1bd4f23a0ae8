#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Serves.
    #[tool]
    pub fn serve() {}

    pub struct Table;

    /// Says which server it is.
    #[tool]
    pub fn server() {}
}

fn main() {}
