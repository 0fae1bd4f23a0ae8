//! MCP vocabulary in its newest shape, and the one table of what each revision has.
//!
//! Takes: nothing. Gives: plain types. Knows: the specification. Must not know: transports, sessions, stores.

pub mod ask;
pub mod cache;
pub mod capability;
pub mod content;
pub mod lists;
pub(crate) mod meta;
pub mod notice;
pub mod prompt;
pub mod resource;
pub mod task;
pub mod tool;
pub mod uri_template;
pub mod version;

pub use cache::CacheHint;
pub use capability::{ClientCapabilities, Implementation};
pub use content::{Annotations, Content, Icon, ResourceContents, Role};
pub use lists::Lists;
pub use notice::{LogLevel, LogMessage, Progress};
pub use prompt::{Prompt, PromptArgument, PromptMessage};
pub use resource::{Resource, ResourceTemplate};
pub use task::TaskStatus;
pub use tool::{TaskRule, Tool, ToolAnnotations, ToolExecution};
pub(crate) use uri_template::plainly_spelled;
pub use uri_template::{UriTemplate, UriTemplateError};
pub use version::Version;
