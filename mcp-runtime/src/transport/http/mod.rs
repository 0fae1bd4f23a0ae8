//! Streamable HTTP.
//!
//! Takes: TCP connections. Gives: [`Inbound`](crate::exchange::Inbound)s to the engine and responses back. Knows: HTTP/1.1,
//! CORS, limits. Must not know: what a message means.
//!
//! The endpoint is served directly by the accept loop; every other path goes to the program's own router, if it has one.

mod body;
mod cors;
mod departure;
mod endpoint;
mod guard;
mod head;
mod housekeeping;
mod line;
mod negotiate;
mod refusal;
mod serve;

use std::{net::IpAddr, sync::Arc};

use axum::Router;

use self::{
    endpoint::{Endpoint, EndpointService},
    guard::Guard,
};
pub(crate) use self::{guard::GuardError, serve::Serving};
use crate::{auth::Authenticator, engine::Engine};

/// How a server is reached.
pub(crate) struct Site {
    /// The address that it is, or will be, bound to.
    pub(crate) bound: IpAddr,
    /// The path of the endpoint.
    pub(crate) path: String,
    /// More hosts that may be asked for.
    pub(crate) hosts: Vec<String>,
    /// Origins whose pages may ask.
    pub(crate) origins: Vec<String>,
    /// Who checks credentials.
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    /// Answers can be event streams.
    pub(crate) streams: bool,
}

impl Site {
    /// The endpoint of this engine at this site.
    pub(crate) fn endpoint(self, engine: Arc<Engine>) -> Result<Arc<Endpoint>, GuardError> {
        let guard = Guard::new(self.bound, &self.hosts, &self.origins)?;
        let Self { authenticator, streams, path, .. } = self;
        Ok(Arc::new(Endpoint { engine, guard, authenticator, streams, path: path.into() }))
    }
}

/// The endpoint as a router with one route.
pub(crate) fn router(endpoint: Arc<Endpoint>) -> Router {
    let path = endpoint.path.to_string();
    Router::new().route_service(&path, EndpointService(endpoint))
}
