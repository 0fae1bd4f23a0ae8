//! MCP vocabulary in its newest shape, and the one table of what each revision has.
//!
//! Takes: nothing. Gives: plain types. Knows: the specification. Must not know: transports, sessions, stores.

pub mod capability;
pub mod content;
pub mod tool;
pub mod version;

pub use capability::{ClientCapabilities, Implementation};
pub use content::{Annotations, Audience, Content, Icon, ResourceContents};
pub use tool::{Tool, ToolAnnotations};
pub use version::Version;
