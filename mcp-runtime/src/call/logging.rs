//! Log messages for the client of a call.

use serde::Serialize;

use super::{Context, Importance};
use crate::{
    protocol::LogLevel,
    session::SessionKey,
    wire::{write_notification, write_string},
};

/// From which level on the client of a call is told log messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Logging {
    /// It is told none.
    #[default]
    Never,
    /// From this level on: the request says so.
    From(LogLevel),
    /// From the level on that its session chose.
    Session(SessionKey),
}

impl Context {
    /// Tells the client something of this call: a text, or any other data that can be JSON. Never waits; of more than 64
    /// messages that the client has not read yet, the oldest are dropped.
    ///
    /// The client decides what it is told: on 2026-07-28 nothing, unless this request names a level; on older revisions
    /// what is at or above the level that its session chose by `logging/setLevel`, and before that from
    /// [`LogLevel::Info`] on. Everything also goes to the program's own log, by `tracing`, with the target
    /// `mcp_runtime::log`. Both may be read by strangers: no secrets, no personal data.
    ///
    /// # Source
    /// 2025-11-25 and 2026-07-28 server/utilities/logging; the level before a session chose is our choice.
    pub fn log(&self, level: LogLevel, data: impl Serialize) {
        self.write_log(None, level, data);
    }

    /// The same, said by a part of the server that has a name.
    pub fn log_as(&self, logger: &str, level: LogLevel, data: impl Serialize) {
        self.write_log(Some(logger), level, data);
    }

    fn write_log(&self, logger: Option<&str>, level: LogLevel, data: impl Serialize) {
        let told = match self.facts.logging {
            Logging::Never => false,
            Logging::From(least) => level >= least,
            Logging::Session(session) => level >= self.shared.levels.of(session),
        };
        // What nobody reads is not written.
        if !told && !is_traced(level) {
            return;
        }
        let data = match serde_json::to_string(&data) {
            Ok(data) => data,
            Err(error) => {
                tracing::warn!(%error, "the data of a log message can't be JSON: it is dropped");
                return;
            }
        };
        trace(logger, level, &data);
        if !told {
            return;
        }
        let mut bytes = Vec::with_capacity(96 + data.len());
        write_notification(&mut bytes, "notifications/message", |out| {
            out.extend_from_slice(b"{\"level\":");
            write_string(out, level.as_str());
            if let Some(logger) = logger {
                out.extend_from_slice(b",\"logger\":");
                write_string(out, logger);
            }
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(data.as_bytes());
            out.push(b'}');
        });
        self.outbox.push(bytes.into(), Importance::Log);
    }
}

const TARGET: &str = "mcp_runtime::log";

/// What `tracing` calls a level.
macro_rules! by_level {
    ($level:expr, $event:ident) => {
        match $level {
            LogLevel::Debug => $event!(DEBUG),
            LogLevel::Info | LogLevel::Notice => $event!(INFO),
            LogLevel::Warning => $event!(WARN),
            LogLevel::Error | LogLevel::Critical | LogLevel::Alert | LogLevel::Emergency => $event!(ERROR),
        }
    };
}

fn is_traced(level: LogLevel) -> bool {
    macro_rules! enabled {
        ($level:ident) => {
            tracing::enabled!(target: TARGET, tracing::Level::$level)
        };
    }
    by_level!(level, enabled)
}

fn trace(logger: Option<&str>, level: LogLevel, data: &str) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(target: TARGET, tracing::Level::$level, logger, data)
        };
    }
    by_level!(level, event);
}
