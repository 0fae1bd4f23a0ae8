//! What a server may ask of a client while it works for it: the user's input, the client's model, its folders.
//!
//! Takes: what to ask. Gives: params to send, results as they come back. Knows: the specification. Must not know: how a
//! question travels in which revision.

mod balance;
mod elicit;
mod roots;
mod sampling;
mod sampling_content;

pub use elicit::{ElicitAction, ElicitRequest, ElicitResult};
pub use roots::{ListRootsResult, Root};
pub use sampling::{IncludeContext, ModelHint, ModelPreferences, SamplingRequest, SamplingResult, ToolChoice};
pub use sampling_content::{SamplingContent, SamplingMessage};
