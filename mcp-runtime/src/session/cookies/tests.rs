use super::*;
use crate::{
    session::{jwt::SKEW_SECONDS, testing::alice},
    store::MemoryStore,
};

fn room() -> Cookies {
    let owners = hmac::Key::new(hmac::HMAC_SHA256, b"owners");
    let witnesses = Witnesses(hmac::Key::new(hmac::HMAC_SHA256, b"witnesses"));
    let keeping = Keeping::Store(witnesses);
    Cookies::new(CookiePolicy::Accepted, Arc::new(MemoryStore::new()), Duration::from_secs(600), owners, keeping, None)
}

/// The live session of this id.
async fn find(room: &Cookies, id: &str, principal: Option<&Principal>) -> Option<SessionCookie> {
    match room.find(id, None, principal).await.unwrap() {
        FoundCookie::Live(session, _) => Some(session),
        FoundCookie::Unknown => None,
        FoundCookie::RolledBack => panic!("nothing was lost"),
    }
}

fn fresh() -> SessionCookie {
    SessionCookie::fresh("title", "session/create", BTreeMap::new(), Duration::from_secs(600))
}

#[tokio::test]
async fn an_id_has_one_spelling() {
    let room = room();
    let cookie = fresh();
    room.keep(&cookie, None, Owner::default()).await.unwrap();
    assert_eq!(find(&room, cookie.id(), None).await.unwrap().key(), cookie.key());
    let capitals = format!("{PREFIX}{}", cookie.id()[PREFIX.len()..].to_uppercase());
    for other in [&cookie.id()[1..], &format!("{}0", cookie.id()), &cookie.id().replace(PREFIX, ""), ""] {
        assert_eq!(find(&room, other, None).await, None, "{other}");
    }
    if capitals != cookie.id() {
        assert_eq!(find(&room, &capitals, None).await, None);
    }
}

#[tokio::test]
async fn a_cookie_is_its_principals_alone() {
    let room = room();
    let (of_alice, of_nobody) = (fresh(), fresh());
    let alice = alice();
    room.keep(&of_alice, Some(&alice), room.owner(Some(&alice), None).unwrap()).await.unwrap();
    room.keep(&of_nobody, None, Owner::default()).await.unwrap();
    assert!(find(&room, of_alice.id(), Some(&alice)).await.is_some());
    assert!(find(&room, of_alice.id(), None).await.is_none());
    assert!(find(&room, of_nobody.id(), Some(&alice)).await.is_none());
    assert!(find(&room, of_nobody.id(), None).await.is_some());
}

#[tokio::test]
async fn a_session_that_the_store_lost_before_its_time_is_no_unknown_one() {
    let (room, alice) = (room(), alice());
    let cookie = fresh();
    room.keep(&cookie, Some(&alice), Owner::default()).await.unwrap();
    let seen = room.first_token(&cookie, Some(&alice), &room.nothing()).unwrap();
    let lost = Cookies { store: Arc::new(MemoryStore::new()), ..self::room() };
    let find = async |room: &Cookies, seen: Option<&str>, principal: Option<&Principal>| match room
        .find(cookie.id(), seen, principal)
        .await
        .unwrap()
    {
        FoundCookie::Live(..) => "live",
        FoundCookie::Unknown => "unknown",
        FoundCookie::RolledBack => "rolled back",
    };
    assert_eq!(find(&room, Some(&seen), Some(&alice)).await, "live");
    assert_eq!(find(&room, Some("A forged one"), Some(&alice)).await, "live");
    assert_eq!(find(&lost, Some(&seen), Some(&alice)).await, "rolled back");
    // Nobody else learns that there was one, and a witness that is none says nothing.
    assert_eq!(find(&lost, Some(&seen), None).await, "unknown");
    assert_eq!(
        find(&lost, Some(&room.first_token(&fresh(), Some(&alice), &room.nothing()).unwrap()), Some(&alice)).await,
        "unknown"
    );
    assert_eq!(find(&lost, None, Some(&alice)).await, "unknown");
    // What is left of a record is no session.
    let commit = Commit {
        operation: Operation(crate::session::random()),
        owner: Owner::default(),
        idle: Duration::from_secs(60),
        writes: vec![Write { key: "notes", expected: 0, value: Blob::from_bytes(vec![1]) }],
    };
    lost.store.commit(cookie.key(), commit).await.unwrap();
    assert_eq!(find(&lost, Some(&seen), Some(&alice)).await, "rolled back");
    // One that was ended was not lost.
    room.end(cookie.key()).await.unwrap();
    assert_eq!(find(&room, Some(&seen), Some(&alice)).await, "unknown");
    // Nor was one whose time may be over, whichever clock one asks.
    crate::session::clock::jump(600 - i64::try_from(SKEW_SECONDS).unwrap());
    assert_eq!(find(&lost, Some(&seen), Some(&alice)).await, "unknown");
}

#[tokio::test]
async fn whoever_looks_for_the_session_of_another_does_not_keep_it_alive() {
    let room = Cookies { idle: Duration::from_millis(400), ..room() };
    let (used, looked_for, alice) = (fresh(), fresh(), alice());
    for cookie in [&used, &looked_for] {
        room.keep(cookie, Some(&alice), room.owner(Some(&alice), None).unwrap()).await.unwrap();
    }
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(find(&room, looked_for.id(), None).await, None);
        let own = find(&room, used.id(), Some(&alice)).await.unwrap();
        room.renew(own.key()).await.unwrap();
    }
    assert_eq!(find(&room, looked_for.id(), Some(&alice)).await, None);
    assert!(find(&room, used.id(), Some(&alice)).await.is_some());
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
