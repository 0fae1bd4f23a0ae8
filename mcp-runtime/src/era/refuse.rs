//! Refusals: what is answered where there is no result.

use http::StatusCode;
use serde_json::json;

use super::Return;
use crate::{
    call::{Fault, FaultKind},
    exchange::Outbound,
    protocol::Version,
    wire::{Code, Id, Malformed, write_error},
};

/// The one answer for every dead or foreign session id: unknown, expired, revoked, forged, somebody else's.
pub(super) fn session_not_found() -> Outbound {
    error(StatusCode::NOT_FOUND, None, Code::SESSION_NOT_FOUND, "Session not found", None)
}

/// Bytes that are no message.
pub(crate) fn malformed(malformed: &Malformed) -> Outbound {
    error(StatusCode::BAD_REQUEST, malformed.id.as_ref(), malformed.code, malformed.message, None)
}

/// A message that can't be used here: 400.
pub(super) fn bad_request(id: Option<&Id>, code: Code, message: &str) -> Outbound {
    error(StatusCode::BAD_REQUEST, id, code, message, None)
}

/// The store or session manager can't answer: 503, never 404.
pub(super) fn unavailable(id: Option<&Id>, error: &(dyn std::error::Error + 'static)) -> Outbound {
    tracing::error!(error = %crate::call::chain(error), "sessions are unavailable");
    let fault = Fault::unavailable();
    self::error(StatusCode::SERVICE_UNAVAILABLE, id, fault.code, &fault.message, None)
}

/// An error body with a status.
pub(super) fn error(status: StatusCode, id: Option<&Id>, code: Code, message: &str, data: Option<&str>) -> Outbound {
    let mut body = Vec::with_capacity(160);
    write_error(&mut body, id, code, message, data);
    Outbound::json(status, body)
}

/// The revision in an envelope is not served.
pub(super) fn unsupported_version(id: &Id, requested: &str) -> Outbound {
    let data = json!({ "supported": supported(), "requested": requested }).to_string();
    error(StatusCode::BAD_REQUEST, Some(id), Code::UNSUPPORTED_VERSION, "Unsupported protocol version", Some(&data))
}

/// The revisions that can go into an envelope: what `server/discover` lists too.
pub(super) fn supported() -> Vec<&'static str> {
    Version::ALL.iter().filter(|version| version.facts().modern).map(|version| version.as_str()).collect()
}

/// The answer to a call that failed as protocol.
pub(super) fn fault(to: &Return, fault: &Fault) -> Outbound {
    let data = fault.data.as_ref().map(ToString::to_string);
    let code = match fault.kind {
        FaultKind::NoSession if !to.version.facts().modern => Code::NO_SESSION_BEFORE,
        FaultKind::ResourceNotFound if !to.version.facts().modern => RESOURCE_NOT_FOUND,
        FaultKind::MissingCapability if !to.version.facts().modern => Code::INVALID_PARAMS,
        _ => fault.code,
    };
    error(status(to.version, fault), Some(&to.id), code, &fault.message, data.as_deref())
}

/// What a missing resource is where there is a handshake; the newest revision forbids the code.
const RESOURCE_NOT_FOUND: Code = Code(-32002);

/// The HTTP status of a fault: in-band with 200, but for those to which the revision gives a status of their own.
fn status(version: Version, fault: &Fault) -> StatusCode {
    if fault.kind == FaultKind::Unavailable {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    if !version.facts().modern {
        return StatusCode::OK;
    }
    match fault.code {
        Code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        Code::HEADER_MISMATCH | Code::MISSING_CAPABILITY | Code::UNSUPPORTED_VERSION => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}
