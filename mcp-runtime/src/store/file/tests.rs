//! What the laws of every store leave open: the file itself.

use std::{
    error::Error as _,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{self, Stdio},
};

use super::*;
use crate::store::{Blob, Operation, Write};

const HOUR: Duration = Duration::from_secs(3600);

struct Folder {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().expect("a folder");
    Folder { file: folder.path().join("sessions"), _folder: folder }
}

fn session(number: u32) -> SessionKey {
    let mut key = [7; 17];
    key[..4].copy_from_slice(&number.to_be_bytes());
    SessionKey(key)
}

fn commit(operation: u32, expected: u64, value: &[u8]) -> Commit {
    let mut name = [0; 16];
    name[..4].copy_from_slice(&operation.to_be_bytes());
    let write = |key| Write { key, expected, value: Blob::from_bytes(value.to_vec()) };
    Commit {
        operation: Operation(name),
        owner: Owner::default(),
        idle: HOUR,
        writes: vec![write("first"), write("second")],
    }
}

#[tokio::test]
async fn a_file_in_use_is_refused_with_advice() {
    let folder = folder();
    let store = FileStore::open(&folder.file).expect("a store");
    let error = FileStore::open(&folder.file).expect_err("the file is in use");
    let message = error.source().expect("a source").to_string();
    for part in ["in use by another process", "a file of its own", "Redis or PostgreSQL", "sessions"] {
        assert!(message.contains(part), "{message}");
    }
    drop(store);
    FileStore::open(&folder.file).expect("the file is free again");
}

#[test]
fn a_path_that_can_not_be_opened_is_an_error() {
    let folder = folder();
    let error = FileStore::open(folder.file.join("no/such/folder")).expect_err("there is no folder");
    assert!(error.source().is_some_and(|error| error.source().is_some()));
}

#[tokio::test]
async fn a_file_of_another_format_is_refused() {
    let folder = folder();
    {
        let database = Database::create(&folder.file).expect("a database");
        let transaction = database.begin_write().expect("a transaction");
        let facts: redb::TableDefinition<&str, &[u8]> = redb::TableDefinition::new("facts");
        transaction.open_table(facts).expect("a table").insert("format", b"2".as_slice()).expect("an entry");
        transaction.commit().expect("committed");
    }
    let error = FileStore::open(&folder.file).expect_err("another format");
    assert!(error.source().and_then(|error| error.source()).is_some_and(|why| why.to_string().contains("version")));
}

#[tokio::test]
async fn bytes_that_are_no_store_are_refused() {
    let folder = folder();
    for bytes in [&b"hello"[..], &[0; 100_000], &[0xff; 100_000], b"redb\x1a\x0a\xa9\x0d\x0a and nothing else"] {
        fs::write(&folder.file, bytes).expect("written");
        let error = FileStore::open(&folder.file).expect_err("no store");
        assert!(error.source().is_some_and(|error| error.to_string().contains("no session file")));
        assert_eq!(fs::read(&folder.file).expect("the file").len(), bytes.len(), "the file must be left as it was");
    }
}

/// Whatever a damaged file does, it is an error or an answer, in the opening as in the calls.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_never_panics() {
    let folder = folder();
    {
        let store = FileStore::open(&folder.file).expect("a store");
        for number in 0..50 {
            store.commit(session(number), commit(number, 0, &[number as u8; 300])).await.expect("saved");
        }
    }
    let sound = fs::read(&folder.file).expect("the file");
    let mut refused = 0;
    for round in 0..60usize {
        let mut damaged = sound.clone();
        if round % 3 == 0 {
            damaged.truncate(sound.len() * round / 60);
        } else {
            // Mostly in the header and the first pages, where it hurts.
            let end = if round % 3 == 1 { 4096 } else { sound.len() };
            for byte in 0..8 {
                let at = (round * 7919 + byte * 104_729) % end;
                damaged[at] ^= 1 << (byte % 8);
            }
        }
        fs::write(&folder.file, &damaged).expect("written");
        let Ok(store) = FileStore::open(&folder.file) else {
            refused += 1;
            continue;
        };
        for number in [0, 25, 49, 99] {
            let _ = store.load(session(number), &["first", "second"], HOUR).await;
            let _ = store.commit(session(number), commit(1000 + number, 1, b"x")).await;
        }
        let _ = store.list(Owner::default(), None, 100).await;
        let _ = store.sweep().await;
    }
    assert!(refused > 10, "most damage must be noticed, not only {refused} of 60");
}

/// The test starts itself as a second process that writes until it is killed.
#[test]
fn a_killed_process_loses_nothing_that_was_committed() {
    const CHILD: &str = "MCP_RUNTIME_TEST_SESSION_FILE";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(file) = std::env::var_os(CHILD) {
        let store = FileStore::open(file).expect("a store");
        runtime.block_on(async {
            for revision in 0.. {
                let commit = commit(revision, revision.into(), &revision.to_be_bytes());
                let committed = store.commit(session(1), commit).await.expect("an answer");
                assert_eq!(committed, Committed::Saved);
                println!("\ncommitted {}", revision + 1);
            }
        });
    }
    let folder = folder();
    let mut child = process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "store::file::tests::a_killed_process_loses_nothing_that_was_committed", "--nocapture"])
        .env(CHILD, &folder.file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a second process");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut heard = |wanted: u64| {
        lines
            .by_ref()
            .filter_map(|line| line.ok()?.strip_prefix("committed ")?.parse::<u64>().ok())
            .find(|n| *n >= wanted)
    };
    let before = heard(30).expect("thirty commits");
    child.kill().expect("killed");
    child.wait().expect("ended");
    let last = heard(u64::MAX).unwrap_or(before).max(before);
    let store = FileStore::open(&folder.file).expect("the file is sound");
    let loaded = runtime.block_on(store.load(session(1), &["first", "second"], HOUR)).expect("an answer");
    let [Some((first, revision)), Some((second, other))] = &*loaded.parts else { panic!("the parts are there") };
    assert!(*revision >= last, "revision {revision} is in the file, {last} was committed");
    assert_eq!((revision, first.bytes()), (other, second.bytes()));
    assert_eq!(first.bytes(), (u32::try_from(*revision).expect("few") - 1).to_be_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_renew_a_lifetime_only_when_a_tenth_has_passed() {
    let folder = folder();
    let store = FileStore::open(&folder.file).expect("a store");
    store.commit(session(1), commit(1, 0, b"x")).await.expect("saved");
    let expires = async || store.read(|snapshot| snapshot.load(session(1), &[], now())).await.expect("read").1;
    let first = expires().await;
    for _ in 0..20 {
        store.load(session(1), &["first"], HOUR).await.expect("loaded");
        store.touch(session(1), HOUR).await.expect("touched");
    }
    assert_eq!(expires().await, first, "nothing was written");
    let longer = HOUR * 2;
    assert_eq!(store.touch(session(1), longer).await.expect("touched"), Presence::Live);
    assert!(expires().await > first + 3_500_000, "the lifetime was renewed");
    assert!(!Expiry(1000).is_due(99, Duration::from_millis(1000)));
    assert!(Expiry(1000).is_due(100, Duration::from_millis(1000)));
    assert!(Expiry(1000).is_due(1001, Duration::ZERO));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_drops_what_expired_and_its_parts() {
    let folder = folder();
    let store = FileStore::open(&folder.file).expect("a store");
    let short = Duration::from_millis(1);
    let many = u32::try_from(5000).expect("few");
    // More than one step of a sweep, written at once.
    let commits =
        (0..many).map(|number| store.commit(session(number), Commit { idle: short, ..commit(number, 0, b"x") }));
    for committed in futures_util::future::join_all(commits).await {
        assert_eq!(committed.expect("an answer"), Committed::Saved);
    }
    store.commit(session(many), commit(many, 0, b"x")).await.expect("saved");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(store.sweep().await.expect("swept"), 5000);
    assert_eq!(store.sweep().await.expect("swept"), 0);
    assert_eq!(store.list(Owner::default(), None, 10).await.expect("listed"), [session(many)]);
    let counts = store.read(Snapshot::counts).await.expect("counted");
    assert_eq!(counts, (1, 2, 1), "one record, its two parts and its owner are left");
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let folder = folder();
    let store = FileStore::open(&folder.file).expect("a store");
    let mut commit = commit(1, 0, b"x");
    commit.writes[1].key = Box::leak("k".repeat(129).into_boxed_str());
    let refused = store.commit(session(1), commit).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 129, limit: 128 })));
    assert_eq!(store.touch(session(1), HOUR).await.expect("touched"), Presence::Absent);
}
