//! Pages, hidden names, links and sizes, without a server around them.

use std::{fs, path::Path};

use super::{
    kind,
    tree::{Read, Tree},
    *,
};

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn all(tree: &Tree) -> (Vec<String>, usize) {
    let (mut paths, mut pages, mut behind) = (Vec::new(), 0, None);
    loop {
        let page = tree.page(behind.as_deref()).unwrap();
        paths.extend(page.items.into_iter().map(|found| found.path));
        pages += 1;
        let Some(next) = page.next else { return (paths, pages) };
        assert_ne!(behind.as_deref(), Some(&*next), "a page that leads to itself");
        behind = Some(next);
    }
}

#[test]
fn a_walk_in_pages_finds_each_file_once_however_the_folders_lie() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for number in 0..1_203 {
        let path = match number % 4 {
            0 => format!("{number:04}"),
            1 => format!("a/{number:04}"),
            2 => format!("a/b{}/{number:04}", number % 7),
            _ => format!("a.x/{number:04}"),
        };
        write(folder.path(), &path, b"x");
        written.push(path);
    }
    let tree = Tree::open(folder.path()).unwrap();
    let (mut found, pages) = all(&tree);
    assert_eq!(pages, 3);
    written.sort();
    found.sort();
    assert_eq!(found, written);
}

#[test]
fn a_folder_of_more_entries_than_are_looked_at_for_a_page_is_listed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10_700 {
        fs::create_dir(folder.path().join(format!("{number:05}"))).unwrap();
    }
    write(folder.path(), "10699/last", b"x");
    let (found, pages) = all(&Tree::open(folder.path()).unwrap());
    assert_eq!((found, pages), (vec!["10699/last".to_owned()], 2));
}

#[test]
fn a_page_goes_on_behind_a_file_that_is_gone_or_a_folder_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..600 {
        write(folder.path(), &format!("{number:03}"), b"x");
    }
    let tree = Tree::open(folder.path()).unwrap();
    let next = tree.page(None).unwrap().next.unwrap();
    assert_eq!(next, "499");
    fs::remove_file(folder.path().join("499")).unwrap();
    write(folder.path(), "499/inside", b"x");
    let page = tree.page(Some(&next)).unwrap();
    assert_eq!((page.items.len(), page.items[0].path.as_str(), page.next), (101, "499/inside", None));
}

#[test]
fn what_begins_with_a_dot_is_there_on_demand_alone() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["seen", ".env", ".git/config", "in/.env"] {
        write(folder.path(), path, b"x");
    }
    let mut tree = Tree::open(folder.path()).unwrap();
    assert_eq!(all(&tree).0, ["seen"]);
    for path in [".env", ".git/config", "in/.env"] {
        assert_eq!(tree.read(path, 9).unwrap(), Read::Nothing, "{path}");
    }
    assert_eq!(tree.complete(".g", 9).unwrap(), [""; 0]);
    tree.hidden = true;
    assert_eq!(all(&tree).0, [".env", ".git/config", "in/.env", "seen"]);
    assert_eq!(tree.read(".git/config", 9).unwrap(), Read::Bytes(b"x".to_vec()));
}

#[test]
fn a_file_is_read_up_to_the_limit_and_not_beyond() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "five", b"12345");
    let tree = Tree::open(folder.path()).unwrap();
    assert_eq!(tree.read("five", 5).unwrap(), Read::Bytes(b"12345".to_vec()));
    assert_eq!(tree.read("five", 4).unwrap(), Read::TooLarge(5));
    assert_eq!(tree.read("five/", 5).unwrap(), Read::Nothing);
    assert_eq!(tree.read("five/more", 5).unwrap(), Read::Nothing);
}

#[test]
fn a_path_is_completed_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["guide/start.md", "guide/stop.md", "guide/more/x", "gone", "notes"] {
        write(folder.path(), path, b"x");
    }
    let tree = Tree::open(folder.path()).unwrap();
    assert_eq!(tree.complete("g", 9).unwrap(), ["gone", "guide/"]);
    assert_eq!(tree.complete("guide/st", 9).unwrap(), ["guide/start.md", "guide/stop.md"]);
    assert_eq!(tree.complete("guide/", 2).unwrap(), ["guide/more/", "guide/start.md"]);
    for nowhere in ["../", "/", "x/y", "gone/"] {
        assert_eq!(tree.complete(nowhere, 9).unwrap(), [""; 0], "{nowhere}");
    }
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_outside_and_never_in_a_circle() {
    use std::os::unix::fs::symlink;
    let (outside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(outside.path(), "secret", b"secret");
    write(folder.path(), "docs/page", b"page");
    write(folder.path(), ".hidden/key", b"key");
    let link = |to: &Path, name: &str| symlink(to, folder.path().join(name)).unwrap();
    link(&outside.path().join("secret"), "absolute");
    link(Path::new("../").join(outside.path().file_name().unwrap()).join("secret").as_path(), "relative");
    link(outside.path(), "folder");
    link(Path::new("docs/page"), "inside");
    link(Path::new("docs"), "behind");
    link(Path::new("."), "circle");
    link(Path::new("endless"), "endless");
    link(Path::new(".hidden/key"), "key");
    link(Path::new("nowhere"), "broken");
    let tree = Tree::open(folder.path()).unwrap();
    assert_eq!(all(&tree).0, ["docs/page", "inside"]);
    for path in ["absolute", "relative", "folder/secret", "endless", "endless/x", "key", "broken", "behind", "circle"] {
        assert_eq!(tree.read(path, 99).unwrap(), Read::Nothing, "{path}");
    }
    for path in ["docs/page", "inside", "behind/page", "circle/docs/page"] {
        assert_eq!(tree.read(path, 99).unwrap(), Read::Bytes(b"page".to_vec()), "{path}");
    }
    assert_eq!(tree.complete("folder/", 9).unwrap(), [""; 0]);
}

#[test]
fn types_are_those_of_names_and_text_is_what_its_bytes_are() {
    assert_eq!(kind::of_name("a/READ.MD"), Some("text/markdown"));
    assert_eq!(kind::of_name("a.dir/README"), None);
    // A film to the library, TypeScript to everybody who serves one.
    assert_eq!(kind::of_name("main.ts"), None);
    assert_eq!((kind::of_text("main.ts"), kind::of_bytes("main.ts")), ("text/plain", "application/octet-stream"));
    assert_eq!(kind::of_bytes("x.png"), "image/png");
    assert_eq!(kind::text(b"caf\xc3\xa9".to_vec()), Ok("café".to_owned()));
    assert_eq!(kind::text(b"a\0b".to_vec()), Err(b"a\0b".to_vec()));
    assert_eq!(kind::text(b"caf\xe9".to_vec()), Err(b"caf\xe9".to_vec()));
}

#[test]
fn uris_begin_as_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Directory::open(folder.path()).unwrap();
    assert_eq!(open().uri("a b/é?.md").as_deref(), Some("file:///a%20b/%C3%A9%3F.md"));
    let docs = open().at("docs://").unwrap();
    assert_eq!(docs.uri("a").as_deref(), Some("docs://a"));
    assert_eq!(docs.path("docs://a%20b").as_deref(), Some("a b"));
    assert_eq!(docs.path("docs://a/b").as_deref(), Some("a/b"));
    // A file has one URI, by which it is decided who may read it.
    for other in ["docs://a%2Fb", "docs://a%21b", "docs://%C3%A9%2f"] {
        assert_eq!(docs.path(other), None, "{other}");
    }
    for wrong in ["docs", "docs:", "/docs/", "docs://{a}/", "docs:// /"] {
        assert!(open().at(wrong).is_err(), "{wrong}");
    }
    let missing = Directory::open(folder.path().join("missing")).unwrap_err().to_string();
    assert!(missing.contains("missing` can't be served"), "{missing}");
}
