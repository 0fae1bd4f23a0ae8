//! Tests of servers without sockets and without waiting: clients of every revision, a clock that can be moved, what
//! clients are told as text.
//!
//! Takes: a [`Server`](crate::Server). Gives: clients of it, in memory. Knows: what a client of each revision sends, by the messages
//! alone. Must not know: how the server comes to its answers.
//!
//! A client drives the corridor that sockets lead to, with the same headers, ids and envelopes, and reads the answers as a
//! client elsewhere would. What it leaves out is the transport: `Host`, `Origin`, `Accept`, limits, lines.
//!
//! ```
//! use mcp_runtime::{prelude::*, protocol::Version, testing};
//!
//! #[mcp_server]
//! mod calculator {
//!     /// Add two numbers.
//!     #[tool]
//!     pub fn add(a: i64, b: i64) -> i64 {
//!         a + b
//!     }
//! }
//!
//! # fn main() -> mcp_runtime::Result {
//! testing::run(async {
//!     for version in Version::ALL {
//!         let client = testing::Client::connect(calculator::server(), version).await?;
//!         let sum = client.call_tool("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
//!         assert_eq!(sum.value(), 3);
//!     }
//!     Ok(())
//! })
//! # }
//! ```
//!
//! The feature `testing` switches it on. It belongs into `[dev-dependencies]`: it makes the clocks of tokio stoppable,
//! which no server in use should pay for.

mod answer;
mod answers;
mod card;
mod client;
mod connect;
mod error;
mod headers;
mod known;
mod line;

use std::{future::Future, time::Duration};

pub use self::{
    answer::{Notification, PromptAnswer, ResourceAnswer, ToolAnswer},
    card::{assert_card, assert_portable, card},
    client::Client,
    connect::Connecting,
    error::RequestError,
};

/// Runs a test in a runtime of its own, of one thread, whose clock stands still until [`advance`] moves it or all there
/// is to do is to wait for it.
///
/// The same as `#[tokio::test(start_paused = true)]`, for tests that need nothing else of tokio.
///
/// # Panics
/// When the system gives no runtime, or one is running here already.
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("the system gives the test a runtime").block_on(test)
}

/// Lets this time pass for the servers and clients of this test, without waiting for it.
///
/// It moves tokio's clock in this runtime, and with it everything that a server counts: lifetimes of session ids, of
/// handles and of state in memory, deadlines, and what its tools sleep. Other tests have other runtimes and notice nothing.
///
/// It does not move what reads a clock of its own: `SystemTime::now()` in a tool, [`FileStore`](crate::store::FileStore),
/// whose time goes on while the process is down, and stores or authenticators that are reached over a network.
///
/// # Panics
/// When the clock is not paused: in [`run`] and in `#[tokio::test(start_paused = true)]` it is.
pub async fn advance(time: Duration) {
    tokio::time::advance(time).await;
}
