//! A store of one's own, as the book shows it: the suite, survival, and a server over it.

use std::{sync::Arc, time::Duration};

use mcp_runtime::store::conformance::{self, Fault, FaultyStore};
use serde_json::json;

use super::{
    fleet::{ERAS, KEYS, sum},
    folder::FolderStore,
};
use crate::support::{
    client::Client,
    process::{HttpServer, command},
};

// ANCHOR: suite
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_obeys_the_laws_of_session_state() {
    let folder = tempfile::tempdir().expect("a folder");
    conformance::check(Arc::new(FolderStore::open(folder.path()).expect("a store"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_behind_a_bad_network_obeys_them_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(folder.path()).expect("a store");
    let faults = vec![Fault::None, Fault::Before, Fault::After, Fault::Twice, Fault::Delay(Duration::from_millis(1))];
    conformance::check(Arc::new(FaultyStore::new(store, faults))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_folder_has_survives_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    conformance::check_survival(async || FolderStore::open(folder.path()).expect("a store")).await;
}
// ANCHOR_END: suite

#[test]
fn a_server_over_a_store_of_ones_own_is_killed_and_its_sessions_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("it is text");
    let start = || HttpServer::with("own_store", &[], &[KEYS[0], ("FOLDER", path)]);
    for era in ERAS {
        let first = start();
        let client = Client::new(first.port, era);
        assert_eq!(sum(&client.call("count_up", json!({ "by": 2 }))), "2");
        first.kill();
        let second = start();
        assert_eq!(sum(&client.moved(second.port).call("count_up", json!({ "by": 3 }))), "5");
    }
}

#[test]
fn a_folder_that_another_process_has_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = FolderStore::open(folder.path()).expect("a store");
    assert!(FolderStore::open(folder.path()).is_err());
    let output = command("own_store").env("FOLDER", folder.path()).output().expect("the example starts");
    assert_eq!(output.status.code(), Some(1));
}
