//! Declare MCP (Model Context Protocol) servers: annotate functions with [`tool`], [`prompt`], [`resource`] or
//! [`complete`], gather them with [`mcp_server`], run the server.
//!
//! What a function *owns* comes from the caller, what it *borrows* is injected: owned parameters are its arguments,
//! `&S` and `&mut S` are this session's typed state, `&Context` is this request.
//!
//! The modules are listed in reading order; `ARCHITECTURE.md` in the repository says which may use which.

// Tests of rooms share a server with the tests from outside, which names the crate as users do.
#[cfg(test)]
extern crate self as mcp_runtime;

pub mod wire;

pub mod auth;
pub mod store;
mod tasks;

pub mod protocol;
pub mod schema;

pub mod exchange;
pub mod session;

mod changes;

pub mod call;
pub mod service;

pub mod middleware;
pub mod provider;

mod dispatch;
pub mod engine;
mod era;

mod transport;

mod server;

#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
#[path = "macro_support.rs"]
pub mod __private;

pub use call::{
    AskError, Cancelled, Completion, Context, Elicit, Item, PromptResult, Reply, ResourceResult, ToolError, ToolResult,
};
pub use changes::Changes;
pub use mcp_macros::{SessionState, complete, mcp_server, prompt, resource, tool};
pub use protocol::{Content, LogLevel, PromptMessage, ResourceContents};
pub use schema::as_string;
pub use schemars::{self, JsonSchema};
pub use server::{Error, Result, Running, Server};
pub use session::{Revocations, SessionCookie, SessionState, Sessions, SigningKeys};
pub use tasks::Tasks;

/// What a server's source file needs: `use mcp_runtime::prelude::*;`.
pub mod prelude {
    pub use crate::{
        AskError, Changes, Completion, Content, Context, Elicit, JsonSchema, LogLevel, PromptMessage, PromptResult,
        Reply, ResourceContents, ResourceResult, Revocations, Server, SessionState, Sessions, SigningKeys, ToolError,
        ToolResult, complete, mcp_server, prompt, resource, tool,
    };
    // The derive of `JsonSchema` names its crate relatively: with it in scope, users need no dependency of their own.
    pub use schemars;
    pub use serde::{Deserialize, Serialize};
}
