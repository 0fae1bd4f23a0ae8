//! What the tests share: starting an example as a process, and speaking to it in bytes.

pub mod client;
pub mod http;
pub mod process;
pub mod stream;

pub use http::{Request, Response};
pub use process::{HttpServer, StdioServer};
