//! One thread that writes, several changes to a transaction.

use std::{
    io,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use redb::Database;
use tokio::sync::oneshot;

use super::{tables::Tables, unavailable};
use crate::store::StoreError;

/// How many changes share one transaction at most, so that the first of them does not wait for long.
const MAX_BATCH: usize = 256;

/// One change to make within a transaction.
type Job = Box<dyn FnOnce(&mut Tables<'_>) -> Result<Done, redb::Error> + Send>;

/// Says what became of a job, once its transaction is on the disk or has failed.
type Done = Box<dyn FnOnce(Result<(), StoreError>)>;

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

    /// Hands a change over at once; the future is its end. Dropping the future does not take the change back.
    pub(super) fn send<T: Send + 'static, F>(
        &self,
        change: F,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        F: FnOnce(&mut Tables<'_>) -> Result<T, redb::Error> + Send + 'static,
    {
        self.send_and_tell(change, |_| ())
    }

    /// The same, and `tell` is called once the change can be read, whether or not anyone waits for the future.
    pub(super) fn send_and_tell<T: Send + 'static, F, G>(
        &self,
        change: F,
        tell: G,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F, G>
    where
        F: FnOnce(&mut Tables<'_>) -> Result<T, redb::Error> + Send + 'static,
        G: FnOnce(&T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tables| {
            let value = change(tables)?;
            Ok(Box::new(move |ended| {
                if ended.is_ok() {
                    tell(&value);
                }
                // Whoever does not wait any more need not know.
                let _ = reply.send(ended.map(|()| value));
            }))
        });
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, the reply is dropped with the job, and that is what the future sees.
            let _ = jobs.send(job);
        }
        async move { answer.await.unwrap_or_else(|_| Err(unavailable("the change could not be written to the file"))) }
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
        Ok(()) => replies.into_iter().for_each(|done| done(Ok(()))),
        Err(error) => {
            // The jobs that were not reached are told by their dropped replies.
            let error = Arc::new(error);
            replies.into_iter().for_each(|done| done(Err(unavailable(error.clone()))));
        }
    }
}

fn changes(database: &Database, batch: Vec<Job>, replies: &mut Vec<Done>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut tables = Tables::of(&transaction);
        for job in batch {
            replies.push(job(&mut tables)?);
        }
    }
    transaction.commit()?;
    Ok(())
}
