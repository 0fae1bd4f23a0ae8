//! The tests from outside: the whole product as others meet it.

mod clients;
mod conformance;
mod official_schema;
mod programs;
mod support;
mod tidy;
mod transcripts;
