//! News for sessions: what they subscribed to, and what they have not been told yet.
//!
//! Every instance keeps them for every session that subscribed somewhere, because its stream may be opened at any.

mod register;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::stream;
use register::{Forgotten, Register, Whose};
use tokio::time::Instant;

use super::listener::News;
use crate::{
    auth::Principal,
    call::{Fault, Offered, Shared},
    changes::{ListChanges, Mailbox, TooMany, URI_LIMIT},
    era::notices::Audience,
    session::SessionKey,
    tasks::TaskRoom,
    wire::{Code, Raw, Request},
};

/// Of so many sessions is asked at each sweep whether they live.
const DOUBTFUL: usize = 128;

/// News for sessions, by session. A session that neither listened nor subscribed nor had a task has no entry.
pub(crate) struct SessionNews {
    shared: Arc<Shared>,
    tasks: Arc<TaskRoom>,
    lists: ListChanges,
    resources: bool,
    register: Mutex<Register>,
}

/// A session as its news know it.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) session: SessionKey,
    pub(crate) principal: Option<&'a Principal>,
    /// How long its id is taken from now on, where it ends by itself.
    pub(crate) lives: Option<Duration>,
}

impl Reader<'_> {
    /// The session of a stdio connection, which ends with it.
    pub(crate) const fn of_process(session: SessionKey) -> Self {
        Self { session, principal: None, lives: None }
    }
}

impl SessionNews {
    pub(in crate::era) fn new(shared: Arc<Shared>, tasks: Arc<TaskRoom>, offered: &Offered) -> Self {
        let (lists, resources) = (offered.news, offered.resources);
        Self { shared, tasks, lists, resources, register: Mutex::default() }
    }

    /// The news of a session as notifications, which end with it: from now on they wait for whoever reads them. Of several
    /// streams, each change goes to one. `None` when too many sessions listen.
    pub(crate) fn of(&self, reader: Reader<'_>) -> Option<News> {
        let mailbox = self.mailbox(reader)?;
        Some(Box::pin(stream::unfold((mailbox, self.tasks.clone()), |(mailbox, tasks)| async move {
            let told = Audience { mailbox: &mailbox, tasks: &tasks, subscription: None }.next().await?;
            Some((told, (mailbox, tasks)))
        })))
    }

    /// Where the news of a session wait; `None` when too many sessions listen.
    pub(super) fn mailbox(&self, reader: Reader<'_>) -> Option<Arc<Mailbox>> {
        let (mailbox, whose) = self.kept(reader.session, reader.lives)?;
        let _ = whose.set(reader.principal.cloned());
        Some(mailbox)
    }

    /// What waits for a session, and for whom; `None` when too many sessions listen.
    fn kept(&self, session: SessionKey, lives: Option<Duration>) -> Option<(Arc<Mailbox>, Whose)> {
        let until = lives.and_then(|lives| Instant::now().checked_add(lives));
        let open = |whose: &Whose| self.shared.listen_for(self.lists, whose);
        self.with_register(|register, forgotten| register.enter(session, until, open, forgotten))
    }

    /// This session is over.
    pub(crate) fn end(&self, session: SessionKey) {
        let mailbox = self.register().remove(session);
        if let Some(mailbox) = mailbox {
            mailbox.end();
        }
    }

    /// Forgets sessions that are over or have nothing to be told. Gives some of those that were not used for so long: whoever
    /// knows whether they live ends those that do not.
    pub(in crate::era) fn sweep(&self, idle: Duration) -> Vec<SessionKey> {
        self.with_register(|register, forgotten| register.sweep(idle, DOUBTFUL, forgotten))
    }

    /// `resources/subscribe`; gives the URI. What is not there or hidden can be subscribed to like everything else: it may
    /// come.
    pub(super) fn subscribe(&self, request: &Request, reader: Reader<'_>) -> Result<String, Fault> {
        let uri = self.resource(request)?;
        let full = || Fault::new(Code::INTERNAL_ERROR, "Too many sessions have subscriptions: try again later");
        let mailbox = self.mailbox(reader).ok_or_else(full)?;
        mailbox.subscribe(&uri).map_err(|too_many| {
            let most = match too_many {
                TooMany::Resources(limit) => format!("{limit} resources"),
                TooMany::Bytes(limit) => format!("URIs of {limit} bytes together"),
            };
            let message = format!(
                "A session can be subscribed to {most}: send `resources/unsubscribe` for what is not needed any more first"
            );
            Fault::new(Code::INVALID_PARAMS, message)
        })?;
        if !self.changed(reader.session) {
            self.forget(reader.session, &uri);
            return Err(full());
        }
        Ok(uri)
    }

    /// `resources/unsubscribe`; gives the URI.
    pub(super) fn unsubscribe(&self, request: &Request, session: SessionKey) -> Result<String, Fault> {
        let uri = self.resource(request)?;
        self.forget(session, &uri);
        Ok(uri)
    }

    /// The session is not subscribed to this any more.
    fn forget(&self, session: SessionKey, uri: &str) {
        let mailbox = self.register().get(session).cloned();
        if let Some(mailbox) = mailbox {
            mailbox.unsubscribe(uri);
            self.changed(session);
        }
    }

    /// Whether this instance may know less of a session's subscriptions than the others.
    pub(in crate::era) fn may_be_missed(&self, session: SessionKey) -> bool {
        self.resources && self.register().get(session).is_none()
    }

    /// What a session is subscribed to here.
    pub(in crate::era) fn subscriptions(&self, session: SessionKey) -> Vec<String> {
        let mailbox = self.register().get(session).cloned();
        mailbox.map_or_else(Vec::new, |mailbox| mailbox.subscriptions().iter().map(ToString::to_string).collect())
    }

    /// A session subscribed to these resources at another instance, which has looked at them; it lives no longer than this.
    pub(in crate::era) fn subscribed_elsewhere(&self, session: SessionKey, uris: &[String], lives: Duration) {
        if !self.resources || uris.is_empty() {
            return;
        }
        let Some((mailbox, _)) = self.kept(session, Some(lives)) else { return };
        for uri in uris {
            // There are not more than one mailbox takes, unless instances heard of them in another order.
            if mailbox.subscribe(uri).is_err() {
                return;
            }
            if !self.changed(session) {
                return self.forget(session, uri);
            }
        }
    }

    /// A session is not subscribed to these any more.
    pub(in crate::era) fn unsubscribed_elsewhere(&self, session: SessionKey, uris: &[String]) {
        uris.iter().for_each(|uri| self.forget(session, uri));
    }

    /// What a session subscribed to is another thing now. `false` if there is no room for it.
    fn changed(&self, session: SessionKey) -> bool {
        self.with_register(|register, forgotten| register.changed(session, forgotten))
    }

    /// The resource that a request names, where the server offers news of resources.
    fn resource(&self, request: &Request) -> Result<String, Fault> {
        if !self.resources {
            return Err(Fault::new(Code::METHOD_NOT_FOUND, "Method not found"));
        }
        let uri = request.params.get("uri").and_then(Raw::string);
        let uri = uri.filter(|uri| !uri.is_empty() && uri.len() <= URI_LIMIT);
        uri.map(Into::into).ok_or_else(|| {
            let method = &request.method;
            Fault::new(
                Code::INVALID_PARAMS,
                format!("{method} needs `params.uri`, a string of at most {URI_LIMIT} bytes"),
            )
        })
    }

    fn with_register<T>(&self, work: impl FnOnce(&mut Register, &mut Forgotten) -> T) -> T {
        let mut forgotten = Forgotten::new();
        let done = work(&mut self.register(), &mut forgotten);
        // Dropped outside the lock: each leaves the hub's register.
        drop(forgotten);
        done
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
