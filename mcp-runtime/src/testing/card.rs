//! What clients are told of a server, as text; and whether they all understand it.

use std::{fs, future::Future, path::Path, thread};

use serde_json::{Map, Value};

use super::{Client, run};
use crate::{
    protocol::Version,
    schema,
    server::{Result, Server},
    store::MemoryStore,
};

/// Everything that clients are told of this server before they call anything, in each revision: what it can do, its
/// instructions, tools with their schemas, prompts, resources and templates.
///
/// For snapshots; [`assert_card`] compares it with a file.
///
/// # Shape
/// Pretty JSON that ends with a line break: an object by revision, oldest first, of objects with `greeting` (the result of
/// `initialize` or `server/discover`) and what of `tools`, `prompts`, `resources` and `resourceTemplates` there is, without
/// paging. The members of objects are sorted, but for the revisions, so that the text does not depend on the features with
/// which `serde_json` was built.
///
/// # Errors
/// [`Error`](crate::Error) when the server can't start or refuses a client without a principal.
pub fn card(server: Server) -> Result<String> {
    outside(async {
        let first = anonymous(server).await?;
        let mut card = String::from("{");
        for (position, version) in Version::ALL.into_iter().enumerate() {
            let client = first.another().version(version).await?;
            let told = serde_json::to_string_pretty(&sorted(client.card().await?))?;
            card += if position == 0 { "\n" } else { ",\n" };
            card += &format!("  \"{}\": {}", version.as_str(), told.replace('\n', "\n  "));
        }
        Ok(card + "\n}\n")
    })
}

/// The environment variable that has cards written instead of compared.
const UPDATE: &str = "MCP_UPDATE_CARDS";

/// Panics when clients are told something else of this server than the file says, so that what they see changes only on
/// purpose, and in review. The file is what [`card`] gives; run with `MCP_UPDATE_CARDS=1`, the test writes it.
///
/// The path is relative to where the test runs: for `cargo test` that is the folder of the package.
///
/// # Panics
/// When they differ, with the first lines that do; when the file can't be read or written, or the server can't start.
pub fn assert_card(server: Server, path: impl AsRef<Path>) {
    let path = path.as_ref();
    let told = card(server).expect("the server starts and tells of itself");
    if std::env::var_os(UPDATE).is_some_and(|wish| wish == "1") {
        return fs::write(path, told).unwrap_or_else(|error| panic!("{} can't be written: {error}", path.display()));
    }
    let hint = format!("run the test with {UPDATE}=1 to write what clients are told now, and look at the difference");
    let known =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{} can't be read: {error}; {hint}", path.display()));
    if let Some(difference) = difference(&known, &told) {
        panic!("clients are told something else than {} says: {hint}\n{difference}", path.display());
    }
}

/// The first lines that differ: what was known, what is told.
fn difference(known: &str, told: &str) -> Option<String> {
    // A checkout may have changed the ends of lines.
    let (known, told): (Vec<_>, Vec<_>) = (known.lines().collect(), told.lines().collect());
    let same = known.iter().zip(&told).take_while(|(known, told)| known == told).count();
    if same == known.len() && same == told.len() {
        return None;
    }
    let some = |lines: &[&str], sign: char| -> String {
        lines.iter().skip(same).take(LINES_SHOWN).map(|line| format!("{sign} {line}\n")).collect()
    };
    Some(format!("from line {}:\n{}{}", same + 1, some(&known, '-'), some(&told, '+')))
}

/// So many lines of a difference are shown from either side.
const LINES_SHOWN: usize = 5;

/// Panics with a list of everything in this server's tools that some known client would refuse or silently change.
///
/// It looks at the tools as 2026-07-28 lists them: with the one that opens sessions, and with the argument for its handle.
///
/// # Panics
/// When there is anything to list, or the server can't start.
pub fn assert_portable(server: Server) {
    let tools = outside(async { Ok(anonymous(server).await?.list_tools().await?) });
    schema::assert_portable(&tools.expect("the server starts and lists its tools"));
}

/// A client of the newest revision, of a server that keeps nothing: the card says nothing of the store.
async fn anonymous(server: Server) -> Result<Client> {
    Client::of(server.store(MemoryStore::new())).await
}

/// Runs this in a thread with a runtime of its own, so that it works in tests of every kind.
fn outside<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let done = thread::scope(|scope| scope.spawn(|| run(work)).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The value with the members of all objects in the order of their names.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_shows_the_first_lines_of_both_sides() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\r\nb\r\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\nd\n").as_deref(), Some("from line 2:\n- b\n+ c\n+ d\n"));
        assert_eq!(difference("a\nb\n", "a\n").as_deref(), Some("from line 2:\n- b\n"));
        assert_eq!(difference("", "a\n").as_deref(), Some("from line 1:\n+ a\n"));
    }
}
