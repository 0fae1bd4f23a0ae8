use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const SESSION: SessionKey = SessionKey([7; 17]);

fn now(taken: Taken) -> Turn {
    match taken {
        Taken::Now(turn) => turn,
        Taken::Later(_) => panic!("the turn is taken"),
    }
}

fn later(taken: Taken) -> oneshot::Receiver<Turn> {
    match taken {
        Taken::Now(_) => panic!("the turn is free"),
        Taken::Later(receiver) => receiver,
    }
}

#[tokio::test]
async fn a_turn_goes_from_one_to_the_next_in_order() {
    let turns = Arc::new(Turns::default());
    let first = now(turns.take(SESSION, "a"));
    let mut second = later(turns.take(SESSION, "a"));
    let mut third = later(turns.take(SESSION, "a"));
    assert!(second.try_recv().is_err());
    drop(first);
    let second = second.await.unwrap();
    assert!(third.try_recv().is_err());
    drop(second);
    drop(third.await.unwrap());
    assert_eq!(turns.len(), 0);
}

#[test]
fn other_parts_and_other_sessions_do_not_wait() {
    let turns = Arc::new(Turns::default());
    let _one = now(turns.take(SESSION, "a"));
    let _part = now(turns.take(SESSION, "b"));
    let mut other = SESSION;
    other.0[3] = 8;
    let _session = now(turns.take(other, "a"));
    assert_eq!(turns.len(), 3);
}

#[tokio::test]
async fn who_gave_up_is_passed_over() {
    let turns = Arc::new(Turns::default());
    let first = now(turns.take(SESSION, "a"));
    let gave_up = later(turns.take(SESSION, "a"));
    let waits = later(turns.take(SESSION, "a"));
    drop(gave_up);
    drop(first);
    drop(waits.await.unwrap());
    assert_eq!(turns.len(), 0);
}

#[tokio::test]
async fn a_turn_given_to_someone_who_leaves_goes_on() {
    let turns = Arc::new(Turns::default());
    let first = now(turns.take(SESSION, "a"));
    let leaves = later(turns.take(SESSION, "a"));
    let waits = later(turns.take(SESSION, "a"));
    drop(first);
    // The turn lies in the channel, unread.
    drop(leaves);
    drop(waits.await.unwrap());
    assert_eq!(turns.len(), 0);
}

#[test]
fn a_line_does_not_grow_with_those_who_gave_up() {
    let turns = Arc::new(Turns::default());
    let _held = now(turns.take(SESSION, "a"));
    for _ in 0..1000 {
        drop(later(turns.take(SESSION, "a")));
    }
    assert!(turns.shard(SESSION)[0].waiting.len() <= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_two_at_once_whatever_happens() {
    let turns = Arc::new(Turns::default());
    let inside = Arc::new(AtomicUsize::new(0));
    let tasks = (0..200).map(|number| {
        let (turns, inside) = (Arc::clone(&turns), Arc::clone(&inside));
        tokio::spawn(async move {
            for round in 0..50 {
                let turn = match turns.take(SESSION, "a") {
                    Taken::Now(turn) => turn,
                    // Some give up at once, some while the turn is on its way.
                    Taken::Later(_) if (number + round) % 5 == 0 => continue,
                    Taken::Later(receiver) if (number + round) % 7 == 0 => {
                        tokio::task::yield_now().await;
                        drop(receiver);
                        continue;
                    }
                    Taken::Later(receiver) => receiver.await.unwrap(),
                };
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(turns.len(), 0);
}
