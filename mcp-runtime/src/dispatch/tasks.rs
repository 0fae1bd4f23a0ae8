//! Calls that become tasks, and what is asked of tasks.

use std::{pin::Pin, sync::Arc, task::Poll, time::Duration};

use futures_util::future::{Either, select};
use serde_json::json;

use super::{Dispatch, method_not_found, run::Stop};
use crate::{
    call::{
        Answer, Carrier, Claim, Context, Fault, Manner, Meanwhile, Operation, Outcome, TaskAction, TaskCall,
        TaskOutcome, Tasking, ToolResult,
    },
    protocol::{ClientCapabilities, task::TASKS_EXTENSION},
    service::{BoxFuture, TaskSupport},
    store::{Owner, TaskId},
    tasks::{Found, Place, TaskRoom, owner_of},
    wire::{Code, Raw},
};

/// What the seals of cursors are for.
const CURSOR: &str = "task-cursor";
/// A cursor counts for as long as this.
const CURSORS_LIVE: Duration = Duration::from_secs(3600);
/// So many tasks are on one page.
///
/// Source: our choice: a page is read at once, and a caller rarely has more.
const PAGE: usize = 100;

/// That a call becomes a task.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    manner: Manner,
    ttl: Option<Duration>,
}

/// A call of a tool that owns all it needs.
pub(super) struct Owned {
    dispatch: Arc<Dispatch>,
    tool: usize,
    arguments: Raw,
    carrier: Carrier,
    context: Context,
}

/// One run of it, which gives it back.
type Once = BoxFuture<'static, (Box<Owned>, Result<ToolResult, Stop>)>;

impl Owned {
    /// Runs the function once.
    fn once(self: Box<Self>) -> Once {
        let mut owned = self;
        Box::pin(async move {
            let Owned { dispatch, tool, arguments, carrier, context } = &mut *owned;
            let result = dispatch.run_tool(*tool, arguments, carrier, context).await;
            (owned, result)
        })
    }
}

impl Dispatch {
    /// Whether a call of this tool becomes a task.
    pub(super) fn becomes_task(&self, tool: usize, cx: &Context) -> Result<Option<Wanted>, Fault> {
        let Some(card) = self.service.card().tools.get(tool) else { return Ok(None) };
        let declares = || cx.extension(TASKS_EXTENSION).is_some();
        let offered = Wanted { manner: Manner::ByServer, ttl: None };
        let name = card.function.name;
        match (card.task, cx.tasking()) {
            (TaskSupport::Forbidden, Tasking::Requested { .. }) => {
                Err(Fault::new(Code::METHOD_NOT_FOUND, format!("`{name}` can't be called as a task: leave `task` out")))
            }
            (TaskSupport::Forbidden, _) => Ok(None),
            (_, Tasking::Requested { ttl }) => Ok(Some(Wanted { manner: Manner::ByRequest, ttl })),
            (TaskSupport::Optional, Tasking::Offered) => Ok(declares().then_some(offered)),
            (TaskSupport::Optional, Tasking::Unavailable | Tasking::NotRequested) => Ok(None),
            (TaskSupport::Required, Tasking::Offered) if declares() => Ok(Some(offered)),
            (TaskSupport::Required, Tasking::Offered) => Err(needs_extension(name)),
            (TaskSupport::Required, Tasking::NotRequested) => Err(Fault::new(
                Code::METHOD_NOT_FOUND,
                format!("`{name}` can only be called as a task: send `params.task`, an object"),
            )),
            (TaskSupport::Required, Tasking::Unavailable) => Err(Fault::new(
                Code::METHOD_NOT_FOUND,
                format!("`{name}` can only be called as a task, and this protocol revision has none"),
            )),
        }
    }

    /// Makes a call a task, and answers with it.
    pub(super) async fn start_task(
        &self,
        tool: usize,
        wanted: Wanted,
        arguments: &Raw,
        carrier: &Carrier,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        let Some(card) = self.service.card().tools.get(tool) else { return Err(Fault::internal().into()) };
        let owner = self.owner(carrier, cx);
        let place = self.tasks.place(owner).await?;
        self.keep_for_task(cx).await?;
        self.use_answers(tool, cx).await?;
        let id = TaskId(crate::session::random());
        let meanwhile = Arc::new(Meanwhile::new(id));
        let news = cx.news();
        let owned = Box::new(Owned {
            dispatch: self.me.upgrade().ok_or_else(Fault::internal)?,
            tool,
            arguments: arguments.clone(),
            carrier: carrier.clone(),
            context: cx.lend_to_task(meanwhile.clone()),
        });
        let mut run = owned.once();
        // What it asks before it waits for anything else is asked as every call asks.
        let ended = match if card.ask_first { begin(&mut run, &meanwhile).await } else { None } {
            Some((owned, Err(Stop::Asked))) => {
                cx.take_back(owned.context);
                return Err(Stop::Asked);
            }
            Some((mut owned, Ok(result))) => {
                owned.context.answered();
                Some(Ok(result))
            }
            Some((mut owned, Err(Stop::Failed(fault)))) => {
                owned.context.answered();
                Some(Err(fault))
            }
            None => None,
        };
        let goes_on = ended.is_none();
        let name = card.function.name;
        // Followed before it runs on, so that nothing of it is missed; one that has ended has nothing more to say.
        let news = news.filter(|news| goes_on && news.follow(id));
        let found = self.tasks.create(id, owner, wanted.manner, name, wanted.ttl, ended).await.inspect_err(|_| {
            if let Some(news) = news {
                news.unfollow(id);
            }
        })?;
        if goes_on {
            tokio::spawn(drive(self.tasks.clone(), run, meanwhile, place));
        }
        Ok(self.told(|task| TaskOutcome::Created(task, card.meanwhile), &found))
    }

    /// Answers what is asked of tasks.
    pub(super) async fn task(&self, call: &mut TaskCall, carrier: &Carrier, cx: &mut Context) -> Result<Outcome, Stop> {
        let owner = self.owner(carrier, cx);
        let manner = call.manner;
        match &mut call.action {
            TaskAction::Get(id) => Ok(self.told(TaskOutcome::Got, &self.found(id, owner, manner).await?)),
            TaskAction::Cancel(id) => {
                let mut found = self.found(id, owner, manner).await?;
                let cancelled = self.tasks.cancel(&mut found).await?;
                if !cancelled && manner == Manner::ByRequest {
                    return Err(Fault::new(Code::INVALID_PARAMS, "This task is over already").into());
                }
                Ok(self.told(TaskOutcome::Cancelled, &found))
            }
            TaskAction::Update(id, answers) => {
                let found = self.found(id, owner, manner).await?;
                let answers = answers.iter().map(|(key, result)| (key.clone(), Answer::Result(result.clone())));
                self.tasks.answer(found.id, answers.collect()).await?;
                Ok(Outcome::Task(Box::new(TaskOutcome::Updated)))
            }
            TaskAction::List(cursor) => Ok(self.list_tasks(cursor.as_deref(), owner, manner).await?),
            TaskAction::Result { id, can_ask, claim } => {
                let claim = can_ask.then_some(claim);
                self.result_of_task(id, claim, owner, manner, cx).await
            }
        }
    }

    /// Waits for the end of a task, or for its questions; the answers to those come with the next run.
    async fn result_of_task(
        &self,
        id: &str,
        mut claim: Option<&mut Option<Claim>>,
        owner: Owner,
        manner: Manner,
        cx: &mut Context,
    ) -> Result<Outcome, Stop> {
        let mut found = self.found(id, owner, manner).await?;
        let given = cx.take_given();
        if !given.is_empty() {
            self.tasks.answer(found.id, given).await?;
            found = self.found(id, owner, manner).await?;
        }
        loop {
            if found.record.is_over() {
                let task = found.task(|tool| self.service.find_tool(tool));
                let result = match task.standing {
                    crate::call::Standing::Ended(result) => result,
                    _ => Err(Fault::new(Code::INVALID_PARAMS, "This task was cancelled, so it has no result")),
                };
                return Ok(Outcome::Task(Box::new(TaskOutcome::Result { id: task.id, result })));
            }
            if let (true, Some(claim)) = (found.record.waits(), claim.as_deref_mut()) {
                *claim = claim.take().or_else(|| self.tasks.claims.claim(found.id));
                if claim.is_some() {
                    return Ok(Outcome::Ask(found.questions()));
                }
            }
            self.tasks.changed(found.id, found.revision).await;
            found = self.found(id, owner, manner).await?;
        }
    }

    /// Waits until what a task asks needs no answer any more; for ever where it is no task that asks.
    pub(crate) fn until_moot(&self, operation: &Operation) -> impl Future<Output = ()> + Send + use<> {
        let asking = match operation {
            Operation::Task(call) => match &call.action {
                TaskAction::Result { id, .. } => Some((self.tasks.clone(), id.clone())),
                _ => None,
            },
            _ => None,
        };
        async move {
            match asking {
                Some((tasks, id)) => tasks.until_answered(&id).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn list_tasks(&self, cursor: Option<&str>, owner: Owner, manner: Manner) -> Result<Outcome, Fault> {
        // Requests that can't be told apart have no tasks of their own to list.
        if owner == Owner::default() {
            return Err(method_not_found());
        }
        let seals = self.sessions.seals();
        let after = cursor.map(|cursor| {
            let opened = seals.open(CURSOR, &[&owner.0], cursor)?;
            Some(u64::from_be_bytes(opened.try_into().ok()?))
        });
        let after = match after {
            None => 0,
            Some(Some(after)) => after,
            Some(None) => return Err(Fault::new(Code::INVALID_PARAMS, "`params.cursor` is not a cursor of this list")),
        };
        let (found, next) = self.tasks.list(owner, manner, after, PAGE).await?;
        let next = next.and_then(|next| seals.seal(CURSOR, &[&owner.0], &next.to_be_bytes(), CURSORS_LIVE));
        let tasks = found.iter().map(|found| found.task(|tool| self.service.find_tool(tool))).collect();
        Ok(Outcome::Task(Box::new(TaskOutcome::Listed { tasks, next: next.map(Into::into) })))
    }

    /// The caller's task of this id.
    async fn found(&self, id: &str, owner: Owner, manner: Manner) -> Result<Found, Fault> {
        // Whatever is wrong with an id, its answer is the same.
        let unknown = || Fault::new(Code::INVALID_PARAMS, "Unknown or expired task");
        self.tasks.find(id, owner, manner).await?.ok_or_else(unknown)
    }

    fn told(&self, outcome: impl FnOnce(crate::call::Task) -> TaskOutcome, found: &Found) -> Outcome {
        Outcome::Task(Box::new(outcome(found.task(|tool| self.service.find_tool(tool)))))
    }

    /// Whose the tasks of a call are: the principal's, else its session's, else nobody's in particular.
    fn owner(&self, carrier: &Carrier, cx: &Context) -> Owner {
        // Who asks for a task later need not send the cookie along.
        let beside = cx.cookies().and_then(|cookies| cookies.carrier_beside());
        match (cx.principal(), beside.unwrap_or(carrier)) {
            (Some(principal), _) => self.sessions.owner(Some(principal)),
            (None, Carrier::Session(key)) => owner_of(*key),
            (None, Carrier::Handle | Carrier::None | Carrier::Refused(_)) => Owner::default(),
        }
    }
}

/// The call needs a client that knows tasks.
fn needs_extension(tool: &str) -> Fault {
    let needed = json!({ "extensions": { TASKS_EXTENSION: {} } });
    let needed = ClientCapabilities(needed.as_object().cloned().unwrap_or_default());
    Fault::missing_capability(
        format!("`{tool}` can only be called as a task, by clients that declare {TASKS_EXTENSION}"),
        &needed,
    )
}

/// Runs until the function first waits for something that is no answer: `None`, or until it ends or asks before that.
async fn begin(run: &mut Once, meanwhile: &Meanwhile) -> Option<(Box<Owned>, Result<ToolResult, Stop>)> {
    std::future::poll_fn(|task| match run.as_mut().poll(task) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if meanwhile.waits() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Runs a task to its end: again from the top when what it asked is answered.
async fn drive(tasks: Arc<TaskRoom>, mut run: Once, meanwhile: Arc<Meanwhile>, place: Place) {
    let id = meanwhile.id();
    let over = tasks.until_over(id, &meanwhile);
    let work = async {
        loop {
            let (mut owned, result) = Pin::new(&mut run).await;
            let fault = match result {
                Ok(result) => {
                    owned.context.answered();
                    return Some(Ok(result));
                }
                Err(Stop::Failed(fault)) => {
                    owned.context.answered();
                    return Some(Err(fault));
                }
                Err(Stop::Asked) => match owned.context.take_questions() {
                    Some(Ok(questions)) => match answered(&tasks, id, &mut owned.context, &questions).await {
                        Ok(true) => None,
                        Ok(false) => return None,
                        Err(fault) => Some(fault),
                    },
                    Some(Err(fault)) => Some(fault),
                    None => Some(Fault::internal()),
                },
            };
            match fault {
                Some(fault) => return Some(Err(fault)),
                None => run = owned.once(),
            }
        }
    };
    let outcome = match select(Box::pin(work), Box::pin(over)).await {
        Either::Left((outcome, _)) => outcome,
        // Dropping the function ends it.
        Either::Right(((), _)) => None,
    };
    if let Some(outcome) = outcome {
        tasks.end(id, outcome).await;
    }
    drop(place);
}

/// Asks, and waits for the answers, which go into the context; `false` when the task is over before.
async fn answered(
    tasks: &TaskRoom,
    id: TaskId,
    cx: &mut Context,
    questions: &[crate::call::Question],
) -> Result<bool, Fault> {
    tasks.open(id, questions).await?;
    let Some(answers) = tasks.answers(id).await? else { return Ok(false) };
    cx.give_all(answers);
    Ok(true)
}
