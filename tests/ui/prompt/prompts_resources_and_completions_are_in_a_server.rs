#![allow(unused)]

use mcp_runtime::prelude::*;

#[prompt(title = "Ask")]
fn ask(#[arg(default)] whom: String) -> String {
    whom
}

#[resource("books://{title}")]
fn book(title: String) -> String {
    title
}

#[complete(prompt = "ask", argument = "whom")]
fn whom(value: String) -> Vec<String> {
    vec![value]
}

fn main() {}
