#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Waits.
    #[tool]
    pub async fn wait() {
        let shared = std::rc::Rc::new(5);
        std::future::ready(()).await;
        drop(shared);
    }
}

fn main() {}
