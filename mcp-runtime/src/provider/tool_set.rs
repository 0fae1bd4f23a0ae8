//! Tools that can be added and removed while the server runs.

use std::{fmt, future::Future, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{
    Page, SetError, ToolProvider,
    set::{Held, Set},
};
use crate::{
    call::{Context, ToolError, ToolResult},
    changes::Changes,
    protocol::Tool,
    schema::{ArgumentType, check_tool, input_schema},
    service::BoxFuture,
};

/// Tools that can be added and removed while the server runs. Cheap to clone: the program keeps one clone, the server gets
/// another with [`Server::tools`](crate::Server::tools).
///
/// Clients that asked for news of the list are told of each change.
///
/// All callers have the same tools; where they differ, write a [`ToolProvider`] or say
/// [`Server::visible`](crate::Server::visible).
#[derive(Clone, Default)]
pub struct ToolSet(Arc<Set<Entry>>);

type Handler = dyn Fn(&RawValue) -> BoxFuture<'static, Result<ToolResult, ToolError>> + Send + Sync;

struct Entry {
    tool: Tool,
    handler: Box<Handler>,
}

impl Held for Entry {
    fn announce(changes: &Changes, _: &str, _: bool) {
        changes.tools_changed();
    }
}

impl ToolSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool whose arguments are the members of `A`, in the place of one of the same name. Its schema is that of the
    /// type, and other members are refused. What the handler captures, each call takes a clone of: `move |a: A| { let db =
    /// db.clone(); async move { … } }`.
    ///
    /// # Errors
    /// [`SetError`]: a name or type that no client could use; a full set.
    pub fn add<A, F, R>(
        &self,
        name: impl Into<String>,
        description: impl Into<String>,
        handler: F,
    ) -> Result<(), SetError>
    where
        A: ArgumentType,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output = Result<ToolResult, ToolError>> + Send + 'static,
    {
        let name = name.into();
        let schema = input_schema::<A>(&name).map_err(SetError)?;
        let mut tool = Tool::new(name, description, &serde_json::Value::Null);
        tool.input_schema = schema;
        self.add_tool(tool, handler)
    }

    /// Adds a tool of any description, in the place of one of the same name: what its schema accepts is decoded as an `A`,
    /// for example a [`serde_json::Value`].
    ///
    /// # Errors
    /// [`SetError`]: a name or schema that no client could use; a full set.
    pub fn add_tool<A, F, R>(&self, tool: Tool, handler: F) -> Result<(), SetError>
    where
        A: DeserializeOwned,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output = Result<ToolResult, ToolError>> + Send + 'static,
    {
        check_tool(&tool).map_err(|wrong| SetError(format!("the tool `{}` can't be used: {wrong}", tool.name)))?;
        let name = tool.name.clone();
        let decode = move |arguments: &RawValue| -> BoxFuture<'static, Result<ToolResult, ToolError>> {
            match serde_json::from_str::<A>(arguments.get()) {
                Ok(arguments) => Box::pin(handler(arguments)),
                // The schema took it and the type does not: what serde says is all that is known.
                Err(error) => Box::pin(async move { Err(ToolError::new(format!("Invalid arguments: {error}"))) }),
            }
        };
        self.0.insert(name, Entry { tool, handler: Box::new(decode) })
    }

    /// Removes the tool of this name; says whether it was there. Calls of it that run already go on.
    pub fn remove(&self, name: &str) -> bool {
        self.0.remove(name)
    }

    /// How many tools there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for ToolSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ToolSet").field("tools", &self.len()).finish()
    }
}

impl ToolProvider for ToolSet {
    fn list<'a>(&'a self, _: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Tool>, ToolError>> {
        Box::pin(async move { Ok(self.0.page(cursor, |entry| entry.tool.clone())) })
    }

    fn find<'a>(&'a self, _: &'a Context, name: &'a str) -> BoxFuture<'a, Result<Option<Tool>, ToolError>> {
        Box::pin(async move { Ok(self.0.get(name).map(|entry| entry.tool.clone())) })
    }

    fn call<'a>(
        &'a self,
        _: &'a Context,
        name: &'a str,
        arguments: &'a RawValue,
    ) -> BoxFuture<'a, Result<ToolResult, ToolError>> {
        match self.0.get(name) {
            Some(entry) => (entry.handler)(arguments),
            None => Box::pin(async move { Err(ToolError::new(format!("The tool `{name}` was removed meanwhile"))) }),
        }
    }

    fn changes(&self) -> bool {
        true
    }

    fn connect(&self, changes: &Changes) {
        self.0.connect(changes);
    }
}
