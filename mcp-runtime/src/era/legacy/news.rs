//! News for sessions: what they subscribed to, and what they have not been told yet.
//!
//! Every instance keeps them for every session that subscribed somewhere, because its stream may be opened at any.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use futures_util::stream;

use super::listener::News;
use crate::{
    auth::Principal,
    call::{Fault, Offered, Shared},
    changes::{ListChanges, Mailbox, TooMany},
    era::notices::Audience,
    session::SessionKey,
    tasks::TaskRoom,
    wire::{Code, Raw, Request},
};

/// So many sessions can have news waiting; one more is refused, so that nobody loses theirs to a stranger.
const SESSIONS: usize = 1 << 16;
/// News wait so long for a session that has no stream open. Our choice: as long as session ids live by default.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest URI that can be subscribed to, in bytes.
const URI_LIMIT: usize = 2048;

/// News for sessions, by session. A session that neither listened nor subscribed nor had a task has no entry.
pub(crate) struct SessionNews {
    shared: Arc<Shared>,
    tasks: Arc<TaskRoom>,
    lists: ListChanges,
    resources: bool,
    sessions: Mutex<HashMap<SessionKey, Kept>>,
}

/// Whose session it is, once they came here. Nobody reads the news before that.
type Reader = Arc<OnceLock<Option<Principal>>>;

struct Kept {
    /// Shared with the session's streams.
    mailbox: Arc<Mailbox>,
    reader: Reader,
    /// When it was last seen in use.
    used: Instant,
}

impl SessionNews {
    pub(in crate::era) fn new(shared: Arc<Shared>, tasks: Arc<TaskRoom>, offered: &Offered) -> Self {
        Self { shared, tasks, lists: offered.news, resources: offered.resources, sessions: Mutex::default() }
    }

    /// The news of a session as notifications, which end with it: from now on they wait for whoever reads them. Of several
    /// streams, each change goes to one. `None` when too many sessions have some.
    pub(crate) fn of(&self, session: SessionKey, principal: Option<&Principal>) -> Option<News> {
        let mailbox = self.mailbox(session, principal)?;
        Some(Box::pin(stream::unfold((mailbox, self.tasks.clone()), |(mailbox, tasks)| async move {
            let told = Audience { mailbox: &mailbox, tasks: &tasks, subscription: None }.next().await?;
            Some((told, (mailbox, tasks)))
        })))
    }

    /// Where the news of this principal's session wait; `None` when too many sessions have some.
    pub(super) fn mailbox(&self, session: SessionKey, principal: Option<&Principal>) -> Option<Arc<Mailbox>> {
        let (mailbox, reader) = self.kept(session)?;
        let _ = reader.set(principal.cloned());
        Some(mailbox)
    }

    /// What waits for a session, and for whom; `None` when too many sessions have some.
    fn kept(&self, session: SessionKey) -> Option<(Arc<Mailbox>, Reader)> {
        let mut sessions = self.sessions();
        if let Some(kept) = sessions.get_mut(&session) {
            kept.used = Instant::now();
            return Some((kept.mailbox.clone(), kept.reader.clone()));
        }
        if sessions.len() >= SESSIONS {
            return None;
        }
        let reader = Arc::default();
        let mailbox = Arc::new(self.shared.listen_for(self.lists, &reader));
        let kept = Kept { mailbox: mailbox.clone(), reader: reader.clone(), used: Instant::now() };
        sessions.insert(session, kept);
        Some((mailbox, reader))
    }

    /// Whether this instance may know less of a session's subscriptions than the others.
    pub(in crate::era) fn may_be_missed(&self, session: SessionKey) -> bool {
        self.resources && !self.sessions().contains_key(&session)
    }

    /// What a session is subscribed to here.
    pub(in crate::era) fn subscriptions(&self, session: SessionKey) -> Vec<String> {
        let mailbox = self.sessions().get(&session).map(|kept| kept.mailbox.clone());
        mailbox.map_or_else(Vec::new, |mailbox| mailbox.subscriptions().iter().map(ToString::to_string).collect())
    }

    /// A session subscribed to these resources at another instance, which has looked at them.
    pub(in crate::era) fn subscribed_elsewhere(&self, session: SessionKey, uris: &[String]) {
        if !self.resources || uris.is_empty() {
            return;
        }
        if let Some((mailbox, _)) = self.kept(session) {
            // There are not more than one mailbox takes, unless instances heard of them in another order.
            let _ = uris.iter().try_for_each(|uri| mailbox.subscribe(uri));
        }
    }

    /// A session is not subscribed to these any more.
    pub(in crate::era) fn unsubscribed_elsewhere(&self, session: SessionKey, uris: &[String]) {
        let mailbox = self.sessions().get(&session).map(|kept| kept.mailbox.clone());
        mailbox.iter().for_each(|mailbox| uris.iter().for_each(|uri| mailbox.unsubscribe(uri)));
    }

    /// This session is over.
    pub(crate) fn end(&self, session: SessionKey) {
        let kept = self.sessions().remove(&session);
        if let Some(kept) = kept {
            kept.mailbox.end();
        }
    }

    /// Forgets the news of sessions that have not come for them.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let mut forgotten = Vec::new();
        self.sessions().retain(|_, kept| {
            if Arc::strong_count(&kept.mailbox) > 1 {
                kept.used = now;
            }
            let keep = now.duration_since(kept.used) < KEPT;
            if !keep {
                forgotten.push(kept.mailbox.clone());
            }
            keep
        });
        // Dropped outside the lock: each leaves the hub's register.
        drop(forgotten);
    }

    /// `resources/subscribe`; gives the resource. What is not there or hidden can be subscribed to like everything else: it may come.
    pub(super) fn subscribe(
        &self,
        request: &Request,
        session: SessionKey,
        principal: Option<&Principal>,
    ) -> Result<String, Fault> {
        let uri = self.resource(request)?;
        let Some(mailbox) = self.mailbox(session, principal) else {
            return Err(Fault::new(Code::INTERNAL_ERROR, "Too many sessions have subscriptions: try again later"));
        };
        mailbox.subscribe(&uri).map_err(|TooMany { limit }| {
            let message = format!(
                "This session is subscribed to {limit} resources, which is the most: send `resources/unsubscribe` for \
                 one of them first"
            );
            Fault::new(Code::INVALID_PARAMS, message)
        })?;
        Ok(uri)
    }

    /// `resources/unsubscribe`; gives the resource.
    pub(super) fn unsubscribe(&self, request: &Request, session: SessionKey) -> Result<String, Fault> {
        let uri = self.resource(request)?;
        self.unsubscribed_elsewhere(session, std::slice::from_ref(&uri));
        Ok(uri)
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

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionKey, Kept>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
