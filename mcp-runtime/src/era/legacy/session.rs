//! The session that a request names.

use std::sync::Arc;

use crate::{
    auth::Principal,
    era::{Era, classify::Hinted, refuse},
    exchange::{Field, Headers, Outbound},
    protocol::Version,
    session::{Policy, ProtocolSession},
    wire::{Code, Id},
};

impl Era {
    /// The session that the headers name; `Ok(None)` where there is none and none is needed.
    pub(in crate::era) async fn legacy_session(
        &self,
        headers: &Headers,
        id: Option<&Id>,
        principal: Option<&Principal>,
    ) -> Result<Option<Arc<ProtocolSession>>, Outbound> {
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
        let session = match self.sessions.resolve(token, principal).await {
            Ok(Some(session)) => session,
            Ok(None) => return Err(refuse::session_not_found()),
            Err(error) => return Err(refuse::unavailable(id, &error)),
        };
        match Hinted::of(headers) {
            // A header that says what a missing one is taken for says no more than that: some clients send it always.
            Hinted::Known(version) if version != session.version && version != Version::WITHOUT_HEADER => {
                Err(refuse::bad_request(
                    id,
                    Code::INVALID_REQUEST,
                    "MCP-Protocol-Version differs from the version that this session agreed on",
                ))
            }
            _ => Ok(Some(session)),
        }
    }
}
