use std::task::{Context, Poll, Waker};

use super::*;

const ALL: ListChanges = ListChanges { tools: true, prompts: true, resources: true };

/// Everything that waits in a mailbox.
fn read(mailbox: &Mailbox) -> Vec<Change> {
    let cx = Context::from_waker(Waker::noop());
    let mut read = Vec::new();
    while let Poll::Ready(Some(change)) = mailbox.poll_next(&cx) {
        read.push(change);
    }
    read
}

fn updated(uri: &str) -> Change {
    Change::Resource(uri.into())
}

#[test]
fn what_is_announced_many_times_is_told_once() {
    let changes = Changes::default();
    let mailbox = changes.open(ALL, None);
    mailbox.subscribe("notes://all").unwrap();
    for _ in 0..1000 {
        changes.resources_changed();
        changes.tools_changed();
        changes.resource_updated("notes://all");
    }
    assert_eq!(read(&mailbox), [Change::Tools, Change::Resources, updated("notes://all")]);
    assert_eq!(read(&mailbox), []);
    changes.tools_changed();
    assert_eq!(read(&mailbox), [Change::Tools]);
}

#[test]
fn nobody_is_told_what_was_not_asked_for() {
    let changes = Changes::default();
    let prompts = changes.open(ListChanges { prompts: true, ..ListChanges::default() }, None);
    let nothing = changes.open(ListChanges::default(), None);
    changes.tools_changed();
    changes.prompts_changed();
    changes.resource_updated("notes://all");
    assert_eq!(read(&prompts), [Change::Prompts]);
    assert_eq!(read(&nothing), []);
}

#[test]
fn a_subscription_covers_the_resource_and_its_parts_alone() {
    let changes = Changes::default();
    let mailbox = changes.open(ListChanges::default(), None);
    mailbox.subscribe("notes://work").unwrap();
    for uri in ["notes://workshop", "notes://work?all", "notes://", "notes://play/1"] {
        changes.resource_updated(uri);
        assert_eq!(read(&mailbox), [], "{uri}");
    }
    for uri in ["notes://work", "notes://work/", "notes://work/7", "notes://work/7/lines", "notes://work#top"] {
        changes.resource_updated(uri);
        assert_eq!(read(&mailbox), [updated(uri)]);
    }
    mailbox.unsubscribe("notes://work");
    changes.resource_updated("notes://work");
    assert_eq!(read(&mailbox), []);
    mailbox.subscribe("notes://work/").unwrap();
    changes.resource_updated("notes://work/");
    changes.resource_updated("notes://work/7");
    changes.resource_updated("notes://work");
    assert_eq!(read(&mailbox), [updated("notes://work/"), updated("notes://work/7")]);
}

#[test]
fn two_subscriptions_that_cover_one_resource_tell_of_it_once() {
    let changes = Changes::default();
    let mailbox = changes.open(ListChanges::default(), None);
    mailbox.subscribe("notes://work").unwrap();
    mailbox.subscribe("notes://work/7").unwrap();
    mailbox.subscribe("notes://work/7").unwrap();
    changes.resource_updated("notes://work/7");
    assert_eq!(read(&mailbox), [updated("notes://work/7")]);
}

// Proves: SB-10.
#[test]
fn a_mailbox_that_nobody_reads_stays_bounded_and_loses_nothing() {
    let changes = Changes::default();
    let mailbox = changes.open(ALL, None);
    mailbox.subscribe("notes://work").unwrap();
    for number in 0..10_000 {
        changes.resource_updated(format!("notes://work/{number}"));
    }
    let read = read(&mailbox);
    assert_eq!(read.len(), 257);
    // What did not fit is told by the resource that it is a part of.
    assert_eq!(read.last(), Some(&updated("notes://work")));
}

#[test]
fn a_listener_can_subscribe_to_256_resources() {
    let changes = Changes::default();
    let mailbox = changes.open(ListChanges::default(), None);
    for number in 0..256 {
        mailbox.subscribe(&format!("notes://{number}")).unwrap();
    }
    assert_eq!(mailbox.subscribe("notes://one-more"), Err(TooMany::Resources(256)));
    assert_eq!(mailbox.subscribe("notes://7"), Ok(()));
    mailbox.unsubscribe("notes://7");
    assert_eq!(mailbox.subscribe("notes://one-more"), Ok(()));
}

#[test]
fn a_dropped_mailbox_leaves_nothing_behind() {
    let changes = Changes::default();
    let mailbox = changes.open(ALL, None);
    mailbox.subscribe("notes://all").unwrap();
    drop(mailbox);
    let register = changes.register();
    assert!(register.listeners.is_empty() && register.subscribers.is_empty());
    assert!(changes.is_silent());
}

#[tokio::test]
async fn whoever_waits_is_woken_by_a_change_and_by_the_end() {
    let changes = Changes::default();
    let mailbox = Arc::new(changes.open(ALL, None));
    let next = || {
        tokio::spawn({
            let mailbox = mailbox.clone();
            async move { mailbox.next().await }
        })
    };
    let (one, two) = (next(), next());
    tokio::task::yield_now().await;
    changes.tools_changed();
    changes.prompts_changed();
    let both = [one.await.unwrap(), two.await.unwrap()];
    assert!(both.contains(&Some(Change::Tools)) && both.contains(&Some(Change::Prompts)), "{both:?}");
    let last = next();
    tokio::task::yield_now().await;
    changes.close();
    assert_eq!(last.await.unwrap(), None);
}

#[test]
fn what_waits_when_the_server_goes_down_is_told_before_the_end() {
    let changes = Changes::default();
    let mailbox = changes.open(ALL, None);
    changes.tools_changed();
    changes.close();
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(mailbox.poll_next(&cx), Poll::Ready(Some(Change::Tools)));
    assert_eq!(mailbox.poll_next(&cx), Poll::Ready(None));
    let late = changes.open(ALL, None);
    assert_eq!(late.poll_next(&cx), Poll::Ready(None));
}

#[test]
fn of_a_task_that_is_followed_each_state_is_told_once_and_of_its_progress_the_newest() {
    let changes = Changes::default();
    let (mailbox, other) = (changes.open(ALL, None), changes.open(ALL, None));
    let [task, unknown] = [TaskId([1; 16]), TaskId([2; 16])];
    assert!(mailbox.follow(task) && mailbox.follow(task));
    for report in ["1 of 3", "2 of 3"] {
        changes.task_changed(task);
        changes.task_changed(unknown);
        mailbox.progressed(task, report.into());
        mailbox.progressed(unknown, report.into());
    }
    assert_eq!(read(&mailbox), [Change::Task(task), Change::Progress("2 of 3".into())]);
    assert_eq!(read(&other), []);
    // Of what is followed no more, nothing is told that still waited.
    changes.task_changed(task);
    mailbox.progressed(task, "3 of 3".into());
    mailbox.unfollow(task);
    changes.task_changed(task);
    mailbox.progressed(task, "late".into());
    assert_eq!(read(&mailbox), []);
}

#[test]
fn a_listener_follows_a_bounded_number_of_tasks_and_leaves_nothing_behind() {
    let changes = Changes::default();
    let mailbox = changes.open(ALL, None);
    let task = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        TaskId(id)
    };
    assert_eq!((0..1000).filter(|number| mailbox.follow(task(*number))).count(), 256);
    mailbox.unfollow(task(0));
    assert!(mailbox.follow(task(999)) && !mailbox.follow(task(998)));
    drop(mailbox);
    assert!(changes.register().followers.is_empty());
}

#[tokio::test]
async fn what_is_announced_goes_abroad_once_and_what_comes_from_there_does_not_go_back() {
    let changes = Changes::default();
    changes.go_abroad();
    let mailbox = changes.open(ALL, None);
    mailbox.subscribe("notes://all").unwrap();
    for _ in 0..9 {
        changes.tools_changed();
        changes.resource_updated("notes://all");
        changes.resource_updated("notes://nobody/here");
    }
    let told = changes.to_tell().await;
    assert!(told.tools && !told.prompts && !told.resources && !told.anything);
    assert!(told.updated.iter().map(|uri| &**uri).eq(["notes://all", "notes://nobody/here"]));
    assert_eq!(read(&mailbox), [Change::Tools, updated("notes://all")]);
    changes.hear(&told);
    assert_eq!(read(&mailbox), [Change::Tools, updated("notes://all")], "from another instance");
    let more = std::pin::pin!(changes.to_tell());
    assert!(futures_util::FutureExt::now_or_never(more).is_none(), "nothing was announced here");
    // What could not be told waits with what comes meanwhile.
    changes.prompts_changed();
    changes.tell_again(&told);
    let again = changes.to_tell().await;
    assert!(again.tools && again.prompts && again.updated == told.updated);
}

#[tokio::test]
async fn more_than_can_be_named_is_anything_and_told_to_all_who_subscribed() {
    let (changes, other) = (Changes::default(), Changes::default());
    changes.go_abroad();
    for number in 0..2000 {
        changes.resource_updated(format!("notes://{number}"));
    }
    let told = changes.to_tell().await;
    assert!(told.anything && told.updated.len() < 1100);
    changes.resource_updated("x".repeat(40 << 10));
    assert!(changes.to_tell().await.anything, "one that is too long to be named");
    let mailbox = other.open(ListChanges::default(), None);
    mailbox.subscribe("notes://all").unwrap();
    other.hear(&told);
    assert_eq!(read(&mailbox), [updated("notes://all")]);
    let lists = other.open(ALL, None);
    other.anything_may_have_changed();
    assert_eq!(read(&mailbox), [updated("notes://all")]);
    assert_eq!(read(&lists), [Change::Tools, Change::Prompts, Change::Resources]);
}
