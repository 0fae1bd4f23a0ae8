//! Sessions that the program ends.

use super::*;
use crate::session::{RevocationError, RevocationScope};

/// Of a server whose program may end sessions.
fn revocable(sessions: Sessions) -> Sessions {
    sessions.revocable(true)
}

async fn behind(room: &SessionRoom, handle: &str, principal: &Principal) -> Option<Behind> {
    room.read_handle(handle, Some(principal), &[]).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_program_ends_is_over_on_every_instance_and_no_other_is() {
    for stateful in [false, true] {
        let shelf = Shelf::shared();
        let one = room(revocable(fixed()), &shelf, stateful).await;
        let other = room(revocable(fixed()), &shelf, stateful).await;
        let (id, stays) = (open(&one, None).await, open(&one, None).await);
        let public = resolve(&other, &id).await.unwrap().id.clone();
        one.revoke(&public).await.unwrap();
        for room in [&one, &other] {
            assert!(resolve(room, &id).await.is_none());
            assert!(resolve(room, &stays).await.is_some());
        }
        pass(31 * MINUTE).await;
        assert!(resolve(&other, &id).await.is_none(), "not even when it would have been idle for long");
        one.revoke(&public).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_ended_by_its_public_id_and_an_identity_is_emptied() {
    let shelf = Shelf::new();
    let room = room(revocable(fixed()), &shelf, true).await;
    let handle = room.mint_handle(Some(&alice())).await.unwrap();
    let found = behind(&room, &handle, &alice()).await.unwrap();
    room.revoke(&found.id).await.unwrap();
    assert!(behind(&room, &handle, &alice()).await.is_none());
    let identity = room.identity(&alice());
    assert_eq!(write(&room, &shelf, identity).await.unwrap(), Ended::Saved);
    room.revoke(&identity.public_id()).await.unwrap();
    assert!(shelf.part(identity, "Notes").await.is_none());
    assert_eq!(write(&room, &shelf, identity).await.unwrap(), Ended::Saved, "she may come back at once");
}

#[tokio::test(start_paused = true)]
async fn all_sessions_of_somebody_end_together_and_new_ones_begin_in_the_same_second() {
    for stateful in [false, true] {
        let shelf = Shelf::new();
        let room = room(revocable(fixed()), &shelf, stateful).await;
        let (hers, his, nobodys) =
            (open(&room, Some(&alice())).await, open(&room, Some(&bob())).await, open(&room, None).await);
        let handle = room.mint_handle(Some(&alice())).await.unwrap();
        assert!(behind(&room, &handle, &alice()).await.is_some());
        room.revoke_all((&alice()).into()).await.unwrap();
        assert!(room.resolve(&hers, Some(&alice())).await.unwrap().is_none());
        assert!(behind(&room, &handle, &alice()).await.is_none());
        assert_eq!(room.close(&hers, Some(&alice())).await.unwrap(), Closed::Unknown);
        assert!(room.resolve(&his, Some(&bob())).await.unwrap().is_some());
        assert!(resolve(&room, &nobodys).await.is_some());
        let (again, handle) = (open(&room, Some(&alice())).await, room.mint_handle(Some(&alice())).await.unwrap());
        assert!(room.resolve(&again, Some(&alice())).await.unwrap().is_some());
        assert!(behind(&room, &handle, &alice()).await.is_some());
        pass(2 * MINUTE).await;
        assert!(room.resolve(&again, Some(&alice())).await.unwrap().is_some());
        assert!(room.resolve(&hers, Some(&alice())).await.unwrap().is_none());
        room.revoke_all(RevocationScope::Issuer(&alice().issuer)).await.unwrap();
        assert!(room.resolve(&again, Some(&alice())).await.unwrap().is_none());
        assert!(room.resolve(&his, Some(&bob())).await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn abuse_e21_no_clock_decides_which_sessions_were_ended() {
    let shelf = Shelf::new();
    let room = room(revocable(fixed()), &shelf, true).await;
    for jump in [59, -59] {
        clock::jump(jump);
        let hers = open(&room, Some(&alice())).await;
        clock::jump(-jump);
        assert!(room.resolve(&hers, Some(&alice())).await.unwrap().is_some());
        room.revoke_all((&alice()).into()).await.unwrap();
        assert!(room.resolve(&hers, Some(&alice())).await.unwrap().is_none());
        clock::jump(jump);
        let again = open(&room, Some(&alice())).await;
        clock::jump(-jump);
        assert!(room.resolve(&again, Some(&alice())).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_handle_is_not_kept_alive_by_being_shown() {
    let shelf = Shelf::new();
    let room = room(revocable(fixed().handle_ttl(HOUR)).ttl(MINUTE), &shelf, true).await;
    let handle = room.mint_handle(Some(&alice())).await.unwrap();
    let key = behind(&room, &handle, &alice()).await.unwrap().key;
    write(&room, &shelf, key).await.unwrap();
    room.revoke_all((&alice()).into()).await.unwrap();
    // Even when the epoch itself is forgotten, two days later.
    for _ in 0..120 {
        pass(HOUR / 2).await;
        assert!(behind(&room, &handle, &alice()).await.is_none());
    }
}

#[tokio::test]
async fn without_a_program_that_may_end_sessions_nothing_more_is_asked() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, false).await;
    let id = open(&room, Some(&alice())).await;
    let calls = shelf.calls();
    assert!(room.resolve(&id, Some(&alice())).await.unwrap().is_some());
    assert_eq!(shelf.calls(), calls);
    assert!(matches!(room.revoke_all((&alice()).into()).await, Err(RevocationError::NotRunning)));
}

#[tokio::test]
async fn ids_of_a_program_that_may_end_sessions_are_worth_nothing_without_the_store_that_remembers() {
    let (shelf, fresh) = (Shelf::new(), Shelf::new());
    let before = room(revocable(fixed()), &shelf, false).await;
    let id = open(&before, None).await;
    let after = room(revocable(fixed()), &fresh, false).await;
    assert!(resolve(&after, &id).await.is_none(), "it may have been ended");
}

#[tokio::test]
async fn what_is_no_public_id_is_an_error_and_not_a_silent_success() {
    let shelf = Shelf::new();
    let room = room(revocable(fixed()), &shelf, false).await;
    let id = open(&room, None).await;
    for wrong in ["", "sess-1", &id, "AAAAAAAAAAAAAAAAAAAAAB"] {
        assert!(matches!(room.revoke(wrong).await, Err(RevocationError::NoSessionId)), "{wrong}");
    }
    shelf.fail([Fault::Refuse]);
    assert!(matches!(room.revoke("AAAAAAAAAAAAAAAAAAAAAA").await, Err(RevocationError::Store(_))));
}

#[tokio::test(start_paused = true)]
async fn a_stored_session_without_state_ends_when_it_is_idle_and_lives_as_long_as_it_is_used() {
    let shelf = Shelf::shared();
    let room = room(fixed().stored(), &shelf, false).await;
    let (used, unused) = (open(&room, None).await, open(&room, None).await);
    for _ in 0..4 {
        pass(20 * MINUTE).await;
        assert!(resolve(&room, &used).await.is_some());
    }
    assert!(resolve(&room, &unused).await.is_none());
    pass(31 * MINUTE).await;
    assert!(resolve(&room, &used).await.is_none());
    let busy = open(&room, None).await;
    for _ in 0..72 {
        pass(20 * MINUTE).await;
        assert!(resolve(&room, &busy).await.is_some());
    }
    pass(2 * MINUTE).await;
    assert!(resolve(&room, &busy).await.is_none(), "however busy, a day is the end");
    let closed = open(&room, None).await;
    assert_eq!(room.close(&closed, None).await.unwrap(), Closed::Ended);
    assert!(resolve(&room, &closed).await.is_none());
}
