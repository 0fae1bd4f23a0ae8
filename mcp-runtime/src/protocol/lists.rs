//! Everything that a server lists.

use super::{Prompt, Resource, ResourceTemplate, Tool};

/// Everything that a server lists, in the order in which it is listed.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// The tools.
    pub tools: Vec<Tool>,
    /// The prompts.
    pub prompts: Vec<Prompt>,
    /// The resources.
    pub resources: Vec<Resource>,
    /// The templates of resources.
    pub templates: Vec<ResourceTemplate>,
}
