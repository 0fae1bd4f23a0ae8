//! Asking, as functions see it.

use std::{
    fmt,
    future::{Future, pending},
    pin::Pin,
    task::{self, Poll},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{AskError, Asks, Elicit, NoForm, elicit::Shown, run::Effect};
use crate::{
    call::Context,
    protocol::ask::{
        ElicitAction, ElicitRequest, ElicitResult, ListRootsResult, Root, SamplingRequest, SamplingResult,
    },
    session::Finite,
};

/// How an answer is read: what the function gets, or why it does not fit and is asked for again.
type Read<T> = Box<dyn Fn(&str) -> Result<Result<T, AskError>, String> + Send + Sync>;

/// How a form that was filled in is read.
type Fill<T> = Box<dyn Fn(Map<String, Value>) -> Result<T, String> + Send + Sync>;

/// A question under way: awaited, it gives the answer, or stops the function until there is one.
#[must_use = "nothing is asked until it is awaited"]
pub struct Ask<'a, T> {
    cx: &'a Context,
    key: Box<str>,
    asks: Result<Asks, NoForm>,
    read: Read<T>,
}

impl<T> fmt::Debug for Ask<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ask").field("key", &self.key).field("asks", &self.asks).finish_non_exhaustive()
    }
}

impl<T> Future for Ask<'_, T> {
    type Output = Result<T, AskError>;

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Self::Output> {
        // Nothing wakes it: the run ends with this poll, and the next one finds the answer.
        let answer = match &self.asks {
            Ok(asks) => self.cx.answer(&self.key, asks, &self.read),
            Err(no_form) => self.cx.no_form(&self.key, no_form).map(Err),
        };
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Context {
    /// Asks the person, and gives what was answered.
    ///
    /// If the call does not carry the answer yet, the function stops here, its drafts are discarded, the question goes to
    /// the client, and the function **runs again from the top** with the answer: code before an ask runs again. So ask
    /// first and act later, or act in [`Context::once`]. `key` tells this question from the others of the function; make
    /// question and key from the arguments and earlier answers, never from the clock or randomness.
    ///
    /// What does not fit the form is asked again. A call asks at most 8 times, and at most 32 questions at once.
    ///
    /// # Errors
    /// [`AskError`]: declined, cancelled, or a client that can't be asked.
    ///
    /// # Panics
    /// In a function that is not `async`, whose thread would wait for ever, and in a middleware.
    ///
    /// # Source
    /// 2026-07-28 basic/patterns/mrtr and client/elicitation; 2025-06-18 client/elicitation.
    pub fn ask<T: 'static>(&self, key: impl Into<Box<str>>, question: Elicit<T>) -> Ask<'_, T> {
        let Elicit { message, shown } = question;
        let (asks, fill): (_, Fill<T>) = match shown {
            Shown::Page(url, agreed) => (Ok(ElicitRequest::url(message, url)), Box::new(move |_| Ok(agreed()))),
            Shown::Form(form) => {
                let asks = form.schema(self.means().kinds()).map(|schema| ElicitRequest::form(message, schema));
                (asks, Box::new(move |content| form.read(content)))
            }
        };
        let read: Read<T> = Box::new(move |result| {
            let result: ElicitResult = serde_json::from_str(result).map_err(|error| error.to_string())?;
            match result.action {
                ElicitAction::Accept => fill(result.content.unwrap_or_default()).map(Ok),
                ElicitAction::Decline => Ok(Err(AskError::Declined)),
                ElicitAction::Cancel => Ok(Err(AskError::Cancelled)),
            }
        });
        Ask { cx: self, key: key.into(), asks: asks.map(Asks::Elicit), read }
    }

    /// Asks the client's model; otherwise as [`Context::ask`].
    ///
    /// A conversation in which a use of a tool is not followed by its result is a mistake: the call fails with -32603 and
    /// the log says what is missing.
    ///
    /// # Errors
    /// [`AskError`]: refused, or a client that can't be asked.
    ///
    /// # Panics
    /// As [`Context::ask`].
    ///
    /// # Source
    /// 2026-07-28 client/sampling, where it is deprecated.
    pub fn sample(&self, key: impl Into<Box<str>>, request: SamplingRequest) -> Ask<'_, SamplingResult> {
        let read: Read<SamplingResult> =
            Box::new(|result| serde_json::from_str(result).map(Ok).map_err(|error| error.to_string()));
        let asks = match request.imbalance() {
            Some(wrong) => Err(NoForm::Mistake(wrong)),
            None => Ok(Asks::Sample(Box::new(request))),
        };
        Ask { cx: self, key: key.into(), asks, read }
    }

    /// Asks the client for the folders it works in, under the key `roots`; otherwise as [`Context::ask`].
    ///
    /// They are hints, not permissions: check paths yourself.
    ///
    /// # Errors
    /// [`AskError`]: a client that can't be asked.
    ///
    /// # Panics
    /// As [`Context::ask`].
    ///
    /// # Source
    /// 2026-07-28 client/roots, where it is deprecated.
    pub fn roots(&self) -> Ask<'_, Vec<Root>> {
        let read: Read<Vec<Root>> = Box::new(|result| {
            let result: Result<ListRootsResult, _> = serde_json::from_str(result);
            result.map(|result| Ok(result.roots)).map_err(|error| error.to_string())
        });
        Ask { cx: self, key: "roots".into(), asks: Ok(Asks::Roots), read }
    }

    /// Asks several questions at once: `cx.ask_all((cx.ask(…), cx.sample(…))).await?`.
    ///
    /// # Errors
    /// The first [`AskError`] of them, when all are answered.
    pub async fn ask_all<Q: AskAll>(&self, mut questions: Q) -> Result<Q::Answers, AskError> {
        std::future::poll_fn(|task| questions.poll_all(task)).await
    }

    /// Does something that must not happen again when the function runs again, and gives what it gave.
    ///
    /// What succeeds is kept with the answers, under `key`, and the next runs of this call get it without doing it again;
    /// what fails is not kept. It is at-least-once all the same: a client that never comes back leaves it done, one that
    /// sends the whole call again does it again. Await it alone, not beside a question: that would cut it off.
    ///
    /// # Errors
    /// Those of `effect`.
    pub async fn once<T, E, F>(&self, key: &str, effect: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        match self.asking().effect(key) {
            Effect::Now => {}
            Effect::Later => return pending().await,
            Effect::Kept(kept) => match serde_json::from_str(kept.get()) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    self.asking().mistaken(key, &error);
                    return pending().await;
                }
            },
        }
        let value = effect.await?;
        self.asking().keep(key, serde_json::value::to_raw_value(&Finite(&value)));
        Ok(value)
    }
}

/// Several questions that are asked at once: a tuple of two to six of them, or a `Vec`.
pub trait AskAll: Unpin {
    /// The answers, in the order of the questions.
    type Answers;

    /// The answers, if all are there; the first error, if one is.
    fn poll_all(&mut self, task: &mut task::Context<'_>) -> Poll<Result<Self::Answers, AskError>>;
}

impl<T> AskAll for Vec<Ask<'_, T>> {
    type Answers = Vec<T>;

    fn poll_all(&mut self, task: &mut task::Context<'_>) -> Poll<Result<Vec<T>, AskError>> {
        let polled: Vec<_> = self.iter_mut().map(|question| Pin::new(question).poll(task)).collect();
        let answers: Option<Vec<_>> = polled.into_iter().map(ready).collect();
        answers.map_or(Poll::Pending, |answers| Poll::Ready(answers.into_iter().collect()))
    }
}

fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

macro_rules! tuples {
    ($(($($type:ident $name:ident),+))+) => { $(
        impl<$($type),+> AskAll for ($(Ask<'_, $type>,)+) {
            type Answers = ($($type,)+);

            fn poll_all(&mut self, task: &mut task::Context<'_>) -> Poll<Result<Self::Answers, AskError>> {
                let ($($name,)+) = self;
                // All are polled before one counts, so that all that is open is asked at once.
                let ($($name,)+) = ($(Pin::new($name).poll(task),)+);
                match ($(ready($name),)+) {
                    ($(Some($name),)+) => Poll::Ready((|| Ok(($($name?,)+)))()),
                    _ => Poll::Pending,
                }
            }
        }
    )+ };
}

tuples! {
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
}
