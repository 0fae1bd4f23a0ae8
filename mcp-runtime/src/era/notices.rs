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
