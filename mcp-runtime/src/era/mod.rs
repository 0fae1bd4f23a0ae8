//! Which revision a message speaks, and both ways of speaking.
//!
//! Takes: a message with its headers. Gives: a [`Call`](crate::call::Call) with a [`Return`] address, or the answer at
//! once; and later the bytes of an outcome. Knows: revisions, what headers mean, what carries a session. Must not know:
//! tools' functions, sockets, dispatch.

mod asking;
mod blocks;
mod classify;
mod cookies;
mod elsewhere;
mod in_flight;
mod legacy;
mod listing;
mod modern;
mod notices;
mod operations;
mod prepared;
mod project;
mod refuse;
mod tasks;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

pub(crate) use elsewhere::{Elsewhere, Errand};
pub(crate) use in_flight::InFlight;
pub(crate) use legacy::{Open, Reader, Record, SessionNews, Streams};
pub(crate) use modern::Listening;
pub(crate) use prepared::{HANDLE_ARGUMENT, MINTING_TOOL, Prepared};
pub(crate) use refuse::malformed;

use crate::{
    auth::Principal,
    call::{Answered, Call, Context, Fault, FaultKind, Offered, Outbox, Outcome, Shared, ToolResult},
    exchange::Outbound,
    protocol::{Lists, Version},
    service::ServerCard,
    session::{SessionKey, SessionRoom},
    store::EventLog,
    tasks::TaskRoom,
    wire::{Id, Request},
};

/// Both eras of a running server.
pub(crate) struct Era {
    pub(crate) sessions: Arc<SessionRoom>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) prepared: Prepared,
    offered: Offered,
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) tasks: Arc<TaskRoom>,
    pub(crate) in_flight: InFlight,
    pub(crate) streams: Streams,
    /// The subscriptions of 2026-07-28.
    listeners: modern::Listeners,
    /// What sessions were not told yet.
    pub(crate) news: Arc<SessionNews>,
    /// Questions that wait for their answers.
    pub(crate) open: Open,
    /// How long an answer is waited for.
    pub(crate) answered_within: Duration,
    /// The other instances, where there are any.
    elsewhere: Option<Elsewhere>,
    /// Connections whose client can't be asked yet.
    handshakes: legacy::Handshakes,
}

/// The rooms that both eras work with.
pub(crate) struct Rooms {
    pub(crate) sessions: Arc<SessionRoom>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) tasks: Arc<TaskRoom>,
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// What surrounds a message.
pub(crate) struct Surroundings<'a> {
    /// The headers, or the stdio connection.
    pub(crate) source: &'a crate::exchange::Source,
    /// Who sent it.
    pub(crate) principal: Option<&'a Principal>,
    /// Where messages before the answer go.
    pub(crate) outbox: &'a Arc<Outbox>,
}

/// A message, opened.
pub(crate) enum Opened {
    /// Something to dispatch, and where its outcome goes.
    Call(Box<Call>, Return),
    /// A subscription, which has no outcome but goes on; and where `notifications/cancelled` looks for it.
    Listening(Box<Listening>, Return),
    /// Answered by the era itself.
    Answered(Outbound),
}

/// Where an outcome goes: what closing needs to remember of the request.
pub(crate) struct Return {
    /// The request's id.
    pub(crate) id: Id,
    /// The revision to speak.
    pub(crate) version: Version,
    /// Where `notifications/cancelled` looks for it.
    pub(crate) scope: Option<SessionKey>,
    /// It calls a tool, so that a failure can be a result that the model reads.
    pub(crate) calls_tool: bool,
    /// The pages that were opened for it, where the client wants to know when they are done.
    pub(crate) pages: OnceLock<Box<legacy::Pages>>,
}

impl Return {
    /// To this request, which nothing can cancel.
    fn to(request: &Request, version: Version) -> Self {
        let calls_tool = matches!(&*request.method, "tools/call" | "tasks/result");
        Self { id: request.id.clone(), version, scope: None, calls_tool, pages: OnceLock::new() }
    }
}

/// A result larger than this is not sent: -32603.
const RESULT_LIMIT: usize = 16 * 1024 * 1024;

impl Era {
    /// Both eras of a server that offers this and lists these things.
    pub(crate) fn new(
        card: &ServerCard,
        offered: &Offered,
        lists: &Lists,
        with_handles: &Lists,
        rooms: Rooms,
    ) -> Result<Self, serde_json::Error> {
        let Rooms { sessions, shared, events, tasks, elsewhere } = rooms;
        Ok(Self {
            sessions,
            prepared: Prepared::new(card, offered, lists, with_handles)?,
            in_flight: InFlight::default(),
            streams: Streams::default(),
            listeners: modern::Listeners::default(),
            open: Open::default(),
            answered_within: legacy::ANSWERED_WITHIN,
            elsewhere,
            handshakes: legacy::Handshakes::default(),
            events,
            news: Arc::new(SessionNews::new(shared.clone(), tasks.clone(), offered)),
            tasks,
            offered: offered.clone(),
            shared,
        })
    }

    /// A stdio connection is over, and with it what it was told and asked.
    pub(crate) fn end_process(&self, session: SessionKey) {
        self.news.end(session);
        self.shared.levels.forget(session);
        self.handshakes.end(session);
    }

    /// Forgets what sessions left behind that are over.
    pub(crate) async fn sweep(&self) {
        for session in self.news.sweep(self.sessions.session_idle()) {
            match self.sessions.is_over(session).await {
                Ok(false) => {}
                Ok(true) => {
                    self.session_ended(session);
                    self.tasks.end_session(session).await;
                }
                // A store that is down says nothing of any session.
                Err(_) => return,
            }
        }
    }

    /// Turns an outcome into the answer of its revision.
    pub(crate) fn close(&self, to: &Return, outcome: Result<Outcome, Fault>, context: &Context) -> Outbound {
        let outcome = match outcome {
            // The result of a task is what its call would have been answered with.
            Ok(Outcome::Task(mut task)) => match tasks::fault(&mut task) {
                Some(fault) => Err(fault),
                None => Ok(Outcome::Task(task)),
            },
            outcome => outcome,
        };
        let answer = match outcome {
            Ok(outcome) => {
                if let Some(pages) = to.pages.get().filter(|_| !outcome.is_failure()) {
                    pages.complete();
                }
                project::result(&self.prepared, to, outcome, cookies::echo(self, context))
            }
            // Before there was a code for it, a tool that can't ask was a tool that says so.
            Err(Fault { kind: FaultKind::MissingCapability, message, .. })
                if to.calls_tool && !to.version.facts().modern =>
            {
                let outcome = Outcome::of_tool(Answered::Framework, ToolResult::error(message));
                project::result(&self.prepared, to, outcome, None)
            }
            Err(fault) => refuse::fault(to, &fault),
        };
        if answer.body.len() > RESULT_LIMIT {
            tracing::error!(bytes = answer.body.len(), limit = RESULT_LIMIT, "a result is too large to be sent");
            return refuse::fault(to, &Fault::internal());
        }
        answer
    }
}
