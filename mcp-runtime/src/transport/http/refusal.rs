//! What the door answers by itself.
//!
//! Takes: a reason. Gives: a small fixed response. Knows: statuses. Must not know: messages.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::body::Body;

/// The methods of the endpoint.
pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");

/// A refusal without an id, because nothing was read that could have one.
macro_rules! refusal {
    ($status:ident, $code:literal, $message:literal) => {
        (
            StatusCode::$status,
            concat!(r#"{"jsonrpc":"2.0","error":{"code":"#, $code, r#","message":""#, $message, r#""}}"#),
        )
    };
}

/// A status and its body.
pub(super) type Refusal = (StatusCode, &'static str);

pub(super) const NO_HOST: Refusal = refusal!(BAD_REQUEST, "-32600", "Bad request: exactly one Host header is needed");
pub(super) const HOST: Refusal =
    refusal!(FORBIDDEN, "-32600", "Forbidden: this Host is not allowed (the server's --allow-host allows one)");
pub(super) const ORIGIN: Refusal =
    refusal!(FORBIDDEN, "-32600", "Forbidden: this Origin is not allowed (the server's --allow-origin allows one)");
pub(super) const PRIVATE_NETWORK: Refusal =
    refusal!(FORBIDDEN, "-32600", "Forbidden: no access from public pages to a private network");
pub(super) const NOT_FOUND: Refusal = refusal!(NOT_FOUND, "-32600", "Not found: there is no MCP endpoint at this path");
pub(super) const METHOD: Refusal = refusal!(METHOD_NOT_ALLOWED, "-32600", "Method not allowed");
pub(super) const UNAUTHORIZED: Refusal = refusal!(UNAUTHORIZED, "-32600", "Unauthorized");
pub(super) const UNAVAILABLE: Refusal = refusal!(SERVICE_UNAVAILABLE, "-32603", "Temporarily unavailable");
pub(super) const CONTENT_TYPE: Refusal = refusal!(
    UNSUPPORTED_MEDIA_TYPE,
    "-32600",
    "Unsupported media type: Content-Type must be application/json in UTF-8"
);
pub(super) const ACCEPT_POST: Refusal = refusal!(
    NOT_ACCEPTABLE,
    "-32600",
    "Not acceptable: Accept must allow application/json and should allow text/event-stream"
);
pub(super) const ACCEPT_GET: Refusal =
    refusal!(NOT_ACCEPTABLE, "-32600", "Not acceptable: Accept must allow text/event-stream");
pub(super) const TOO_LARGE: Refusal = refusal!(PAYLOAD_TOO_LARGE, "-32600", "The body is too large");
pub(super) const TOO_SLOW: Refusal = refusal!(REQUEST_TIMEOUT, "-32600", "The body took too long");
pub(super) const CUT_SHORT: Refusal = refusal!(BAD_REQUEST, "-32600", "The body could not be read to its end");

/// The response of a refusal.
pub(super) fn refuse((status, body): Refusal) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, super::endpoint::JSON);
    response
}

/// The response of a refusal that leaves the rest of the request unread.
pub(super) fn refuse_and_close(refusal: Refusal) -> Response<Body> {
    let mut response = refuse(refusal);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
