//! How many packages a server brings along.

use std::{collections::BTreeSet, io};

use crate::{
    server::{cargo, workspace},
    table::Table,
};

/// Counts and prints: the library with its default features, and a whole server over HTTP.
///
/// # Errors
/// When cargo can't say.
pub(crate) fn run() -> io::Result<()> {
    println!("\n## Packages in the tree\n");
    println!("With build scripts and macros, without what only tests need; the package itself is counted.\n");
    let mut table = Table::new(&["", "packages"]);
    let manifest = workspace().join("../mcp-runtime/Cargo.toml");
    let ours = ["--manifest-path".to_owned(), manifest.display().to_string()];
    let package = |name: &str| ["--package".to_owned(), name.to_owned()];
    for (name, words) in [
        ("mcp-runtime, default features", ours),
        ("rmcp, server + macros + streamable HTTP", package("rmcp")),
        ("a server on mcp-runtime", package("server-ours")),
        ("a server on rmcp and axum", package("server-rmcp")),
        ("the bare axum handler", package("server-axum")),
    ] {
        table.row(vec![name.into(), count(&words)?.to_string()]);
    }
    table.print();
    Ok(())
}

fn count(words: &[String]) -> io::Result<usize> {
    let mut command = cargo();
    command.args(["tree", "--edges", "no-dev", "--prefix", "none", "--format", "{p}"]).args(words);
    let output = command.current_dir(workspace()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let tree = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    let packages: BTreeSet<_> =
        tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>()).filter(|words| words.len() == 2).collect();
    Ok(packages.len())
}
