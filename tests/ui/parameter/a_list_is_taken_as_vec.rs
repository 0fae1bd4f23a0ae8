#![allow(unused)]

use mcp_runtime::prelude::*;

#[mcp_server]
mod server {
    use super::*;

    /// Sums.
    #[tool]
    pub fn sum(numbers: &[i64]) -> i64 {
        numbers.iter().sum()
    }
}

fn main() {}
