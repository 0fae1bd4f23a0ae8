//! Questions as requests of the server, on the stream of the call that asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::question;
use crate::{
    call::{Answer, Asks, Call, Fault, Importance, Outbox, Question},
    era::{Era, Return, elsewhere::question_id, refuse, tasks},
    exchange::Outbound,
    protocol::ask::{ElicitAction, ElicitRequest, ElicitResult},
    session::SessionKey,
    wire::{Code, Id, Raw, Response, write_id, write_notification, write_request},
};

/// An answer is waited for as long as this, unless the program says otherwise.
///
/// Source: our choice, because a person needs minutes, and a call must not wait for ever for one who went away.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(600);
/// A session has at most so many questions without an answer.
const QUESTIONS_PER_SESSION: usize = 64;

/// The questions that wait for their answers: by session (or stdio connection) and request id.
#[derive(Clone, Default)]
pub(crate) struct Open(Arc<Mutex<HashMap<SessionKey, HashMap<Id, Answering>>>>);

/// Where an answer goes: a result or an error.
type Answering = oneshot::Sender<Result<Raw, Raw>>;

impl Open {
    /// Gives an answer to its question; an answer to none is dropped, and so is a second one. `false` if it answers none.
    pub(in crate::era) fn answered(&self, session: SessionKey, response: &Response) -> bool {
        let Response { id: Some(id), outcome } = response else { return false };
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = open.get_mut(&session).and_then(|open| open.remove(id)) else { return false };
        // Whoever waited may be gone by now.
        let _ = waiting.send(outcome.clone());
        true
    }

    /// Enters a question under this id; `None` when the session has too many.
    fn enter(&self, session: SessionKey, id: Id, outbox: Arc<Outbox>) -> Option<Waiting> {
        let (sender, answer) = oneshot::channel();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_session = open.entry(session).or_default();
        if of_session.len() == QUESTIONS_PER_SESSION {
            return None;
        }
        of_session.insert(id.clone(), sender);
        drop(open);
        Some(Waiting { open: self.clone(), session, id, answer, outbox })
    }
}

/// One question that waits for its answer. Dropped without one, it is taken back.
struct Waiting {
    open: Open,
    session: SessionKey,
    id: Id,
    answer: oneshot::Receiver<Result<Raw, Raw>>,
    outbox: Arc<Outbox>,
}

impl Waiting {
    async fn wait(mut self, within: Duration) -> Answer {
        match tokio::time::timeout(within, &mut self.answer).await {
            Ok(Ok(Ok(result))) => match serde_json::from_str::<Box<RawValue>>(result.as_str()) {
                Ok(result) => Answer::Result(result),
                Err(_) => Answer::Unanswered,
            },
            Ok(Ok(Err(error))) => refused(&error),
            Ok(Err(_)) | Err(_) => Answer::Unanswered,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_session) = open.get_mut(&self.session) else { return };
        let unanswered = of_session.remove(&self.id).is_some();
        if of_session.is_empty() {
            open.remove(&self.session);
        }
        drop(open);
        if unanswered {
            let mut bytes = Vec::with_capacity(128);
            write_notification(&mut bytes, "notifications/cancelled", |out| {
                out.extend_from_slice(b"{\"requestId\":");
                write_id(out, &self.id);
                out.extend_from_slice(b",\"reason\":\"the call no longer waits\"}");
            });
            self.outbox.push(bytes.into(), Importance::Needed);
        }
    }
}

/// A client's error as an answer.
fn refused(error: &Raw) -> Answer {
    #[derive(serde::Deserialize)]
    struct Error {
        code: i32,
        #[serde(default)]
        message: String,
    }
    match serde_json::from_str(error.as_str()) {
        Ok(Error { code, message }) => Answer::Refused { code, message: message.chars().take(256).collect() },
        Err(_) => Answer::Refused { code: Code::INTERNAL_ERROR.0, message: String::new() },
    }
}

/// The pages that a person agreed to open for a call: once it ends well, they did their work.
pub(crate) struct Pages {
    ids: Mutex<Vec<Box<str>>>,
    outbox: Arc<Outbox>,
}

impl Pages {
    /// Tells the client that they did.
    pub(in crate::era) fn complete(&self) {
        for id in self.ids.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let mut bytes = Vec::with_capacity(128);
            let params = serde_json::json!({ "elicitationId": id });
            write_notification(&mut bytes, "notifications/elicitation/complete", |out| {
                out.extend_from_slice(params.to_string().as_bytes());
            });
            self.outbox.push(bytes.into(), Importance::Needed);
        }
    }
}

impl Era {
    /// Sends a call's questions and waits for all answers, which go into the call; `Some` is its end.
    pub(in crate::era) async fn ask_in_session(
        &self,
        call: &mut Call,
        to: &Return,
        questions: &[Question],
    ) -> Option<Outbound> {
        // Only a call in a session can have asked.
        let session = to.scope?;
        let ready = tokio::time::timeout(self.answered_within, self.handshakes.ready(session));
        if ready.await != Ok(true) {
            questions.iter().for_each(|question| call.context.give(question, Answer::Unanswered));
            return None;
        }
        let outbox = call.context.outbox().clone();
        let mut waiting = Vec::with_capacity(questions.len());
        let mut pages = Vec::new();
        for question in questions {
            let Some(entered) = self.open.enter(session, question_id(self.elsewhere.as_ref()), outbox.clone()) else {
                let message = "This session has too many questions without an answer: answer them first";
                return Some(refuse::fault(to, &Fault::new(Code::INTERNAL_ERROR, message)));
            };
            let page = question::page_id(&question.asks, to.version.facts());
            let params = question::params(&question.asks, to.version.facts(), page.as_deref());
            let params = tasks::add_related(params, &call.operation);
            let mut bytes = Vec::with_capacity(512);
            write_request(&mut bytes, &entered.id, question.asks.method(), |out| {
                out.extend_from_slice(params.as_bytes());
            });
            outbox.push(bytes.into(), Importance::Needed);
            waiting.push(entered.wait(self.answered_within));
            pages.push(page);
        }
        for ((question, answer), page) in questions.iter().zip(join_all(waiting).await).zip(pages) {
            if let (Some(page), true) = (page, accepts(&question.asks, &answer)) {
                let open = || Box::new(Pages { ids: Mutex::default(), outbox: outbox.clone() });
                let pages = to.pages.get_or_init(open);
                pages.ids.lock().unwrap_or_else(PoisonError::into_inner).push(page);
            }
            call.context.give(question, answer);
        }
        None
    }
}

/// Whether the person agreed to open the page that this asks for.
fn accepts(asks: &Asks, answer: &Answer) -> bool {
    let (Asks::Elicit(ElicitRequest::Url { .. }), Answer::Result(result)) = (asks, answer) else { return false };
    serde_json::from_str(result.get()).is_ok_and(|result: ElicitResult| result.action == ElicitAction::Accept)
}
