//! What browsers are told.
//!
//! Takes: requests of listed origins. Gives: the headers by which their browsers let them read the answers. Knows: CORS
//! (the Fetch standard). Must not know: who is allowed.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::{body::Body, refusal};

// Fixed request headers; `Mcp-Param-…` are added as they are asked for, because a wildcard can't say a prefix.
const REQUEST_HEADERS: &str = "content-type, accept, authorization, mcp-protocol-version, mcp-session-id, last-event-id, \
                               mcp-method, mcp-name";
const RESPONSE_HEADERS: HeaderValue =
    HeaderValue::from_static("mcp-session-id, mcp-protocol-version, www-authenticate");
/// Every origin. Browsers take it only for requests without cookies and other credentials of their own, whatever a layer
/// may add to the response; to repeat the origin instead would leave that to the layer.
pub(super) const EVERYBODY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
// Two hours: as long as browsers remember at most.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
// A browser that asks for more gets no more.
const MOST_PARAMETERS: usize = 64;

/// Answers OPTIONS; `cross_origin` says that it came with a listed `Origin`.
pub(super) fn options(headers: &HeaderMap, cross_origin: bool) -> Response<Body> {
    if headers.contains_key(REQUEST_PRIVATE_NETWORK) {
        return refusal::refuse(refusal::PRIVATE_NETWORK);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let out = response.headers_mut();
    out.insert(header::ALLOW, refusal::METHODS);
    if cross_origin && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        if let Ok(allowed) = HeaderValue::from_str(&allowed_headers(headers)) {
            out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        out.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    response
}

fn allowed_headers(headers: &HeaderMap) -> String {
    let mut allowed = String::from(REQUEST_HEADERS);
    let asked = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).into_iter();
    let asked = asked.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    for name in asked.map(str::trim).take(MOST_PARAMETERS) {
        let parameter = name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("mcp-param-"));
        if parameter && let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            allowed.push_str(", ");
            allowed.push_str(name.as_str());
        }
    }
    allowed
}

/// Lets pages of this listed origin, or of [`EVERYBODY`], read the response. Credentials in the browser's sense (cookies)
/// are never allowed.
pub(super) fn expose(response: &mut Response<Body>, origin: HeaderValue) {
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    out.append(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: N-15.
    #[test]
    fn parameter_headers_are_allowed_when_asked_for_and_no_others() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("content-type, Mcp-Param-Region, x-evil, mcp-param-, mcp-param-a b"),
        );
        let allowed = allowed_headers(&headers);
        assert!(allowed.contains(", mcp-param-region") && !allowed.contains("x-evil") && !allowed.contains("a b"));
    }

    #[test]
    fn a_page_of_the_public_net_gets_no_private_network() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        let response = options(&headers, true);
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(response.headers().get(header::ACCESS_CONTROL_ALLOW_METHODS).is_none());
    }
}
