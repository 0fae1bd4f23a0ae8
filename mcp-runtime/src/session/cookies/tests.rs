use super::*;
use crate::{session::testing::alice, store::MemoryStore};

fn room() -> Cookies {
    let owners = hmac::Key::new(hmac::HMAC_SHA256, b"owners");
    Cookies::new(CookiePolicy::Accepted, Arc::new(MemoryStore::new()), Duration::from_secs(60), owners, None)
}

fn fresh() -> SessionCookie {
    SessionCookie::fresh("title", "session/create", BTreeMap::new(), Duration::from_secs(60))
}

#[tokio::test]
async fn an_id_has_one_spelling() {
    let room = room();
    let cookie = fresh();
    room.keep(&cookie, None, Owner::default()).await.unwrap();
    assert_eq!(room.find(cookie.id(), None).await.unwrap().unwrap().key(), cookie.key());
    let capitals = format!("{PREFIX}{}", cookie.id()[PREFIX.len()..].to_uppercase());
    for other in [&cookie.id()[1..], &format!("{}0", cookie.id()), &cookie.id().replace(PREFIX, ""), ""] {
        assert_eq!(room.find(other, None).await.unwrap(), None, "{other}");
    }
    if capitals != cookie.id() {
        assert_eq!(room.find(&capitals, None).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_cookie_is_its_principals_alone() {
    let room = room();
    let (of_alice, of_nobody) = (fresh(), fresh());
    let alice = alice();
    room.keep(&of_alice, Some(&alice), room.owner(Some(&alice), None).unwrap()).await.unwrap();
    room.keep(&of_nobody, None, Owner::default()).await.unwrap();
    assert!(room.find(of_alice.id(), Some(&alice)).await.unwrap().is_some());
    assert!(room.find(of_alice.id(), None).await.unwrap().is_none());
    assert!(room.find(of_nobody.id(), Some(&alice)).await.unwrap().is_none());
    assert!(room.find(of_nobody.id(), None).await.unwrap().is_some());
}

#[tokio::test]
async fn whoever_looks_for_the_session_of_another_does_not_keep_it_alive() {
    let owners = hmac::Key::new(hmac::HMAC_SHA256, b"owners");
    let idle = Duration::from_millis(400);
    let room = Cookies::new(CookiePolicy::Accepted, Arc::new(MemoryStore::new()), idle, owners, None);
    let (used, looked_for, alice) = (fresh(), fresh(), alice());
    for cookie in [&used, &looked_for] {
        room.keep(cookie, Some(&alice), room.owner(Some(&alice), None).unwrap()).await.unwrap();
    }
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(room.find(looked_for.id(), None).await.unwrap(), None);
        let own = room.find(used.id(), Some(&alice)).await.unwrap().unwrap();
        room.renew(own.key()).await.unwrap();
    }
    assert_eq!(room.find(looked_for.id(), Some(&alice)).await.unwrap(), None);
    assert!(room.find(used.id(), Some(&alice)).await.unwrap().is_some());
}

#[tokio::test]
async fn lists_are_whole_and_hold_nothing_but_cookies() {
    let room = room();
    let owner = Owner([7; 16]);
    let mut ids: Vec<Box<str>> = Vec::new();
    for kind in [1, 2, 3, 4, 5, 7] {
        let commit = Commit {
            operation: Operation(crate::session::random()),
            owner,
            idle: Duration::from_secs(60),
            writes: Vec::new(),
        };
        room.store.commit(SessionKey([kind; 17]), commit).await.unwrap();
    }
    for _ in 0..250 {
        let cookie = fresh();
        room.keep(&cookie, None, owner).await.unwrap();
        ids.push(cookie.id);
    }
    ids.sort();
    let listed: Vec<Box<str>> = room.list(owner).await.unwrap().into_iter().map(|cookie| cookie.id).collect();
    assert_eq!(listed, ids);
}

#[test]
fn what_is_shown_for_debugging_holds_no_secret() {
    let cookie = fresh();
    assert!(!format!("{cookie:?}").contains(&cookie.id()[PREFIX.len() + 8..]));
}
