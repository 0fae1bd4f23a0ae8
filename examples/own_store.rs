//! A counter whose sessions are kept by a store of one's own: a folder with a file for each session.
//!
//! ```sh
//! FOLDER=sessions cargo run --example own_store -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;

// The store stands with its tests, which hold it against the public suite.
#[path = "../tests/it/stores/folder.rs"]
mod folder;

/// What one session has counted.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Count(u64);

#[mcp_server]
mod counter {
    use super::*;

    /// Count up and return the new count.
    #[tool]
    pub fn count_up(count: &mut Count, by: u64) -> u64 {
        count.0 += by;
        count.0
    }
}

// ANCHOR: main
fn main() -> mcp_runtime::Result {
    let folder = std::env::var_os("FOLDER").unwrap_or_else(|| "sessions".into());
    let store = folder::FolderStore::open(folder)?;
    counter::server().store(store).serve()
}
// ANCHOR_END: main
