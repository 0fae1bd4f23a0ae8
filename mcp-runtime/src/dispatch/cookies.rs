//! Sessions that cookies carry: found before an operation, changed after it, and asked for by methods of their own.

use serde_json::json;

use super::{Dispatch, run::Stop, unavailable};
use crate::{
    call::{
        Call, Carrier, Context, Fault, FaultKind, NoSession, Operation, Outcome, SessionCall, SessionOutcome, Settling,
    },
    session::{Ahead, Brought, CookiePolicy, Draft, Ended, FoundCookie, PartCard, SessionCookie, StateError},
    store::{Owner, SessionKey, Write},
    wire::Code,
};

/// The title of a session that nobody named.
const TITLE: &str = "experimental-session";
/// The title of a session that began because a call came without one.
const TITLE_ON_DEMAND: &str = "lazy-tool-session";

impl Dispatch {
    /// Finds the session that the cookie of a call names, and lets it carry the call's state.
    pub(super) async fn use_cookie(&self, call: &mut Call) -> Result<(), Fault> {
        let Call { operation, carrier, context } = call;
        // What is listed is the same for all who hold a cookie, and for all who hold none.
        if matches!(operation, Operation::List { .. }) {
            return Ok(());
        }
        let principal = context.principal().cloned();
        let Some(cookies) = context.cookies_mut() else { return Ok(()) };
        let beside = cookies.beside(carrier);
        let room = self.sessions.cookies();
        let found = match &cookies.given {
            Some(given) => {
                let found = room.find(&given.id, given.token.as_deref(), principal.as_ref()).await;
                let found = found.map_err(|error| unavailable(&error))?;
                if let FoundCookie::Live(session, _) = &found {
                    room.renew(session.key()).await.map_err(|error| unavailable(&error))?;
                }
                Some(found)
            }
            None => None,
        };
        cookies.found(None, room.nothing());
        *carrier = match (found, cookies.policy) {
            (Some(FoundCookie::Live(session, brought)), _) => {
                let key = session.key();
                cookies.tell(room.token(&session, &brought));
                cookies.found(Some(session), brought);
                Carrier::Session(key)
            }
            // Beginning anew would hide it.
            (Some(FoundCookie::RolledBack), _) => Carrier::Refused(NoSession::RolledBack),
            (_, CookiePolicy::OnDemand) if self.borrows_state(operation) => {
                Carrier::Session(cookies.begin(TITLE_ON_DEMAND, "lazy/tools/call", room.nothing()))
            }
            (None, CookiePolicy::Accepted | CookiePolicy::Off) if !room.are_sealed() => beside.clone(),
            (None, _) => Carrier::Refused(NoSession::Required),
            (Some(FoundCookie::Unknown), _) => Carrier::Refused(NoSession::Unknown),
        };
        if *carrier != beside {
            // What was read ahead is of another session.
            let _ = context.take_ahead();
        }
        Ok(())
    }

    /// Whether an operation calls a tool that borrows session state.
    fn borrows_state(&self, operation: &Operation) -> bool {
        let Operation::CallTool { name, .. } = operation else { return false };
        let card = self.service.find_tool(name).and_then(|tool| self.service.card().tools.get(tool));
        card.is_some_and(|card| !card.function.parts.is_empty())
    }

    /// Keeps a session that began with a call which becomes a task: the client is told of it with the task's id.
    pub(super) async fn keep_for_task(&self, cx: &mut Context) -> Result<(), Fault> {
        if let Some(Settling::Begins(session, _)) = cx.cookies().map(|cookies| cookies.settling()) {
            let room = self.sessions.cookies();
            let whose = room.whose(cx.principal()).await.map_err(|error| unavailable(&error))?;
            let principal = whose.as_deref().or(cx.principal());
            let owner = room.owner(principal, beside(cx)).unwrap_or_default();
            room.keep(session, principal, owner).await.map_err(|error| unavailable(&error))?;
            if let Some(cookies) = cx.cookies() {
                cookies.tell(room.first_token(session, principal, &room.nothing()));
            }
        }
        if let Some(cookies) = cx.cookies_mut() {
            cookies.born();
        }
        Ok(())
    }

    /// Refuses a tool where the server wants a session for each.
    pub(super) fn check_session(&self, carrier: &Carrier, cx: &Context) -> Result<(), Fault> {
        match carrier {
            Carrier::Refused(why) if cx.cookies().is_some_and(|cookies| cookies.policy == CookiePolicy::Required) => {
                Err(no_session(*why))
            }
            _ => Ok(()),
        }
    }

    /// Does what a function that succeeded did to its session; `draft` is what it leaves in its state.
    pub(super) async fn settle(&self, draft: Option<Draft>, cx: &Context) -> Result<Ended, StateError> {
        let room = self.sessions.cookies();
        let principal = cx.principal();
        let Some(cookies) = cx.cookies() else { return Ok(Ended::Saved) };
        let ended = match cookies.settling() {
            Settling::Same => {
                let Some(draft) = draft else { return Ok(Ended::Saved) };
                let (owner, before) = (self.sessions.owner(principal), cookies.brought());
                let (ended, brought) = self.commit(draft, before, owner, None).await?;
                if let (Ended::Saved, Some(session)) = (&ended, cookies.kept()) {
                    cookies.tell(room.token(session, &brought));
                }
                return Ok(ended);
            }
            Settling::Ends(key) => {
                drop(draft);
                if let Some(key) = key {
                    room.end(key).await.map_err(StateError::Store)?;
                }
                Ended::Saved
            }
            Settling::Begins(session, old) => {
                let whose = room.whose(principal).await.map_err(StateError::Store)?;
                let principal = whose.as_deref().or(principal);
                let owner = room.owner(principal, beside(cx)).unwrap_or_default();
                let (ended, brought) = match draft {
                    Some(draft) => {
                        let (draft, also) = (draft.moved_to(session.key()), room.write(session, principal));
                        self.commit(draft, &room.nothing(), owner, Some(also)).await?
                    }
                    None => {
                        room.keep(session, principal, owner).await.map_err(StateError::Store)?;
                        (Ended::Saved, room.nothing())
                    }
                };
                if ended == Ended::Saved {
                    if let Some(old) = old {
                        room.end(old).await.map_err(StateError::Store)?;
                    }
                    cookies.tell(room.first_token(session, principal, &brought));
                }
                ended
            }
        };
        if ended == Ended::Saved {
            cookies.settle();
        }
        Ok(ended)
    }

    /// Commits a draft to the store, or to what the client carries; gives what the client brings from then on.
    async fn commit(
        &self,
        draft: Draft,
        before: &Brought,
        owner: Owner,
        also: Option<Write>,
    ) -> Result<(Ended, Brought), StateError> {
        match before {
            Brought::Seen(_) => {
                let seen = Brought::Seen(draft.seen_when_saved());
                Ok((self.state.commit(draft, owner, also).await?, seen))
            }
            Brought::State(carried) => Ok((Ended::Saved, Brought::State(draft.carry(carried.clone())?))),
        }
    }

    /// Begins a run on the state that the cookie of a call brings, or on what the store keeps of its session.
    pub(super) async fn begin(
        &self,
        session: SessionKey,
        parts: &[PartCard],
        ahead: Option<Box<Ahead>>,
        cx: &Context,
    ) -> Result<Draft, StateError> {
        let seen = match cx.cookies().map(|cookies| (cookies.brought(), cookies.kept())) {
            Some((Brought::State(carried), _)) => return Draft::carried(session, parts, carried),
            Some((Brought::Seen(seen), Some(_))) => Some(seen),
            _ => None,
        };
        self.state.begin(session, parts, self.sessions.idle(session), !cx.is_task(), ahead, seen).await
    }

    /// What a function read and did not change was seen, too.
    pub(super) fn tell_seen(&self, draft: &Draft, cx: &Context) {
        if let (Some(cookies), Some(seen)) = (cx.cookies(), draft.seen())
            && let Some(session) = cookies.kept()
        {
            cookies.tell(self.sessions.cookies().token(session, &Brought::Seen(seen.clone())));
        }
    }

    /// Answers a method of sessions.
    pub(super) async fn session(&self, asked: &SessionCall, cx: &Context) -> Result<Outcome, Stop> {
        let outcome = self.try_session(asked, cx).await.map_err(|error| unavailable(&error))?;
        Ok(Outcome::Session(Box::new(outcome)))
    }

    async fn try_session(&self, asked: &SessionCall, cx: &Context) -> Result<SessionOutcome, crate::store::StoreError> {
        let room = self.sessions.cookies();
        let whose = room.whose(cx.principal()).await?;
        let principal = whose.as_deref().or(cx.principal());
        match asked {
            SessionCall::Create { title, data } => {
                let title = title.as_deref().unwrap_or(TITLE);
                let session = SessionCookie::fresh(title, "session/create", data.clone(), room.idle());
                let owner = room.owner(principal, beside(cx)).unwrap_or_default();
                room.keep(&session, principal, owner).await?;
                if let Some(cookies) = cx.cookies() {
                    cookies.tell(room.first_token(&session, principal, &room.nothing()));
                    cookies.begins(session.clone());
                }
                Ok(SessionOutcome::Created(session))
            }
            SessionCall::List => Ok(SessionOutcome::Listed(match room.owner(principal, beside(cx)) {
                Some(owner) => room.list(owner).await?,
                // Whoever can't be told from others has no list, only the session that it named.
                None => cx.cookie().cloned().into_iter().collect(),
            })),
            SessionCall::Delete { id } => {
                let own = cx.cookie();
                let found = match id {
                    Some(id) if own.is_none_or(|own| own.id() != &**id) => room.find(id, None, cx.principal()).await?,
                    _ => own.cloned().map_or(FoundCookie::Unknown, |own| FoundCookie::Live(own, room.nothing())),
                };
                let FoundCookie::Live(session, _) = found else { return Ok(SessionOutcome::Deleted(false)) };
                room.end(session.key()).await?;
                if let (Some(cookies), true) = (cx.cookies(), own == Some(&session)) {
                    cookies.ends();
                }
                Ok(SessionOutcome::Deleted(true))
            }
        }
    }
}

/// The session of the protocol in which a cookie comes.
fn beside(cx: &Context) -> Option<SessionKey> {
    cx.cookies().and_then(|cookies| cookies.session_beside())
}

/// What a call is refused with that must have a session and has none.
pub(super) fn no_session(why: NoSession) -> Fault {
    let (message, reason) = match why {
        NoSession::Required => ("Session required. Send session/create before calling tools.", "session_required"),
        NoSession::Unknown => {
            ("Session unknown or expired. Send session/create before calling tools.", "session_unknown")
        }
        NoSession::RolledBack => (
            "The server's store went back to something older than what it told of this session, and nothing was done. \
             Send the cookie without `seen` to go on with what is there, or session/create for a new session.",
            "session_rolled_back",
        ),
    };
    let fault = Fault::new(Code::NO_SESSION, message);
    Fault { kind: FaultKind::NoSession, ..fault.with_data(json!({ "reason": reason, "method": "session/create" })) }
}
