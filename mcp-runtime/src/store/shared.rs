//! A store that is shared: one engine can keep session state, the messages of streams and tasks.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Bus, Commit, Committed, EventLog, Heard, Loaded, Owner, Presence, Replay, Revision, Sequence, SessionKey,
    StateStore, StoreFuture, StoreIdentity, StoredTask, StreamId, TaskId, TaskOrder, TaskStore, TaskWritten, Topic,
};

impl<S: StateStore + ?Sized> StateStore for Arc<S> {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        (**self).identity()
    }

    fn durable(&self) -> bool {
        (**self).durable()
    }

    fn shared(&self) -> bool {
        (**self).shared()
    }

    fn load<'a>(&'a self, session: SessionKey, keys: &'a [&'static str], idle: Duration) -> StoreFuture<'a, Loaded> {
        (**self).load(session, keys, idle)
    }

    fn commit(&self, session: SessionKey, commit: Commit) -> StoreFuture<'_, Committed> {
        (**self).commit(session, commit)
    }

    fn touch(&self, session: SessionKey, idle: Duration) -> StoreFuture<'_, Presence> {
        (**self).touch(session, idle)
    }

    fn remove(&self, session: SessionKey, tombstone: Duration) -> StoreFuture<'_, ()> {
        (**self).remove(session, tombstone)
    }

    fn list(&self, owner: Owner, after: Option<SessionKey>, limit: usize) -> StoreFuture<'_, Vec<SessionKey>> {
        (**self).list(owner, after, limit)
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        (**self).sweep()
    }
}

impl<L: EventLog + ?Sized> EventLog for Arc<L> {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        (**self).open(session, stream)
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        (**self).append(session, stream, data, last)
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        (**self).read_after(session, stream, after, limit)
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        (**self).changed(session, stream, after)
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        (**self).touch(session, stream)
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        (**self).drop_session(session)
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        (**self).sweep()
    }
}

impl<B: Bus + ?Sized> Bus for Arc<B> {
    fn publish(&self, topic: Topic, message: Bytes) -> StoreFuture<'_, ()> {
        (**self).publish(topic, message)
    }

    fn position(&self, topic: Topic) -> StoreFuture<'_, Sequence> {
        (**self).position(topic)
    }

    fn read_after(&self, topic: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard> {
        (**self).read_after(topic, after, limit)
    }

    fn changed(&self, topic: Topic, after: Sequence) -> StoreFuture<'_, ()> {
        (**self).changed(topic, after)
    }
}

impl<S: TaskStore + ?Sized> TaskStore for Arc<S> {
    fn create(&self, id: TaskId, owner: Owner, record: Bytes, ttl: Duration) -> StoreFuture<'_, TaskWritten> {
        (**self).create(id, owner, record, ttl)
    }

    fn load(&self, id: TaskId) -> StoreFuture<'_, Option<StoredTask>> {
        (**self).load(id)
    }

    fn update(&self, id: TaskId, expected: Revision, record: Bytes) -> StoreFuture<'_, TaskWritten> {
        (**self).update(id, expected, record)
    }

    fn list(&self, owner: Owner, after: TaskOrder, limit: usize) -> StoreFuture<'_, Vec<StoredTask>> {
        (**self).list(owner, after, limit)
    }

    fn remove(&self, id: TaskId) -> StoreFuture<'_, bool> {
        (**self).remove(id)
    }

    fn count(&self, owner: Owner) -> StoreFuture<'_, usize> {
        (**self).count(owner)
    }

    fn changed(&self, id: TaskId, revision: Revision) -> StoreFuture<'_, ()> {
        (**self).changed(id, revision)
    }

    fn exclusive(&self) -> bool {
        (**self).exclusive()
    }

    fn sweep(&self) -> StoreFuture<'_, usize> {
        (**self).sweep()
    }
}
