//! Calls that outlive their requests: their records, who may see them, how long they stay.
//!
//! Takes: what happens to a task. Gives: the task as its owner may see it. Knows: owners, lifetimes, limits, which process
//! runs what. Must not know: functions, revisions, how a task is told.

mod clock;
mod options;
mod place;
mod record;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

pub(crate) use clock::iso;
pub use options::Tasks;
pub(crate) use place::Place;
use record::Ending;
pub(crate) use record::Record;

use crate::{
    call::{Answer, Claims, Fault, Given, Manner, Meanwhile, Question, Standing, Task, ToolResult, chain, digest},
    changes::Changes,
    session::{PATIENCE, SessionKey, answer},
    store::{Owner, Revision, StoreError, StoreFuture, TaskId, TaskOrder, TaskWritten},
    wire::Code,
};

/// So many tasks run in one process at the same time, whoever's they are.
///
/// Source: our choice, as many as there are calls without their requests.
const UNDER_WAY_LIMIT: u32 = 1024;
/// So many tasks of an ended session are removed before the next ones are looked for.
const REMOVED_AT_ONCE: usize = 64;
/// A record that changes under the hands of its writer is read again so many times.
const ATTEMPTS: u32 = 64;
/// What another process did is noticed after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A sign of life is believed for this long, and given three times in it.
const ALIVE: Duration = Duration::from_secs(60);
/// Of what a function says of its progress, so much time lies between two writes.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);

/// The tasks of a running server.
pub(crate) struct TaskRoom {
    options: Tasks,
    /// Where it is announced what changes.
    changes: Changes,
    /// This run of the server.
    process: [u8; 16],
    all: Arc<Semaphore>,
    under_way: Arc<Mutex<HashMap<Owner, usize>>>,
    /// Tasks whose questions are being asked.
    pub(crate) claims: Claims,
    stopped: AtomicBool,
    stop: Notify,
}

/// A task of the caller's, as it was read.
pub(crate) struct Found {
    pub(crate) id: TaskId,
    pub(crate) revision: Revision,
    pub(crate) order: TaskOrder,
    pub(crate) record: Record,
}

impl TaskRoom {
    /// Over the operator's store.
    pub(crate) fn new(options: Tasks, changes: Changes) -> Self {
        Self {
            options,
            changes,
            process: crate::session::random(),
            all: Arc::new(Semaphore::new(UNDER_WAY_LIMIT as usize)),
            under_way: Arc::default(),
            claims: Claims::default(),
            stopped: AtomicBool::new(false),
            stop: Notify::new(),
        }
    }

    /// Writes the record of a new task, which has ended already where there is a result.
    pub(crate) async fn create(
        &self,
        id: TaskId,
        owner: Owner,
        manner: Manner,
        tool: &str,
        ttl: Option<Duration>,
        ended: Option<Result<ToolResult, Fault>>,
    ) -> Result<Found, Fault> {
        let now = clock::now();
        let ttl = ttl.unwrap_or(self.options.ttl).clamp(Duration::from_millis(1), self.options.longest_ttl);
        let mut record = Record::new(manner, tool, now);
        record.ttl = clock::milliseconds(ttl);
        record.poll_interval = clock::milliseconds(self.options.poll_interval);
        self.sign(&mut record, now);
        if let Some(outcome) = ended {
            let ending = Ending::of(outcome);
            let message = ending.message();
            record.end(ending, message);
        }
        let bytes = encode(&record)?;
        match answer(self.options.store.create(id, owner, bytes, ttl), PATIENCE).await {
            // Ids are random: the same one is the same task.
            Ok(TaskWritten::Saved | TaskWritten::Conflict) => Ok(Found { id, revision: 1, order: 0, record }),
            Ok(TaskWritten::Gone) => Err(Fault::internal()),
            Err(StoreError::Full) => Err(Fault::full("No task was made: this server keeps as many as it can")),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The task of this id, if it is the caller's; unknown, foreign, expired and forged ids are all the same `None`.
    pub(crate) async fn find(&self, id: &str, owner: Owner, manner: Manner) -> Result<Option<Found>, Fault> {
        let Some(id) = TaskId::parse(id) else { return Ok(None) };
        let Some(stored) = self.ask(self.options.store.load(id)).await? else { return Ok(None) };
        if stored.owner != owner {
            return Ok(None);
        }
        let record = decode(&stored.record)?;
        if record.manner != manner {
            return Ok(None);
        }
        self.settled(Found { id, revision: stored.revision, order: stored.order, record }).await.map(Some)
    }

    /// A task that somebody follows, whoever that is; `None` when it is gone.
    pub(crate) async fn look(&self, id: TaskId) -> Result<Option<Found>, Fault> {
        let Some(stored) = self.ask(self.options.store.load(id)).await? else { return Ok(None) };
        let record = decode(&stored.record)?;
        Ok(Some(Found { id, revision: stored.revision, order: stored.order, record }))
    }

    /// The caller's tasks after this place, in the order in which they were made; at most `limit` are looked at.
    pub(crate) async fn list(
        &self,
        owner: Owner,
        manner: Manner,
        after: TaskOrder,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<TaskOrder>), Fault> {
        let stored = self.ask(self.options.store.list(owner, after, limit)).await?;
        let next = stored.last().filter(|_| stored.len() == limit).map(|last| last.order);
        let mut tasks = Vec::with_capacity(stored.len());
        for stored in stored {
            let record = decode(&stored.record)?;
            if record.manner == manner {
                let found = Found { id: stored.id, revision: stored.revision, order: stored.order, record };
                tasks.push(self.settled(found).await?);
            }
        }
        Ok((tasks, next))
    }

    /// A task that nobody runs any more has failed.
    async fn settled(&self, found: Found) -> Result<Found, Fault> {
        let Found { id, record, .. } = &found;
        let runs = record.is_over() || record.runner == self.process || clock::now() < record.alive_until;
        if runs {
            return Ok(found);
        }
        let lost = Fault::new(
            Code::INTERNAL_ERROR,
            "The server was stopped while this task ran, and nothing of it was kept: call the tool again",
        );
        let (id, order) = (*id, found.order);
        match self.change(id, |record| end(record, Err(lost.clone()))).await? {
            Some((revision, record)) => Ok(Found { id, revision, order, record }),
            None => Ok(found),
        }
    }

    /// Cancels a task; `false` if it was over before.
    pub(crate) async fn cancel(&self, found: &mut Found) -> Result<bool, Fault> {
        let mut was_over = false;
        let changed = self.change(found.id, |record| {
            was_over = record.is_over();
            record.end(Ending::Cancelled, Ending::Cancelled.message())
        });
        if let Some((revision, record)) = changed.await? {
            (found.revision, found.record) = (revision, record);
        }
        Ok(!was_over)
    }

    /// Takes answers to open questions.
    pub(crate) async fn answer(&self, id: TaskId, answers: Vec<(Box<str>, Answer)>) -> Result<(), Fault> {
        self.change(id, |record| record.answer(answers.clone())).await.map(drop)
    }

    /// The task waits for answers to these.
    pub(crate) async fn open(&self, id: TaskId, questions: &[Question]) -> Result<(), Fault> {
        let asked = self.change(id, |record| {
            record.ask(questions);
            true
        });
        asked.await.map(drop)
    }

    /// Waits for the answers of a task; `None` when it is over before they are there.
    pub(crate) async fn answers(&self, id: TaskId) -> Result<Option<Vec<(Box<str>, Given)>>, Fault> {
        loop {
            let Some(stored) = self.ask(self.options.store.load(id)).await? else { return Ok(None) };
            let record = decode(&stored.record)?;
            if record.is_over() {
                return Ok(None);
            }
            if !record.waits() {
                let mut answers = None;
                let taken = self.write(id, |record| {
                    answers = record.take_answers();
                    answers.is_some()
                });
                taken.await?;
                return Ok(answers);
            }
            self.changed(id, stored.revision).await;
        }
    }

    /// The task's call ended like this, unless the task was over before.
    pub(crate) async fn end(&self, id: TaskId, outcome: Result<ToolResult, Fault>) {
        let mut outcome = outcome;
        for _ in 0..3 {
            match self.change(id, |record| end(record, outcome.clone())).await {
                Ok(_) => return,
                Err(fault) if fault.message == TOO_LARGE.1 => {
                    outcome = Err(Fault::new(Code::INTERNAL_ERROR, TOO_LARGE.1));
                }
                // The store may be back in a moment, and the result is worth waiting for.
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
        tracing::error!(task = ?id, "the end of a task could not be kept");
    }

    /// Waits until a task need not run any more: it was cancelled, its time has passed, or the server stops. Meanwhile it
    /// tells what the function says, and gives signs of life.
    pub(crate) async fn until_over(&self, id: TaskId, meanwhile: &Meanwhile) {
        let mut revision = 1;
        loop {
            tokio::select! {
                () = self.stopping() => {
                    let stopped = Fault::new(
                        Code::INTERNAL_ERROR,
                        "The server was stopped while this task ran: call the tool again",
                    );
                    self.end(id, Err(stopped)).await;
                    return;
                }
                () = meanwhile.said() => {
                    tokio::time::sleep(BETWEEN_MESSAGES).await;
                    if let Some(message) = meanwhile.take_message() {
                        let told = self.change(id, |record| {
                            let goes_on = !record.is_over();
                            if goes_on {
                                record.message = Some(message.clone());
                            }
                            goes_on
                        });
                        // What can't be told now is told by the next message.
                        let _ = told.await;
                    }
                }
                () = self.changed(id, revision) => {}
            }
            match self.ask(self.options.store.load(id)).await {
                Ok(None) => {
                    self.changes.task_changed(id);
                    return;
                }
                Ok(Some(stored)) => {
                    revision = stored.revision;
                    let Ok(record) = decode(&stored.record) else { return };
                    if record.is_over() {
                        return;
                    }
                    let until = clock::now() + clock::milliseconds(ALIVE / 3 * 2);
                    if !self.options.store.exclusive() && record.alive_until < until {
                        let _ = self.write(id, |record| !record.is_over()).await;
                    }
                }
                // The task goes on: the store may be back before it ends.
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Waits until a task has no question open any more.
    pub(crate) async fn until_answered(&self, id: &str) {
        let Some(id) = TaskId::parse(id) else { return };
        loop {
            match self.ask(self.options.store.load(id)).await {
                Ok(Some(stored)) if decode(&stored.record).is_ok_and(|record| record.waits()) => {
                    self.changed(id, stored.revision).await;
                }
                Ok(_) => return,
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Waits until a task has changed since this revision, or a moment has passed.
    pub(crate) async fn changed(&self, id: TaskId, revision: Revision) {
        match tokio::time::timeout(LOOK_AGAIN, self.options.store.changed(id, revision)).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }

    /// The server goes down: what runs has failed.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stop.notify_waiters();
    }

    /// Waits until nothing runs.
    pub(crate) async fn settle(&self) {
        // The semaphore is never closed.
        let _ = self.all.acquire_many(UNDER_WAY_LIMIT).await;
    }

    /// Drops what has expired out of the store.
    pub(crate) async fn sweep(&self) {
        match self.options.store.sweep().await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(swept, "expired tasks were removed"),
            Err(error) => tracing::warn!(error = %chain(&error), "expired tasks could not be removed"),
        }
    }

    async fn stopping(&self) {
        let stop = self.stop.notified();
        if !self.stopped.load(Ordering::Acquire) {
            stop.await;
        }
    }

    /// The tasks of this session end with it: those that run are cut off, and of none is anything left.
    pub(crate) async fn end_session(&self, session: SessionKey) {
        if let Err(error) = self.remove_all(owner_of(session)).await {
            tracing::warn!(error = %chain(&error), "the tasks of an ended session were not removed");
        }
    }

    async fn remove_all(&self, owner: Owner) -> Result<(), StoreError> {
        loop {
            let found = answer(self.options.store.list(owner, 0, REMOVED_AT_ONCE), PATIENCE).await?;
            for stored in &found {
                answer(self.options.store.remove(stored.id), PATIENCE).await?;
                self.changes.task_changed(stored.id);
            }
            if found.len() < REMOVED_AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Changes what there is to know of a task, and announces it. A change that is `false` changes nothing.
    async fn change(
        &self,
        id: TaskId,
        mut change: impl FnMut(&mut Record) -> bool,
    ) -> Result<Option<(Revision, Record)>, Fault> {
        let mut changed = false;
        let written = self.write(id, |record| {
            changed = change(record);
            changed
        });
        let written = written.await?;
        if changed {
            self.changes.task_changed(id);
        }
        Ok(written)
    }

    /// Changes a record, again and again until nobody else did meanwhile; `None` if the task is gone. A change that is
    /// `false` changes nothing.
    async fn write(
        &self,
        id: TaskId,
        mut change: impl FnMut(&mut Record) -> bool,
    ) -> Result<Option<(Revision, Record)>, Fault> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.ask(self.options.store.load(id)).await? else { return Ok(None) };
            let mut record = decode(&stored.record)?;
            if !change(&mut record) {
                return Ok(Some((stored.revision, record)));
            }
            let now = clock::now();
            record.updated = now.max(record.updated);
            if record.runner == self.process {
                self.sign(&mut record, now);
            }
            match answer(self.options.store.update(id, stored.revision, encode(&record)?), PATIENCE).await {
                Ok(TaskWritten::Saved) => return Ok(Some((stored.revision + 1, record))),
                Ok(TaskWritten::Conflict) => tokio::task::yield_now().await,
                Ok(TaskWritten::Gone) => return Ok(None),
                Err(StoreError::TooLarge { bytes, limit }) => {
                    tracing::error!(bytes, limit, "what a task gave or was answered is too large to be kept");
                    return Err(Fault::new(TOO_LARGE.0, TOO_LARGE.1));
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        tracing::error!(task = ?id, "the record of a task kept changing");
        Err(Fault::internal())
    }

    /// This process runs it.
    fn sign(&self, record: &mut Record, now: u64) {
        record.runner = self.process;
        record.alive_until = if self.options.store.exclusive() { 0 } else { now + clock::milliseconds(ALIVE) };
    }

    async fn ask<T>(&self, asked: StoreFuture<'_, T>) -> Result<T, Fault> {
        answer(asked, PATIENCE).await.map_err(|error| failed(&error))
    }
}

impl Found {
    /// The questions that wait for answers, by the keys that clients see.
    pub(crate) fn questions(&self) -> Vec<Question> {
        self.record.questions()
    }

    /// The task as its owner may see it; `tool` finds the index of a tool.
    pub(crate) fn task(&self, tool: impl FnOnce(&str) -> Option<usize>) -> Task {
        let record = &self.record;
        let standing = match &record.ending {
            None if record.waits() => Standing::InputRequired(record.questions()),
            None => Standing::Working,
            Some(Ending::Cancelled) => Standing::Cancelled,
            Some(Ending::Result(result)) => Standing::Ended(Ok((tool(&record.tool), result.into()))),
            Some(Ending::Fault(fault)) => Standing::Ended(Err(fault.into())),
        };
        Task {
            id: self.id,
            standing,
            message: record.message.clone(),
            created: record.created,
            updated: record.updated,
            ttl: Duration::from_millis(record.ttl),
            poll_interval: Duration::from_millis(record.poll_interval),
        }
    }
}

/// What is told where a record would be larger than its store takes.
const TOO_LARGE: (Code, &str) = (Code(-32603), "The result is too large to be kept as that of a task");

/// Whose tasks are those of a session that nobody in particular has.
pub(crate) fn owner_of(session: SessionKey) -> Owner {
    let mut owner = Owner::default();
    owner.0.copy_from_slice(&digest(&[b"the owner of tasks", &session.0])[..16]);
    owner
}

fn end(record: &mut Record, outcome: Result<ToolResult, Fault>) -> bool {
    let ending = Ending::of(outcome);
    let message = ending.message();
    record.end(ending, message)
}

fn encode(record: &Record) -> Result<bytes::Bytes, Fault> {
    serde_json::to_vec(record).map(Into::into).map_err(|error| {
        tracing::error!(%error, "the record of a task can't be written");
        Fault::internal()
    })
}

fn decode(bytes: &[u8]) -> Result<Record, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(%error, "the record of a task does not decode");
        Fault::internal()
    })
}

fn failed(error: &StoreError) -> Fault {
    tracing::error!(error = %chain(error), "the store of tasks is unavailable");
    Fault::unavailable()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
