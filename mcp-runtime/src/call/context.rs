//! What a function sees of its request.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value};

use super::{
    Answer, Answers, AskError, Asking, Asks, Cancelled, CookieState, Fault, Given, Logging, Means, Meanwhile, Mirrors,
    NoForm, Outbox, Question, Shared, Tasking, Unsupported, cancel::Cancelling,
};
use crate::{
    auth::Principal,
    changes::{Changes, Mailbox},
    protocol::{ClientCapabilities, Implementation},
    session::{Ahead, ProtocolSession},
    wire::{Raw, write_notification, write_string},
};

/// This request: who calls, with which session, and the way to tell the client something meanwhile.
pub struct Context {
    pub(super) facts: Facts,
    pub(super) outbox: Arc<Outbox>,
    pub(super) shared: Arc<Shared>,
    last_progress: Mutex<Option<f64>>,
    /// What was asked and answered; most calls never ask.
    asking: OnceLock<Box<Asking>>,
    /// A function runs that can stop to ask.
    may_ask: AtomicBool,
    cancelling: Cancelling,
    /// The call is a task.
    task: Option<Arc<Meanwhile>>,
    /// What was read of its session when that was looked up.
    ahead: Option<Box<Ahead>>,
}

/// What is known of the request before it runs.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) session: Session,
    pub(crate) principal: Option<Box<Principal>>,
    pub(crate) client: Undecoded<Implementation>,
    pub(crate) capabilities: Undecoded<ClientCapabilities>,
    pub(crate) progress: Option<Progress>,
    /// What came beside the call and repeats arguments, where anything does.
    pub(crate) mirrors: Option<Box<Mirrors>>,
    pub(crate) means: Means,
    pub(crate) logging: Logging,
    /// The `_meta` of the request.
    pub(crate) meta: Undecoded<Map<String, Value>>,
    pub(crate) tasking: Tasking,
    /// Where its session hears of a task that this call becomes.
    pub(crate) news: Option<Arc<Mailbox>>,
    /// Where the server takes cookies.
    pub(crate) cookies: Option<Box<CookieState>>,
}

/// Which session a call is in.
#[derive(Default)]
pub(crate) enum Session {
    /// None, or none yet.
    #[default]
    None,
    /// One of the protocol, which knows its client too.
    Protocol(Arc<ProtocolSession>),
    /// One that something else carries, by its public name.
    Named(Box<str>),
}

/// Where progress goes.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The client's token, as it came: a string or an integer.
    pub(crate) token: Raw,
    /// Whether the notification may carry a message.
    pub(crate) message: bool,
}

/// A fact that is decoded when somebody asks for it: most calls never do.
#[derive(Default)]
pub(crate) enum Undecoded<T> {
    /// Not known.
    #[default]
    Absent,
    /// As it came with this request.
    Raw(Raw, OnceLock<Option<Box<T>>>),
}

impl<T: serde::de::DeserializeOwned> Undecoded<T> {
    pub(crate) fn raw(raw: &Raw) -> Self {
        Self::Raw(raw.clone(), OnceLock::new())
    }

    fn get(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Raw(raw, cell) => cell.get_or_init(|| serde_json::from_str(raw.as_str()).ok()).as_deref(),
        }
    }
}

impl Context {
    pub(crate) fn new(facts: Facts, outbox: Arc<Outbox>, shared: Arc<Shared>) -> Self {
        Self {
            facts,
            outbox,
            shared,
            last_progress: Mutex::new(None),
            cancelling: Cancelling::default(),
            asking: OnceLock::new(),
            may_ask: AtomicBool::new(false),
            task: None,
            ahead: None,
        }
    }

    /// This was read of the call's session.
    pub(crate) fn set_ahead(&mut self, ahead: Option<Box<Ahead>>) {
        self.ahead = ahead;
    }

    /// What was read of the call's session, for its first run.
    pub(crate) fn take_ahead(&mut self) -> Option<Box<Ahead>> {
        self.ahead.take()
    }

    /// From now on a function runs that can stop to ask, or none.
    pub(crate) fn set_may_ask(&self, may_ask: bool) {
        self.may_ask.store(may_ask, Ordering::Relaxed);
    }

    /// Where messages before the answer go.
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Begins with these answers.
    pub(crate) fn set_answers(&mut self, answers: Answers) {
        self.asking = OnceLock::from(Box::new(Asking::new(answers)));
    }

    /// The answers so far; `None` where there are none and nothing was asked.
    pub(crate) fn answers(&self) -> Option<&Answers> {
        self.asking.get().map(|asking| asking.answers())
    }

    /// Takes an answer for the next run.
    pub(crate) fn give(&mut self, question: &Question, answer: Answer) {
        self.asking();
        if let Some(asking) = self.asking.get_mut() {
            asking.give(question, answer);
        }
    }

    /// Takes the answers of a task for the next run, by the keys of the function.
    pub(crate) fn give_all(&mut self, answers: Vec<(Box<str>, Given)>) {
        self.asking();
        if let Some(asking) = self.asking.get_mut() {
            asking.give_all(answers);
        }
    }

    /// The answers that were given to questions of somebody else's, by their keys.
    pub(crate) fn take_given(&mut self) -> Vec<(Box<str>, Answer)> {
        self.asking.get_mut().map(|asking| asking.take_given()).unwrap_or_default()
    }

    /// Whether the call can become a task, whichever tool it calls.
    pub(crate) const fn tasking(&self) -> Tasking {
        self.facts.tasking
    }

    /// Where its session hears of a task that this call becomes.
    pub(crate) fn news(&self) -> Option<Arc<Mailbox>> {
        self.facts.news.clone()
    }

    /// All of it for a task; what stays behind knows nothing.
    pub(crate) fn lend_to_task(&mut self, task: Arc<Meanwhile>) -> Self {
        let cookies = self.facts.cookies.as_deref().map(|cookies| Box::new(cookies.beside_the_task()));
        let facts = Facts { cookies, ..Facts::default() };
        let lent = Self::new(facts, self.outbox.clone(), self.shared.clone());
        let mut lent = std::mem::replace(self, lent);
        // Whatever is sent before an answer belongs to the request, which is answered already.
        lent.outbox = Arc::default();
        lent.task = Some(task);
        lent
    }

    /// Takes back what was lent: the call became no task yet.
    pub(crate) fn take_back(&mut self, mut lent: Self) {
        lent.outbox = self.outbox.clone();
        lent.task = None;
        *self = lent;
    }

    /// Whether the call is a task.
    pub(crate) const fn is_task(&self) -> bool {
        self.task.is_some()
    }

    /// The function waits for something that is no answer.
    pub(crate) fn set_waits(&self) {
        if let Some(task) = &self.task {
            task.set_waits();
        }
    }

    /// Forgets the answers that came without their questions.
    pub(crate) fn forget_bare_answers(&mut self) {
        if let Some(asking) = self.asking.get_mut() {
            asking.forget_bare();
        }
    }

    /// Whether the run has a question without an answer: whatever comes back of it counts no more.
    pub(crate) fn has_stopped(&self) -> bool {
        self.asking.get().is_some_and(|asking| asking.has_stopped())
    }

    /// What the run stopped for, if it did.
    pub(crate) fn take_questions(&mut self) -> Option<Result<Vec<Question>, Fault>> {
        self.asking.get_mut()?.take()
    }

    pub(super) fn asking(&self) -> &Asking {
        self.asking.get_or_init(Box::default)
    }

    /// How this call can ask.
    pub(super) fn means(&self) -> Means {
        self.facts.means
    }

    /// What becomes of a form that can't be shown; `None` stops the run.
    pub(super) fn no_form(&self, key: &str, no_form: &NoForm) -> Option<AskError> {
        match no_form {
            NoForm::Unsupported(reason) => {
                let needed = ClientCapabilities::default();
                let reason = format!("This client can't be asked with such a form: {reason}");
                Some(AskError::Unsupported(Unsupported { needed, reason }))
            }
            NoForm::Mistake(reason) => {
                tracing::error!(key, %reason, "what is asked can't be asked");
                self.asking().fail();
                None
            }
        }
    }

    /// The answer to a question; `None` stops the run.
    ///
    /// # Panics
    /// Where no function runs that can stop to ask.
    pub(super) fn answer<T>(
        &self,
        key: &str,
        asks: &Asks,
        read: impl Fn(&str) -> Result<Result<T, AskError>, String>,
    ) -> Option<Result<T, AskError>> {
        if !self.may_ask.load(Ordering::Relaxed) {
            // Found by the first call in development: what a peer sends makes no difference.
            panic!("only an `async fn` of a server can ask; all else would wait for ever: make the function `async`");
        }
        self.asking().answer(key, asks, read, self.facts.means, self.capabilities())
    }

    pub(crate) fn set_session_id(&mut self, id: Box<str>) {
        self.facts.session = Session::Named(id);
    }

    /// What came beside the call and repeats arguments, where anything does.
    pub(crate) fn mirrors(&self) -> Option<&Mirrors> {
        self.facts.mirrors.as_deref()
    }

    /// The public name of this session: never the signed id of a header. `None` where the call has no session.
    ///
    /// Where a cookie carries the session, it is the cookie's id, which is a secret of the client: then it belongs neither
    /// into a log nor, but for demonstrations, into what a model reads.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        if let Some(cookie) = self.cookie() {
            return Some(cookie.id());
        }
        match &self.facts.session {
            Session::None => None,
            Session::Protocol(session) => Some(&session.id),
            Session::Named(id) => Some(id),
        }
    }

    /// What stands for this session in a log: no secret in any case.
    pub(crate) fn session_label(&self) -> Option<Cow<'_, str>> {
        match self.cookie() {
            Some(cookie) => Some(cookie.key().public_id().into_string().into()),
            None => self.session_id().map(Cow::Borrowed),
        }
    }

    /// Who calls, as the server's authenticator found; `None` without one.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.facts.principal.as_deref()
    }

    /// What the client says it is; never a basis for a security decision.
    #[must_use]
    pub fn client(&self) -> Option<&Implementation> {
        match &self.facts.session {
            Session::Protocol(session) => session.client.as_deref(),
            _ => self.facts.client.get(),
        }
    }

    /// What the client declared that it can do.
    #[must_use]
    pub fn capabilities(&self) -> Option<&ClientCapabilities> {
        match &self.facts.session {
            Session::Protocol(session) => Some(&session.capabilities),
            _ => self.facts.capabilities.get(),
        }
    }

    /// What the client declared of an extension of the protocol: its settings, `{}` where it has none. `None` where the
    /// client did not declare it: it must then see nothing of it that it would have to understand.
    ///
    /// # Source
    /// 2026-07-28 basic §Extensions: each request says anew; before that the handshake does.
    #[must_use]
    pub fn extension(&self, id: &str) -> Option<&Map<String, Value>> {
        self.capabilities()?.extension(id)
    }

    /// Lets the client go while the call goes on: what was said so far is sent, then the connection of this call ends
    /// without the answer, and the client comes back after `retry` for the rest. For calls that take longer than
    /// connections last.
    ///
    /// Nothing happens where clients can't come back: only those of 2025-11-25 can, over HTTP, with a session, and if
    /// they read event streams.
    ///
    /// # Units
    /// `retry` is sent in whole milliseconds; more than an hour is an hour.
    ///
    /// # Source
    /// 2025-11-25 basic/transports §Sending Messages to the Server, item 6.
    pub fn close_stream(&self, retry: Duration) {
        self.outbox.close(retry.min(Duration::from_secs(60 * 60)));
    }

    /// What the client sent along in `_meta`, as it came and not checked: the client's own keys, and those of the protocol.
    /// `None` where it sent nothing. Never a basis for a security decision.
    ///
    /// # Source
    /// 2026-07-28 basic §Meta.
    #[must_use]
    pub fn meta(&self) -> Option<&Map<String, Value>> {
        self.facts.meta.get()
    }

    /// Whether this call was cancelled, for work that the function leaves behind when it is dropped: by the client, by its
    /// going away on 2026-07-28, by the end of the session, by the function's deadline.
    #[must_use]
    pub fn cancelled(&self) -> Cancelled {
        self.cancelling.listen()
    }

    /// The call is cut off, and answered.
    pub(crate) fn cancel(&self) {
        self.cancelling.cancel();
    }

    /// The call has come to its answer.
    pub(crate) fn answered(&mut self) {
        self.cancelling.answered();
    }

    /// Announces that a list or a resource of the server changed, to all clients that asked to be told.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.shared.changes
    }

    /// The id of the task that this call is; `None` for a call that is answered at once.
    ///
    /// # Source
    /// 2025-11-25 basic/utilities/tasks; the extension `io.modelcontextprotocol/tasks` of 2026-07-28.
    #[must_use]
    pub fn task_id(&self) -> Option<&str> {
        self.task.as_deref().map(Meanwhile::name)
    }

    /// Tells the client how far the work is, if it asked to be told; otherwise nothing. Of a task it is the status
    /// message, too, which clients read when they look; on 2026-07-28 it is that alone.
    ///
    /// `progress` must rise from call to call (what does not is dropped), `total` is what it rises to, where that is
    /// known. Never waits: where many messages wait for the client, a report gives way to the next one.
    ///
    /// # Source
    /// 2026-07-28 basic/utilities/progress.
    pub fn progress(&self, progress: f64, total: impl Into<Option<f64>>, message: Option<&str>) {
        let total = total.into();
        if let Some(task) = &self.task {
            task.progress(progress, total, message);
            if self.facts.news.is_none() {
                return;
            }
        }
        let Some(to) = &self.facts.progress else { return };
        let mut last = self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
        if !progress.is_finite() || last.is_some_and(|last| progress <= last) {
            return;
        }
        *last = Some(progress);
        let total = total.filter(|total| total.is_finite());
        let mut bytes = Vec::with_capacity(160);
        write_notification(&mut bytes, "notifications/progress", |out| {
            out.extend_from_slice(b"{\"progressToken\":");
            out.extend_from_slice(to.token.as_str().as_bytes());
            out.extend_from_slice(b",\"progress\":");
            out.extend_from_slice(serde_json::Value::from(progress).to_string().as_bytes());
            if let Some(total) = total {
                out.extend_from_slice(b",\"total\":");
                out.extend_from_slice(serde_json::Value::from(total).to_string().as_bytes());
            }
            if let Some(message) = message.filter(|_| to.message) {
                out.extend_from_slice(b",\"message\":");
                write_string(out, message);
            }
            if let Some(task) = &self.task {
                task.write_related(out);
            }
            out.push(b'}');
        });
        if let (Some(task), Some(news)) = (&self.task, &self.facts.news) {
            return news.progressed(task.id(), bytes.into());
        }
        // Pushed under the lock, so that reports of two threads leave in the order that was checked.
        self.outbox.push_progress(&to.token, bytes.into());
    }
}
