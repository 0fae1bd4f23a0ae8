//! Which test proves which requirement.
//!
//! - *Takes*: `tests/requirements.txt`, and what tests say of themselves: a comment `Proves: J-01, J-02.` before a test or
//!   behind a scenario of the official suite, a line `# proves: J-01` at the head of a transcript.
//! - *Gives*: the page of the book that shows both side by side; `UPDATE=1` writes it anew.
//! - *Must not know*: what the requirements mean.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use crate::programs::root;

const PAGE: &str = "book/src/reference/requirements.md";

/// How many rows of each level no test proves yet. The numbers go down, never up.
const OPEN: &[(&str, usize)] =
    &[("MUST", 0), ("MUST NOT", 0), ("SHOULD", 0), ("MAY", 0), ("fact", 0), ("practice", 0), ("pitfall", 0)];

/// One requirement.
struct Row {
    section: String,
    id: String,
    revisions: String,
    /// `MUST`, `MUST NOT`, `SHOULD`, `MAY`, `practice`, `fact`, `pitfall`, or in parentheses why it is not for a test here.
    level: String,
    text: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("tests/requirements.txt")).expect("the list is there");
    let mut section = String::new();
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
            continue;
        }
        let [id, revisions, level, text] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("four columns, separated by tabs: {line}");
        };
        let [id, revisions, level, text] = [id, revisions, level, text].map(ToOwned::to_owned);
        rows.push(Row { section: section.clone(), id, revisions, level, text });
    }
    rows
}

/// Files of these endings below a folder, in a stable order.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("the folder is there").flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !matches!(&*name, "node_modules" | "target") && !name.starts_with('.') {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The ids in `J-01, J-02.`
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ']).map(|id| id.trim_end_matches('.')).filter(|id| !id.is_empty())
}

/// Which tests prove a requirement: by its id, where they are and what they are called.
fn proofs() -> BTreeMap<String, BTreeSet<String>> {
    let mut sources = Vec::new();
    for folder in ["tests/it", "mcp-runtime/src", "mcp-runtime/tests", "mcp-macros/src"] {
        files(&root().join(folder), &[".rs"], &mut sources);
    }
    files(&root().join("tests/transcripts"), &[".txt"], &mut sources);
    let mut proofs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources.iter().filter(|path| !path.ends_with("tests/it/matrix.rs")) {
        let text = fs::read_to_string(path).expect("a file that was listed");
        let shown = path.strip_prefix(root()).expect("below the root").display().to_string();
        if let Some(transcript) = shown.strip_prefix("tests/transcripts/") {
            let proved = text.lines().filter_map(|line| line.strip_prefix("# proves: ")).flat_map(ids);
            for id in proved {
                proofs.entry(id.to_owned()).or_default().insert(format!("transcript `{transcript}`"));
            }
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some((before, proved)) = line.split_once("Proves: ") else { continue };
            let scenario = before.trim().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let test = lines[number..].iter().find_map(|line| {
                let line = line.trim().trim_start_matches("pub ").trim_start_matches("async ");
                line.strip_prefix("fn ")?.split(['(', '<']).next()
            });
            let name = match (scenario, test) {
                (Some(scenario), _) => format!("official suite `{scenario}`"),
                (None, Some(test)) => format!("`{test}`"),
                (None, None) => panic!("{shown}: no test follows `{line}`"),
            };
            for id in ids(proved) {
                proofs.entry(id.to_owned()).or_default().insert(name.clone());
            }
        }
    }
    proofs
}

/// The page.
fn page(rows: &[Row], proofs: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut page = String::from(
        "# Requirements and their tests\n\nWhat the specification asks of a server, in our own words, and the tests that \
         prove it. The page is made from the\ntests themselves. `P/` stands for `io.modelcontextprotocol/`.\n",
    );
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = &row.section;
            let _ = write!(
                page,
                "\n## {section}\n\n| id | revisions | level | requirement | proved by |\n|---|---|---|---|---|\n"
            );
        }
        let proved = proofs.get(&row.id).map(|tests| tests.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
        let text = row.text.replace('|', "\\|").replace('<', "&lt;");
        let _ = writeln!(
            page,
            "| {} | {} | {} | {text} | {} |",
            row.id,
            row.revisions,
            row.level,
            proved.unwrap_or_default()
        );
    }
    let (all, proved) = (rows.len(), rows.iter().filter(|row| proofs.contains_key(&row.id)).count());
    let open = unproved(rows, proofs).count();
    let _ = write!(
        page,
        "\n## Without a test\n\nOf {all} rows, tests prove {proved}, {} need none, for the reason in their level, and these \
         {open} have none yet.\n\n",
        all - proved - open
    );
    for row in unproved(rows, proofs) {
        let _ = writeln!(page, "* {} ({}): {}", row.id, row.level, row.text.replace('<', "&lt;"));
    }
    page
}

fn unproved<'a>(rows: &'a [Row], proofs: &'a BTreeMap<String, BTreeSet<String>>) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(|row| !row.level.starts_with('(') && !proofs.contains_key(&row.id))
}

#[test]
fn the_matrix_of_requirements_says_what_the_tests_say() {
    let (rows, proofs) = (rows(), proofs());
    let known: BTreeSet<&str> = rows.iter().map(|row| &*row.id).collect();
    let unknown: Vec<_> = proofs.keys().filter(|id| !known.contains(&***id)).collect();
    assert!(unknown.is_empty(), "tests prove what is no requirement: {unknown:?}");
    let page = page(&rows, &proofs);
    let path = root().join(PAGE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page is written");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == recorded, "{PAGE} is not what the tests say: UPDATE=1 writes it anew");
}

#[test]
fn fewer_and_fewer_requirements_are_without_a_test() {
    let (rows, proofs) = (rows(), proofs());
    let mut open: BTreeMap<&str, Vec<&str>> = OPEN.iter().map(|(level, _)| (*level, Vec::new())).collect();
    for row in unproved(&rows, &proofs) {
        open.entry(&row.level).or_default().push(&row.id);
    }
    for (level, ids) in open {
        let allowed = OPEN.iter().find(|(known, _)| *known == level).map_or(0, |(_, count)| *count);
        let (found, ids) = (ids.len(), ids.join(", "));
        assert!(found <= allowed, "{found} rows of level {level} are without a test instead of {allowed}: {ids}");
        assert!(found == allowed, "only {found} rows of level {level} are without a test: lower {allowed} in `OPEN`");
    }
}

#[test]
fn what_a_test_proves_has_no_reason_to_be_without_one() {
    let (rows, proofs) = (rows(), proofs());
    let both: Vec<&str> = rows
        .iter()
        .filter(|row| row.level.starts_with('(') && proofs.contains_key(&row.id))
        .map(|row| &*row.id)
        .collect();
    assert!(both.is_empty(), "a test proves {both:?}: their level says why none does");
}
