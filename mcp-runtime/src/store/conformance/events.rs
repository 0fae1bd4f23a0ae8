//! The laws of [`EventLog`].

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::probe::{ATTEMPTS, attempt, heard, random, random_session, repeat, unavailable};
use crate::store::{EventLog, Replay, Sequence, SessionKey, StreamId};

/// How many writers there are at once.
const WRITERS: u64 = 50;

/// Checks every law of [`EventLog`] but those of time, in about a second. The log may be in use: the suite works on random
/// sessions and drops what it made.
///
/// A call that fails with [`StoreError::Unavailable`](crate::store::StoreError::Unavailable) is repeated a few times; for an
/// event the suite looks first whether it is there, because it has no name by which the log would recognise it.
///
/// # Panics
/// If the log breaks a law; the message is the law.
pub async fn check_event_log(log: Arc<dyn EventLog>) {
    let probe = EventProbe { log };
    unknown_streams_are_unknown(&probe).await;
    events_are_read_back(&probe).await;
    ended_streams_take_nothing(&probe).await;
    streams_are_their_sessions(&probe).await;
    dropped_sessions_stay_dropped(&probe).await;
    changes_are_heard(&probe).await;
    numbers_are_given_once(&probe).await;
}

/// Checks the laws of time on a log whose streams live for `lifetime`: at least a second, so that a busy machine has time.
///
/// # Panics
/// If the log breaks a law; the message is the law.
pub async fn check_event_log_lifetime(log: Arc<dyn EventLog>, lifetime: Duration) {
    let probe = EventProbe { log };
    let (within, beyond) = (lifetime * 6 / 10, lifetime * 3 / 2);
    let (session, fed, touched, left) = (random_session(), random_stream(), random_stream(), random_stream());
    for stream in [fed, touched, left] {
        probe.open(session, stream).await;
        probe.append(session, stream, b"one", false).await;
    }
    for round in 2..4 {
        sleep(within).await;
        assert_eq!(probe.append(session, fed, b"x", false).await, Some(round), "an event must renew a lifetime");
        assert!(probe.touch(session, touched).await, "a touch must renew a lifetime");
    }
    assert_eq!(probe.read(session, left, 0).await, Replay::Unknown, "a stream whose time has passed must be unknown");
    assert!(!probe.touch(session, left).await, "a touch must not bring an expired stream back");
    assert_eq!(probe.append(session, left, b"x", false).await, None, "an event must not bring an expired stream back");
    probe.sweep().await;
    assert_eq!(probe.read(session, left, 0).await, Replay::Unknown, "a swept stream must be unknown");
    let kept = Replay::Events { events: vec![(1, "one".into())], gap: false, finished: false };
    assert_eq!(probe.read(session, touched, 0).await, kept, "a sweep must leave living streams as they are");
    sleep(beyond).await;
    for stream in [fed, touched] {
        assert_eq!(probe.read(session, stream, 0).await, Replay::Unknown, "a renewed lifetime must end too");
    }
    probe.open(session, left).await;
    assert_eq!(
        probe.read(session, left, 0).await,
        Replay::Events { events: Vec::new(), gap: false, finished: false },
        "a stream that is opened anew must have nothing of the old one"
    );
    probe.drop_session(session).await;
}

/// Checks that streams survive the end of a log that is to survive it. `open` opens the same place each time; the log of
/// the time before was dropped.
///
/// # Panics
/// If the log forgets something; the message is the law.
pub async fn check_event_log_survival<S: EventLog>(open: impl AsyncFn() -> S) {
    let (session, dropped, stream, ended) = (random_session(), random_session(), random_stream(), random_stream());
    {
        let probe = EventProbe { log: Arc::new(open().await) };
        for (session, stream) in [(session, stream), (session, ended), (dropped, stream)] {
            probe.open(session, stream).await;
            probe.append(session, stream, b"one", false).await;
        }
        probe.append(session, ended, b"two", true).await;
        probe.drop_session(dropped).await;
    }
    let probe = EventProbe { log: Arc::new(open().await) };
    assert_eq!(
        probe.read(session, ended, 1).await,
        Replay::Events { events: vec![(2, "two".into())], gap: false, finished: true },
        "a log that survives must keep its events"
    );
    assert_eq!(probe.append(session, ended, b"x", false).await, None, "a log that survives must keep its ends");
    assert_eq!(
        probe.append(session, stream, b"two", false).await,
        Some(2),
        "a log that survives must keep its numbers"
    );
    assert_eq!(
        probe.read(dropped, stream, 0).await,
        Replay::Unknown,
        "a log that survives must not bring streams back"
    );
    probe.drop_session(session).await;
}

async fn unknown_streams_are_unknown(probe: &EventProbe) {
    let (session, stream) = (random_session(), random_stream());
    assert_eq!(probe.read(session, stream, 0).await, Replay::Unknown, "a stream that was never opened must be unknown");
    assert_eq!(probe.append(session, stream, b"x", false).await, None, "an event must not open a stream");
    assert!(!probe.touch(session, stream).await, "a touch must not open a stream");
    assert_eq!(probe.read(session, stream, 0).await, Replay::Unknown, "reading a stream must not open it");
    probe.heard(session, stream, 0, "waiting for a stream that is unknown must end").await;
    probe.drop_session(session).await;
}

async fn events_are_read_back(probe: &EventProbe) {
    let (session, stream) = (random_session(), random_stream());
    probe.open(session, stream).await;
    let nothing = Replay::Events { events: Vec::new(), gap: false, finished: false };
    assert_eq!(probe.read(session, stream, 0).await, nothing, "a stream that was opened must be there, without events");
    let large: Vec<u8> = (0..200_000).map(|byte: u32| (byte.wrapping_mul(31) >> 3) as u8).collect();
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let written = [&b"one"[..], b"", &large, &every, b"\0"];
    for (number, data) in (1..).zip(written) {
        assert_eq!(
            probe.append(session, stream, data, false).await,
            Some(number),
            "events must be numbered from 1, without holes"
        );
    }
    probe.open(session, stream).await;
    for after in 0..=5 {
        let Replay::Events { events, gap, finished } = probe.read(session, stream, after).await else {
            panic!("a stream with events must be known, also after it is opened again")
        };
        let expected: Vec<_> = (1..).zip(written).skip(after as usize).collect();
        let same = events.iter().map(|(number, data)| (*number, &**data)).eq(expected);
        assert!(same, "the events after number {after} must come in order, with their numbers and bytes");
        assert!(
            !gap && !finished,
            "a stream that dropped nothing has no gap, one without a last event is not finished"
        );
    }
    assert_eq!(
        probe.read(session, stream, 6).await,
        Replay::Unknown,
        "an event that never was must be unknown, because nothing can be said of what follows it"
    );
    assert_eq!(probe.read(session, stream, u64::MAX).await, Replay::Unknown, "the highest number must be read too");
    for limit in [0, 2] {
        let read = probe.read_some(session, stream, 1, limit).await;
        let Replay::Events { events, .. } = read else { panic!("a limit must not make a stream unknown") };
        let numbers: Vec<_> = events.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [2, 3][..limit], "a read must give the first events, and no more than its limit");
    }
    probe.drop_session(session).await;
}

async fn ended_streams_take_nothing(probe: &EventProbe) {
    let (session, stream) = (random_session(), random_stream());
    probe.open(session, stream).await;
    probe.append(session, stream, b"one", false).await;
    assert_eq!(
        probe.append(session, stream, b"two", true).await,
        Some(2),
        "the last event must be numbered as the others"
    );
    assert_eq!(probe.append(session, stream, b"x", true).await, None, "a stream that has ended must take no event");
    let read = async |after, limit| match probe.read_some(session, stream, after, limit).await {
        Replay::Events { events, finished, .. } => (events.len(), finished),
        other @ Replay::Unknown => panic!("a stream that has ended must still be read, not be {other:?}"),
    };
    assert_eq!(read(0, 9).await, (2, true), "a stream must be finished with its last event");
    assert_eq!(read(0, 1).await, (1, false), "a read that stops before the last event must not be finished");
    assert_eq!(read(2, 9).await, (0, true), "a stream must be finished after its last event");
    probe.open(session, stream).await;
    assert_eq!(read(0, 9).await, (2, true), "opening a stream that has ended must leave it as it is");
    probe.heard(session, stream, 2, "waiting for more of a stream that has ended must end").await;
    probe.drop_session(session).await;
}

async fn streams_are_their_sessions(probe: &EventProbe) {
    let (one, other, stream) = (random_session(), random_session(), random_stream());
    probe.open(one, stream).await;
    probe.append(one, stream, b"hers", false).await;
    assert_eq!(probe.read(other, stream, 0).await, Replay::Unknown, "a session must not read the streams of another");
    assert_eq!(probe.append(other, stream, b"x", true).await, None, "a session must not write into streams of another");
    probe.open(other, stream).await;
    probe.append(other, stream, b"his", true).await;
    assert_eq!(
        probe.read(one, stream, 0).await,
        Replay::Events { events: vec![(1, "hers".into())], gap: false, finished: false },
        "streams of the same name in two sessions must be two"
    );
    probe.drop_session(other).await;
    assert_ne!(probe.read(one, stream, 0).await, Replay::Unknown, "dropping a session must leave the others alone");
    probe.drop_session(one).await;
}

async fn dropped_sessions_stay_dropped(probe: &EventProbe) {
    let (session, streams) = (random_session(), [random_stream(), random_stream(), random_stream()]);
    for stream in streams {
        probe.open(session, stream).await;
        probe.append(session, stream, b"one", false).await;
    }
    let waiting = probe.spawn_wait(session, streams[0], 1);
    sleep(Duration::from_millis(50)).await;
    for _ in 0..2 {
        probe.drop_session(session).await;
        for stream in streams {
            assert_eq!(
                probe.read(session, stream, 0).await,
                Replay::Unknown,
                "streams of a dropped session must be gone"
            );
            assert_eq!(probe.append(session, stream, b"x", false).await, None, "an event must not bring a stream back");
        }
    }
    heard(waiting, "who waits for a stream must hear that it was dropped").await;
}

async fn changes_are_heard(probe: &EventProbe) {
    let (session, stream) = (random_session(), random_stream());
    probe.open(session, stream).await;
    for after in 0..20 {
        let waiting = [probe.spawn_wait(session, stream, after), probe.spawn_wait(session, stream, after)];
        // Sometimes before, sometimes while and sometimes after they begin to wait.
        sleep(Duration::from_millis(after % 4)).await;
        probe.append(session, stream, b"x", false).await;
        for waiting in waiting {
            heard(waiting, "who waits for a stream must hear that it grew").await;
        }
        probe.heard(session, stream, after, "waiting for an event that is there must end").await;
    }
    probe.drop_session(session).await;
}

async fn numbers_are_given_once(probe: &EventProbe) {
    let (session, stream) = (random_session(), random_stream());
    probe.open(session, stream).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let probe = probe.clone();
        writers.spawn(async move {
            let data = writer.to_be_bytes();
            let number = probe.append(session, stream, &data, false).await.expect("an open stream must take events");
            (number, Bytes::copy_from_slice(&data))
        });
    }
    let mut written = writers.join_all().await;
    written.sort_unstable();
    assert!(
        written.iter().map(|(number, _)| *number).eq(1..=WRITERS),
        "of several events at once each must have a number of its own"
    );
    let Replay::Events { events, .. } = probe.read(session, stream, 0).await else {
        panic!("a stream with events must be known")
    };
    assert_eq!(events, written, "each event must be found under the number that was given for it");
    probe.drop_session(session).await;
}

/// The suite's hands.
#[derive(Clone)]
struct EventProbe {
    log: Arc<dyn EventLog>,
}

impl EventProbe {
    async fn open(&self, session: SessionKey, stream: StreamId) {
        repeat(|| self.log.open(session, stream)).await;
    }

    /// Appends an event; of several at once each must have bytes of its own.
    async fn append(&self, session: SessionKey, stream: StreamId, data: &[u8], last: bool) -> Option<Sequence> {
        let before = self.events(session, stream).await.last().map_or(0, |(number, _)| *number);
        for _ in 0..ATTEMPTS {
            let data = Bytes::copy_from_slice(data);
            if let Some(number) = attempt(self.log.append(session, stream, data.clone(), last)).await {
                return number;
            }
            let events = self.events(session, stream).await;
            if let Some((number, _)) = events.iter().find(|(number, known)| *number > before && *known == data) {
                return Some(*number);
            }
        }
        unavailable()
    }

    /// All that a stream has; nothing if it is unknown.
    async fn events(&self, session: SessionKey, stream: StreamId) -> Vec<(Sequence, Bytes)> {
        match self.read(session, stream, 0).await {
            Replay::Events { events, .. } => events,
            Replay::Unknown => Vec::new(),
        }
    }

    async fn read(&self, session: SessionKey, stream: StreamId, after: Sequence) -> Replay {
        self.read_some(session, stream, after, 1000).await
    }

    async fn read_some(&self, session: SessionKey, stream: StreamId, after: Sequence, limit: usize) -> Replay {
        repeat(|| self.log.read_after(session, stream, after, limit)).await.0
    }

    async fn touch(&self, session: SessionKey, stream: StreamId) -> bool {
        repeat(|| self.log.touch(session, stream)).await.0
    }

    async fn drop_session(&self, session: SessionKey) {
        repeat(|| self.log.drop_session(session)).await;
    }

    async fn sweep(&self) {
        repeat(|| self.log.sweep()).await;
    }

    fn spawn_wait(&self, session: SessionKey, stream: StreamId, after: Sequence) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
        tokio::spawn(async move { repeat(|| log.changed(session, stream, after)).await.0 })
    }

    async fn heard(&self, session: SessionKey, stream: StreamId, after: Sequence, law: &str) {
        heard(self.spawn_wait(session, stream, after), law).await;
    }
}

fn random_stream() -> StreamId {
    StreamId(random())
}

#[cfg(test)]
mod tests;
