//! What all calls of a running server share.

use crate::{changes::Changes, session::LogLevels};

/// What all calls of a running server share: one pointer in each of them.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) changes: Changes,
    pub(crate) levels: LogLevels,
}
