use super::*;
use crate::{
    protocol::Version,
    session::{SessionKey, testing::alice},
};

fn known(principal: Option<Principal>, expires: u64) -> Known {
    let session = ProtocolSession {
        key: SessionKey([1; 17]),
        id: "x".into(),
        version: Version::V2025_11_25,
        capabilities: Arc::default(),
        client: None,
    };
    Known { session: Arc::new(session), principal, life: Life { issued: 0, expires } }
}

#[test]
fn only_the_whole_token_is_known() {
    let cache = Cache::new();
    let signature = "s".repeat(43);
    cache.insert(&format!("header.one.{signature}"), known(None, 10));
    assert!(cache.get(format!("header.one.{signature}").as_bytes(), None, 0).is_some());
    assert!(cache.get(format!("header.two.{signature}").as_bytes(), None, 0).is_none());
    assert!(cache.get(signature.as_bytes(), None, 0).is_none());
    assert!(cache.get(b"", None, 0).is_none());
}

#[test]
fn a_hit_is_for_the_same_principal_and_before_the_end_alone() {
    let cache = Cache::new();
    cache.insert("a", known(Some(alice()), 10));
    assert!(cache.get(b"a", Some(&alice()), 9).is_some());
    assert!(cache.get(b"a", Some(&alice()), 10).is_none());
    assert!(cache.get(b"a", None, 0).is_none());
    let through_another_client = Principal { client: "client-2".into(), ..alice() };
    assert!(cache.get(b"a", Some(&through_another_client), 0).is_none());
    cache.insert("b", known(None, 10));
    assert!(cache.get(b"b", Some(&alice()), 0).is_none());
}

#[test]
fn a_hundred_thousand_tokens_take_no_more_room_than_the_cache_has() {
    let cache = Cache::new();
    for number in 0..100_000 {
        cache.insert(&format!("signature{number:06}"), known(None, 10));
    }
    assert!(cache.len() <= SETS * WAYS);
    assert!(cache.len() > SETS * WAYS / 2, "most of the room is used");
}

#[test]
fn a_token_in_use_outlives_a_flood_of_others() {
    let cache = Cache::new();
    cache.insert("in use", known(None, 10));
    for number in 0..50_000 {
        assert!(cache.get(b"in use", None, 0).is_some(), "lost after {number}");
        cache.insert(&format!("signature{number:06}"), known(None, 10));
    }
}

#[test]
fn a_token_is_kept_once_and_can_be_forgotten() {
    let cache = Cache::new();
    cache.insert("a", known(None, 10));
    cache.insert("a", known(None, 20));
    assert_eq!(cache.len(), 1);
    assert!(cache.get(b"a", None, 15).is_some());
    cache.remove("a");
    assert_eq!(cache.len(), 0);
}
