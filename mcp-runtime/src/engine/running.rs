//! An exchange under way: the work, what it says meanwhile, and what becomes of both when the peer goes away.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::StatusCode;

use super::Engine;
use crate::{
    call::{Outbox, Said},
    era::Record,
    exchange::{Event, Outbound, Step, Work},
    service::{BoxFuture, boxed},
};

/// An exchange under way.
pub(super) struct Running {
    engine: Arc<Engine>,
    work: Option<BoxFuture<'static, Outbound>>,
    outbox: Arc<Outbox>,
    /// The answer, while messages before it still wait.
    done: Option<Outbound>,
    /// Something was said: what waits is taken before the work says more, so that nothing is dropped for a peer that reads.
    spoke: bool,
    /// Where it is kept for a peer that comes back.
    record: Option<Box<Record>>,
    /// The peer is there.
    attended: bool,
}

impl Running {
    pub(super) fn new(engine: Arc<Engine>, outbox: Arc<Outbox>) -> Self {
        Self { engine, work: None, outbox, done: None, spoke: false, record: None, attended: true }
    }

    /// This is to be done.
    pub(super) fn work<F: Future<Output = Outbound> + Send + 'static>(mut self, work: F) -> Self {
        self.work = Some(boxed(work));
        self
    }

    /// This is the answer.
    pub(super) fn done(mut self, answer: Outbound) -> Self {
        self.done = Some(answer);
        self
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) {
        if let Some(work) = &mut self.work
            && let Poll::Ready(answer) = work.as_mut().poll(cx)
        {
            self.work = None;
            self.done = Some(answer);
        }
    }

    /// The next event that is kept; `None` when everything that was said is kept.
    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(record) = &mut self.record else { return Poll::Ready(None) };
        let kept = record.poll(cx);
        if kept.is_pending() && self.outbox.is_empty() {
            // The work need not wait for the log until it has said the next thing.
            self.poll_work(cx);
        }
        kept
    }

    /// What was said next.
    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<Option<Said>> {
        if self.spoke
            && let Some(said) = self.outbox.take()
        {
            return Poll::Ready(Some(said));
        }
        self.poll_work(cx);
        if self.done.is_some() {
            return Poll::Ready(self.outbox.take());
        }
        self.outbox.poll(cx.waker()).map(Some)
    }

    /// What becomes of what was said, where it is not kept.
    fn say(&mut self, said: Said) -> Option<Step> {
        self.spoke = true;
        if self.record.is_none()
            && self.attended
            && let Some(resumable) = self.outbox.resumable()
        {
            self.record = Some(Record::new(&self.engine.era, resumable));
        }
        match (&mut self.record, said) {
            (Some(record), said) => {
                record.say(said);
                None
            }
            // Of a peer that went away before it heard anything, nothing can be fetched.
            (None, Said::Message(message)) => self.attended.then(|| Step::Message(Event::message(message))),
            (None, Said::Close(_)) => None,
        }
    }

    /// The peer was let go: the connection of the call ends, or the one on which the peer came back.
    fn let_go(&mut self) -> Option<Step> {
        let record = self.record.as_mut()?;
        let retry = record.let_go()?;
        if self.attended {
            return Some(Step::Done(Outbound::empty(StatusCode::OK)));
        }
        self.engine.era.streams.let_go(record.session(), record.stream(), retry);
        None
    }

    /// Whether something is left to do or to keep.
    fn is_under_way(&self) -> bool {
        let unkept = self.record.as_ref().is_some_and(|record| {
            record.is_busy() || !record.has_ended() && (self.done.is_some() || !self.outbox.is_empty())
        });
        self.work.is_some() || unkept
    }
}

impl Work for Running {
    fn poll_step(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step> {
        let this = &mut *self;
        loop {
            if let Some(event) = ready!(this.poll_record(cx)) {
                return Poll::Ready(Step::Message(event));
            }
            if let Some(step) = this.let_go() {
                return Poll::Ready(step);
            }
            if this.record.as_ref().is_some_and(|record| record.has_ended()) {
                return Poll::Ready(Step::Done(Outbound::empty(StatusCode::OK)));
            }
            match this.poll_said(cx) {
                Poll::Ready(Some(said)) => {
                    if let Some(step) = this.say(said) {
                        return Poll::Ready(step);
                    }
                }
                Poll::Ready(None) => {
                    let answer = this.done.take().unwrap_or_default();
                    match &mut this.record {
                        Some(record) => record.answer(answer.body),
                        None => return Poll::Ready(Step::Done(answer)),
                    }
                }
                Poll::Pending => match &mut this.record {
                    Some(record) => ready!(record.poll_renewal(cx)),
                    None => return Poll::Pending,
                },
            }
        }
    }
}

impl Drop for Running {
    /// The peer went away before its answer: what must outlive its request goes on in a task of its own.
    fn drop(&mut self) {
        if !self.attended || !self.outbox.outlives() || !self.is_under_way() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let Ok(permit) = self.engine.detached.clone().try_acquire_owned() else {
            tracing::warn!("too many calls go on without their requests: one was dropped");
            return;
        };
        let mut rest = Self {
            engine: self.engine.clone(),
            work: self.work.take(),
            outbox: self.outbox.clone(),
            done: self.done.take(),
            spoke: self.spoke,
            record: self.record.take(),
            attended: false,
        };
        runtime.spawn(async move {
            while let Step::Message(_) = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_step(cx)).await {}
            drop(permit);
        });
    }
}
