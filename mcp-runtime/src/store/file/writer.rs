//! One thread that writes, several changes to a transaction.

use std::{
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use redb::Database;
use tokio::sync::oneshot;

use super::{now, tables::Changes, unavailable};
use crate::store::{Commit, Committed, Presence, SessionKey, StoreError};

/// How many changes share one transaction at most, so that the first of them does not wait for long.
const MAX_BATCH: usize = 256;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One change to make.
pub(super) enum Job {
    /// Write parts; `values` are the encoded ones of the writes.
    Commit { session: SessionKey, commit: Commit, values: Vec<Vec<u8>>, reply: Reply<Committed> },
    /// Renew the idle lifetime.
    Touch { session: SessionKey, idle: Duration, reply: Reply<Presence> },
    /// Remove a session.
    Remove { session: SessionKey, tombstone: Duration, reply: Reply<()> },
    /// Drop these records if their time has passed.
    Drop { sessions: Vec<SessionKey>, reply: Reply<usize> },
}

/// What became of a job in its transaction, to be said once that is on the disk.
enum Done {
    Commit(Reply<Committed>, Committed),
    Touch(Reply<Presence>, Presence),
    Remove(Reply<()>),
    Drop(Reply<usize>, usize),
}

/// Hands jobs to the thread that writes.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(database: Arc<Database>) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("mcp-session-file".into()).spawn(move || run(&database, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands a job over at once; the future is its end. Dropping the future does not take the job back.
    pub(super) fn send<T, F: FnOnce(Reply<T>) -> Job>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F> {
        let (reply, answer) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, the reply is dropped with the job, and that is what the future sees.
            let _ = jobs.send(job(reply));
        }
        async move { answer.await.unwrap_or_else(|_| Err(unavailable("the thread that writes the file has ended"))) }
    }
}

impl Drop for Writer {
    /// What was handed over is still written; then the file is free for another process.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(database: &Database, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(queue.try_iter()).take(MAX_BATCH).collect();
        write(database, batch);
    }
}

/// Makes these changes durable together; each by itself can still conflict, without touching the others.
fn write(database: &Database, batch: Vec<Job>) {
    let mut replies = Vec::with_capacity(batch.len());
    match changes(database, batch, &mut replies) {
        Ok(()) => replies.into_iter().for_each(Done::tell),
        Err(error) => {
            // The jobs that were not reached are told by their dropped replies.
            let error = Arc::new(error);
            replies.into_iter().for_each(|done| done.fail(unavailable(error.clone())));
        }
    }
}

fn changes(database: &Database, batch: Vec<Job>, replies: &mut Vec<Done>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut changes = Changes::of(&transaction)?;
        for job in batch {
            replies.push(match job {
                Job::Commit { session, commit, values, reply } => {
                    Done::Commit(reply, changes.commit(session, &commit, &values, now())?)
                }
                Job::Touch { session, idle, reply } => Done::Touch(reply, changes.touch(session, idle, now())?),
                Job::Remove { session, tombstone, reply } => {
                    changes.remove(session, tombstone, now())?;
                    Done::Remove(reply)
                }
                Job::Drop { sessions, reply } => Done::Drop(reply, changes.drop_expired(&sessions, now())?),
            });
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Done {
    /// Whoever does not wait any more need not know.
    fn tell(self) {
        match self {
            Self::Commit(reply, committed) => drop(reply.send(Ok(committed))),
            Self::Touch(reply, presence) => drop(reply.send(Ok(presence))),
            Self::Remove(reply) => drop(reply.send(Ok(()))),
            Self::Drop(reply, dropped) => drop(reply.send(Ok(dropped))),
        }
    }

    fn fail(self, error: StoreError) {
        match self {
            Self::Commit(reply, _) => drop(reply.send(Err(error))),
            Self::Touch(reply, _) => drop(reply.send(Err(error))),
            Self::Remove(reply) => drop(reply.send(Err(error))),
            Self::Drop(reply, _) => drop(reply.send(Err(error))),
        }
    }
}
