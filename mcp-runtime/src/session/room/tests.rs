use std::{collections::HashMap, sync::Mutex};

use super::*;
use crate::session::{
    Closed, Ended, Part, SessionFuture, StateError, StateRoom,
    keys::tests::secret,
    part,
    testing::{Fault, Notes, Shelf, alice, pass},
};

const NOTES: Part<Notes> = part::<Notes>();
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn keys() -> SigningKeys {
    SigningKeys::new("k1", secret(1)).unwrap()
}

fn fixed() -> Sessions {
    Sessions::jwt(keys())
}

fn random() -> Sessions {
    Sessions::jwt(SigningKeys::random())
}

fn bob() -> Principal {
    Principal { subject: "bob".into(), ..alice() }
}

async fn room(sessions: Sessions, shelf: &Arc<Shelf>, stateful: bool) -> SessionRoom {
    SessionRoom::open_room(sessions, Arc::clone(shelf) as Arc<dyn StateStore>, "notebook", stateful).await.unwrap()
}

async fn open(room: &SessionRoom, principal: Option<&Principal>) -> String {
    room.open(Version::V2025_11_25, &ClientCapabilities::default(), None, principal).await.unwrap()
}

async fn resolve(room: &SessionRoom, id: &str) -> Option<Arc<ProtocolSession>> {
    room.resolve(id, None).await.unwrap()
}

/// Writes a note into this session and gives back how that ended.
async fn write(room: &SessionRoom, shelf: &Arc<Shelf>, key: SessionKey) -> Result<Ended, StateError> {
    let state = StateRoom::new(Arc::clone(shelf) as Arc<dyn StateStore>);
    let mut draft = state.begin(key, &[NOTES.writes()], room.idle(key), true, None, None).await?;
    NOTES.write(&mut draft.slots[0]).notes.push("one".into());
    state.commit(draft, Owner::default(), None).await
}

#[tokio::test]
async fn a_session_is_found_again_and_two_are_never_the_same() {
    let shelf = Shelf::new();
    for stateful in [false, true] {
        let room = room(fixed(), &shelf, stateful).await;
        let (one, two) = (open(&room, None).await, open(&room, None).await);
        assert_ne!(one, two, "opened in the same second by the same client");
        let (first, second) = (resolve(&room, &one).await.unwrap(), resolve(&room, &two).await.unwrap());
        assert_ne!(first.key, second.key);
        assert_eq!(first.version, Version::V2025_11_25);
        assert_eq!(first.id.len(), 22);
        assert!(!one.contains(&*first.id), "the public id is not the signed one");
        let again = resolve(&room, &one).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "the second time it is remembered");
    }
}

#[tokio::test]
async fn minting_writes_nothing_and_remembers_nothing() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let calls = shelf.calls();
    for _ in 0..100_000 {
        open(&room, None).await;
    }
    assert_eq!((shelf.calls(), shelf.records(Owner::default()).await, room.remembered()), (calls, 0, 0));
}

#[tokio::test]
async fn using_many_sessions_remembers_a_bounded_number() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, false).await;
    for _ in 0..10_000 {
        let id = open(&room, None).await;
        assert!(resolve(&room, &id).await.is_some());
    }
    assert!(room.remembered() <= 4096, "{}", room.remembered());
    assert_eq!(shelf.records(Owner::default()).await, 0);
}

#[tokio::test]
async fn abuse_e23_random_ids_are_unknown_and_leave_nothing_behind() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let calls = shelf.calls();
    for number in 0..10_000_u32 {
        assert!(resolve(&room, &format!("a{number}.b.c")).await.is_none());
        assert_eq!(room.close(&number.to_string(), None).await.unwrap(), Closed::Unknown);
    }
    assert_eq!((shelf.calls(), room.remembered()), (calls, 0));
}

#[tokio::test]
async fn abuse_e12_e17_an_id_shown_by_someone_else_is_unknown_and_harms_nobody() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let hers = open(&room, Some(&alice())).await;
    let nobodys = open(&room, None).await;
    for _ in 0..2 {
        assert!(room.resolve(&hers, Some(&bob())).await.unwrap().is_none());
        assert!(room.resolve(&hers, None).await.unwrap().is_none());
        assert!(room.resolve(&nobodys, Some(&bob())).await.unwrap().is_none());
        assert_eq!(room.close(&hers, Some(&bob())).await.unwrap(), Closed::Unknown);
        assert_eq!(room.close(&hers, None).await.unwrap(), Closed::Unknown);
        // The second time round, both are remembered.
        assert!(room.resolve(&hers, Some(&alice())).await.unwrap().is_some());
        assert!(resolve(&room, &nobodys).await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn without_state_an_id_ends_after_half_an_hour_however_busy() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, false).await;
    let id = open(&room, None).await;
    for _ in 0..29 {
        pass(MINUTE).await;
        assert!(resolve(&room, &id).await.is_some());
    }
    // And the minute by which the clocks of instances may differ.
    pass(2 * MINUTE).await;
    assert!(resolve(&room, &id).await.is_none());
    assert_eq!(room.close(&id, None).await.unwrap(), Closed::Unknown);
}

#[tokio::test(start_paused = true)]
async fn with_state_a_session_lives_while_it_is_used_and_a_day_at_most() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let id = open(&room, None).await;
    let key = resolve(&room, &id).await.unwrap().key;
    write(&room, &shelf, key).await.unwrap();
    for _ in 0..(24 * 60 / 29) {
        pass(29 * MINUTE).await;
        assert!(resolve(&room, &id).await.is_some());
        assert!(shelf.part(key, "Notes").await.is_some());
    }
    pass(29 * MINUTE).await;
    assert!(resolve(&room, &id).await.is_none(), "a day has passed");
}

#[tokio::test(start_paused = true)]
async fn with_state_an_idle_session_ends_and_never_comes_back_empty() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let (written, unwritten) = (open(&room, None).await, open(&room, None).await);
    let key = resolve(&room, &written).await.unwrap().key;
    write(&room, &shelf, key).await.unwrap();
    pass(30 * MINUTE).await;
    assert!(resolve(&room, &written).await.is_none());
    assert!(resolve(&room, &unwritten).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_only_reads_lives_while_it_is_used() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let id = open(&room, None).await;
    assert!(resolve(&room, &id).await.is_some());
    assert_eq!(shelf.records(Owner::default()).await, 0, "a fresh session costs no record");
    for _ in 0..10 {
        pass(20 * MINUTE).await;
        assert!(resolve(&room, &id).await.is_some());
        assert_eq!(shelf.records(Owner::default()).await, 1);
    }
    pass(30 * MINUTE).await;
    assert!(resolve(&room, &id).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_no_session_its_use() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let id = open(&room, None).await;
    pass(2 * MINUTE).await;
    shelf.fail([Fault::None, Fault::Full]);
    assert!(resolve(&room, &id).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_lifetimes_are_the_developers_to_choose() {
    let shelf = Shelf::new();
    let five_seconds = room(fixed().ttl(Duration::from_secs(5)), &shelf, false).await;
    let id = open(&five_seconds, None).await;
    pass(Duration::from_secs(4)).await;
    assert!(resolve(&five_seconds, &id).await.is_some());
    // The clocks of instances may differ by a minute.
    pass(Duration::from_secs(60)).await;
    assert!(resolve(&five_seconds, &id).await.is_some());
    pass(Duration::from_secs(1)).await;
    assert!(resolve(&five_seconds, &id).await.is_none());

    let an_hour_at_most = room(fixed().max_age(HOUR).ttl(2 * HOUR), &shelf, true).await;
    let id = open(&an_hour_at_most, None).await;
    pass(HOUR + MINUTE).await;
    assert!(resolve(&an_hour_at_most, &id).await.is_none());

    for endless in [Duration::MAX, Duration::ZERO] {
        let room = room(fixed().ttl(endless).max_age(endless).handle_ttl(endless).identity_ttl(endless), &shelf, true);
        let room = room.await;
        let id = open(&room, None).await;
        assert!(resolve(&room, &id).await.is_some());
        assert!(room.read_handle(&room.mint_handle(None).await.unwrap(), None, &[]).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn abuse_e21_a_clock_that_jumps_gives_no_session_more_than_its_time() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, false).await;
    let id = open(&room, None).await;
    assert!(resolve(&room, &id).await.is_some());
    clock::jump(-300);
    // It is remembered, so it is still served here; an instance that sees it first refuses it.
    let elsewhere = super::tests::room(fixed(), &shelf, false).await;
    assert!(resolve(&elsewhere, &id).await.is_none(), "from five minutes ahead");
    clock::jump(300 + 30 * 60 + 59);
    assert!(resolve(&room, &id).await.is_some(), "within the skew");
    clock::jump(1);
    assert!(resolve(&room, &id).await.is_none(), "remembered or not");
    assert!(resolve(&elsewhere, &id).await.is_none(), "nothing is accepted beyond the skew");
    clock::jump(-31 * 60);
    assert!(resolve(&elsewhere, &id).await.is_some());
    clock::jump(i64::MIN / 2);
    assert!(resolve(&elsewhere, &open(&elsewhere, None).await).await.is_some(), "even before 1970");
}

async fn is_over(mut over: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(over.as_mut().poll(cx).is_ready())).await
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_end_of_a_session_keeps_it_from_idling_and_is_told_within_a_minute() {
    let shelf = Shelf::new();
    for (stateful, lives) in [(false, 30 * MINUTE), (true, 24 * HOUR)] {
        let room = room(fixed(), &shelf, stateful).await;
        let id = open(&room, None).await;
        let key = resolve(&room, &id).await.unwrap().key;
        write(&room, &shelf, key).await.unwrap();
        let mut over = std::pin::pin!(room.until_over(&id, None));
        let mut minutes = 0;
        while !is_over(over.as_mut()).await {
            pass(MINUTE).await;
            minutes += 1;
        }
        let waited = minutes * MINUTE;
        assert!(waited >= lives && waited <= lives + 2 * MINUTE, "{waited:?}");
        assert!(resolve(&room, &id).await.is_none());
    }
    let room = room(random(), &shelf, true).await;
    let id = open(&room, None).await;
    room.close(&id, None).await.unwrap();
    // Perhaps on another instance.
    assert!(tokio::time::timeout(2 * MINUTE, room.until_over(&id, None)).await.is_ok());
}

#[tokio::test]
async fn a_token_that_outlived_its_state_is_unknown() {
    let (before, after) = (Shelf::new(), Shelf::new());
    let old = room(fixed(), &before, true).await;
    let (id, handle) = (open(&old, None).await, old.mint_handle(None).await.unwrap());
    assert!(resolve(&old, &id).await.is_some());
    let new = room(fixed(), &after, true).await;
    assert!(resolve(&new, &id).await.is_none());
    assert!(new.read_handle(&handle, None, &[]).await.unwrap().is_none());
    // The same store in another process, with the same keys, takes both.
    let same = room(fixed(), &before, true).await;
    assert!(resolve(&same, &id).await.is_some());
    assert!(same.read_handle(&handle, None, &[]).await.unwrap().is_some());
}

#[tokio::test]
async fn without_state_any_instance_with_the_key_takes_a_token() {
    let (one, two) = (Shelf::new(), Shelf::new());
    let id = open(&room(fixed(), &one, false).await, Some(&alice())).await;
    let elsewhere = room(fixed(), &two, false).await;
    assert!(elsewhere.resolve(&id, Some(&alice())).await.unwrap().is_some());
    assert!(resolve(&room(random(), &one, false).await, &id).await.is_none());
    let other_server =
        SessionRoom::open_room(fixed(), Arc::clone(&one) as Arc<dyn StateStore>, "calculator", false).await.unwrap();
    assert!(other_server.resolve(&id, Some(&alice())).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn abuse_e19_a_closed_session_is_gone_on_every_instance_until_its_token_ends() {
    let shelf = Shelf::durable();
    for stateful in [false, true] {
        let (one, two) = (room(fixed(), &shelf, stateful).await, room(fixed(), &shelf, stateful).await);
        let (id, other) = (open(&one, None).await, open(&one, None).await);
        let key = resolve(&two, &id).await.unwrap().key;
        if stateful {
            write(&one, &shelf, key).await.unwrap();
        }
        assert_eq!(one.close(&id, None).await.unwrap(), Closed::Ended);
        for room in [&one, &two, &room(fixed(), &shelf, stateful).await] {
            assert!(resolve(room, &id).await.is_none());
            assert_eq!(room.close(&id, None).await.unwrap(), Closed::Unknown);
            assert!(resolve(room, &other).await.is_some(), "the others live");
        }
        assert!(matches!(write(&one, &shelf, key).await, Err(StateError::Gone)), "no call brings it back");
        for _ in 0..26 {
            pass(HOUR).await;
            assert!(resolve(&two, &id).await.is_none());
        }
    }
}

#[tokio::test]
async fn a_session_is_closed_where_that_holds_and_not_where_it_would_be_a_promise() {
    let of_process = room(random(), &Shelf::new(), false).await;
    let id = open(&of_process, None).await;
    assert_eq!(of_process.close(&id, None).await.unwrap(), Closed::Ended);
    assert!(resolve(&of_process, &id).await.is_none());

    let stateful = room(fixed(), &Shelf::new(), true).await;
    let id = open(&stateful, None).await;
    assert_eq!(stateful.close(&id, None).await.unwrap(), Closed::Ended);
    assert!(resolve(&stateful, &id).await.is_none());

    // Another instance with the same key would not know.
    let shared = room(fixed(), &Shelf::new(), false).await;
    let id = open(&shared, None).await;
    assert_eq!(shared.close(&id, None).await.unwrap(), Closed::Unsupported);
    assert!(resolve(&shared, &id).await.is_some());
    assert_eq!(shared.close("x.y.z", None).await.unwrap(), Closed::Unknown);
}

#[tokio::test]
async fn without_state_the_store_is_asked_only_once_something_was_closed() {
    let shelf = Shelf::new();
    let room = room(random(), &shelf, false).await;
    let (one, two) = (open(&room, None).await, open(&room, None).await);
    let calls = shelf.calls();
    assert!(resolve(&room, &one).await.is_some());
    assert_eq!(shelf.calls(), calls);
    room.close(&one, None).await.unwrap();
    let calls = shelf.calls();
    assert!(resolve(&room, &two).await.is_some());
    assert_eq!(shelf.calls(), calls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_an_error_and_never_an_unknown_session() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let id = open(&room, None).await;
    let handle = room.mint_handle(None).await.unwrap();
    for fault in [Fault::Refuse, Fault::Hang] {
        shelf.fail([fault]);
        assert!(room.resolve(&id, None).await.is_err());
        shelf.fail([fault]);
        assert!(room.read_handle(&handle, None, &[]).await.is_err());
        shelf.fail([fault]);
        assert!(room.close(&id, None).await.is_err());
        shelf.fail([Fault::None, fault]);
        assert!(room.close(&id, None).await.is_err(), "not told to be over while it is not");
    }
    assert!(resolve(&room, &id).await.is_some(), "and it is back when the store is");
}

#[tokio::test]
async fn abuse_e20_keys_rotate_while_sessions_go_on() {
    let shelf = Shelf::durable();
    let old = || SigningKeys::new("old", secret(1)).unwrap();
    let new = || SigningKeys::new("new", secret(2)).unwrap();
    let rings =
        [old(), old().and_verify("new", secret(2)).unwrap(), new().and_verify("old", secret(1)).unwrap(), new()];
    let first = room(Sessions::jwt(old()), &shelf, true).await;
    let (id, handle) = (open(&first, Some(&alice())).await, first.mint_handle(Some(&alice())).await.unwrap());
    let key = first.resolve(&id, Some(&alice())).await.unwrap().unwrap().key;
    for (stage, ring) in rings.into_iter().enumerate() {
        let room = room(Sessions::jwt(ring), &shelf, true).await;
        let found = room.resolve(&id, Some(&alice())).await.unwrap().map(|session| session.key);
        let held = room.read_handle(&handle, Some(&alice()), &[]).await.unwrap().is_some();
        assert_eq!((found, held), if stage < 3 { (Some(key), true) } else { (None, false) }, "stage {stage}");
        assert_eq!(room.identity(&alice()), first.identity(&alice()), "who she is does not hang on the ring");
        assert_eq!(room.owner(Some(&alice())), first.owner(Some(&alice())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_lives_a_day_without_use_and_as_long_as_it_is_used() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    assert_eq!(room.handle_idle(), 24 * HOUR);
    let (used, unused) = (room.mint_handle(None).await.unwrap(), room.mint_handle(None).await.unwrap());
    let Behind { key, id, .. } = room.read_handle(&used, None, &[]).await.unwrap().unwrap();
    assert_eq!(id.len(), 22);
    assert_eq!(room.idle(key), 24 * HOUR);
    write(&room, &shelf, key).await.unwrap();
    for _ in 0..4 {
        pass(23 * HOUR).await;
        assert_eq!(room.read_handle(&used, None, &[]).await.unwrap().unwrap().key, key);
    }
    assert!(room.read_handle(&unused, None, &[]).await.unwrap().is_none());
    pass(24 * HOUR).await;
    assert!(room.read_handle(&used, None, &[]).await.unwrap().is_none());
}

#[tokio::test]
async fn a_handle_that_is_missing_forged_foreign_or_from_the_future_is_unknown() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let hers = room.mint_handle(Some(&alice())).await.unwrap();
    assert!(room.read_handle(&hers, Some(&alice()), &[]).await.unwrap().is_some());
    let mut forged = hers.clone();
    forged.replace_range(0..1, if hers.starts_with('A') { "B" } else { "A" });
    let calls = shelf.calls();
    for (handle, principal) in
        [("", Some(alice())), (&forged, Some(alice())), (&hers, Some(bob())), (&hers, None), ("a handle", None)]
    {
        assert!(room.read_handle(handle, principal.as_ref(), &[]).await.unwrap().is_none(), "{handle}");
    }
    clock::jump(-61);
    assert!(room.read_handle(&hers, Some(&alice()), &[]).await.unwrap().is_none());
    assert_eq!(shelf.calls(), calls, "none of them reaches the store");
    clock::jump(61);
}

#[tokio::test]
async fn a_removed_handle_is_unknown() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let handle = room.mint_handle(None).await.unwrap();
    let key = room.read_handle(&handle, None, &[]).await.unwrap().unwrap().key;
    shelf.remove(key, HOUR).await.unwrap();
    assert!(room.read_handle(&handle, None, &[]).await.unwrap().is_none());
}

#[tokio::test]
async fn carriers_never_share_a_key() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let header = resolve(&room, &open(&room, None).await).await.unwrap().key;
    let handle = room.read_handle(&room.mint_handle(None).await.unwrap(), None, &[]).await.unwrap().unwrap().key;
    let kinds = [header, handle, room.identity(&alice()), room.process()].map(|key| key.0[0]);
    assert_eq!(kinds, [1, 2, 3, 4]);
    assert_ne!(room.process(), room.process());
    assert!(room.idle(room.process()) > room.idle(room.identity(&alice())));
    assert_eq!(room.idle(header), 30 * MINUTE);
}

#[tokio::test]
async fn an_identity_is_a_person_whatever_the_client() {
    let shelf = Shelf::new();
    let room = room(fixed(), &shelf, true).await;
    let elsewhere = Principal { client: "client-2".into(), ..alice() };
    assert_eq!(room.identity(&alice()), room.identity(&elsewhere));
    assert_ne!(room.identity(&alice()), room.identity(&bob()));
    assert_ne!(room.identity(&Principal::new("ab", "c", "")), room.identity(&Principal::new("a", "bc", "")));
    let other_issuer = Principal { issuer: "https://other.example".into(), ..alice() };
    assert_ne!(room.identity(&alice()), room.identity(&other_issuer));
    assert_ne!(room.owner(Some(&alice())), room.owner(Some(&bob())));
    assert_eq!(room.owner(None), Owner::default());
    let other_store = super::tests::room(fixed(), &Shelf::new(), true).await;
    assert_ne!(room.identity(&alice()), other_store.identity(&alice()), "a store does not tell who is in another");
}

#[tokio::test]
async fn sessions_are_required_unless_the_developer_says_otherwise() {
    let shelf = Shelf::new();
    for (sessions, policy) in [
        (fixed(), Policy::Required),
        (fixed().optional(), Policy::Optional),
        (fixed().optional().required(), Policy::Required),
        (Sessions::off(), Policy::Off),
    ] {
        assert_eq!(room(sessions, &shelf, false).await.policy(), policy);
    }
}

#[tokio::test]
async fn a_server_whose_name_fits_no_id_says_so() {
    let store = Shelf::new() as Arc<dyn StateStore>;
    let room = SessionRoom::open_room(fixed(), store, &"n".repeat(3000), false).await.unwrap();
    let opened = room.open(Version::V2025_11_25, &ClientCapabilities::default(), None, None).await;
    assert!(opened.unwrap_err().0.to_string().contains("name"));
}

/// Sessions kept in a table, as someone else might keep them in a database.
#[derive(Default)]
struct Table {
    sessions: Mutex<HashMap<String, (ProtocolSession, Option<Principal>)>>,
}

impl SessionManager for Table {
    fn open<'a>(
        &'a self,
        version: Version,
        capabilities: &'a ClientCapabilities,
        client: Option<&'a Implementation>,
        principal: Option<&'a Principal>,
    ) -> SessionFuture<'a, String> {
        let mut sessions = self.sessions.lock().unwrap();
        let id = format!("session-{}", sessions.len());
        let mut bytes = [0xff; 17];
        bytes[16] = sessions.len() as u8;
        let session = ProtocolSession {
            key: SessionKey(bytes),
            id: id.clone().into(),
            version,
            capabilities: Arc::new(capabilities.clone()),
            client: client.cloned().map(Arc::new),
        };
        sessions.insert(id.clone(), (session, principal.cloned()));
        Box::pin(std::future::ready(Ok(id)))
    }

    fn resolve<'a>(
        &'a self,
        id: &'a str,
        principal: Option<&'a Principal>,
    ) -> SessionFuture<'a, Option<ProtocolSession>> {
        if id == "broken" {
            return Box::pin(std::future::ready(Err(SessionError("the table is gone".into()))));
        }
        let sessions = self.sessions.lock().unwrap();
        let found =
            sessions.get(id).filter(|(_, owner)| owner.as_ref() == principal).map(|(session, _)| session.clone());
        Box::pin(std::future::ready(Ok(found)))
    }

    fn close<'a>(&'a self, id: &'a str, principal: Option<&'a Principal>) -> SessionFuture<'a, Closed> {
        let mut sessions = self.sessions.lock().unwrap();
        let closed = match sessions.get(id) {
            Some((_, owner)) if owner.as_ref() == principal => {
                sessions.remove(id);
                Closed::Ended
            }
            _ => Closed::Unknown,
        };
        Box::pin(std::future::ready(Ok(closed)))
    }
}

#[tokio::test]
async fn sessions_of_someone_elses_making_work_as_ours_do() {
    let shelf = Shelf::new();
    let room = room(Sessions::custom(Table::default()), &shelf, true).await;
    let client = Implementation { name: "inspector".into(), ..Implementation::default() };
    let id =
        room.open(Version::V2025_06_18, &ClientCapabilities::default(), Some(&client), Some(&alice())).await.unwrap();
    assert_eq!(id, "session-0");
    let session = room.resolve(&id, Some(&alice())).await.unwrap().unwrap();
    assert_eq!((session.version, session.client.as_deref()), (Version::V2025_06_18, Some(&client)));
    assert_eq!(session.key.0[0], kind::HEADER, "it can't pose as another carrier's");
    write(&room, &shelf, session.key).await.unwrap();
    assert!(room.resolve(&id, Some(&bob())).await.unwrap().is_none());
    assert!(room.resolve("broken", None).await.is_err());
    assert_eq!(room.close(&id, Some(&bob())).await.unwrap(), Closed::Unknown);
    assert_eq!(room.close(&id, Some(&alice())).await.unwrap(), Closed::Ended);
    assert!(room.resolve(&id, Some(&alice())).await.unwrap().is_none());
    assert!(shelf.part(session.key, "Notes").await.is_none(), "its state goes with it");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_dead_is_dead_for_whoever_reads_ahead_too() {
    const PARTS: &[PartCard] = &[NOTES.writes()];
    let shelf = Shelf::durable();
    let room = room(fixed(), &shelf, true).await;
    let id = open(&room, None).await;
    let calls = shelf.calls();
    let (session, ahead) = room.resolve_reading(&id, None, PARTS).await.unwrap().expect("it lives");
    assert!(ahead.is_some());
    assert_eq!(shelf.calls(), calls + 1, "one question for both");
    assert!(room.resolve_reading(&id, Some(&alice()), PARTS).await.unwrap().is_none(), "it is not hers");
    assert!(room.resolve_reading("x", None, PARTS).await.unwrap().is_none());
    shelf.fail([Fault::Refuse]);
    assert!(room.resolve_reading(&id, None, PARTS).await.is_err(), "a store that is down says nothing of it");
    shelf.fail([Fault::Hang]);
    assert!(room.resolve_reading(&id, None, PARTS).await.is_err());
    room.close(&id, None).await.unwrap();
    assert!(room.resolve_reading(&id, None, PARTS).await.unwrap().is_none(), "it was removed");
    let idle = open(&room, None).await;
    pass(room.idle(session.key) + Duration::from_secs(1)).await;
    assert!(room.resolve_reading(&idle, None, PARTS).await.unwrap().is_none(), "it was idle for too long");
}

mod ends;
mod keys;
