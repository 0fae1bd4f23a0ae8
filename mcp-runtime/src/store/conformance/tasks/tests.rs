//! The suite against our stores, their bounds, and stores that break a law.

use super::*;
use crate::store::{
    MemoryTaskStore, StoreError, StoreFuture, TaskLimits,
    conformance::{FaultyStore, tests::faults},
};

const ANSWER: &str = "the store must answer";

/// Bounds that are soon reached.
const SMALL: TaskLimits = TaskLimits { record_bytes: 600, bytes: 1000, tasks: 4 };

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_store_of_tasks_obeys_the_laws() {
    check_task_store(Arc::new(MemoryTaskStore::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disturbed_memory_store_of_tasks_obeys_the_laws() {
    check_task_store(Arc::new(FaultyStore::new(MemoryTaskStore::new(), faults()))).await;
}

#[tokio::test]
async fn the_memory_store_of_tasks_is_bounded() {
    check_bounds(Arc::new(MemoryTaskStore::new().with_limits(SMALL))).await;
}

#[cfg(feature = "file")]
mod file {
    use super::*;
    use crate::store::FileStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_store_of_tasks_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        check_task_store(Arc::new(FileStore::open(folder.path().join("sessions")).expect("a store"))).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disturbed_file_store_of_tasks_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("sessions")).expect("a store");
        check_task_store(Arc::new(FaultyStore::new(store, faults()))).await;
    }

    #[tokio::test]
    async fn the_file_store_of_tasks_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("sessions")).expect("a store").with_task_limits(SMALL);
        check_bounds(Arc::new(store)).await;
    }

    #[tokio::test]
    async fn the_file_store_of_tasks_survives() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        check_task_store_survival(async || FileStore::open(&path).expect("a store")).await;
    }
}

/// The laws of bounds, which [`SMALL`] makes easy to reach.
async fn check_bounds(store: Arc<dyn TaskStore>) {
    let owner = random_owner();
    let (first, second) = (random_task(), random_task());
    let record = |bytes: usize| Bytes::from(vec![7; bytes]);
    let create = async |id, bytes, ttl| match store.create(id, owner, record(bytes), ttl).await {
        Ok(written) => format!("{written:?}"),
        Err(error) => error.to_string(),
    };
    let update = async |id, revision, bytes| match store.update(id, revision, record(bytes)).await {
        Ok(written) => format!("{written:?}"),
        Err(error) => error.to_string(),
    };
    const FULL: &str = "the store is full";

    assert!(matches!(
        store.create(first, owner, record(601), LONG).await,
        Err(StoreError::TooLarge { bytes: 601, limit: 600 })
    ));
    assert_eq!(create(first, 600, LONG).await, "Saved");
    assert!(matches!(store.update(first, 1, record(601)).await, Err(StoreError::TooLarge { bytes: 601, limit: 600 })));
    assert_eq!(create(second, 401, LONG).await, FULL);
    assert_eq!(create(second, 400, LONG).await, "Saved");
    assert_eq!(update(second, 1, 401).await, FULL);
    assert_eq!(update(second, 1, 400).await, "Saved", "what does not grow is taken by a full store");
    assert_eq!(update(first, 1, 10).await, "Saved");
    assert_eq!(update(second, 2, 401).await, "Saved");

    let [third, fourth, fifth] = [random_task(), random_task(), random_task()];
    assert_eq!(create(third, 0, Duration::from_millis(300)).await, "Saved");
    assert_eq!(create(fourth, 0, LONG).await, "Saved");
    assert_eq!(create(fifth, 0, LONG).await, FULL, "there may be four");
    assert!(store.load(first).await.expect(ANSWER).is_some(), "a full store throws nothing out");
    sleep(Duration::from_millis(400)).await;
    assert_eq!(create(fifth, 0, LONG).await, "Saved", "what has expired makes room");
    assert!(store.remove(fourth).await.expect(ANSWER));
    assert_eq!(create(third, 0, LONG).await, "Saved", "what was removed makes room");

    // All that was counted is given back.
    for id in [first, second, third, fifth] {
        assert!(store.remove(id).await.expect(ANSWER));
    }
    assert_eq!(create(first, 500, LONG).await, "Saved");
    assert_eq!(create(second, 500, Duration::from_millis(1)).await, "Saved");
    sleep(Duration::from_millis(50)).await;
    assert_eq!(store.sweep().await.expect(ANSWER), 1);
    assert_eq!(store.sweep().await.expect(ANSWER), 0);
    assert_eq!(create(second, 500, LONG).await, "Saved");
}

/// A store that breaks a law.
struct Broken {
    store: MemoryTaskStore,
    law: Law,
}

#[derive(Clone, Copy, PartialEq)]
enum Law {
    Conflicts,
    Owners,
    Lifetimes,
    Order,
}

impl TaskStore for Broken {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        let owner = if self.law == Law::Owners { Owner::default() } else { owner };
        let ttl = if self.law == Law::Lifetimes { LONG } else { ttl };
        self.store.create(id, owner, record, ttl)
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        self.store.load(id)
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        StoreFuture::new(async move {
            let present = self.store.load(id).await?.map_or(0, |task| task.revision);
            self.store.update(id, if self.law == Law::Conflicts { present } else { expected }, record).await
        })
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        StoreFuture::new(async move {
            let mut tasks = self.store.list(owner, after, limit).await?;
            if self.law == Law::Order {
                tasks.reverse();
            }
            Ok(tasks)
        })
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        self.store.remove(id)
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        self.store.count(owner)
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        self.store.changed(id, revision)
    }
}

async fn check_broken(law: Law) {
    check_task_store(Arc::new(Broken { store: MemoryTaskStore::new(), law })).await;
}

#[tokio::test]
#[should_panic = "an update that expects another revision must conflict"]
async fn a_store_of_tasks_where_the_last_write_wins_is_found() {
    check_broken(Law::Conflicts).await;
}

#[tokio::test]
#[should_panic = "a task must come back as it was written"]
async fn a_store_of_tasks_that_ignores_owners_is_found() {
    check_broken(Law::Owners).await;
}

#[tokio::test]
#[should_panic = "in the order in which they were made"]
async fn a_store_of_tasks_that_lists_backwards_is_found() {
    check_broken(Law::Order).await;
}

#[tokio::test]
#[should_panic = "a task whose time has passed must be gone"]
async fn a_store_whose_tasks_live_for_ever_is_found() {
    check_broken(Law::Lifetimes).await;
}
