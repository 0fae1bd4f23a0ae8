//! The tests from outside: the whole product as others meet it.

mod abuse;
mod access;
mod asking;
mod behaviour;
mod book;
mod changes;
mod clients;
mod composed;
mod conformance;
mod dynamic;
mod eras;
mod failures;
mod files;
mod fixture;
mod forms;
mod hygiene;
mod matrix;
#[cfg(target_os = "linux")]
mod memory;
mod official_schema;
mod one_handler;
mod programs;
mod questions;
mod results;
mod robustness;
mod running;
mod shapes;
mod stores;
mod streams;
mod support;
mod tasks;
mod testing;
mod tidy;
mod transcripts;
mod ui;
mod vocabulary;
