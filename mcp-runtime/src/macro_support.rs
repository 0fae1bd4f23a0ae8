//! The only surface that generated code uses; nothing here is for people.

pub use crate::schema::{Argument, Arguments, ArgumentType, Fill, Slot, argument, decode};
pub use crate::{
    call::{Context, Reply, ToolError, ToolResult},
    protocol::ToolAnnotations,
    server::{Result, Server},
    service::{ArgumentCard, BoxFuture, IconCard, OutputCard, Run, ServerCard, Service, ToolCard},
    session::{Part, PartCard, PartSlot, PartType, SessionState, part},
};
pub use schemars;
pub use serde_json;
