//! The session that a request names.

use std::sync::Arc;

use crate::{
    auth::Principal,
    era::{Era, refuse},
    exchange::{Field, Headers, Outbound, Text},
    protocol::Version,
    session::{Ahead, PartCard, Policy, ProtocolSession},
    wire::{Code, Id},
};

impl Era {
    /// The session that the headers name, which may name a revision too; `Ok(None)` where there is none and none is needed.
    pub(in crate::era) async fn legacy_session(
        &self,
        headers: &Headers,
        hinted: Option<Version>,
        id: Option<&Id>,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, Outbound> {
        let Some(token) = self.session_named(headers, id)? else { return Ok(None) };
        match self.sessions.resolve(token, principal).await {
            Ok(Some(session)) => agreed(hinted, id, session).map(Some),
            Ok(None) => Err(refuse::session_not_found()),
            Err(error) => Err(refuse::unavailable(id, &error)),
        }
    }

    /// The same for a call that borrows these parts of it, which are read with the question whether it lives.
    pub(super) async fn legacy_session_reading(
        &self,
        headers: &Headers,
        hinted: Option<Version>,
        id: &Id,
        principal: Option<&Principal>,
        parts: &'static [PartCard],
    ) -> Result<Option<(Arc<ProtocolSession>, Option<Box<Ahead>>)>, Outbound> {
        let id = Some(id);
        let Some(token) = self.session_named(headers, id)? else { return Ok(None) };
        match self.sessions.resolve_reading(token, principal, parts).await {
            Ok(Some((session, ahead))) => Ok(Some((agreed(hinted, id, session)?, ahead))),
            Ok(None) => Err(refuse::session_not_found()),
            Err(error) => Err(refuse::unavailable(id, &error)),
        }
    }

    /// The id in the headers; `Ok(None)` where there is none and none is needed.
    fn session_named<'a>(&self, headers: &'a Headers, id: Option<&Id>) -> Result<Option<&'a Text>, Outbound> {
        let token = match (&headers.session_id, self.sessions.policy()) {
            (_, Policy::Off) | (Field::Absent, Policy::Optional) => return Ok(None),
            (Field::Value(token), _) => token,
            (Field::Absent, Policy::Required) => {
                return Err(refuse::bad_request(
                    id,
                    Code::INVALID_REQUEST,
                    "Mcp-Session-Id header required: send `initialize` first",
                ));
            }
            (Field::Repeated, _) => {
                return Err(refuse::bad_request(id, Code::INVALID_REQUEST, "More than one Mcp-Session-Id header"));
            }
        };
        Ok(Some(token))
    }
}

/// The session, if the headers do not speak another revision than it agreed on.
fn agreed(
    hinted: Option<Version>,
    id: Option<&Id>,
    session: Arc<ProtocolSession>,
) -> Result<Arc<ProtocolSession>, Outbound> {
    match hinted {
        // A header that says what a missing one is taken for says no more than that: some clients send it always.
        Some(version) if version != session.version && version != Version::WITHOUT_HEADER => Err(refuse::bad_request(
            id,
            Code::INVALID_REQUEST,
            "MCP-Protocol-Version differs from the version that this session agreed on",
        )),
        _ => Ok(session),
    }
}
