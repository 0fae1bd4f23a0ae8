//! What concerns a session whose call runs at another instance: an answer to its question, a cancellation, its end.
//!
//! The id of a question names the instance that asks. Whatever else there is, is told to all: who has nothing of the
//! session has nothing to do.

use std::{str::FromStr, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Era;
use crate::{
    call::chain,
    protocol::LogLevel,
    session::{PATIENCE, SessionKey, answer, random},
    store::{Bus, InstanceId, StoreError, Topic},
    wire::{Id, Raw, Response, write_id},
};

/// The other instances, as this one reaches them.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    /// What carries messages to them.
    pub(crate) bus: Arc<dyn Bus>,
    /// This instance.
    pub(crate) me: InstanceId,
}

/// Something to be done for a session by whichever instance has a part in it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Errand {
    kind: String,
    session: String,
    /// Of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    /// Of resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uris: Vec<String>,
}

const ANSWER: &str = "answer";
const CANCELLED: &str = "cancelled";
const ENDED: &str = "ended";
const LEVEL: &str = "level";
const SUBSCRIBED: &str = "subscribed";
const UNSUBSCRIBED: &str = "unsubscribed";
const MISSED: &str = "missed";

/// How the id of a question begins.
const QUESTION: &str = "ask-";

/// A new id of a question, which nobody can guess; where there are other instances, it says whose it is.
pub(super) fn question_id(elsewhere: Option<&Elsewhere>) -> Id {
    let random = BASE64.encode(random::<16>());
    Id::String(match elsewhere {
        Some(Elsewhere { me, .. }) => format!("{QUESTION}{}.{random}", BASE64.encode(me.0)).into(),
        None => format!("{QUESTION}{random}").into(),
    })
}

/// The instance that asked the question of this id.
fn asked_by(id: &Id) -> Option<InstanceId> {
    let Id::String(id) = id else { return None };
    let (instance, _) = id.strip_prefix(QUESTION)?.split_once('.')?;
    Some(InstanceId(BASE64.decode(instance).ok()?.try_into().ok()?))
}

impl Errand {
    fn of(kind: &str, session: SessionKey) -> Self {
        Self { kind: kind.into(), session: BASE64.encode(session.0), ..Self::default() }
    }

    /// The request of this id is cancelled.
    pub(super) fn cancelled(session: SessionKey, id: &Id) -> Self {
        Self { id: raw_id(id), ..Self::of(CANCELLED, session) }
    }

    /// The session is over.
    pub(super) fn ended(session: SessionKey) -> Self {
        Self::of(ENDED, session)
    }

    /// The session chose from which level on it is told log messages.
    pub(super) fn level(session: SessionKey, level: LogLevel) -> Self {
        Self { level: Some(level.as_str().into()), ..Self::of(LEVEL, session) }
    }

    /// The session wants to be told of these resources.
    pub(super) fn subscribed(session: SessionKey, uris: Vec<String>) -> Self {
        Self { uris, ..Self::of(SUBSCRIBED, session) }
    }

    /// The session does not want to be told of these resources any more.
    pub(super) fn unsubscribed(session: SessionKey, uris: Vec<String>) -> Self {
        Self { uris, ..Self::of(UNSUBSCRIBED, session) }
    }

    /// The session came to an instance that does not know it, and may have begun later: what is it subscribed to?
    pub(super) fn missed(session: SessionKey) -> Self {
        Self::of(MISSED, session)
    }

    fn session(&self) -> Option<SessionKey> {
        Some(SessionKey(BASE64.decode(&self.session).ok()?.try_into().ok()?))
    }

    fn id(&self) -> Option<Id> {
        raw(self.id.as_deref()?).id()
    }

    async fn publish(&self, elsewhere: &Elsewhere, topic: Topic) -> Result<(), StoreError> {
        let message = serde_json::to_vec(self).map_err(|error| StoreError::Unavailable(error.into()))?;
        answer(elsewhere.bus.publish(topic, message.into()), PATIENCE).await
    }
}

fn raw_id(id: &Id) -> Option<Box<RawValue>> {
    let mut text = Vec::with_capacity(64);
    write_id(&mut text, id);
    RawValue::from_string(String::from_utf8(text).ok()?).ok()
}

fn raw(value: &RawValue) -> Raw {
    let text: Arc<str> = value.get().into();
    // A message is far smaller than that.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    Raw::new(text, 0..length)
}

impl Era {
    /// Passes an answer to no question of ours on to the instance that asked.
    pub(super) async fn pass_on(&self, session: SessionKey, response: &Response) -> Result<(), StoreError> {
        let (Some(elsewhere), Some(id)) = (&self.elsewhere, &response.id) else { return Ok(()) };
        let Some(instance) = asked_by(id).filter(|instance| *instance != elsewhere.me) else { return Ok(()) };
        let copy = |raw: &Raw| RawValue::from_string(raw.as_str().to_owned()).ok();
        let mut errand = Errand { id: raw_id(id), ..Errand::of(ANSWER, session) };
        match &response.outcome {
            Ok(result) => errand.result = copy(result),
            Err(error) => errand.error = copy(error),
        }
        errand.publish(elsewhere, Topic::Instance(instance)).await
    }

    /// Tells the other instances, if there are any. Nobody waits for it.
    pub(super) fn tell_all(&self, errand: impl FnOnce() -> Errand) {
        let Some(elsewhere) = self.elsewhere.clone() else { return };
        let errand = errand();
        tokio::spawn(async move {
            if let Err(error) = errand.publish(&elsewhere, Topic::Everyone).await {
                tracing::warn!(kind = errand.kind, error = %chain(&error), "other instances could not be told");
            }
        });
    }

    /// Another instance, or this one, told us this: a kind that is not known is of a newer version, and nothing.
    pub(crate) fn do_errand(&self, errand: &Errand) {
        let Some(session) = errand.session() else { return };
        match errand.kind.as_str() {
            ANSWER => {
                let outcome = match (&errand.result, &errand.error) {
                    (Some(result), _) => Ok(raw(result)),
                    (None, Some(error)) => Err(raw(error)),
                    (None, None) => return,
                };
                self.open.answered(session, &Response { id: errand.id(), outcome });
            }
            CANCELLED => {
                if let Some(id) = errand.id() {
                    self.in_flight.cancel(session, id);
                }
            }
            ENDED => self.session_ended(session),
            LEVEL => {
                if let Some(level) = errand.level.as_deref().and_then(|level| LogLevel::from_str(level).ok()) {
                    self.shared.levels.set(session, level);
                }
            }
            SUBSCRIBED => {
                // Its id is not known here.
                self.news.subscribed_elsewhere(session, &errand.uris, self.sessions.longest());
            }
            UNSUBSCRIBED => self.news.unsubscribed_elsewhere(session, &errand.uris),
            MISSED => {
                let uris = self.news.subscriptions(session);
                if !uris.is_empty() {
                    self.tell_all(|| Errand::subscribed(session, uris));
                }
            }
            _ => {}
        }
    }

    /// What this instance knows of a session that is over.
    pub(super) fn session_ended(&self, session: SessionKey) {
        self.streams.end(session);
        self.in_flight.end(session);
        self.news.end(session);
        self.shared.levels.forget(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryBus;

    #[test]
    fn the_id_of_a_question_says_whose_it_is_where_there_are_others() {
        let elsewhere = Elsewhere { bus: Arc::new(MemoryBus::new()), me: InstanceId([7; 16]) };
        let (one, other) = (question_id(Some(&elsewhere)), question_id(Some(&elsewhere)));
        assert_ne!(one, other);
        assert_eq!(asked_by(&one), Some(elsewhere.me));
        assert_eq!(asked_by(&question_id(None)), None);
        for wrong in ["", "ask-", "ask-.", "ask-AAAA.AAAA", "ask-+.x", "BwcHBwcHBwcHBwcHBwcHBw.x"] {
            assert_eq!(asked_by(&Id::String(wrong.into())), None, "{wrong}");
        }
        assert_eq!(asked_by(&Id::Integer(7)), None);
    }

    #[test]
    fn an_errand_of_a_newer_version_can_be_read_and_is_nothing() {
        let errand: Errand = serde_json::from_str(r#"{"kind":"dance","session":"!","steps":[1]}"#).expect("JSON");
        assert!(errand.session().is_none() && errand.id().is_none());
        let session = SessionKey([3; 17]);
        let text = serde_json::to_string(&Errand::cancelled(session, &Id::String("a\"b".into()))).expect("JSON");
        let read: Errand = serde_json::from_str(&text).expect("JSON");
        assert_eq!((read.session(), read.id()), (Some(session), Some(Id::String("a\"b".into()))));
    }
}
