//! News for listeners, as bytes.

use bytes::Bytes;

use super::{Prepared, tasks};
use crate::{
    changes::{Change, Mailbox},
    protocol::version::Facts,
    store::TaskId,
    tasks::TaskRoom,
    wire::{Id, write_id, write_notification, write_string},
};

/// `_meta` of everything that belongs to a subscription of 2026-07-28.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Somebody who is told what changes.
pub(super) struct Audience<'a> {
    pub(super) mailbox: &'a Mailbox,
    pub(super) tasks: &'a TaskRoom,
    /// The subscription that everything is tagged with, where the revision has subscriptions.
    pub(super) subscription: Option<Subscription<'a>>,
}

/// A subscription of 2026-07-28.
pub(super) struct Subscription<'a> {
    pub(super) id: &'a Id,
    pub(super) prepared: &'a Prepared,
    pub(super) facts: &'a Facts,
}

impl Audience<'_> {
    /// The next notification; `None` at the end.
    pub(super) async fn next(&self) -> Option<Bytes> {
        loop {
            let (method, uri) = match self.mailbox.next().await? {
                Change::Tools => ("notifications/tools/list_changed", None),
                Change::Prompts => ("notifications/prompts/list_changed", None),
                Change::Resources => ("notifications/resources/list_changed", None),
                Change::Resource(uri) => ("notifications/resources/updated", Some(uri)),
                Change::Progress(message) => return Some(message),
                Change::Task(task) => match self.task(task).await {
                    Some(told) => return Some(told),
                    None => continue,
                },
            };
            return Some(self.notification(method, uri.as_deref()));
        }
    }

    fn notification(&self, method: &str, uri: Option<&str>) -> Bytes {
        let mut bytes = Vec::with_capacity(160);
        write_notification(&mut bytes, method, |out| {
            out.push(b'{');
            if let Some(uri) = uri {
                out.extend_from_slice(b"\"uri\":");
                write_string(out, uri);
            }
            if let Some(Subscription { id, .. }) = self.subscription {
                if uri.is_some() {
                    out.push(b',');
                }
                write_subscription(out, id);
            }
            out.push(b'}');
        });
        bytes.into()
    }

    /// How a task stands now; `None` when it is gone, or can't be read now: its next change is news again. Of one that is
    /// over, nothing more is.
    async fn task(&self, id: TaskId) -> Option<Bytes> {
        let found = self.tasks.look(id).await.ok()?;
        if found.as_ref().is_none_or(|found| found.record.is_over()) {
            self.mailbox.unfollow(id);
        }
        // Which tool it was makes no difference here.
        let task = found?.task(|_| None);
        let mut bytes = Vec::with_capacity(512);
        match &self.subscription {
            None => tasks::write_status(&mut bytes, &task),
            Some(Subscription { id, prepared, facts }) => tasks::write_news(&mut bytes, prepared, facts, task, id),
        }
        Some(bytes.into())
    }
}

/// Writes `"_meta":{"…/subscriptionId":…}`.
pub(super) fn write_subscription(out: &mut Vec<u8>, id: &Id) {
    out.extend_from_slice(b"\"_meta\":{");
    write_string(out, SUBSCRIPTION);
    out.push(b':');
    write_id(out, id);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use futures_util::FutureExt;
    use serde_json::Value;

    use super::*;
    use crate::{
        call::Manner,
        changes::{Changes, ListChanges},
        store::{
            MemoryTaskStore, Owner, Revision, StoreError, StoreFuture, StoredTask, TaskOrder, TaskStore, TaskWritten,
        },
        tasks::Tasks,
    };

    /// A store that can't be read at times.
    #[derive(Default)]
    struct Moody {
        store: MemoryTaskStore,
        down: Arc<AtomicBool>,
    }

    impl TaskStore for Moody {
        fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
            self.store.create(id, owner, record, ttl)
        }

        fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
            if self.down.load(Ordering::SeqCst) {
                return StoreFuture::ready(Err(StoreError::Unavailable("it is down".into())));
            }
            self.store.load(id)
        }

        fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
            self.store.update(id, expected, record)
        }

        fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
            self.store.list(owner, after, limit)
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

    #[tokio::test]
    async fn a_task_that_could_not_be_read_is_news_again_with_its_next_change() {
        let (store, changes) = (Moody::default(), Changes::default());
        let down = store.down.clone();
        let tasks = TaskRoom::new(Tasks::new().store(store), changes.clone());
        let id = TaskId([7; 16]);
        tasks.create(id, Owner([1; 16]), Manner::ByRequest, "work", None, None).await.expect("there is room");
        let mailbox = changes.open(ListChanges::default(), None);
        assert!(mailbox.follow(id));
        let audience = Audience { mailbox: &mailbox, tasks: &tasks, subscription: None };
        let told = || audience.next().now_or_never().map(|told| told.expect("it goes on"));

        down.store(true, Ordering::SeqCst);
        changes.task_changed(id);
        assert_eq!(told(), None, "nobody knows how it stands");
        down.store(false, Ordering::SeqCst);
        assert_eq!(told(), None, "nothing is asked again without a reason");
        changes.task_changed(id);
        let message: Value = serde_json::from_slice(&told().expect("news")).expect("JSON");
        assert_eq!(message["method"], "notifications/tasks/status");
        assert_eq!(
            (&message["params"]["taskId"], &message["params"]["status"]),
            (&id.to_string().into(), &"working".into())
        );
    }
}
