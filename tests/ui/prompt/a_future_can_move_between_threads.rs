#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod library {
    use super::*;

    #[prompt]
    pub async fn counted() -> String {
        let count = std::rc::Rc::new(1);
        std::future::ready(()).await;
        count.to_string()
    }
}

fn main() {}
