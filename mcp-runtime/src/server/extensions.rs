//! Extensions of the protocol, and what stands around operations.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Server;
use crate::{engine::StartError, middleware::Middleware, protocol::meta::is_prefixed};

impl Server {
    /// Puts a middleware around every operation; the one added last sees a request first.
    ///
    /// ```
    /// use mcp_runtime::{Server, middleware::{Logging, RateLimit}};
    ///
    /// let server = Server::named("tools", "1.0.0").wrap(RateLimit::per_minute(600)).wrap(Logging);
    /// # let _ = server;
    /// ```
    pub fn wrap(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Declares an extension of the protocol, with its settings: an object, `{}` where it has none. What clients declare of
    /// it is [`Context::extension`](crate::Context::extension).
    ///
    /// The id has a prefix, the reversed domain of whoever defines it: `io.modelcontextprotocol/ui`, `com.example/search`. A
    /// server with another id, or with settings that are no object, does not start.
    ///
    /// # Source
    /// 2025-11-25 and 2026-07-28 basic §Extensions; older revisions are told nothing.
    pub fn extension(mut self, id: impl Into<String>, settings: Value) -> Self {
        self.extensions.insert(id.into(), settings);
        self
    }
}

/// Whether these are extensions that can be declared.
pub(super) fn check(extensions: &Map<String, Value>) -> Result<(), StartError> {
    for (id, settings) in extensions {
        let wrong = if !is_prefixed(id) {
            "its id needs a prefix, the reversed domain of whoever defines it: `com.example/search`"
        } else if !settings.is_object() {
            "its settings are an object: `json!({})` where it has none"
        } else {
            continue;
        };
        return Err(StartError::Extension { id: id.clone(), advice: wrong });
    }
    Ok(())
}
