//! Learn here how a call becomes a task: work that takes longer than a client waits for one answer, with progress, a
//! question on the way, and an end that can be called off.
//!
//! ```sh
//! cargo run --example long_job -- --transport streamable-http
//! ```
//!
//! Clients that know tasks get the task's id at once, and look, answer and cancel by it; all others wait for the answer.

use std::time::Duration;

use mcp_runtime::prelude::*;
use mcp_runtime::{Server, Tasks};

/// How an archive is packed.
#[derive(Deserialize, JsonSchema)]
struct Packing {
    /// Smaller files, more time.
    thorough: bool,
}

struct Archive {
    /// How long it takes to pack one folder.
    per_folder: Duration,
}

/// Packs folders into archives, which takes its time.
#[mcp_server]
impl Archive {
    // ANCHOR: task
    /// Pack folders into one archive.
    #[tool(task)]
    async fn pack(&self, cx: &Context, folders: Vec<String>) -> String {
        for (done, folder) in folders.iter().enumerate() {
            // What was said last is what a client reads when it looks at the task.
            cx.progress(done as f64, folders.len() as f64, Some(&format!("packing {folder}")));
            tokio::time::sleep(self.per_folder).await;
        }
        format!("{} folders are packed", folders.len())
    }
    // ANCHOR_END: task

    // ANCHOR: ask
    /// Pack everything there is; asks how, and runs as a task in any case.
    #[tool(task = "required", ask_first)]
    async fn pack_all(&self, cx: &Context) -> Result<String, AskError> {
        // Asked before anything is waited for: so it is asked before there is a task.
        let packing = cx.ask("packing", Elicit::form::<Packing>("How shall it be packed?")).await?;
        let factor = if packing.thorough { 4 } else { 1 };
        tokio::time::sleep(self.per_folder * factor).await;
        Ok(if packing.thorough { "All is packed, thoroughly" } else { "All is packed" }.to_owned())
    }
    // ANCHOR_END: ask
}

fn main() -> mcp_runtime::Result {
    // ANCHOR: options
    let tasks = Tasks::new()
        .ttl(Duration::from_secs(600)) // a result can be fetched for ten minutes
        .under_way(4); // of each caller
    Server::new(Archive { per_folder: Duration::from_millis(200) }).tasks(tasks).serve()
    // ANCHOR_END: options
}
