//! `subscriptions/listen`: an answer that goes on for as long as both sides want.

use std::{collections::BTreeSet, pin::pin, sync::Arc, task::Poll, time::SystemTime};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    auth::expiry,
    call::{Fault, Importance, Manner, Outbox},
    changes::{ListChanges, Mailbox, URI_LIMIT},
    era::{
        Era, Return, Surroundings,
        notices::{self, Audience, Subscription},
        refuse,
    },
    exchange::{Outbound, Source},
    protocol::version::Facts,
    store::{Owner, TaskId},
    wire::{Code, Id, Members, Raw, Request, write_id, write_notification, write_result, write_string},
};

/// A subscription under way.
pub(crate) struct Listening {
    mailbox: Arc<Mailbox>,
    /// What it asked for and is told of lists.
    lists: ListChanges,
    /// Whether it asked for resources; the mailbox knows which it is subscribed to.
    resources: bool,
    /// The tasks that are to be followed, if they are this caller's; `None` where it asked for none.
    tasks: Option<Vec<TaskId>>,
    owner: Owner,
    facts: &'static Facts,
    /// The answer, for the end.
    result: Bytes,
    id: Id,
    /// When it ends, because its client's credentials do.
    expires: Option<SystemTime>,
    /// On stdio the client is told twice that it is over.
    cancels: bool,
}

/// Opens a subscription: the mailbox first, so that nothing which changes from now on is lost.
pub(super) fn open(
    era: &Era,
    request: &Request,
    to: &Return,
    around: &Surroundings<'_>,
) -> Result<Box<Listening>, Outbound> {
    let refused = |code, message: &str| refuse::fault(to, &Fault::new(code, message));
    if !era.offered.any_news() {
        return Err(refused(Code::METHOD_NOT_FOUND, "Method not found"));
    }
    if let Source::Http { streams: false, .. } = around.source {
        let message = "subscriptions/listen is answered with an event stream: Accept must list text/event-stream";
        return Err(refuse::error(StatusCode::NOT_ACCEPTABLE, Some(&to.id), Code::INVALID_REQUEST, message, None));
    }
    let filter = request.params.get("notifications").and_then(Raw::members);
    let asked = filter.as_ref().and_then(Asked::read).ok_or_else(|| {
        let message = "subscriptions/listen needs `params.notifications`, an object of toolsListChanged, \
                       promptsListChanged, resourcesListChanged (booleans), resourceSubscriptions (an array of URIs of \
                       at most 2048 bytes) and, of the extension for tasks, taskIds (an array of strings)";
        refused(Code::INVALID_PARAMS, message)
    })?;
    let offered = era.offered.news;
    let lists = ListChanges {
        tools: asked.lists.tools && offered.tools,
        prompts: asked.lists.prompts && offered.prompts,
        resources: asked.lists.resources && offered.resources,
    };
    let mailbox = Arc::new(era.shared.listen(lists, around.principal));
    if let Some(principal) = around.principal {
        era.listeners.enter(principal, &mailbox);
    }
    // As many as there can be; the acknowledgement says which. What is hidden is among them like what is not there.
    let resources = asked.resources.filter(|_| era.offered.resources);
    for uri in resources.iter().flatten() {
        let _ = mailbox.subscribe(uri);
    }
    // What belongs to an extension is nothing to a client that does not declare it.
    let tasks = asked.tasks.filter(|_| era.offered.tasks && super::knows_tasks(request));
    Ok(Box::new(Listening {
        lists,
        resources: resources.is_some(),
        tasks: tasks.map(|mut tasks| {
            // As many as there can be, before it is known whose they are: nothing that changes meanwhile is lost.
            tasks.retain(|task| mailbox.follow(*task));
            tasks
        }),
        owner: era.sessions.owner(around.principal),
        facts: to.version.facts(),
        mailbox,
        result: result(era, &to.id),
        id: to.id.clone(),
        expires: around.principal.and_then(|principal| principal.expires),
        cancels: matches!(around.source, Source::Stdio(_)),
    }))
}

/// What a client asks to be told of.
struct Asked {
    lists: ListChanges,
    resources: Option<Vec<String>>,
    /// Those that can be ids of tasks, each once.
    tasks: Option<Vec<TaskId>>,
}

impl Asked {
    fn read(filter: &Members) -> Option<Self> {
        let flag = |name: &str| match filter.get(name).map(Raw::as_str) {
            // Some clients send null for what they leave out.
            None | Some("false" | "null") => Some(false),
            Some("true") => Some(true),
            Some(_) => None,
        };
        let lists = ListChanges {
            tools: flag("toolsListChanged")?,
            prompts: flag("promptsListChanged")?,
            resources: flag("resourcesListChanged")?,
        };
        let strings = |name: &str| match filter.get(name).map(Raw::as_str) {
            None | Some("null") => Some(None),
            Some(strings) => serde_json::from_str::<Vec<String>>(strings).ok().map(Some),
        };
        let resources = strings("resourceSubscriptions")?;
        let tasks = strings("taskIds")?.map(|ids| {
            let ids: BTreeSet<TaskId> = ids.iter().filter_map(|id| TaskId::parse(id)).collect();
            ids.into_iter().collect()
        });
        let usable = |uri: &String| !uri.is_empty() && uri.len() <= URI_LIMIT;
        resources.iter().flatten().all(usable).then_some(Self { lists, resources, tasks })
    }
}

fn acknowledgement(id: &Id, honoured: Map<String, Value>) -> Bytes {
    let mut bytes = Vec::with_capacity(256);
    write_notification(&mut bytes, "notifications/subscriptions/acknowledged", |out| {
        out.push(b'{');
        notices::write_subscription(out, id);
        out.extend_from_slice(b",\"notifications\":");
        out.extend_from_slice(Value::Object(honoured).to_string().as_bytes());
        out.push(b'}');
    });
    bytes.into()
}

fn result(era: &Era, id: &Id) -> Bytes {
    let mut bytes = Vec::with_capacity(256);
    write_result(&mut bytes, id, |out| {
        out.extend_from_slice(b"{\"resultType\":\"complete\",\"_meta\":{");
        write_string(out, notices::SUBSCRIPTION);
        out.push(b':');
        write_id(out, id);
        // Behind it, the members of the `_meta` that every result has.
        if let Some(members) = era.prepared.meta().strip_prefix(b"{").filter(|members| *members != b"}") {
            out.push(b',');
            out.extend_from_slice(members);
        } else {
            out.push(b'}');
        }
        out.push(b'}');
    });
    bytes.into()
}

impl Listening {
    /// Which of these tasks are the caller's: the others are followed no more, whatever is wrong with them.
    async fn own(&self, era: &Era, tasks: &[TaskId]) -> Vec<String> {
        let mut own = Vec::with_capacity(tasks.len());
        for &task in tasks {
            let id = task.to_string();
            match era.tasks.find(&id, self.owner, Manner::ByServer).await {
                Ok(Some(found)) => {
                    // What it waits for, or that it is over, is news for whoever comes only now.
                    if found.record.is_over() || found.record.waits() {
                        self.mailbox.remind(task);
                    }
                    own.push(id);
                }
                Ok(None) | Err(_) => self.mailbox.unfollow(task),
            }
        }
        own
    }

    /// What is honoured. Not kept: for as long as it listens, the mailbox alone has the URIs.
    fn honoured(&self, tasks: Option<Vec<String>>) -> Map<String, Value> {
        let ListChanges { tools, prompts, resources } = self.lists;
        let flags = [("toolsListChanged", tools), ("promptsListChanged", prompts), ("resourcesListChanged", resources)];
        let lists = flags.into_iter().filter(|(_, honoured)| *honoured).map(|(name, _)| (name, json!(true)));
        let uris = || self.mailbox.subscriptions().iter().map(|uri| Value::from(&**uri)).collect::<Value>();
        let resources = self.resources.then(|| ("resourceSubscriptions", uris()));
        let tasks = tasks.map(|tasks| ("taskIds", tasks.into()));
        lists.chain(resources).chain(tasks).map(|(name, honoured)| (name.to_owned(), honoured)).collect()
    }

    /// Tells what changes until the server goes down or the client's credentials expire; then the answer.
    pub(crate) async fn run(&self, era: &Era, outbox: &Outbox) -> Outbound {
        // In a block of its own, so that a listener that goes on for days does not hold it.
        {
            let tasks = match &self.tasks {
                Some(tasks) => Some(self.own(era, tasks).await),
                None => None,
            };
            outbox.push(acknowledgement(&self.id, self.honoured(tasks)), Importance::Needed);
        }
        let subscription = Subscription { id: &self.id, prepared: &era.prepared, facts: self.facts };
        let audience = Audience { mailbox: &self.mailbox, tasks: &era.tasks, subscription: Some(subscription) };
        let mut expired = pin!(expiry(self.expires));
        loop {
            // A change leaves the mailbox when the one before it was taken: what a slow reader is behind stays bounded,
            // and what is announced again meanwhile is still one change. Whoever takes from the outbox polls this next.
            std::future::poll_fn(|_| if outbox.is_empty() { Poll::Ready(()) } else { Poll::Pending }).await;
            match select(expired.as_mut(), pin!(audience.next())).await {
                Either::Right((Some(told), _)) => outbox.push(told, Importance::Needed),
                _ => break,
            }
        }
        if !self.cancels {
            return Outbound { body: self.result.clone(), ..Outbound::empty(StatusCode::OK) };
        }
        outbox.push(self.result.clone(), Importance::Needed);
        let mut cancelled = Vec::with_capacity(96);
        write_notification(&mut cancelled, "notifications/cancelled", |out| {
            out.extend_from_slice(b"{\"requestId\":");
            write_id(out, &self.id);
            out.push(b'}');
        });
        Outbound::json(StatusCode::OK, cancelled)
    }
}
