#![allow(unused)]

use mcp_runtime::prelude::*;

/// Adds.
#[tool(read_only)]
fn add(
    /// The first.
    a: i64,
    #[arg(default = 2)] b: i64,
) -> i64 {
    a + b
}

mod inner {
    use super::*;

    struct Notes;

    impl Notes {
        #[tool]
        fn add(&self, #[arg(default)] b: i64) {}
    }
}

fn main() {}
