#![allow(unused)]

use mcp_runtime::prelude::*;

struct Answer {
    text: String,
}

#[mcp_server]
mod server {
    use super::*;

    /// Answers.
    #[tool]
    pub fn answer() -> Answer {
        todo!()
    }

    /// Answers more.
    #[tool]
    pub fn answers() -> Result<Vec<Answer>, ToolError> {
        todo!()
    }

    /// Answers in words.
    #[tool]
    pub fn reply() -> Reply<Answer> {
        todo!()
    }
}

fn main() {}
