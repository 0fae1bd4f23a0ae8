//! Ids that only the store knows, keys of other kinds, and rings that differ.

use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::session::keys::Ed25519;

fn opaque() -> Sessions {
    Sessions::opaque().keys(keys())
}

fn list(entries: &[&str]) -> SigningKeys {
    SigningKeys::parse(&entries.join(",")).unwrap()
}

fn entry(kid: &str, kind: &str, bytes: &[u8]) -> String {
    format!("{kid}:{kind}{}", BASE64_STANDARD.encode(bytes))
}

fn public_of(seed: &[u8]) -> [u8; 32] {
    let keys = SigningKeys::ed25519("k", seed).unwrap();
    *keys.all()[0].ed25519().map(Ed25519::public).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_opaque_id_says_nothing_and_gives_back_what_it_was_opened_with() {
    let shelf = Shelf::shared();
    let (one, other) = (room(opaque(), &shelf, false).await, room(opaque(), &shelf, false).await);
    let client = Implementation { name: "inspector".into(), version: "1".into(), title: None };
    let capabilities: ClientCapabilities = serde_json::from_str(r#"{"roots":{"listChanged":true}}"#).unwrap();
    let id = one.open(Version::V2025_06_18, &capabilities, Some(&client), Some(&alice())).await.unwrap();
    assert!(id.len() == 43 && id != open(&one, Some(&alice())).await);
    let session = other.resolve(&id, Some(&alice())).await.unwrap().expect("any instance knows it");
    assert_eq!((session.version, &*session.capabilities), (Version::V2025_06_18, &capabilities));
    assert_eq!(session.client.as_ref().map(|client| &*client.name), Some("inspector"));
    assert!(!id.contains(&*session.id) && BASE64.decode(&id).unwrap()[..16] != session.key.0[1..]);
    for stranger in [None, Some(&bob())] {
        assert!(other.resolve(&id, stranger).await.unwrap().is_none());
        assert_eq!(other.close(&id, stranger).await.unwrap(), Closed::Unknown);
    }
    assert_eq!(other.close(&id, Some(&alice())).await.unwrap(), Closed::Ended);
    assert!(one.resolve(&id, Some(&alice())).await.unwrap().is_none());
    assert!(write(&one, &shelf, session.key).await.is_err(), "a call that began before brings nothing back");
}

#[tokio::test(start_paused = true)]
async fn an_opaque_session_ends_after_the_handshake_when_idle_and_after_a_day() {
    let shelf = Shelf::new();
    let room = room(opaque(), &shelf, false).await;
    let (never, once, busy) = (open(&room, None).await, open(&room, None).await, open(&room, None).await);
    assert!(resolve(&room, &once).await.is_some() && resolve(&room, &busy).await.is_some());
    pass(Duration::from_secs(31)).await;
    assert!(resolve(&room, &never).await.is_none(), "its client never came back");
    assert!(resolve(&room, &busy).await.is_some());
    for _ in 0..71 {
        pass(20 * MINUTE).await;
        assert!(resolve(&room, &busy).await.is_some());
    }
    assert!(resolve(&room, &once).await.is_none(), "it was idle for half an hour");
    pass(20 * MINUTE).await;
    assert!(resolve(&room, &busy).await.is_none(), "however busy, a day is the end");
}

#[tokio::test(start_paused = true)]
async fn opaque_sessions_are_ended_by_the_program_as_others_are() {
    let shelf = Shelf::new();
    let room = room(opaque(), &shelf, true).await;
    let (one, two) = (open(&room, Some(&alice())).await, open(&room, Some(&alice())).await);
    let public = room.resolve(&one, Some(&alice())).await.unwrap().unwrap().id.clone();
    room.revoke(&public).await.unwrap();
    assert!(room.resolve(&one, Some(&alice())).await.unwrap().is_none());
    assert!(room.resolve(&two, Some(&alice())).await.unwrap().is_some());
    room.revoke_all((&alice()).into()).await.unwrap();
    assert!(room.resolve(&two, Some(&alice())).await.unwrap().is_none());
    let again = open(&room, Some(&alice())).await;
    assert!(room.resolve(&again, Some(&alice())).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn abuse_e23_ids_that_could_not_be_opaque_ones_are_not_asked_for_and_a_store_that_is_down_is_an_error() {
    let shelf = Shelf::new();
    let room = room(opaque(), &shelf, false).await;
    let calls = shelf.calls();
    for wrong in ["", "a.b.c", &"a".repeat(44), &"=".repeat(43), &"\u{e9}".repeat(21)] {
        assert!(resolve(&room, wrong).await.is_none(), "{wrong}");
    }
    assert_eq!(shelf.calls(), calls);
    assert!(resolve(&room, &BASE64.encode([7; 32])).await.is_none());
    shelf.fail([Fault::Refuse, Fault::Refuse]);
    assert!(room.resolve(&BASE64.encode([7; 32]), None).await.is_err());
    assert!(room.open(Version::V2025_11_25, &ClientCapabilities::default(), None, None).await.is_err());
}

#[tokio::test]
async fn abuse_e20_keys_rotate_from_one_kind_to_the_other() {
    let shelf = Shelf::new();
    let (old, new) = (entry("old", "", &secret(1)), entry("new", "ed25519:", &secret(2)));
    let mut ids: Vec<(String, String)> = Vec::new();
    for ring in [vec![&*old], vec![&*old, &*new], vec![&*new, &*old]] {
        let room = room(Sessions::jwt(list(&ring)), &shelf, true).await;
        ids.push((open(&room, Some(&alice())).await, room.mint_handle(Some(&alice())).await.unwrap()));
        for (id, handle) in &ids {
            assert!(room.resolve(id, Some(&alice())).await.unwrap().is_some());
            assert!(room.read_handle(handle, Some(&alice()), &[]).await.unwrap().is_some());
        }
    }
    let last = room(Sessions::jwt(list(&[&new])), &shelf, true).await;
    for (number, (id, handle)) in ids.iter().enumerate() {
        assert_eq!(last.resolve(id, Some(&alice())).await.unwrap().is_some(), number == 2);
        assert_eq!(last.read_handle(handle, Some(&alice()), &[]).await.unwrap().is_some(), number == 2);
    }
}

#[tokio::test]
async fn who_has_only_the_public_key_takes_the_ids_of_its_owner_and_makes_none() {
    let shelf = Shelf::new();
    let owner = room(Sessions::jwt(SigningKeys::ed25519("e1", secret(3)).unwrap()), &shelf, true).await;
    let public = entry("e1", "ed25519-public:", &public_of(&secret(3)));
    let other = room(Sessions::jwt(list(&[&entry("k1", "", &secret(4)), &public])), &shelf, true).await;
    let id = open(&owner, Some(&alice())).await;
    assert!(other.resolve(&id, Some(&alice())).await.unwrap().is_some());
    assert!(other.resolve(&id, Some(&bob())).await.unwrap().is_none(), "whose it is is checked too");
    let elsewhere = Shelf::new();
    let foreign = room(Sessions::jwt(list(&[&entry("k1", "", &secret(4)), &public])), &elsewhere, true).await;
    assert!(foreign.resolve(&id, Some(&alice())).await.unwrap().is_none(), "it is of another store");
    assert!(owner.resolve(&open(&other, None).await, None).await.unwrap().is_none());
}

#[tokio::test]
async fn one_id_for_two_keys_is_found_at_the_start_where_instances_share_a_store() {
    let start = |keys: SigningKeys, shelf: &Arc<Shelf>| {
        let store = Arc::clone(shelf) as Arc<dyn StateStore>;
        async move { SessionRoom::open_room(Sessions::jwt(keys), store, "notebook", true).await.map(drop) }
    };
    let key = |seed| SigningKeys::new("k1", secret(seed)).unwrap();
    let shelf = Shelf::shared();
    start(key(1), &shelf).await.unwrap();
    start(key(1), &shelf).await.unwrap();
    start(key(1).and_verify("k2", secret(2)).unwrap(), &shelf).await.unwrap();
    let refused = start(key(2), &shelf).await.unwrap_err();
    assert!(matches!(&refused, OpenError::AnotherKey(kid) if kid == "k1"), "{refused}");
    let swapped = SigningKeys::new("k3", secret(3)).unwrap().and_verify("k2", secret(9)).unwrap();
    assert!(matches!(start(swapped, &shelf).await.unwrap_err(), OpenError::AnotherKey(kid) if kid == "k2"));
    // A seed and its public key are one key.
    start(SigningKeys::ed25519("e1", secret(5)).unwrap(), &shelf).await.unwrap();
    start(key(1).and_verify_public("e1", public_of(&secret(5))).unwrap(), &shelf).await.unwrap();
    shelf.fail([Fault::Refuse]);
    assert!(matches!(start(key(1), &shelf).await.unwrap_err(), OpenError::Store(_)));
    // In a store of one's own, the keys of before may be lost.
    let own = Shelf::durable();
    start(key(1), &own).await.unwrap();
    start(key(2), &own).await.unwrap();
}
