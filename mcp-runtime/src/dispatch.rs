//! Operation to service.
