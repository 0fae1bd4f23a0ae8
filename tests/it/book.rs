//! Nothing in the book and the README is typed twice: Rust and wire text come from files that tests run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the book is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            self::pages(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

/// The fenced blocks of a page: language and text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            blocks.push((language.trim().to_owned(), body.join("\n")));
        }
    }
    blocks
}

/// The part of a file between `ANCHOR: name` and `ANCHOR_END: name`.
fn anchored(text: &str, name: &str) -> Option<String> {
    let begin = format!("// ANCHOR: {name}");
    let end = format!("// ANCHOR_END: {name}");
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.iter().position(|line| line.trim() == begin)?;
    let to = lines.iter().position(|line| line.trim() == end)?;
    Some(lines.get(from + 1..to)?.join("\n"))
}

/// The examples that tests start: by name in their code, or in the head of a transcript.
fn started_examples() -> BTreeSet<String> {
    let mut started = BTreeSet::new();
    let starters =
        ["HttpServer::start", "HttpServer::with", "StdioServer::start", "StdioServer::with", "run_to_its_end"];
    let files = ["tests/it", "tests/it/stores"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    for file in files.into_iter().flatten().flatten().filter(|file| file.path().is_file()) {
        let text = fs::read_to_string(file.path()).unwrap();
        for starter in starters {
            let call = format!("{starter}(");
            let calls = text.split(&call).skip(1);
            let named = calls.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
            started.extend(named.map(ToOwned::to_owned));
        }
    }
    for revision in fs::read_dir(root().join("tests/transcripts")).unwrap().flatten() {
        for transcript in fs::read_dir(revision.path()).unwrap().flatten() {
            let text = fs::read_to_string(transcript.path()).unwrap();
            let named = text.lines().filter_map(|line| line.strip_prefix("# example:"));
            started.extend(named.map(|name| name.trim().to_owned()));
        }
    }
    started
}

#[test]
fn every_example_is_started_by_a_test() {
    let started = started_examples();
    for file in fs::read_dir(root().join("examples")).unwrap().flatten() {
        let path = file.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(started.contains(&name), "no test starts the example {name}; these are started: {started:?}");
        }
    }
}

#[test]
fn every_rust_and_wire_block_of_the_book_is_included_from_a_file_that_tests_run() {
    let mut all = Vec::new();
    pages(&root().join("book/src"), &mut all);
    assert!(all.len() > 8, "only {} pages", all.len());
    let mut included = 0;
    let started = started_examples();
    for page in all {
        let text = fs::read_to_string(&page).unwrap();
        for (language, body) in blocks(&text) {
            let include = body.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}"));
            match (language.as_str(), include) {
                // What one types into a shell, and figures that a command prints.
                ("sh" | "console", _) => {}
                (_, None) => panic!("{}: a block of `{language}` is not included:\n{body}", page.display()),
                (_, Some(target)) => {
                    let (file, anchor) =
                        target.split_once(':').map_or((target, None), |(file, name)| (file, Some(name)));
                    let path = page.parent().unwrap().join(file);
                    let source = fs::read_to_string(&path)
                        .unwrap_or_else(|error| panic!("{} includes {}: {error}", page.display(), path.display()));
                    if let Some(anchor) = anchor {
                        assert!(anchored(&source, anchor).is_some(), "{}: no anchor {anchor}", path.display());
                    }
                    let run = ["tests/", "benches/", "mcp-macros/", "mcp-runtime/"];
                    let path = path.canonicalize().unwrap();
                    let path =
                        path.strip_prefix(root().canonicalize().unwrap()).unwrap().to_string_lossy().into_owned();
                    let example = path.strip_prefix("examples/").and_then(|file| file.strip_suffix(".rs"));
                    let run = match example {
                        Some(name) => started.contains(name),
                        None => run.iter().any(|folder| path.starts_with(folder)),
                    };
                    assert!(run, "{path} is run by no test");
                    included += 1;
                }
            }
        }
    }
    assert!(included > 10, "only {included} blocks are included");
}

#[test]
fn every_page_of_the_summary_exists_and_every_page_is_in_the_summary() {
    let source = root().join("book/src");
    let summary = fs::read_to_string(source.join("SUMMARY.md")).unwrap();
    let mut all = Vec::new();
    pages(&source, &mut all);
    for page in &all {
        let name = page.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name} is not in the summary");
    }
    for link in summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(source.join(link).exists(), "the summary names {link}, which is not there");
    }
}

#[test]
fn the_first_server_of_the_readme_is_an_example_of_at_most_thirty_lines() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let example = fs::read_to_string(root().join("examples/counter.rs")).unwrap();
    let example = anchored(&example, "all").expect("the example has its anchor");
    let rust: Vec<String> =
        blocks(&readme).into_iter().filter(|(language, _)| language == "rust").map(|(_, body)| body).collect();
    assert_eq!(rust, std::slice::from_ref(&example));
    assert!(example.lines().count() <= 30, "{} lines", example.lines().count());
}
