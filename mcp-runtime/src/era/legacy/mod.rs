//! The revisions that begin with a handshake: 2024-11-05 to 2025-11-25.

mod ask;
mod batch;
mod event_id;
mod handshakes;
mod initialize;
mod listener;
mod news;
mod question;
mod record;
mod session;
mod streams;

use std::sync::Arc;

use http::StatusCode;

pub(crate) use ask::{ANSWERED_WITHIN, Open, Pages};
pub(super) use handshakes::Handshakes;
pub(crate) use news::{Reader, SessionNews};
pub(crate) use record::Record;
pub(crate) use streams::Streams;

use super::{Era, Errand, Opened, Return, Surroundings, asking, cookies, operations, refuse, tasks};
use crate::{
    call::{
        Call, Carrier, Context, Fault, Logging, Manner, Means, Onward, Operation, Progress, Resumable, Session,
        Tasking, Undecoded,
    },
    exchange::{Headers, Outbound, Source},
    protocol::{Version, notice::UnknownLogLevel},
    session::{PartCard, ProtocolSession, SessionKey},
    wire::{Code, Id, Notification, Raw, Request, write_result},
};

impl Era {
    /// A request over HTTP: with a session, or without one where that is allowed.
    pub(super) async fn legacy_http(
        &self,
        request: &Request,
        headers: &Headers,
        hinted: Option<Version>,
        around: &Surroundings<'_>,
    ) -> Opened {
        if self.sessions.reads_ahead()
            && let Some(parts) = self.prepared.borrowed_by(request)
        {
            return Box::pin(self.legacy_http_reading(request, headers, hinted, around, parts)).await;
        }
        match self.legacy_session(headers, hinted, Some(&request.id), around.principal).await {
            Err(refusal) => Opened::Answered(refusal),
            Ok(Some(session)) => self.legacy_call(request, &session, around),
            Ok(None) => self.sessionless_call(request, hinted.unwrap_or(Version::WITHOUT_HEADER), around),
        }
    }

    /// The call of a tool that borrows these parts, over HTTP.
    async fn legacy_http_reading(
        &self,
        request: &Request,
        headers: &Headers,
        hinted: Option<Version>,
        around: &Surroundings<'_>,
        parts: &'static [PartCard],
    ) -> Opened {
        match self.legacy_session_reading(headers, hinted, &request.id, around.principal, parts).await {
            Err(refusal) => Opened::Answered(refusal),
            Ok(Some((session, ahead))) => {
                let mut opened = self.legacy_call(request, &session, around);
                if let Opened::Call(call, _) = &mut opened {
                    call.context.set_ahead(ahead);
                }
                opened
            }
            Ok(None) => self.sessionless_call(request, hinted.unwrap_or(Version::WITHOUT_HEADER), around),
        }
    }

    /// A request in a session.
    pub(super) fn legacy_call(
        &self,
        request: &Request,
        session: &Arc<ProtocolSession>,
        around: &Surroundings<'_>,
    ) -> Opened {
        let key = session.key;
        let facts = crate::call::Facts {
            session: Session::Protocol(session.clone()),
            logging: Logging::Session(key),
            ..self.facts(request, session.version, around)
        };
        self.operation(request, session.version, Carrier::Session(key), Some(key), facts, around)
    }

    /// A request of a client that has no session, where sessions are optional or off.
    fn sessionless_call(&self, request: &Request, version: Version, around: &Surroundings<'_>) -> Opened {
        let facts = self.facts(request, version, around);
        self.operation(request, version, Carrier::None, None, facts, around)
    }

    fn facts(&self, request: &Request, version: Version, around: &Surroundings<'_>) -> crate::call::Facts {
        crate::call::Facts {
            principal: around.principal.cloned().map(Box::new),
            progress: progress(request, version),
            cookies: cookies::given(self, request),
            meta: request.params.get("_meta").map_or(Undecoded::Absent, Undecoded::raw),
            ..crate::call::Facts::default()
        }
    }

    fn operation(
        &self,
        request: &Request,
        version: Version,
        carrier: Carrier,
        scope: Option<SessionKey>,
        mut facts: crate::call::Facts,
        around: &Surroundings<'_>,
    ) -> Opened {
        // Where the server or the revision has none, `task` means nothing and the methods do not exist.
        let has_tasks = version.facts().tasks && self.prepared.has_tasks();
        let can_ask = scope.is_some() && asking::can_stream(around.source);
        let operation = match request.method.strip_prefix("tasks/").filter(|_| has_tasks) {
            None => operations::read(request, &self.offered),
            Some(_) => tasks::read(request, Manner::ByRequest, can_ask),
        };
        let operation = match operation {
            Ok(Some(operation)) => operation,
            Ok(None) => {
                return match self.of_the_session(request, scope, around) {
                    Ok(()) => Opened::Answered(self.done(&request.id)),
                    Err(fault) => self.refused(request, version, fault),
                };
            }
            Err(fault) => return self.refused(request, version, fault),
        };
        // A dropped connection is not a cancellation in these revisions: the call goes on without its request.
        // Whoever waits for a task can come back to it.
        if !matches!(operation, Operation::Task(_)) {
            around.outbox.outlive_the_request(onward(scope, version, around.source));
        }
        if let (true, Operation::CallTool { .. }) = (has_tasks, &operation) {
            facts.tasking = match tasks::requested(request) {
                Ok(tasking) => tasking,
                Err(fault) => return self.refused(request, version, fault),
            };
            if let (Tasking::Requested { .. }, Some(session)) = (facts.tasking, scope) {
                facts.news = self.news.mailbox(self.reader(session, around));
            }
        }
        facts.means = match scope {
            None => Means::NoSession,
            Some(_) if !asking::can_stream(around.source) => Means::NoStream,
            Some(_) => asking::means(version.facts(), &operation),
        };
        let to = Return { scope, ..Return::to(request, version) };
        let context = Context::new(facts, around.outbox.clone(), self.shared.clone());
        Opened::Call(Box::new(Call { operation, carrier, context }), to)
    }

    fn refused(&self, request: &Request, version: Version, fault: Fault) -> Opened {
        Opened::Answered(refuse::fault(&Return::to(request, version), &fault))
    }

    /// What is asked of the protocol and not of a function: with nothing to say in return.
    fn of_the_session(
        &self,
        request: &Request,
        session: Option<SessionKey>,
        around: &Surroundings<'_>,
    ) -> Result<(), Fault> {
        match (&*request.method, session) {
            ("ping", _) => Ok(()),
            ("logging/setLevel", Some(session)) => self.set_level(request, session),
            ("resources/subscribe", Some(session)) => {
                let uri = self.news.subscribe(request, self.reader(session, around))?;
                self.tell_all(|| Errand::subscribed(session, vec![uri]));
                Ok(())
            }
            ("resources/unsubscribe", Some(session)) => {
                let uri = self.news.unsubscribe(request, session)?;
                self.tell_all(|| Errand::unsubscribed(session, vec![uri]));
                Ok(())
            }
            // Without a session there is nothing that could remember it.
            _ => Err(Fault::new(Code::METHOD_NOT_FOUND, "Method not found")),
        }
    }

    /// A session as its news know it.
    fn reader<'a>(&self, session: SessionKey, around: &Surroundings<'a>) -> Reader<'a> {
        let lives = match around.source {
            Source::Http { headers, .. } => headers.session_id.value().map(|id| self.sessions.remaining(id)),
            Source::Stdio(_) => None,
        };
        Reader { session, principal: around.principal, lives }
    }

    /// `logging/setLevel`.
    fn set_level(&self, request: &Request, session: SessionKey) -> Result<(), Fault> {
        let level = request.params.string("level").ok_or(UnknownLogLevel).and_then(|level| level.parse());
        let level = level.map_err(|unknown| Fault::new(Code::INVALID_PARAMS, format!("`params.level`: {unknown}")))?;
        self.shared.levels.set(session, level);
        self.tell_all(|| Errand::level(session, level));
        Ok(())
    }

    /// The answer with nothing in it.
    pub(super) fn done(&self, id: &Id) -> Outbound {
        let mut body = Vec::with_capacity(64);
        write_result(&mut body, id, |out| out.extend_from_slice(b"{}"));
        Outbound::json(StatusCode::OK, body)
    }

    /// A notification: what it names is cancelled, everything else has no effect here. Gives the id of a request that is
    /// cancelled and not here.
    pub(super) fn notified(&self, notification: &Notification, scope: SessionKey) -> Option<Id> {
        let cancelled = (&*notification.method == "notifications/cancelled").then_some(&notification.params)?;
        let id = cancelled.get("requestId").and_then(Raw::id)?;
        (!self.in_flight.cancel(scope, id.clone())).then_some(id)
    }
}

/// How a call goes on whose client went away: in a session, a client that reads event streams can come back for the rest.
fn onward(session: Option<SessionKey>, version: Version, source: &Source) -> Onward {
    let session = session.filter(|_| matches!(source, Source::Http { streams: true, .. }));
    Onward { resumable: session.map(|session| Resumable { session, polling: version.facts().polling }) }
}

/// Where progress goes, if the request asks for it.
pub(in crate::era) fn progress(request: &Request, version: Version) -> Option<Progress> {
    let token = request.params.meta("progressToken")?;
    // A token is a string or an integer; anything else is no token.
    token.id().map(|_| Progress { token: token.clone(), message: version.facts().progress_message })
}
