//! The laws of [`TaskStore`].

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::probe::{LONG, heard, random, random_owner, repeat};
use crate::store::{Owner, Revision, StoredTask, TaskId, TaskOrder, TaskStore, TaskWritten};

/// How many writers there are at once.
const WRITERS: u64 = 50;
/// How long the tasks of the laws of time live.
const SHORT: Duration = Duration::from_millis(1500);

/// Checks every law of [`TaskStore`], in about three seconds. The store may be in use: the suite works on random tasks
/// and removes what it made.
///
/// A call that fails with [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) is repeated a few times, and
/// what it found the second time is held against what is there.
///
/// # Panics
/// If the store breaks a law; the message is the law.
pub async fn check_task_store(store: Arc<dyn TaskStore>) {
    let probe = TaskProbe { store };
    unknown_tasks_are_gone(&probe).await;
    records_are_read_back(&probe).await;
    stale_updates_conflict(&probe).await;
    ids_are_taken_once(&probe).await;
    removed_tasks_stay_gone(&probe).await;
    lists_are_in_the_order_of_making(&probe).await;
    changes_are_heard(&probe).await;
    no_update_is_lost(&probe).await;
    tasks_expire(&probe).await;
}

/// Checks that tasks survive the end of a store that is to survive it. `open` opens the same place each time; the store of
/// the time before was dropped.
///
/// # Panics
/// If the store forgets something; the message is the law.
pub async fn check_task_store_survival<S: TaskStore>(open: impl AsyncFn() -> S) {
    let (owner, kept, removed, later) = (random_owner(), random_task(), random_task(), random_task());
    {
        let probe = TaskProbe { store: Arc::new(open().await) };
        for id in [kept, removed] {
            probe.create(id, owner, b"one").await;
        }
        probe.update(kept, 1, b"two").await;
        probe.remove(removed).await;
    }
    let probe = TaskProbe { store: Arc::new(open().await) };
    let task = probe.load(kept).await.expect("a store that survives must keep its tasks");
    assert_eq!(
        (&*task.record, task.revision, task.owner),
        (&b"two"[..], 2, owner),
        "a store that survives must keep records, revisions and owners"
    );
    assert!(probe.load(removed).await.is_none(), "a store that survives must not bring tasks back");
    assert_eq!(probe.update(kept, 1, b"x").await, TaskWritten::Conflict, "a store that survives must keep revisions");
    probe.create(later, owner, b"x").await;
    assert_eq!(probe.ids(owner, 0, 9).await, [kept, later], "a store that survives must keep the order of its tasks");
    for id in [kept, later] {
        probe.remove(id).await;
    }
}

async fn unknown_tasks_are_gone(probe: &TaskProbe) {
    let (id, owner) = (random_task(), random_owner());
    assert_eq!(probe.load(id).await, None, "a task that was never made must not be there");
    assert_eq!(probe.update(id, 0, b"x").await, TaskWritten::Gone, "an update must not make a task");
    assert_eq!(probe.update(id, 1, b"x").await, TaskWritten::Gone, "a task that was never made must be gone");
    assert!(!probe.remove(id).await, "removing a task that was never made must find none");
    assert_eq!(probe.ids(owner, 0, 9).await, [], "an owner without tasks must have an empty list");
    assert_eq!(probe.count(owner).await, 0, "an owner without tasks must have none");
    probe.heard(id, 0, "waiting for a task that is not there must end").await;
}

async fn records_are_read_back(probe: &TaskProbe) {
    let (id, owner) = (random_task(), random_owner());
    let large: Vec<u8> = (0..1 << 20).map(|byte: u32| (byte.wrapping_mul(31) >> 3) as u8).collect();
    let every: Vec<u8> = (0..=u8::MAX).collect();
    assert_eq!(probe.create(id, owner, b"one").await, TaskWritten::Saved, "a new task must be made");
    let mut expected = b"one".to_vec();
    for (revision, next) in (1..).zip([&large, &every, &Vec::new(), &b"\0".to_vec()]) {
        let task = probe.load(id).await.expect("a task that was made must be there");
        assert!(
            (task.id, task.owner, task.revision) == (id, owner, revision) && task.record == expected,
            "a task must come back as it was written, at revision 1 when new and one more for each update"
        );
        assert_eq!(
            probe.update(id, revision, next).await,
            TaskWritten::Saved,
            "an update that expects the present revision must be saved"
        );
        expected.clone_from(next);
    }
    probe.remove(id).await;
}

async fn stale_updates_conflict(probe: &TaskProbe) {
    let (id, owner) = (random_task(), random_owner());
    probe.create(id, owner, b"one").await;
    probe.update(id, 1, b"two").await;
    for expected in [0, 1, 3] {
        assert_eq!(
            probe.update(id, expected, b"x").await,
            TaskWritten::Conflict,
            "an update that expects another revision must conflict"
        );
    }
    let task = probe.load(id).await.map(|task| (task.record, task.revision));
    assert_eq!(task, Some(("two".into(), 2)), "a conflict must write nothing");
    probe.remove(id).await;
}

async fn ids_are_taken_once(probe: &TaskProbe) {
    let (id, owner, other) = (random_task(), random_owner(), random_owner());
    probe.create(id, owner, b"one").await;
    assert_eq!(probe.create(id, other, b"x").await, TaskWritten::Conflict, "an id that is taken must conflict");
    let task = probe.load(id).await.map(|task| (task.record, task.owner));
    assert_eq!(task, Some(("one".into(), owner)), "a task must stay as it was when its id is wanted again");
    assert_eq!((probe.count(owner).await, probe.count(other).await), (1, 0), "a task must be counted once");
    probe.remove(id).await;
}

async fn removed_tasks_stay_gone(probe: &TaskProbe) {
    let (id, other, owner) = (random_task(), random_task(), random_owner());
    probe.create(id, owner, b"one").await;
    probe.create(other, owner, b"one").await;
    let waiting = probe.spawn_wait(id, 1);
    sleep(Duration::from_millis(50)).await;
    assert!(probe.remove(id).await, "removing a task must say that it was there");
    assert!(!probe.remove(id).await, "removing a task again must find none");
    assert_eq!(probe.load(id).await, None, "a removed task must be gone");
    assert_eq!(probe.update(id, 1, b"x").await, TaskWritten::Gone, "an update must not bring a removed task back");
    assert_eq!(probe.ids(owner, 0, 9).await, [other], "a list must not hold removed tasks, and keep the others");
    assert_eq!(probe.count(owner).await, 1, "a removed task must not be counted");
    heard(waiting, "who waits for a task must hear that it was removed").await;
    probe.remove(other).await;
}

async fn lists_are_in_the_order_of_making(probe: &TaskProbe) {
    let (owner, other) = (random_owner(), random_owner());
    let mut ids = Vec::new();
    for _ in 0..9 {
        let (id, foreign) = (random_task(), random_task());
        probe.create(id, owner, &id.0).await;
        probe.create(foreign, other, b"x").await;
        ids.push(id);
    }
    probe.update(ids[3], 1, b"changed").await;
    let tasks = probe.list(owner, 0, 100).await;
    assert_eq!(
        tasks.iter().map(|task| task.id).collect::<Vec<_>>(),
        ids,
        "a list must hold the owner's tasks and nobody else's, in the order in which they were made"
    );
    let orders: Vec<_> = tasks.iter().map(|task| task.order).collect();
    assert!(
        orders.first().is_some_and(|first| *first > 0) && orders.is_sorted_by(|one, next| one < next),
        "places in the order must grow, from 1 or more"
    );
    assert!(
        tasks.iter().all(|task| task.owner == owner && (task.record == task.id.0[..] || task.revision == 2)),
        "a list must hold records"
    );
    assert_eq!(probe.list(owner, 0, 0).await, [], "a list must not be longer than its limit");
    assert_eq!(probe.list(owner, TaskOrder::MAX, 9).await, [], "after the last place there must be nothing");
    assert_eq!(probe.count(owner).await, 9, "an owner's tasks must be counted");
    let mut paged = Vec::new();
    let mut after = 0;
    while let page = probe.list(owner, after, 4).await
        && let Some(last) = page.last()
    {
        assert!(page.len() <= 4, "a list must not be longer than its limit");
        after = last.order;
        paged.extend(page.iter().map(|task| task.id));
        // Whatever becomes of a task, its place is remembered by who lists.
        probe.remove(last.id).await;
    }
    assert_eq!(paged, ids, "the pages of a list must hold each task once, also when the last of a page is removed");
    for owner in [owner, other] {
        for task in probe.list(owner, 0, 100).await {
            probe.remove(task.id).await;
        }
    }
}

async fn changes_are_heard(probe: &TaskProbe) {
    let (id, owner) = (random_task(), random_owner());
    probe.create(id, owner, b"x").await;
    for revision in 1..20 {
        let waiting = [probe.spawn_wait(id, revision), probe.spawn_wait(id, revision)];
        // Sometimes before, sometimes while and sometimes after they begin to wait.
        sleep(Duration::from_millis(revision % 4)).await;
        probe.update(id, revision, b"x").await;
        for waiting in waiting {
            heard(waiting, "who waits for a task must hear that it changed").await;
        }
        probe.heard(id, revision, "waiting for a revision that is there must end").await;
    }
    probe.remove(id).await;
}

async fn no_update_is_lost(probe: &TaskProbe) {
    let (id, owner) = (random_task(), random_owner());
    probe.create(id, owner, b"").await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let probe = probe.clone();
        writers.spawn(async move {
            let name = writer.to_be_bytes();
            loop {
                // The record names who has written it, so that each finds out whether it did.
                let task = probe.load(id).await.expect("a task that is updated must be there");
                let (names, []) = task.record.as_chunks() else { panic!("the store must give whole records") };
                assert_eq!(
                    names.len() as Revision + 1,
                    task.revision,
                    "the record and the revision of a task must be of the same moment"
                );
                if names.contains(&name) {
                    break;
                }
                let written = repeat(|| probe.store.update(id, task.revision, [&*task.record, &name].concat().into()));
                assert_ne!(written.await.0, TaskWritten::Gone, "a task that is updated must be there");
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    let task = probe.load(id).await.map(|task| (task.revision, task.record.len() as u64));
    assert_eq!(task, Some((WRITERS + 1, WRITERS * 8)), "of {WRITERS} concurrent updates none must be lost");
    probe.remove(id).await;
}

async fn tasks_expire(probe: &TaskProbe) {
    let (short, long, owner) = (random_task(), random_task(), random_owner());
    assert_eq!(probe.create_for(short, owner, b"old", SHORT).await, TaskWritten::Saved, "a new task must be made");
    probe.create(long, owner, b"x").await;
    sleep(SHORT / 2).await;
    assert_eq!(
        probe.update(short, 1, b"x").await,
        TaskWritten::Saved,
        "a task must be there until its time has passed"
    );
    sleep(SHORT * 3 / 4).await;
    assert_eq!(probe.load(short).await, None, "a task whose time has passed must be gone, also if it was updated");
    assert_eq!(probe.update(short, 2, b"x").await, TaskWritten::Gone, "an update must not bring an expired task back");
    assert_eq!(probe.ids(owner, 0, 9).await, [long], "a list must not hold tasks whose time has passed");
    assert_eq!(probe.count(owner).await, 1, "tasks whose time has passed must not be counted");
    probe.heard(short, 2, "waiting for a task whose time has passed must end").await;
    repeat(|| probe.store.sweep()).await;
    assert_eq!(probe.load(short).await, None, "an expired task must stay gone after a sweep");
    assert!(probe.load(long).await.is_some(), "a sweep must leave living tasks as they are");
    probe.remove(long).await;
}

/// The suite's hands.
#[derive(Clone)]
struct TaskProbe {
    store: Arc<dyn TaskStore>,
}

impl TaskProbe {
    async fn create(&self, id: TaskId, owner: Owner, record: &[u8]) -> TaskWritten {
        self.create_for(id, owner, record, LONG).await
    }

    async fn create_for(&self, id: TaskId, owner: Owner, record: &[u8], ttl: Duration) -> TaskWritten {
        let create = || self.store.create(id, owner, Bytes::copy_from_slice(record), ttl);
        match repeat(create).await {
            (TaskWritten::Conflict, true) => self.unless_it_is(id, owner, 1, record).await,
            (written, _) => written,
        }
    }

    async fn load(&self, id: TaskId) -> Option<StoredTask> {
        repeat(|| self.store.load(id)).await.0
    }

    async fn update(&self, id: TaskId, expected: Revision, record: &[u8]) -> TaskWritten {
        let update = || self.store.update(id, expected, Bytes::copy_from_slice(record));
        match (repeat(update).await, self.load(id).await) {
            ((TaskWritten::Conflict, true), Some(task)) => {
                self.unless_it_is(id, task.owner, expected + 1, record).await
            }
            ((written, _), _) => written,
        }
    }

    /// A conflict, unless the task is this: then an attempt that went unanswered had been saved.
    async fn unless_it_is(&self, id: TaskId, owner: Owner, revision: Revision, record: &[u8]) -> TaskWritten {
        let is_it = |task: StoredTask| task.owner == owner && task.revision == revision && *task.record == *record;
        if self.load(id).await.is_some_and(is_it) { TaskWritten::Saved } else { TaskWritten::Conflict }
    }

    async fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> Vec<StoredTask> {
        repeat(|| self.store.list(owner, after, limit)).await.0
    }

    async fn ids(&self, owner: Owner, after: TaskOrder, limit: usize) -> Vec<TaskId> {
        self.list(owner, after, limit).await.into_iter().map(|task| task.id).collect()
    }

    async fn remove(&self, id: TaskId) -> bool {
        let was_there = self.load(id).await.is_some();
        let (removed, repeated) = repeat(|| self.store.remove(id)).await;
        // An attempt that went unanswered may have been the one that removed it.
        removed || repeated && was_there
    }

    async fn count(&self, owner: Owner) -> usize {
        repeat(|| self.store.count(owner)).await.0
    }

    fn spawn_wait(&self, id: TaskId, revision: Revision) -> JoinHandle<()> {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { repeat(|| store.changed(id, revision)).await.0 })
    }

    async fn heard(&self, id: TaskId, revision: Revision, law: &str) {
        heard(self.spawn_wait(id, revision), law).await;
    }
}

fn random_task() -> TaskId {
    TaskId(random())
}

#[cfg(test)]
mod tests;
