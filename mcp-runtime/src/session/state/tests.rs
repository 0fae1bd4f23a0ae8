use std::sync::atomic::AtomicUsize;

use super::*;
use crate::session::{
    Part, SessionState, part,
    testing::{Counter, Fault, Notes, Shelf},
};

const NOTES: Part<Notes> = part::<Notes>();
const COUNTER: Part<Counter> = part::<Counter>();
const SESSION: SessionKey = SessionKey([7; 17]);
const IDLE: Duration = Duration::from_secs(1800);

fn room(shelf: &Arc<Shelf>) -> StateRoom {
    StateRoom::new(Arc::clone(shelf) as Arc<dyn StateStore>)
}

async fn begin(room: &StateRoom, parts: &[PartCard]) -> Draft {
    room.begin(SESSION, parts, IDLE, true, None, None).await.unwrap()
}

async fn add_note(room: &StateRoom, note: &str) -> Result<Ended, StateError> {
    let mut draft = begin(room, &[NOTES.writes()]).await;
    NOTES.write(&mut draft.slots[0]).notes.push(note.into());
    room.commit(draft, Owner::default(), None).await
}

async fn notes(room: &StateRoom) -> Vec<String> {
    let draft = begin(room, &[NOTES.reads()]).await;
    NOTES.read(&draft.slots[0]).notes.clone()
}

async fn count_up(room: &StateRoom) -> Result<Ended, StateError> {
    let mut draft = begin(room, &[COUNTER.writes()]).await;
    // The function runs a while: others load meanwhile.
    tokio::task::yield_now().await;
    COUNTER.write(&mut draft.slots[0]).count += 1;
    room.commit(draft, Owner::default(), None).await
}

#[tokio::test]
async fn what_was_committed_is_there_for_the_next_call() {
    for shelf in [Shelf::new(), Shelf::durable()] {
        let room = room(&shelf);
        assert_eq!(add_note(&room, "one").await.unwrap(), Ended::Saved);
        assert_eq!(add_note(&room, "two").await.unwrap(), Ended::Saved);
        assert_eq!(notes(&room).await, ["one", "two"]);
        assert_eq!(shelf.part(SESSION, "Notes").await.unwrap(), (br#"0 {"notes":["one","two"]}"#.to_vec(), 2));
    }
}

#[tokio::test]
async fn a_draft_that_is_dropped_never_happened() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    add_note(&room, "one").await.unwrap();
    let mut draft = begin(&room, &[NOTES.writes()]).await;
    NOTES.write(&mut draft.slots[0]).notes.clear();
    assert_eq!(notes(&room).await, ["one"], "others do not see it");
    drop(draft);
    assert_eq!(notes(&room).await, ["one"]);
    assert_eq!(room.turns.len(), 0);
}

#[tokio::test]
async fn reading_writes_nothing_and_takes_no_turn() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    let draft = begin(&room, &[NOTES.reads(), COUNTER.reads()]).await;
    assert_eq!(room.turns.len(), 0);
    assert_eq!(shelf.calls(), 1, "both parts in one load");
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Saved);
    assert_eq!((shelf.calls(), shelf.records(Owner::default()).await), (1, 0));
}

#[tokio::test]
async fn two_parts_are_committed_together_or_not_at_all() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    let both = [NOTES.writes(), COUNTER.writes()];
    let change = |mut draft: Draft| {
        NOTES.write(&mut draft.slots[0]).notes.push("both".into());
        COUNTER.write(&mut draft.slots[1]).count += 1;
        draft
    };
    let draft = change(begin(&room, &both).await);
    // Another instance is faster with one of the two parts.
    let other = StateRoom::new(Arc::clone(&shelf) as Arc<dyn StateStore>);
    count_up(&other).await.unwrap();
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Lost);
    assert!(notes(&room).await.is_empty(), "not half of it");

    let draft = change(begin(&room, &both).await);
    assert_eq!(shelf.part(SESSION, "Counter").await.unwrap().1, 1);
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Saved);
    assert_eq!(notes(&room).await, ["both"]);
    assert_eq!(shelf.part(SESSION, "Counter").await.unwrap(), (br#"3 {"count":2}"#.to_vec(), 2));
}

#[tokio::test]
async fn more_parts_than_few_are_loaded_in_the_order_asked_for() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    count_up(&room).await.unwrap();
    add_note(&room, "one").await.unwrap();
    let (n, c) = (NOTES.reads(), COUNTER.reads());
    let draft = begin(&room, &[n, c, c, n, c, n]).await;
    assert_eq!(draft.slots.len(), 6);
    for (position, is_counter) in [(0, false), (1, true), (2, true), (3, false), (4, true), (5, false)] {
        if is_counter {
            assert_eq!(COUNTER.read(&draft.slots[position]).count, 1);
        } else {
            assert_eq!(NOTES.read(&draft.slots[position]).notes, ["one"]);
        }
    }
}

#[tokio::test]
async fn a_lost_race_is_lost_and_overwrites_nothing() {
    let shelf = Shelf::new();
    let (here, there) = (room(&shelf), room(&shelf));
    let mut slow = begin(&here, &[NOTES.writes()]).await;
    NOTES.write(&mut slow.slots[0]).notes.push("slow".into());
    add_note(&there, "fast").await.unwrap();
    assert_eq!(here.commit(slow, Owner::default(), None).await.unwrap(), Ended::Lost);
    assert_eq!(notes(&here).await, ["fast"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_writers_of_one_process_take_turns_and_none_loses() {
    let shelf = Shelf::new();
    let room = Arc::new(room(&shelf));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move { count_up(&room).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ended::Saved);
    }
    assert_eq!(shelf.part(SESSION, "Counter").await.unwrap(), (br#"3 {"count":100}"#.to_vec(), 100));
    assert_eq!(room.turns.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_writers_of_three_processes_lose_no_update() {
    let shelf = Shelf::durable();
    let rooms: Vec<_> = (0..3).map(|_| Arc::new(room(&shelf))).collect();
    let lost = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let (room, lost) = (Arc::clone(&rooms[number % 3]), Arc::clone(&lost));
            tokio::spawn(async move {
                while count_up(&room).await.unwrap() == Ended::Lost {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(shelf.part(SESSION, "Counter").await.unwrap().0, br#"3 {"count":100}"#);
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_waited_for_one_second_and_then_the_call_goes_on() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    let slow = begin(&room, &[NOTES.writes(), COUNTER.writes()]).await;
    let started = Instant::now();
    let mut fast = begin(&room, &[NOTES.writes(), COUNTER.writes()]).await;
    assert_eq!(started.elapsed().as_secs(), 1, "in all, not for each part");
    NOTES.write(&mut fast.slots[0]).notes.push("fast".into());
    assert_eq!(room.commit(fast, Owner::default(), None).await.unwrap(), Ended::Saved);
    assert_eq!(room.commit(slow, Owner::default(), None).await.unwrap(), Ended::Lost);
    assert_eq!(room.turns.len(), 0);
}

#[tokio::test]
async fn calls_that_name_parts_in_different_order_do_not_block_each_other() {
    let shelf = Shelf::new();
    let room = Arc::new(room(&shelf));
    let orders = [[NOTES.writes(), COUNTER.writes()], [COUNTER.writes(), NOTES.writes()]];
    let started = Instant::now();
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (room, order) = (Arc::clone(&room), orders[number % 2]);
            tokio::spawn(async move {
                let draft = begin(&room, &order).await;
                tokio::task::yield_now().await;
                assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Saved);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(started.elapsed() < TURN_PATIENCE, "nobody waited for a turn in vain");
}

#[tokio::test]
async fn a_removed_session_takes_nothing_and_gives_nothing() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    let draft = begin(&room, &[NOTES.writes()]).await;
    shelf.remove(SESSION, IDLE).await.unwrap();
    assert!(matches!(room.commit(draft, Owner::default(), None).await, Err(StateError::Gone)));
    assert!(matches!(room.begin(SESSION, &[NOTES.reads()], IDLE, true, None, None).await, Err(StateError::Gone)));
}

#[tokio::test]
async fn what_does_not_decode_is_told_and_never_overwritten() {
    for stored in [&br#"9 {"notes":[]}"#[..], b"garbage", br#"0 {"notes":5}"#, b""] {
        let shelf = Shelf::new();
        shelf.put(SESSION, "Notes", stored).await;
        let room = room(&shelf);
        for card in [NOTES.reads(), NOTES.writes()] {
            match room.begin(SESSION, &[card], IDLE, true, None, None).await {
                Err(StateError::Undecodable { key: "Notes", .. }) => {}
                other => panic!("{:?}", other.err()),
            }
        }
        assert_eq!(shelf.part(SESSION, "Notes").await.unwrap(), (stored.to_vec(), 1));
        assert_eq!(room.turns.len(), 0);
        assert_eq!(count_up(&room).await.unwrap(), Ended::Saved, "other parts still work");
    }
}

#[tokio::test]
async fn what_is_too_large_is_told_and_not_written() {
    for shelf in [Shelf::new(), Shelf::durable()] {
        let room = room(&shelf);
        let frame = r#"0 {"notes":[""]}"#.len();
        add_note(&room, &"x".repeat(LARGEST_PART - frame)).await.unwrap();
        match add_note(&room, "").await {
            Err(StateError::TooLarge { key: "Notes", bytes, limit: LARGEST_PART }) => {
                assert_eq!(bytes, LARGEST_PART + 3);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(shelf.part(SESSION, "Notes").await.unwrap().1, 1);
        assert_eq!(room.turns.len(), 0);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_known_to_be_saved_once() {
    let shelf = Shelf::durable();
    let room = room(&shelf);
    let mut draft = begin(&room, &[NOTES.writes()]).await;
    NOTES.write(&mut draft.slots[0]).notes.push("one".into());
    shelf.fail([Fault::LoseAnswer]);
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Saved);
    assert_eq!(shelf.part(SESSION, "Notes").await.unwrap(), (br#"0 {"notes":["one"]}"#.to_vec(), 1));
}

#[tokio::test]
async fn a_commit_that_did_not_arrive_is_sent_again() {
    let shelf = Shelf::durable();
    let room = room(&shelf);
    let draft = begin(&room, &[NOTES.writes()]).await;
    shelf.fail([Fault::Refuse]);
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Saved);
    let draft = begin(&room, &[NOTES.writes()]).await;
    shelf.fail([Fault::Refuse, Fault::Refuse]);
    let ended = room.commit(draft, Owner::default(), None).await;
    assert!(matches!(ended, Err(StateError::Store(StoreError::Unavailable(_)))), "{ended:?}");
    let draft = begin(&room, &[NOTES.writes()]).await;
    shelf.fail([Fault::Full]);
    let ended = room.commit(draft, Owner::default(), None).await;
    assert!(matches!(ended, Err(StateError::Full)), "{ended:?}");
}

#[tokio::test]
async fn a_commit_that_got_no_answer_and_then_met_others_is_not_run_again() {
    let shelf = Shelf::durable();
    let (room, other) = (room(&shelf), room(&shelf));
    let mut draft = begin(&room, &[NOTES.writes()]).await;
    NOTES.write(&mut draft.slots[0]).notes.push("one".into());
    add_note(&other, "of another").await.unwrap();
    shelf.fail([Fault::Refuse]);
    let ended = room.commit(draft, Owner::default(), None).await;
    assert!(matches!(ended, Err(StateError::Store(StoreError::Unavailable(_)))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_unavailable_after_two_seconds() {
    let shelf = Shelf::durable();
    let room = room(&shelf);
    let started = Instant::now();
    shelf.fail([Fault::Hang]);
    let begun = room.begin(SESSION, &[NOTES.writes()], IDLE, true, None, None).await;
    assert!(matches!(begun, Err(StateError::Store(StoreError::Unavailable(_)))));
    assert_eq!(started.elapsed().as_secs(), 2);

    let draft = begin(&room, &[NOTES.writes()]).await;
    let started = Instant::now();
    shelf.fail([Fault::Hang, Fault::Hang]);
    let ended = room.commit(draft, Owner::default(), None).await;
    assert!(matches!(ended, Err(StateError::Store(StoreError::Unavailable(_)))));
    assert_eq!(started.elapsed().as_secs(), 2);
    assert_eq!(room.turns.len(), 0);
}

#[tokio::test]
async fn no_two_commits_have_the_same_name() {
    let shelf = Shelf::new();
    let rooms = [room(&shelf), room(&shelf)];
    let names: std::collections::HashSet<_> =
        (0..1000).map(|number: usize| rooms[number % 2].name_a_commit().0).collect();
    assert_eq!(names.len(), 1000);
}

#[tokio::test]
async fn a_record_remembers_whose_it_is() {
    let shelf = Shelf::new();
    let room = room(&shelf);
    let draft = begin(&room, &[NOTES.writes()]).await;
    room.commit(draft, Owner([9; 16]), None).await.unwrap();
    assert_eq!((shelf.records(Owner([9; 16])).await, shelf.records(Owner::default()).await), (1, 0));
}

/// State whose `Drop` and `draft` are counted.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counted;

static DRAFTS: AtomicUsize = AtomicUsize::new(0);

impl SessionState for Counted {
    const KEY: &'static str = "Counted";
    fn draft(&self) -> Self {
        DRAFTS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

#[tokio::test]
async fn only_what_is_written_is_copied() {
    const COUNTED: Part<Counted> = part::<Counted>();
    let shelf = Shelf::new();
    let room = room(&shelf);
    drop(begin(&room, &[COUNTED.reads()]).await);
    assert_eq!(DRAFTS.load(Ordering::Relaxed), 0);
    drop(begin(&room, &[COUNTED.writes()]).await);
    assert_eq!(DRAFTS.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_was_read_ahead_is_not_read_again_unless_somebody_had_the_turn_meanwhile() {
    const PARTS: &[PartCard] = &[NOTES.writes()];
    let shelf = Shelf::durable();
    let room = room(&shelf);
    add_note(&room, "one").await.unwrap();
    let ahead = async || Some(Box::new(Ahead::read(&*shelf, SESSION, PARTS, IDLE).await.unwrap()));

    let read = ahead().await;
    let calls = shelf.calls();
    let draft = room.begin(SESSION, PARTS, IDLE, true, read, None).await.unwrap();
    assert_eq!(shelf.calls(), calls, "it is there already");
    assert_eq!(NOTES.read(&draft.slots[0]).notes, ["one"]);

    // Another call reads ahead, and has to wait for its turn.
    let (other, read) = (ahead().await, async |read| room.begin(SESSION, PARTS, IDLE, true, read, None).await.unwrap());
    let first = async {
        tokio::task::yield_now().await;
        let mut draft = draft;
        NOTES.write(&mut draft.slots[0]).notes.push("two".into());
        room.commit(draft, Owner::default(), None).await.unwrap()
    };
    let (second, first) = tokio::join!(read(other), first);
    assert_eq!(first, Ended::Saved);
    assert_eq!(NOTES.read(&second.slots[0]).notes, ["one", "two"], "it reads what was written meanwhile");
    drop(second);

    // What was read for other parts, or of another session, is nobody's here.
    let of_other = Some(Box::new(Ahead::read(&*shelf, SessionKey([8; 17]), PARTS, IDLE).await.unwrap()));
    let draft = room.begin(SESSION, PARTS, IDLE, true, of_other, None).await.unwrap();
    assert_eq!(NOTES.read(&draft.slots[0]).notes, ["one", "two"]);
    drop(draft);
    let draft = room.begin(SESSION, &[COUNTER.reads()], IDLE, true, ahead().await, None).await.unwrap();
    assert_eq!(COUNTER.read(&draft.slots[0]).count, 0);
}

#[tokio::test]
async fn what_was_read_ahead_and_is_stale_loses_the_race_as_any_other_read() {
    const PARTS: &[PartCard] = &[NOTES.writes()];
    let shelf = Shelf::durable();
    let room = room(&shelf);
    let stale = Box::new(Ahead::read(&*shelf, SESSION, PARTS, IDLE).await.unwrap());
    add_note(&room, "one").await.unwrap();
    let mut draft = room.begin(SESSION, PARTS, IDLE, true, Some(stale), None).await.unwrap();
    NOTES.write(&mut draft.slots[0]).notes.push("two".into());
    assert_eq!(room.commit(draft, Owner::default(), None).await.unwrap(), Ended::Lost);
    assert_eq!(notes(&room).await, ["one"]);
}

#[tokio::test]
async fn nothing_older_than_what_was_seen_is_given() {
    const BOTH: &[PartCard] = &[NOTES.writes(), COUNTER.reads()];
    const NOTES_ALONE: &[PartCard] = &[NOTES.reads()];
    const COUNTER_ALONE: &[PartCard] = &[COUNTER.reads()];
    let shelf = Shelf::durable();
    let room = room(&shelf);
    let begin =
        async |parts: &'static [PartCard], seen: &Seen| room.begin(SESSION, parts, IDLE, true, None, Some(seen)).await;
    let nothing = Seen::default();
    assert!(matches!(begin(BOTH, &nothing).await, Err(StateError::Gone)), "the session was found, and is not there");
    count_up(&room).await.unwrap();
    count_up(&room).await.unwrap();
    let draft = begin(BOTH, &nothing).await.unwrap();
    let revisions = |seen: &Seen| (seen.of("Notes"), seen.of("Counter"));
    assert_eq!(revisions(draft.seen().unwrap()), (0, 2), "what is read is seen");
    let seen = draft.seen_when_saved();
    assert_eq!(revisions(&seen), (1, 2), "what is written is seen when it is saved");
    assert_eq!(revisions(&draft.moved_to(SESSION).seen_when_saved()), (1, 0), "of another session nothing else is");
    assert!(matches!(begin(BOTH, &seen).await, Err(StateError::RolledBack)));
    assert!(begin(COUNTER_ALONE, &seen).await.is_ok(), "what is not borrowed is not served, old or not");
    add_note(&room, "one").await.unwrap();
    add_note(&room, "of another call").await.unwrap();
    let draft = begin(NOTES_ALONE, &seen).await.unwrap();
    assert_eq!(revisions(draft.seen().unwrap()), (2, 2), "of what is not borrowed, what was seen is kept in mind");
}
