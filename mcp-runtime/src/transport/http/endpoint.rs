//! The MCP endpoint: from an HTTP request to the engine and back.
//!
//! Takes: requests. Gives: responses. Knows: the order of the checks at the door. Must not know: what a message means.
//!
//! The order is fixed, because it says which refusal a peer sees: Host, Origin, path and method, bearer, Content-Type,
//! Accept, size. What comes after is the engine's.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body::Body as HttpBody;

use super::{
    body::{Body, collect},
    cors, departure,
    guard::{Guard, Standing},
    head::{self, Head, Once},
    line::{Line, Phase},
    negotiate::{Accepted, is_json},
    refusal::{self, Refusal, refuse, refuse_and_close},
};
use crate::{
    auth::{AuthError, Authenticator, Principal},
    engine::Engine,
    exchange::{Event, Exchange, Headers, Inbound, Outbound, Source, Step},
    transport::frame,
};

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The largest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 4 << 20;

/// The peer is gone: there is nobody to answer.
#[derive(Debug)]
pub(super) struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the peer is gone")
    }
}

impl std::error::Error for Gone {}

/// The MCP endpoint.
pub(crate) struct Endpoint {
    pub(super) engine: Arc<Engine>,
    pub(super) guard: Guard,
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
    pub(super) path: Box<str>,
    /// Answers can be event streams.
    pub(super) streams: bool,
}

/// What a request may do before anything is said of its path.
pub(super) struct Admitted {
    page: Page,
}

/// The page that asks.
enum Page {
    /// None: no browser made the request for one.
    None,
    /// One that may ask, of which no browser is told anything.
    Untold,
    /// One that may read the answer too; this is said of whom it is.
    Told(HeaderValue),
}

impl Endpoint {
    /// Host and Origin.
    pub(super) fn admit(&self, uri: &Uri, head: &Head<'_>) -> Result<Admitted, Refusal> {
        let Some(host) = head.host.text() else { return Err(refusal::NO_HOST) };
        // A request target in absolute form names the host a second time: both must be the same.
        if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
            return Err(refusal::NO_HOST);
        }
        if !self.guard.admits_host(host) {
            return Err(refusal::HOST);
        }
        match head.origin {
            Once::Absent => Ok(Admitted { page: Page::None }),
            Once::Unusable => Err(refusal::ORIGIN),
            Once::Value(value) => match self.guard.standing(value.to_str().unwrap_or_default()) {
                Standing::Stranger => Err(refusal::ORIGIN),
                Standing::Neighbour => Ok(Admitted { page: Page::Untold }),
                Standing::Listed => Ok(Admitted { page: Page::Told(value.clone()) }),
                Standing::Everybody => Ok(Admitted { page: Page::Told(cors::EVERYBODY) }),
            },
        }
    }

    /// Answers a request for the endpoint's path.
    pub(super) async fn answer<B>(&self, request: Request<B>, line: Option<&Arc<Line>>) -> Result<Response<Body>, Gone>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let (parts, body) = request.into_parts();
        let (head, headers) = head::read(&parts.headers);
        let Admitted { page } = match self.admit(&parts.uri, &head) {
            Ok(admitted) => admitted,
            Err(refusal) => return Ok(refuse(refusal)),
        };
        let mut response = match parts.method {
            // Who would not be told of the answer gets no leave to ask.
            Method::OPTIONS if matches!(page, Page::Untold) => refuse(refusal::ORIGIN),
            Method::OPTIONS => cors::options(&parts.headers, matches!(page, Page::Told(_))),
            Method::POST | Method::GET | Method::DELETE => match self.principal(&head).await {
                Err(response) => response,
                Ok(principal) if parts.method == Method::POST => {
                    self.post(&parts, &head, headers, principal, body, line).await?
                }
                Ok(principal) if parts.method == Method::GET => {
                    self.get(&parts.headers, &head, headers, principal, line).await
                }
                Ok(principal) => whole(self.engine.end(&headers, principal.as_ref()).await, Accepted::ANYTHING),
            },
            _ => {
                let mut response = refuse(refusal::METHOD);
                response.headers_mut().insert(header::ALLOW, refusal::METHODS);
                response
            }
        };
        if let Page::Told(origin) = page {
            cors::expose(&mut response, origin);
        }
        Ok(response)
    }

    /// Who asks.
    async fn principal(&self, head: &Head<'_>) -> Result<Option<Principal>, Response<Body>> {
        let Some(authenticator) = &self.authenticator else { return Ok(None) };
        // Two tokens are none: which of them counts would be for each party to guess.
        match authenticator.authenticate(head.authorization.text()).await {
            Ok(principal) if principal.remaining() != Some(Duration::ZERO) => Ok(Some(principal)),
            Ok(_) | Err(AuthError::Unauthorized) => {
                let mut response = refuse(refusal::UNAUTHORIZED);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                Err(response)
            }
            Err(AuthError::Unavailable(source)) => {
                tracing::error!(error = &*source, "the authenticator is unavailable");
                let mut response = refuse(refusal::UNAVAILABLE);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                Err(response)
            }
        }
    }

    async fn post<B>(
        &self,
        parts: &http::request::Parts,
        head: &Head<'_>,
        headers: Box<Headers>,
        principal: Option<Principal>,
        body: B,
        line: Option<&Arc<Line>>,
    ) -> Result<Response<Body>, Gone>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if !matches!(head.content_type, Once::Value(content_type) if is_json(content_type)) {
            return Ok(refuse(refusal::CONTENT_TYPE));
        }
        let mut accepted = head.accepted(&parts.headers);
        accepted.streams &= self.streams;
        if !accepted.json && !accepted.events {
            return Ok(refuse(refusal::ACCEPT_POST));
        }
        let body = match collect(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(refusal) => return Ok(refuse_and_close(refusal)),
        };
        if let Some(line) = line {
            line.enter(Phase::Answering);
        }
        let source = Source::Http { headers, streams: accepted.streams };
        let mut exchange = self.engine.exchange(Inbound { body, principal, source });
        let interim = parts.version == http::Version::HTTP_11;
        loop {
            match next(&mut exchange, line, interim).await? {
                Step::Done(outbound) => return Ok(whole(outbound, accepted)),
                Step::Message(first) if accepted.streams => {
                    return Ok(stream(Body::call(first, exchange, line.cloned())));
                }
                // The client can't read it.
                Step::Message(_) => {}
            }
        }
    }

    async fn get(
        &self,
        map: &HeaderMap,
        head: &Head<'_>,
        headers: Box<Headers>,
        principal: Option<Principal>,
        line: Option<&Arc<Line>>,
    ) -> Response<Body> {
        if !head.accepted(map).events {
            return refuse(refusal::ACCEPT_GET);
        }
        match self.engine.listen(&headers, principal.as_ref()).await {
            Ok(events) => stream(Body::listen(events, line.cloned())),
            Err(outbound) => whole(outbound, Accepted::ANYTHING),
        }
    }
}

/// The next step of an exchange, unless the peer goes first. Whether it is there is asked only once there is a wait.
async fn next(exchange: &mut Exchange, line: Option<&Arc<Line>>, interim: bool) -> Result<Step, Gone> {
    let mut departure = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(step) = exchange.poll_step(cx) {
            return Poll::Ready(Ok(step));
        }
        let Some(line) = line else { return Poll::Pending };
        let departure = departure.get_or_insert_with(|| departure::before_head(line.clone(), interim));
        departure.as_mut().poll(cx).map(|()| Err(Gone))
    })
    .await
}

/// A whole answer as a response: JSON, or one event for a client that reads nothing else.
fn whole(outbound: Outbound, accepted: Accepted) -> Response<Body> {
    let Outbound { status, session_id, body, allow } = outbound;
    let as_event = !accepted.json && status == StatusCode::OK && !body.is_empty();
    let content_type = if as_event { EVENTS } else { JSON };
    let empty = body.is_empty();
    let mut response = Response::new(Body::full(if as_event { frame::event(Event::message(body)) } else { body }));
    *response.status_mut() = status;
    let out = response.headers_mut();
    if !empty {
        out.insert(header::CONTENT_TYPE, content_type);
    }
    if let Some(id) = session_id
        && let Ok(id) = HeaderValue::try_from(id)
    {
        out.insert(SESSION_ID, id);
    }
    if let Some(allow) = allow {
        out.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        out.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An event stream as a response, with what keeps proxies from holding it back.
fn stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, EVENTS);
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    out.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// The endpoint as a service for an axum router, with the connection in the request's extensions if it is one of ours.
#[derive(Clone)]
pub(crate) struct EndpointService(pub(crate) Arc<Endpoint>);

impl tower::Service<Request<axum::body::Body>> for EndpointService {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<axum::body::Body>) -> Self::Future {
        let endpoint = self.0.clone();
        let line = request.extensions_mut().remove::<Arc<Line>>();
        Box::pin(async move {
            let response = match endpoint.answer(request, line.as_ref()).await {
                Ok(response) => response,
                // Nobody reads this.
                Err(Gone) => refuse_and_close(refusal::CUT_SHORT),
            };
            Ok(response.map(axum::body::Body::new))
        })
    }
}
