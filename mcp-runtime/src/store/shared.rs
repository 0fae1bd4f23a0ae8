//! A store that is shared: one engine can keep session state and the messages of streams.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Commit, Committed, EventLog, Loaded, Owner, Presence, Replay, Sequence, SessionKey, StateStore, StoreFuture,
    StoreIdentity, StreamId,
};

impl<S: StateStore + ?Sized> StateStore for Arc<S> {
    fn identity(&self) -> StoreFuture<'_, StoreIdentity> {
        (**self).identity()
    }

    fn durable(&self) -> bool {
        (**self).durable()
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
