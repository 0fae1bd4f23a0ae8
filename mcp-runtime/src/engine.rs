//! The corridor: open, dispatch (and ask, and dispatch again), close.
//!
//! Takes: [`Inbound`]. Gives: an [`Exchange`]. Knows: the order of the rooms. Must not know: what happens in them.

mod fleet;
mod minting;
mod running;
mod start_error;

use std::{
    pin::pin,
    sync::{Arc, OnceLock, Weak},
    task::Poll,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, join_all, select},
    stream,
};
use http::StatusCode;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tracing::Instrument;

use fleet::Fleet;
use minting::minting_tool;
use running::Running;
pub use start_error::StartError;

use crate::{
    auth::Principal,
    call::{Call, Offered, OfferedCookies, Outbox, Outcome, Personal, Question, SPAN_TARGET, Shared, Visible, chain},
    changes::{Changes, ListChanges},
    dispatch::{Catalogue, Described, Dispatch, Handles, Indescribable},
    era::{Elsewhere, Era, HANDLE_ARGUMENT, MINTING_TOOL, Opened, Reader, Return, Rooms, Surroundings, malformed},
    exchange::{Event, EventStream, Exchange, Headers, Inbound, Outbound},
    middleware::Middleware,
    protocol::CacheHint,
    provider::Providers,
    schema::ExtraArgument,
    service::{BoxFuture, Service, TaskSupport, ToolCard},
    session::{CookiePolicy, OpenError, Policy, Process, Revocations, SessionRoom, Sessions, StateRoom, random},
    store::{Bus, EventLog, InstanceId, MemoryEventLog, StateStore},
    tasks::{TaskRoom, Tasks},
    wire::{self, Body, Message, Raw},
};

/// A running server, whatever its transports.
pub struct Engine {
    era: Era,
    dispatch: Arc<Dispatch>,
    /// Calls that go on without their request.
    detached: Arc<Semaphore>,
    /// What connects it with the other instances, where there are any.
    fleet: OnceLock<Fleet>,
}

/// At most so many calls go on without their request; one more is dropped with it.
const DETACHED_LIMIT: usize = 1024;

/// What a server is made of.
pub(crate) struct Setup {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) sessions: Sessions,
    pub(crate) store: Arc<dyn StateStore>,
    /// Where what clients may have missed is kept.
    pub(crate) events: Arc<dyn EventLog>,
    /// What carries messages to other instances, where there are any.
    pub(crate) bus: Option<Arc<dyn Bus>>,
    /// The handle that the program took, if it has something to announce.
    pub(crate) changes: Option<Changes>,
    /// The handle that the program took, if it ends sessions.
    pub(crate) revocations: Option<Revocations>,
    pub(crate) providers: Providers,
    pub(crate) visible: Option<Visible>,
    pub(crate) extensions: Map<String, Value>,
    pub(crate) page_size: usize,
    /// How long lists may be kept, in the place of what was declared.
    pub(crate) list_ttl: Option<Duration>,
    pub(crate) middleware: Vec<Arc<dyn Middleware>>,
    pub(crate) tasks: Tasks,
    /// How long answers to questions are waited for.
    pub(crate) answered_within: Option<Duration>,
    /// Clients can be told something besides their answers.
    pub(crate) streams: bool,
}

/// What a page of a list holds unless the program says otherwise: ordinary servers are on one page, and many clients never
/// turn it.
const PAGE_SIZE: usize = 1_000;

impl Setup {
    /// A declaration and nothing else.
    pub(crate) fn new(service: Arc<dyn Service>, sessions: Sessions, store: Arc<dyn StateStore>) -> Self {
        Self {
            service,
            sessions,
            store,
            events: Arc::new(MemoryEventLog::new()),
            bus: None,
            changes: None,
            revocations: None,
            providers: Providers::default(),
            visible: None,
            extensions: Map::new(),
            page_size: PAGE_SIZE,
            list_ttl: None,
            middleware: Vec::new(),
            tasks: Tasks::default(),
            answered_within: None,
            streams: true,
        }
    }
}

impl Engine {
    /// Sets a server up: describes its tools, opens its sessions.
    pub(crate) async fn start(setup: Setup) -> Result<Arc<Self>, StartError> {
        let Setup {
            service,
            sessions,
            store,
            events,
            bus,
            changes,
            revocations,
            providers,
            visible,
            extensions,
            page_size,
            list_ttl,
            middleware,
            tasks,
            answered_within,
            streams,
        } = setup;
        let card = service.card();
        if visible.is_some() && (card.cache.public || card.resources.iter().any(|resource| resource.cache.public)) {
            return Err(StartError::PublicAndFiltered);
        }
        let stateful = card.functions().find(|function| !function.parts.is_empty());
        let mut sessions = sessions;
        if card.require_session {
            sessions.cookies = CookiePolicy::Required;
        }
        let sealed = sessions.sealed && sessions.cookies != CookiePolicy::Off;
        // Only a stateless server has no streams.
        if !streams && !sealed && sessions.cookies != CookiePolicy::Off {
            return Err(StartError::StatelessWithStoredCookies);
        }
        let by_cookie = sealed || matches!(sessions.cookies, CookiePolicy::OnDemand | CookiePolicy::Required);
        let outlives_its_cookie = |tool: &&ToolCard| {
            tool.task != TaskSupport::Forbidden && tool.function.parts.iter().any(|part| part.writes)
        };
        if let (true, Some(tool)) = (sealed, card.tools.iter().find(outlives_its_cookie)) {
            return Err(StartError::TaskWithSealedState { tool: tool.function.name });
        }
        if let (Some(function), true) = (stateful, sessions.are_off() && sessions.cookies == CookiePolicy::Off) {
            return Err(StartError::StateWithoutSessions { tool: function.name });
        }
        let sessions = sessions.revocable(revocations.is_some());
        // Where clients carry the state, nothing of it is in the store.
        let room = SessionRoom::open_room(sessions, store.clone(), card.name, stateful.is_some() && !sealed).await;
        let sessions = room.map_err(|error| match error {
            OpenError::Keys(error) => StartError::Keys(error),
            OpenError::Store(error) => StartError::Store(error),
            OpenError::KeysOfItsOwn => StartError::KeysOfItsOwn,
            OpenError::AnotherKey(kid) => StartError::AnotherKey { kid },
        })?;
        if let Some(tool) = card.tools.iter().find(|tool| tool.function.name == MINTING_TOOL)
            && stateful.is_some()
        {
            let advice =
                "the framework adds a tool of this name: rename it, or mount it under another prefix".to_owned();
            return Err(StartError::Schema { tool: tool.function.name, advice });
        }
        // Where a cookie must carry the state, a handle would only be asked for in vain.
        let offered = stateful.is_some() && !by_cookie;
        let handles = Handles { argument: HANDLE_ARGUMENT, minting_tool: MINTING_TOOL, offered };
        let description = format!("The session, exactly as `{}` returned it.", handles.minting_tool);
        let extra = ExtraArgument { name: handles.argument, description: &description };
        let Described { mut catalogue, lists, mut with_handles } = Catalogue::of(card, &extra)
            .map_err(|Indescribable { function, advice }| StartError::Schema { tool: function, advice })?;
        if handles.offered {
            let minting = minting_tool(handles, sessions.handle_idle()).map_err(StartError::Encoding)?;
            with_handles.tools.push(minting);
            catalogue.add_framework_tool(handles.minting_tool);
        }
        let filtered = visible.is_some();
        let announces = card.changes || changes.is_some();
        let personal = Personal {
            tools: filtered || !providers.tools.is_empty(),
            prompts: filtered || !providers.prompts.is_empty(),
            resources: filtered || !providers.resources.is_empty(),
        };
        let mut offered = Offered {
            // The framework's own tool mints handles for whatever has state.
            tools: !card.tools.is_empty() || !providers.tools.is_empty() || handles.offered,
            prompts: !card.prompts.is_empty() || !providers.prompts.is_empty(),
            resources: !card.resources.is_empty() || !providers.resources.is_empty(),
            extensions,
            list_cache: CacheHint { ttl: list_ttl.unwrap_or(card.cache.ttl), ..card.cache },
            personal,
            mirrors: catalogue.has_mirrors() || !providers.tools.is_empty(),
            cookies: (sessions.cookies().policy() != CookiePolicy::Off).then_some(if sealed {
                OfferedCookies::Sealed
            } else {
                OfferedCookies::Stored
            }),
            tasks: card.tools.iter().any(|tool| tool.task != TaskSupport::Forbidden),
            task_lists: sessions.policy() != Policy::Off,
            news: Default::default(),
            streams,
        };
        // Lists stay as they are, unless the declaration, the program or a provider has something to announce.
        let changing = providers.changing();
        offered.news = ListChanges {
            tools: changing.tools || announces && offered.tools,
            prompts: changing.prompts || announces && offered.prompts,
            resources: changing.resources || announces && offered.resources,
        };
        let sessions = Arc::new(sessions);
        if let Some(revocations) = revocations {
            revocations.connect(&sessions);
        }
        let changes = changes.unwrap_or_default();
        providers.connect(&changes);
        let elsewhere = bus.map(|bus| Elsewhere { bus, me: InstanceId(random()) });
        let tasks = Arc::new(TaskRoom::new(tasks, changes.clone()));
        let dispatch = Arc::new_cyclic(|me| Dispatch {
            service,
            sessions: sessions.clone(),
            state: StateRoom::new(store.clone()),
            catalogue,
            handles,
            offered: offered.clone(),
            providers,
            kept: Default::default(),
            visible,
            page_size,
            middleware,
            tasks: tasks.clone(),
            me: me.clone(),
        });
        let shared = Arc::new(Shared { changes, tells: dispatch.tells(), ..Shared::default() });
        let rooms = Rooms { sessions, shared, events, tasks, elsewhere: elsewhere.clone() };
        let mut era = Era::new(card, &offered, &lists, &with_handles, rooms).map_err(StartError::Encoding)?;
        era.answered_within = answered_within.unwrap_or(era.answered_within);
        let engine = Arc::new(Self {
            era,
            dispatch,
            detached: Arc::new(Semaphore::new(DETACHED_LIMIT)),
            fleet: OnceLock::new(),
        });
        if let Some(elsewhere) = elsewhere {
            // It ends with the engine that it is kept in.
            engine.fleet.get_or_init(|| Fleet::join(elsewhere, &engine));
        }
        tokio::spawn(sweep(Arc::downgrade(&engine), store, engine.era.sessions.sweep_every()));
        Ok(engine)
    }

    /// Answers what came by POST or on a line of stdio.
    pub fn exchange(self: &Arc<Self>, inbound: Inbound) -> Exchange {
        let Inbound { body, principal, source } = inbound;
        let outbox = Arc::<Outbox>::default();
        let running = Running::new(self.clone(), outbox.clone());
        let engine = self.clone();
        let running = match wire::read(&body) {
            Err(error) => running.done(malformed(&error)),
            Ok(Body::Single(mut message)) => running.work(async move {
                let around = Surroundings { source: &source, principal: principal.as_ref(), outbox: &outbox };
                engine.message(&mut message, &around).await
            }),
            Ok(Body::Batch(array)) => running.work(async move {
                let around = Surroundings { source: &source, principal: principal.as_ref(), outbox: &outbox };
                engine.batch(&array, &around).await
            }),
        };
        Exchange::new(Box::pin(running))
    }

    /// The corridor itself: open, answer.
    async fn message(&self, message: &mut Message, around: &Surroundings<'_>) -> Outbound {
        // Taken apart where it lies, not moved: what a future holds across an await, it holds for every call.
        let mut opened = self.era.open(message, around).await;
        match &mut opened {
            Opened::Answered(answer) => std::mem::take(answer),
            // Whoever cancelled a call is not answered.
            Opened::Call(call, to) => {
                // In a span of its own where somebody looks at it.
                let answer = if tracing::enabled!(target: SPAN_TARGET, tracing::Level::DEBUG) {
                    let span = call.span();
                    Box::pin(self.unless_cancelled(call, to).instrument(span)).await
                } else {
                    self.unless_cancelled(call, to).await
                };
                answer.unwrap_or_else(|| Outbound::empty(StatusCode::ACCEPTED))
            }
            // A client that has heard enough gets nothing more, not even the answer.
            Opened::Listening(listening, to) => {
                let listening = listening.run(&self.era, around.outbox);
                self.until_cancelled(listening, to).await.unwrap_or_else(|| Outbound::empty(StatusCode::ACCEPTED))
            }
        }
    }

    /// Answers a call: dispatch, ask and dispatch again for as long as it asks, close.
    async fn answer(&self, call: &mut Call, to: &Return) -> Outbound {
        loop {
            // In a block of its own, so that an outcome is not held while it is asked.
            let questions = {
                match self.dispatch.dispatch(call).await {
                    Ok(Outcome::Ask(questions)) => questions,
                    outcome => {
                        call.context.answered();
                        return self.era.close(to, outcome, &call.context);
                    }
                }
            };
            if let Some(answer) = Box::pin(self.ask(call, to, questions)).await {
                return answer;
            }
        }
    }

    /// Asks what a call wants to know; gives the answer to the call, where asking is one.
    async fn ask(&self, call: &mut Call, to: &Return, questions: Vec<Question>) -> Option<Outbound> {
        // What a task asks may be answered elsewhere, or need no answer any more: then it is looked at again.
        let moot = self.dispatch.until_moot(&call.operation);
        match select(pin!(self.era.ask(call, to, &questions)), pin!(moot)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => None,
        }
    }

    /// Answers a call; `None` when a notification cancelled it.
    async fn unless_cancelled(&self, call: &mut Call, to: &Return) -> Option<Outbound> {
        let mut run = pin!(self.answer(call, to));
        if to.scope.is_none() {
            return Some(run.await);
        }
        // Most calls are over at the first poll: only one that waits can be named by a notification.
        if let Poll::Ready(answer) = std::future::poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await {
            return Some(answer);
        }
        self.until_cancelled(run, to).await
    }

    /// Runs what waits for as long as its client wants; `None` when a notification cancelled it.
    fn until_cancelled<'a, T: 'a>(
        &'a self,
        work: impl Future<Output = T> + Send + 'a,
        to: &'a Return,
    ) -> BoxFuture<'a, Option<T>> {
        Box::pin(async move {
            let Some(scope) = to.scope else { return Some(work.await) };
            let cancelled = self.era.in_flight.enter(scope, to.id.clone());
            // Cancelled first: work that has something to say at the same time says nothing more.
            match select(pin!(cancelled.wait()), pin!(work)).await {
                Either::Left(_) => None,
                Either::Right((outcome, _)) => Some(outcome),
            }
        })
    }

    /// Answers the messages of an array, all at the same time.
    async fn batch(&self, array: &Raw, around: &Surroundings<'_>) -> Outbound {
        let mut messages = match self.era.unbatch(array, around).await {
            Ok(messages) => messages,
            Err(refusal) => return refusal,
        };
        let answers = join_all(messages.iter_mut().map(|message| async move {
            match message {
                Ok(message) => self.message(message, around).await,
                Err(error) => malformed(error),
            }
        }))
        .await;
        let mut bodies = answers.into_iter().map(|answer| answer.body).filter(|body| !body.is_empty());
        let Some(first) = bodies.next() else { return Outbound::empty(StatusCode::ACCEPTED) };
        let mut array = vec![b'['];
        array.extend_from_slice(&first);
        for body in bodies {
            array.push(b',');
            array.extend_from_slice(&body);
        }
        array.push(b']');
        Outbound::json(StatusCode::OK, array)
    }

    /// Opens the stream that a client asks for with GET; `Err` is the refusal to send instead.
    ///
    /// # Errors
    /// 400 without a session id, 404 for a dead one, 405 where there are no streams.
    pub async fn listen(&self, headers: &Headers, principal: Option<&Principal>) -> Result<EventStream, Outbound> {
        self.era.listen(headers, principal).await
    }

    /// Ends the session that a client names with DELETE.
    pub async fn end(&self, headers: &Headers, principal: Option<&Principal>) -> Outbound {
        self.era.end(headers, principal).await
    }

    /// What a new stdio connection remembers between its lines.
    #[must_use]
    pub fn process(&self) -> Arc<Process> {
        Arc::new(Process::new(self.era.sessions.process()))
    }

    /// What a stdio connection is told without having asked, once its session is open; `None` ends it.
    pub(crate) fn news(self: &Arc<Self>, process: Arc<Process>) -> EventStream {
        let engine = self.clone();
        let news = async move {
            if process.until_initialized().await { engine.era.news.of(Reader::of_process(process.key())) } else { None }
        };
        let news = stream::once(news).filter_map(std::future::ready).flatten();
        EventStream(Box::pin(news.map(|data| Event { data, ..Event::default() })))
    }

    /// A stdio connection is over, and with it its session.
    pub async fn end_process(&self, process: &Process) {
        self.era.end_process(process.key());
        self.dispatch.tasks.end_session(process.key()).await;
        if let Err(error) = self.era.sessions.forget(process.key()).await {
            tracing::warn!(error = %crate::call::chain(&error), "the state of a closed connection was not removed");
        }
    }

    /// The server is going down: open streams end, new ones are refused.
    pub fn drain(&self) {
        self.era.streams.drain();
        self.era.shared.changes.close();
        self.dispatch.tasks.stop();
    }

    /// Waits until every call that goes on without its request has ended.
    pub async fn settle(&self) {
        // The semaphore is never closed; all permits are free when nothing goes on.
        let all = u32::try_from(DETACHED_LIMIT).unwrap_or(u32::MAX);
        let _ = self.detached.acquire_many(all).await;
        self.dispatch.tasks.settle().await;
    }

    /// What tells the keys of its sessions from others, as [`SigningKeys::fingerprint`](crate::SigningKeys::fingerprint).
    pub(crate) fn key_fingerprint(&self) -> &str {
        self.dispatch.sessions.key_fingerprint()
    }

    /// Whether the store of sessions answers in time.
    pub(crate) async fn store_answers(&self) -> bool {
        self.dispatch.sessions.store_answers().await
    }

    /// The server's name and version.
    #[must_use]
    pub fn name_and_version(&self) -> (&'static str, &'static str) {
        (self.dispatch.service.card().name, self.dispatch.service.card().version)
    }
}

/// Sweeps what has expired out of the store, for as long as the server is there.
async fn sweep(engine: Weak<Engine>, store: Arc<dyn StateStore>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(running) = engine.upgrade() else { return };
        running.era.sweep().await;
        let (events, tasks) = (running.era.events.clone(), running.dispatch.tasks.clone());
        drop(running);
        tasks.sweep().await;
        if let Err(error) = events.sweep().await {
            tracing::warn!(error = %chain(&error), "expired streams could not be removed");
        }
        match store.sweep().await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(swept, "expired sessions were removed"),
            Err(error) => tracing::warn!(error = %chain(&error), "expired sessions could not be removed"),
        }
    }
}
