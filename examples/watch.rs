//! News: what changes on the server is announced in one line, and told to every client that asked for it, in every
//! revision.
//!
//! ```sh
//! cargo run --example watch -- --transport streamable-http
//! ```

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mcp_runtime::prelude::*;

/// A board that all sessions share: topics, and what was said on each.
#[derive(Default)]
struct Board {
    topics: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Board {
    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A board with topics. Subscribe to board://topics to hear of every message, to board://topics/{topic} to hear of one topic.
// ANCHOR: declare
#[mcp_server(name = "board", changes)]
impl Board {
    // ANCHOR_END: declare
    // ANCHOR: announce
    /// Say something on a topic; a new topic begins with its first message.
    #[tool]
    fn say(&self, cx: &Context, topic: String, message: String) -> Result<String, ToolError> {
        if topic.is_empty() || !topic.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("A topic has letters and digits alone".into());
        }
        let mut topics = self.topics();
        let new = !topics.contains_key(&topic);
        topics.entry(topic.clone()).or_default().push(message);
        drop(topics);
        if new {
            cx.changes().resources_changed();
        }
        cx.changes().resource_updated(format!("board://topics/{topic}"));
        Ok(format!("Said on {topic}"))
    }
    // ANCHOR_END: announce

    // ANCHOR: log
    /// Clear the board, topic by topic.
    #[tool(destructive, deadline = Duration::from_secs(10))]
    async fn clear(&self, cx: &Context) -> String {
        let topics = std::mem::take(&mut *self.topics());
        for (topic, messages) in &topics {
            let removed = serde_json::json!({ "topic": topic, "messages": messages.len() });
            cx.log_as("board", LogLevel::Notice, removed);
            cx.changes().resource_updated(format!("board://topics/{topic}"));
        }
        cx.changes().resources_changed();
        format!("{} topics removed", topics.len())
    }
    // ANCHOR_END: log

    /// All topics.
    #[resource("board://topics", mime_type = "application/json")]
    fn all(&self) -> String {
        serde_json::json!(self.topics().keys().collect::<Vec<_>>()).to_string()
    }

    /// What was said on one topic.
    #[resource("board://topics/{topic}")]
    fn topic(&self, topic: String) -> Option<String> {
        self.topics().get(&topic).map(|messages| messages.join("\n"))
    }
}

// ANCHOR: program
#[tokio::main]
async fn main() -> mcp_runtime::Result {
    let server = Server::new(Board::default());
    // For everything outside of a call: a timer, a queue, a file that is watched.
    let changes = server.changes();
    tokio::spawn(async move {
        let mut midnight = tokio::time::interval(Duration::from_secs(24 * 60 * 60));
        loop {
            midnight.tick().await;
            changes.resource_updated("board://topics");
        }
    });
    server.run().await
}
// ANCHOR_END: program
