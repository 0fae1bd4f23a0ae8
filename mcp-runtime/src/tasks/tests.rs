use super::*;
use crate::store::{MemoryTaskStore, StoredTask, TaskStore, TaskWritten};

const ME: Owner = Owner([1; 16]);

fn room(store: &Arc<dyn TaskStore>) -> TaskRoom {
    TaskRoom::new(Tasks::new().under_way(2).shared_store(store.clone()), Changes::default())
}

fn store() -> Arc<dyn TaskStore> {
    Arc::new(MemoryTaskStore::new())
}

async fn create(room: &TaskRoom) -> TaskId {
    let id = TaskId(crate::session::random());
    room.create(id, ME, Manner::ByServer, "work", None, None).await.expect("the store has room");
    id
}

async fn find(room: &TaskRoom, id: TaskId) -> Task {
    let found = room.find(&id.to_string(), ME, Manner::ByServer).await.expect("the store answers");
    found.expect("the task is there").task(|_| Some(0))
}

#[tokio::test]
async fn what_ran_in_a_process_that_is_gone_has_failed_and_what_ended_there_has_not() {
    let store = store();
    let old = room(&store);
    let (runs, ended) = (create(&old).await, create(&old).await);
    old.end(ended, Ok(ToolResult::text("done"))).await;
    assert!(matches!(find(&old, runs).await.standing, Standing::Working));
    let new = room(&store);
    let lost = find(&new, runs).await;
    assert!(matches!(&lost.standing, Standing::Ended(Err(fault)) if fault.message.contains("call the tool again")));
    assert!(lost.message.is_some());
    assert!(matches!(find(&new, ended).await.standing, Standing::Ended(Ok(_))));
    // Whoever ran it after all comes too late.
    old.end(runs, Ok(ToolResult::text("late"))).await;
    assert!(matches!(find(&new, runs).await.standing, Standing::Ended(Err(_))));
}

/// A store that other processes use too.
struct Shared(MemoryTaskStore);

impl TaskStore for Shared {
    fn create(&self, id: TaskId, owner: Owner, record: bytes::Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        self.0.create(id, owner, record, ttl)
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        self.0.load(id)
    }

    fn update(&self, id: TaskId, expected: Revision, record: bytes::Bytes) -> StoreFuture<'_, TaskWritten> {
        self.0.update(id, expected, record)
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        self.0.list(owner, after, limit)
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        self.0.remove(id)
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        self.0.count(owner)
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        self.0.changed(id, revision)
    }
}

#[tokio::test]
async fn what_another_process_runs_is_believed_to_run_and_can_be_cancelled_there() {
    let store: Arc<dyn TaskStore> = Arc::new(Shared(MemoryTaskStore::new()));
    let (here, there) = (room(&store), Arc::new(room(&store)));
    let id = create(&there).await;
    assert!(matches!(find(&here, id).await.standing, Standing::Working));
    let runner = tokio::spawn({
        let there = there.clone();
        async move { there.until_over(id, &Meanwhile::new(id)).await }
    });
    let mut found = here.find(&id.to_string(), ME, Manner::ByServer).await.expect("it answers").expect("it is there");
    assert!(here.cancel(&mut found).await.expect("it answers"));
    tokio::time::timeout(Duration::from_secs(10), runner).await.expect("it hears of it").expect("it does not panic");
    assert!(!here.cancel(&mut found).await.expect("it answers"), "a second time");
}

#[tokio::test]
async fn a_place_is_free_again_when_its_task_is_over() {
    let room = room(&store());
    let first = room.place(ME).await.expect("a place");
    let _second = room.place(ME).await.expect("a place");
    assert!(room.place(ME).await.is_err());
    room.place(Owner([2; 16])).await.expect("another caller is not concerned");
    drop(first);
    room.place(ME).await.expect("a place");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_tasks_and_takes_no_more() {
    let room = Arc::new(room(&store()));
    let id = create(&room).await;
    let place = room.place(ME).await.expect("a place");
    let runner = tokio::spawn({
        let room = room.clone();
        async move {
            room.until_over(id, &Meanwhile::new(id)).await;
            drop(place);
        }
    });
    tokio::task::yield_now().await;
    room.stop();
    tokio::time::timeout(Duration::from_secs(10), room.settle()).await.expect("nothing runs");
    runner.await.expect("it does not panic");
    assert!(matches!(find(&room, id).await.standing, Standing::Ended(Err(_))));
    assert!(room.place(ME).await.is_err());
}

#[tokio::test]
async fn a_result_that_is_too_large_to_be_kept_is_a_failure_that_says_so() {
    let limits = crate::store::TaskLimits { record_bytes: 2000, ..Default::default() };
    let store: Arc<dyn TaskStore> = Arc::new(MemoryTaskStore::new().with_limits(limits));
    let room = room(&store);
    let id = create(&room).await;
    room.end(id, Ok(ToolResult::text("x".repeat(3000)))).await;
    let task = find(&room, id).await;
    assert!(matches!(&task.standing, Standing::Ended(Err(fault)) if fault.message == TOO_LARGE.1));
}
