//! The laws of time, checked with lifetimes of a second.

use std::time::Duration;

use tokio::time::sleep;

use super::probe::{LONG, Probe, random_owner, random_session};
use crate::store::{Committed, Presence};

/// How long the records of these laws live.
const IDLE: Duration = Duration::from_millis(1000);
/// Well within that.
const WITHIN: Duration = Duration::from_millis(600);
/// Well beyond it.
const BEYOND: Duration = Duration::from_millis(1500);

pub(super) async fn check(probe: &Probe) {
    tokio::join!(
        idle_sessions_expire(probe),
        use_renews_the_lifetime(probe),
        a_look_does_not(probe),
        tombstones_expire(probe),
        sweeping_spares_the_living(probe),
    );
}

async fn idle_sessions_expire(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    probe.save_for(session, owner, "a", 0, b"old", IDLE).await;
    probe.save_for(session, owner, "b", 0, b"old", IDLE).await;
    sleep(BEYOND).await;
    assert_eq!(
        probe.list(owner, None, 9).await,
        [],
        "a list must not hold sessions that were idle for longer than their lifetime"
    );
    let loaded = probe.load(session, &["a"], IDLE).await;
    assert_eq!(loaded.presence, Presence::Absent, "a session idle for longer than its lifetime must be absent");
    assert!(matches!(&*loaded.parts, [None]), "an expired session must have no parts");
    assert_eq!(probe.touch(session, IDLE).await, Presence::Absent, "touch must not bring an expired session back");
    assert_eq!(
        probe.save(session, owner, "a", 1, b"x").await,
        Committed::Conflict,
        "a commit on a part of an expired session must conflict"
    );
    assert_eq!(probe.save(session, owner, "a", 0, b"new").await, Committed::Saved, "an expired session may begin anew");
    assert_eq!(
        probe.parts(session, &["a", "b"]).await,
        [Some((b"new".to_vec(), 1)), None],
        "a session that begins anew must have nothing of the old one"
    );
    probe.remove(session, Duration::ZERO).await;
}

async fn use_renews_the_lifetime(probe: &Probe) {
    let owner = random_owner();
    let (read, touched, written, left) = (random_session(), random_session(), random_session(), random_session());
    for session in [read, touched, written, left] {
        probe.save_for(session, owner, "a", 0, b"x", IDLE).await;
    }
    for round in 1..=2 {
        sleep(WITHIN).await;
        assert_eq!(
            probe.load(read, &["a"], IDLE).await.presence,
            Presence::Live,
            "reading a session must renew its lifetime"
        );
        assert_eq!(probe.touch(touched, IDLE).await, Presence::Live, "touching a session must renew its lifetime");
        assert_eq!(
            probe.save_for(written, owner, "a", round, b"x", IDLE).await,
            Committed::Saved,
            "writing a session must renew its lifetime"
        );
    }
    assert_eq!(probe.touch(left, IDLE).await, Presence::Absent, "using other sessions must not renew a lifetime");
    sleep(BEYOND).await;
    for session in [read, touched, written] {
        assert_eq!(probe.touch(session, IDLE).await, Presence::Absent, "a renewed lifetime must end too");
    }
}

async fn a_look_does_not(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    probe.save_for(session, owner, "a", 0, b"x", IDLE).await;
    for _ in 1..=2 {
        let loaded = probe.load(session, &["a"], Duration::ZERO).await;
        assert_eq!(loaded.presence, Presence::Live, "a look with no lifetime must not end a session");
        assert!(matches!(&*loaded.parts, [Some(_)]), "a look with no lifetime must give the parts");
        sleep(WITHIN).await;
    }
    assert_eq!(
        probe.touch(session, IDLE).await,
        Presence::Absent,
        "reading a session with a lifetime of zero must not renew its lifetime"
    );
}

async fn tombstones_expire(probe: &Probe) {
    let (session, owner) = (random_session(), random_owner());
    probe.save(session, owner, "a", 0, b"old").await;
    probe.remove(session, IDLE).await;
    sleep(WITHIN).await;
    assert_eq!(probe.touch(session, LONG).await, Presence::Gone, "a tombstone must stand for its time");
    sleep(WITHIN).await;
    sleep(WITHIN).await;
    assert_eq!(probe.touch(session, LONG).await, Presence::Absent, "a tombstone must end, and touch must not renew it");
    probe.save(session, owner, "b", 0, b"new").await;
    assert_eq!(
        probe.parts(session, &["a", "b"]).await,
        [None, Some((b"new".to_vec(), 1))],
        "a session that begins anew must have nothing of the removed one"
    );
    probe.remove(session, Duration::ZERO).await;
}

async fn sweeping_spares_the_living(probe: &Probe) {
    let (dead, live, removed, owner) = (random_session(), random_session(), random_session(), random_owner());
    probe.save_for(dead, owner, "a", 0, b"x", IDLE).await;
    probe.save(live, owner, "a", 0, b"x").await;
    probe.remove(removed, LONG).await;
    sleep(BEYOND).await;
    probe.sweep().await;
    assert_eq!(probe.touch(dead, LONG).await, Presence::Absent, "an expired session must stay absent after a sweep");
    assert_eq!(
        probe.parts(live, &["a"]).await,
        [Some((b"x".to_vec(), 1))],
        "a sweep must leave living sessions as they are"
    );
    assert_eq!(probe.touch(removed, LONG).await, Presence::Gone, "a sweep must leave tombstones that still stand");
    probe.remove(live, Duration::ZERO).await;
}
