//! The files of a folder as resources: listed, read, searched by name while they are typed, and news when they change.
//!
//! ```sh
//! FOLDER=book/src cargo run --example files -- --transport streamable-http
//! ```

use mcp_runtime::{prelude::*, provider::files::Directory};

fn main() -> mcp_runtime::Result {
    let folder = std::env::var_os("FOLDER").unwrap_or_else(|| "book/src".into());
    // ANCHOR: files
    let files = Directory::open(folder)?.largest(1024 * 1024).watched()?;
    let server = Server::named("files", "1.0.0").resources(files);
    // ANCHOR_END: files
    server.serve()
}
