//! House rules that a compiler does not check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a folder, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file can be read");
                files.push((path, text));
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    files
}

/// The room that a file of `mcp-runtime/src` belongs to: its top-level module.
fn room(path: &Path) -> String {
    let path = path.strip_prefix(root().join("mcp-runtime/src")).expect("a file of the runtime");
    let first = path.components().next().expect("a file has a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments, and without what is compiled for tests only, which may look at everything.
fn shipped(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = Vec::new();
    // Of an item for tests, everything up to the next blank line is left out.
    let mut of_tests = false;
    for line in text.lines() {
        of_tests = line.trim() == "#[cfg(test)]" || of_tests && !line.trim().is_empty();
        if !of_tests {
            code.push(line.split("//").next().unwrap_or_default());
        }
    }
    code.join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing")
}

/// The rooms that `use crate::…` and `crate::…` paths of this code name.
fn named_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (position, _) in code.match_indices("crate::") {
        if code[..position].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[position + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => {
                rooms.insert(rest.chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect());
            }
            Some(list) => {
                let mut depth = 0;
                let mut name = String::new();
                let mut fresh = true;
                for next in list.chars() {
                    match next {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => fresh = true,
                        next if depth == 0 && fresh && (next.is_alphanumeric() || next == '_') => name.push(next),
                        _ if !name.is_empty() => {
                            rooms.insert(std::mem::take(&mut name));
                            fresh = false;
                        }
                        _ => {}
                    }
                }
                if !name.is_empty() {
                    rooms.insert(name);
                }
            }
        }
    }
    rooms
}

#[test]
fn rooms_use_only_what_the_table_of_architecture_allows() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [room, _, uses] = cells[..] else { panic!("a row has three cells: {line}") };
        let uses: BTreeSet<String> = uses.split(", ").map(ToOwned::to_owned).collect();
        table.insert(room.trim_matches('`').to_owned(), uses);
    }
    assert!(table.len() > 10, "the table of rooms was not found");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in sources("mcp-runtime/src") {
        let room = room(&path);
        if room == "lib" || is_test(&path) {
            continue;
        }
        let Some(allowed) = table.get(&room) else {
            wrong.push(format!("the room `{room}` is not in the table ({})", path.display()));
            continue;
        };
        seen.insert(room.clone());
        if allowed.contains("all") {
            continue;
        }
        for named in named_rooms(&shipped(&text)) {
            if named != room && !allowed.contains(&named) && table.contains_key(&named) {
                wrong.push(format!("`{room}` may not use `{named}` ({})", path.display()));
            }
        }
    }
    for room in table.keys() {
        if !seen.contains(room) {
            wrong.push(format!("the table has a room `{room}`, the code has none"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn revisions_are_named_in_their_table_and_nowhere_else() {
    let revisions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
    let mut wrong = Vec::new();
    for (path, text) in sources("mcp-runtime/src") {
        if is_test(&path) || path.ends_with("protocol/version.rs") {
            continue;
        }
        let code = shipped(&text);
        if code.contains("Version::V2") {
            wrong.push(format!("{} names a revision", path.display()));
        }
        for revision in revisions {
            if code.contains(&format!("\"{revision}\"")) {
                wrong.push(format!("{} has \"{revision}\"", path.display()));
            }
        }
        for order in ["Version >", "Version <", "version >", "version <", "version() >", "version() <"] {
            if code.contains(order) {
                wrong.push(format!("{} orders revisions", path.display()));
            }
        }
        let room = room(&path);
        if room != "era" && (code.contains(".facts()") && code.contains("Version")) {
            wrong.push(format!("{} reads facts of revisions; that is era's alone", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_can_be_seen_across() {
    let mut wrong = Vec::new();
    for (path, text) in sources("mcp-runtime/src").into_iter().chain(sources("mcp-macros/src")) {
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        if !is_test(&path) && lines > 500 {
            wrong.push(format!("{} has {lines} lines without its tests; at most 500", path.display()));
        }
    }
    for (path, text) in sources("examples") {
        let lines = text.lines().count();
        // The fixture of the conformance suite is as long as the suite wants it.
        if lines > 120 && !path.ends_with("everything.rs") {
            wrong.push(format!("{} has {lines} lines; an example has at most 120", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn modules_begin_with_their_card_or_a_sentence() {
    let mut wrong = Vec::new();
    for (path, text) in sources("mcp-runtime/src").into_iter().chain(sources("mcp-macros/src")) {
        if !is_test(&path) && !text.starts_with("//! ") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "these begin without saying what they are:\n{}", wrong.join("\n"));
}

#[test]
fn panics_that_a_peer_could_cause_are_not_written() {
    // Each of these has its reason beside it; a new one needs a line here and a sentence there.
    let known = fs::read_to_string(root().join("tests/it/tidy_panics.txt")).expect("the list is there");
    let known: BTreeSet<&str> = known.lines().filter(|line| !line.starts_with('#')).collect();
    let mut found = BTreeSet::new();
    for (path, text) in sources("mcp-runtime/src") {
        // The public suite for stores and what runs tests of servers are made to panic, in their user's tests.
        if is_test(&path) || ["conformance", "src/testing/"].iter().any(|part| path.to_string_lossy().contains(part)) {
            continue;
        }
        for line in shipped(&text).lines() {
            if [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("]
                .iter()
                .any(|word| line.contains(word))
            {
                let path = path.strip_prefix(root()).expect("a file of the repository");
                found.insert(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    let new: Vec<_> = found.iter().filter(|line| !known.contains(line.as_str())).cloned().collect();
    assert!(new.is_empty(), "say why a peer can't reach these, and list them:\n{}", new.join("\n"));
    let stale: Vec<_> = known.iter().filter(|line| !line.is_empty() && !found.contains(**line)).collect();
    assert!(stale.is_empty(), "these are gone, take them off the list:\n{stale:#?}");
}

#[test]
fn macros_and_runtime_add_a_tool_and_an_argument_of_the_same_names() {
    let constant = |path: &str, name: &str| {
        let text = fs::read_to_string(root().join(path)).expect("the file is there");
        let begin = format!("const {name}: &str = \"");
        let value = text.split_once(&begin).and_then(|(_, rest)| rest.split_once("\";"));
        value.unwrap_or_else(|| panic!("{path} has no {name}")).0.to_owned()
    };
    for name in ["MINTING_TOOL", "HANDLE_ARGUMENT"] {
        let (macros, runtime) =
            (constant("mcp-macros/src/names.rs", name), constant("mcp-runtime/src/era/prepared.rs", name));
        assert_eq!(macros, runtime, "{name}");
    }
}
