//! The suite against our logs, their bounds, and a log that breaks a law.

use super::*;
use crate::store::{
    EventLimits, MemoryEventLog, StoreError, StoreFuture,
    conformance::{FaultyStore, tests::faults},
};

/// Bounds that are soon reached.
const SMALL: EventLimits =
    EventLimits { stream_bytes: 1000, stream_events: 5, bytes: 4000, lifetime: Duration::from_secs(300) };

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_log_obeys_the_laws() {
    check_event_log(Arc::new(MemoryEventLog::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disturbed_memory_log_obeys_the_laws() {
    check_event_log(Arc::new(FaultyStore::new(MemoryEventLog::new(), faults()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_log_obeys_the_laws_of_time() {
    let lifetime = Duration::from_secs(2);
    let limits = EventLimits { lifetime, ..EventLimits::default() };
    check_event_log_lifetime(Arc::new(MemoryEventLog::new().with_limits(limits)), lifetime).await;
}

#[tokio::test]
async fn the_memory_log_is_bounded() {
    check_bounds(Arc::new(MemoryEventLog::new().with_limits(SMALL))).await;
}

#[cfg(feature = "file")]
mod file {
    use super::*;
    use crate::store::FileStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_log_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        check_event_log(Arc::new(FileStore::open(folder.path().join("sessions")).expect("a store"))).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disturbed_file_log_obeys_the_laws() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("sessions")).expect("a store");
        check_event_log(Arc::new(FaultyStore::new(store, faults()))).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_log_obeys_the_laws_of_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let lifetime = Duration::from_secs(2);
        let limits = EventLimits { lifetime, ..EventLimits::default() };
        let store = FileStore::open(folder.path().join("sessions")).expect("a store").with_event_limits(limits);
        check_event_log_lifetime(Arc::new(store), lifetime).await;
    }

    #[tokio::test]
    async fn the_file_log_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("sessions")).expect("a store").with_event_limits(SMALL);
        check_bounds(Arc::new(store)).await;
    }

    #[tokio::test]
    async fn the_file_log_survives() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        check_event_log_survival(async || FileStore::open(&path).expect("a store")).await;
    }
}

/// What a read found: the numbers of the events, whether there is a gap, whether the stream is finished.
async fn read(probe: &EventProbe, session: SessionKey, stream: StreamId) -> Option<(Vec<Sequence>, bool, bool)> {
    match probe.read(session, stream, 0).await {
        Replay::Unknown => None,
        Replay::Events { events, gap, finished } => {
            Some((events.into_iter().map(|(number, _)| number).collect(), gap, finished))
        }
    }
}

/// The laws of bounds, which [`SMALL`] makes easy to reach.
async fn check_bounds(log: Arc<dyn EventLog>) {
    let probe = EventProbe { log };
    let session = random_session();
    let open = async |data: &[&[u8]]| {
        let stream = random_stream();
        probe.open(session, stream).await;
        for data in data {
            probe.append(session, stream, data, false).await.expect("a number");
        }
        stream
    };

    let many = open(&[b"x".as_slice(); 7]).await;
    assert_eq!(
        read(&probe, session, many).await,
        Some((vec![3, 4, 5, 6, 7], true, false)),
        "the oldest events go first"
    );
    let Replay::Events { gap, .. } = probe.read(session, many, 2).await else { panic!("the stream is known") };
    assert!(!gap, "who has seen what was dropped misses nothing");

    let large = open(&[&[0; 400], &[1; 400], &[2; 400]]).await;
    assert_eq!(read(&probe, session, large).await, Some((vec![2, 3], true, false)));
    let refused = probe.log.append(session, large, Bytes::from_static(&[0; 937]), true).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 937, limit: 936 })), "{refused:?}");
    assert_eq!(read(&probe, session, large).await, Some((vec![2, 3], true, false)), "the stream stays as it was");
    assert_eq!(probe.append(session, large, &[3; 936], true).await, Some(4));
    assert_eq!(read(&probe, session, large).await, Some((vec![4], true, true)));

    // Beyond what all may have: first the events of those longest unused, then the streams themselves.
    assert!(probe.touch(session, many).await);
    sleep(Duration::from_millis(5)).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(open(&[&[9; 700]]).await);
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read(&probe, session, large).await, Some((vec![], true, true)), "its events were the oldest");
    assert_eq!(read(&probe, session, many).await, Some((vec![3, 4, 5, 6, 7], true, false)), "it was touched");
    for _ in 0..12 {
        others.push(open(&[]).await);
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read(&probe, session, large).await, None, "streams without events go when all events are gone");
    assert_eq!(read(&probe, session, many).await, None);
    let waiting = probe.spawn_wait(session, *others.last().expect("some"), 0);
    sleep(Duration::from_millis(20)).await;
    for _ in 0..20 {
        others.push(open(&[]).await);
    }
    heard(waiting, "who waits for a stream hears that it was thrown out").await;
    let mut known = 0;
    for stream in others {
        known += usize::from(probe.read(session, stream, 0).await != Replay::Unknown);
    }
    assert_eq!(known, SMALL.bytes / EventLimits::STREAM, "the log holds as many streams as it may and no more");

    // All that was counted is given back.
    probe.drop_session(session).await;
    let again = open(&[&[1; 400], &[2; 400]]).await;
    let (other, another) = (open(&[&[1; 400], &[2; 400]]).await, open(&[&[1; 400], &[2; 400]]).await);
    for stream in [again, other, another] {
        assert_eq!(read(&probe, session, stream).await, Some((vec![1, 2], false, false)));
    }
}

/// A log that breaks a law.
struct Broken {
    log: MemoryEventLog,
    law: Law,
}

#[derive(Clone, Copy, PartialEq)]
enum Law {
    Sessions,
    Ends,
    Bells,
    Dropping,
}

impl EventLog for Broken {
    fn open(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, ()> {
        self.log.open(self.session(session), stream)
    }

    fn append(
        &self,
        session: SessionKey,
        stream: StreamId,
        data: Bytes,
        last: bool,
    ) -> StoreFuture<'_, Option<Sequence>> {
        self.log.append(self.session(session), stream, data, last && self.law != Law::Ends)
    }

    fn read_after(
        &self,
        session: SessionKey,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> StoreFuture<'_, Replay> {
        self.log.read_after(self.session(session), stream, after, limit)
    }

    fn changed(&self, session: SessionKey, stream: StreamId, after: Sequence) -> StoreFuture<'_, ()> {
        if self.law == Law::Bells {
            return StoreFuture::new(std::future::pending());
        }
        self.log.changed(self.session(session), stream, after)
    }

    fn touch(&self, session: SessionKey, stream: StreamId) -> StoreFuture<'_, bool> {
        self.log.touch(self.session(session), stream)
    }

    fn drop_session(&self, session: SessionKey) -> StoreFuture<'_, ()> {
        if self.law == Law::Dropping {
            return StoreFuture::ready(Ok(()));
        }
        self.log.drop_session(self.session(session))
    }
}

impl Broken {
    fn session(&self, session: SessionKey) -> SessionKey {
        if self.law == Law::Sessions { SessionKey([0; 17]) } else { session }
    }

    async fn check(law: Law) {
        check_event_log(Arc::new(Self { log: MemoryEventLog::new(), law })).await;
    }
}

#[tokio::test]
#[should_panic = "a session must not read the streams of another"]
async fn a_log_without_sessions_is_found() {
    Broken::check(Law::Sessions).await;
}

#[tokio::test]
#[should_panic = "a stream that has ended must take no event"]
async fn a_log_without_ends_is_found() {
    Broken::check(Law::Ends).await;
}

#[tokio::test(start_paused = true)]
#[should_panic = "waiting for a stream that is unknown must end"]
async fn a_log_whose_changes_are_not_heard_is_found() {
    Broken::check(Law::Bells).await;
}

#[tokio::test]
#[should_panic = "streams of a dropped session must be gone"]
async fn a_log_that_keeps_dropped_sessions_is_found() {
    Broken::check(Law::Dropping).await;
}
