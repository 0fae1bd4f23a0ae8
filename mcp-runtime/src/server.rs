//! The builder, and running.

use std::{fmt, sync::Arc};

use crate::service::Service;

/// What `main` returns.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a server can't start or had to stop; for the operator.
#[derive(Debug)]
pub struct Error(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// A server to be run.
pub struct Server {
    #[expect(dead_code, reason = "being built")]
    service: Arc<dyn Service>,
}

impl Server {
    /// A server of this declaration.
    pub fn new(service: impl Service) -> Self {
        Self { service: Arc::new(service) }
    }

    /// Runs until told to stop.
    ///
    /// # Errors
    /// When it can't start, or has to stop.
    pub fn serve(self) -> Result {
        todo!()
    }
}
