//! Extensions of the protocol, and what stands around operations.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Server;
use crate::{engine::StartError, middleware::Middleware};

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
        let wrong = if !is_id(id) {
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

/// Whether it is a key of `_meta` with a prefix.
///
/// # Source
/// 2026-07-28 basic §`_meta`: labels of letters, digits and hyphens, which begin with a letter and end with a letter or digit.
fn is_id(id: &str) -> bool {
    let Some((prefix, name)) = id.split_once('/') else { return false };
    let edge = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.ends_with(|last: char| last.is_ascii_alphanumeric())
    };
    let label = |label: &str| {
        edge(label)
            && label.starts_with(|first: char| first.is_ascii_alphabetic())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    prefix.split('.').all(label) && edge(name) && name.bytes().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: V-11, X-01.
    #[test]
    fn ids_have_a_prefix_in_the_syntax_of_meta_keys() {
        for id in ["io.modelcontextprotocol/ui", "com.example/my-search_2.0", "a/b"] {
            assert!(is_id(id), "{id}");
        }
        for id in [
            "ui",
            "/ui",
            "com.example/",
            "com..example/x",
            "1com.example/x",
            "com.example-/x",
            "com.example/-x",
            "a/b/c",
        ] {
            assert!(!is_id(id), "{id}");
        }
    }
}
