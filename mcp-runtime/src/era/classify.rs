//! The decision, per message, which era it belongs to.

use http::StatusCode;

use super::{Era, Errand, Opened, Reader, Surroundings, modern, refuse};
use crate::{
    exchange::{Field, Headers, Outbound, Source},
    protocol::Version,
    wire::{Code, Message, Notification, Request, Response},
};

/// What the `MCP-Protocol-Version` header says.
#[derive(Clone, Copy)]
pub(super) enum Hinted {
    /// Nothing.
    Nothing,
    /// A revision that we speak.
    Known(Version),
    /// Something else.
    Unknown,
}

impl Hinted {
    pub(super) fn of(headers: &Headers) -> Self {
        match &headers.protocol_version {
            Field::Absent => Self::Nothing,
            Field::Value(value) => Version::parse(value).map_or(Self::Unknown, Self::Known),
            Field::Repeated => Self::Unknown,
        }
    }

    /// What it says to whoever speaks older revisions alone: nothing, or one of them. `None` for everything else.
    pub(super) fn older(self) -> Option<Option<Version>> {
        match self {
            Self::Nothing => Some(None),
            Self::Known(version) => (!version.facts().modern).then_some(Some(version)),
            Self::Unknown => None,
        }
    }
}

impl Era {
    /// Opens one message that stands alone.
    ///
    /// What is rare is boxed, so that the future of every call stays small.
    pub(crate) async fn open(&self, message: &mut Message, around: &Surroundings<'_>) -> Opened {
        let opened = self.classified(message, around).await;
        if let Opened::Listening(..) = opened {
            // It may go on for days.
            message.forget();
        }
        opened
    }

    async fn classified(&self, message: &Message, around: &Surroundings<'_>) -> Opened {
        match (message, around.source) {
            (Message::Request(request), Source::Http { headers, .. }) => {
                self.http_request(request, headers, around).await
            }
            (Message::Request(request), Source::Stdio(process)) => self.stdio_request(request, process, around),
            (Message::Notification(notification), Source::Http { headers, .. }) => {
                Opened::Answered(Box::pin(self.http_notification(notification, headers, around)).await)
            }
            (Message::Notification(notification), Source::Stdio(process)) => {
                if &*notification.method == "notifications/initialized" && process.session().is_some() {
                    // Opened here, so that whatever changes from now on waits for the stream.
                    let _ = self.news.of(Reader::of_process(process.key()));
                    process.initialized();
                    self.handshakes.end(process.key());
                }
                let _ = self.notified(notification, process.key());
                Opened::Answered(Outbound::empty(StatusCode::ACCEPTED))
            }
            (Message::Response(response), Source::Http { headers, .. }) => {
                Opened::Answered(Box::pin(self.http_response(response, headers, around)).await)
            }
            (Message::Response(response), Source::Stdio(process)) => {
                self.open.answered(process.key(), response);
                Opened::Answered(Outbound::empty(StatusCode::ACCEPTED))
            }
        }
    }

    async fn http_request(&self, request: &Request, headers: &Headers, around: &Surroundings<'_>) -> Opened {
        if modern::has_claim(&request.params) {
            return modern::open(self, request, Some(headers), around);
        }
        let initialize = &*request.method == "initialize";
        match Hinted::of(headers) {
            Hinted::Known(version) if version.facts().modern => Opened::Answered(if initialize {
                modern::header_without_envelope(&request.id)
            } else {
                modern::incomplete_envelope(&request.id, &request.params)
            }),
            Hinted::Nothing if modern::only_modern(&request.method) => {
                Opened::Answered(modern::incomplete_envelope(&request.id, &request.params))
            }
            Hinted::Unknown => Opened::Answered(refuse::bad_request(
                Some(&request.id),
                Code::INVALID_REQUEST,
                "Unsupported MCP-Protocol-Version header",
            )),
            Hinted::Nothing | Hinted::Known(_) if initialize => Box::pin(self.initialize(request, around)).await,
            Hinted::Nothing => self.legacy_http(request, headers, None, around).await,
            Hinted::Known(version) => self.legacy_http(request, headers, Some(version), around).await,
        }
    }

    fn stdio_request(
        &self,
        request: &Request,
        process: &std::sync::Arc<crate::session::Process>,
        around: &Surroundings<'_>,
    ) -> Opened {
        if modern::has_claim(&request.params) {
            return modern::open(self, request, None, around);
        }
        match &*request.method {
            "initialize" => self.initialize_process(request, process),
            "ping" => Opened::Answered(self.done(&request.id)),
            _ => match process.session() {
                Some(session) => self.legacy_call(request, &session, around),
                None => Opened::Answered(refuse::bad_request(
                    Some(&request.id),
                    Code::INVALID_PARAMS,
                    "Send `initialize` first, or `params._meta` with io.modelcontextprotocol/protocolVersion and \
                     io.modelcontextprotocol/clientCapabilities",
                )),
            },
        }
    }

    async fn http_notification(
        &self,
        notification: &Notification,
        headers: &Headers,
        around: &Surroundings<'_>,
    ) -> Outbound {
        let hinted = match Hinted::of(headers) {
            // On 2026-07-28 a closed stream cancels, so no notification of a client has a meaning over HTTP.
            Hinted::Known(version) if version.facts().modern => return Outbound::empty(StatusCode::ACCEPTED),
            Hinted::Unknown => {
                let message = "Unsupported MCP-Protocol-Version header";
                return refuse::bad_request(None, Code::INVALID_REQUEST, message);
            }
            Hinted::Known(version) => Some(version),
            Hinted::Nothing => None,
        };
        match self.legacy_session(headers, hinted, None, around.principal).await {
            Ok(session) => {
                if let Some(session) = session
                    && let Some(id) = self.notified(notification, session.key)
                {
                    self.tell_all(|| Errand::cancelled(session.key, &id));
                }
                Outbound::empty(StatusCode::ACCEPTED)
            }
            Err(refusal) => refusal,
        }
    }

    /// A response answers a question of its session, whatever stream the question went by. One that answers none, or
    /// comes late, or comes again, is taken all the same: its sender can't do anything about it.
    async fn http_response(&self, response: &Response, headers: &Headers, around: &Surroundings<'_>) -> Outbound {
        let Some(hinted) = Hinted::of(headers).older() else {
            return refuse::bad_request(None, Code::INVALID_REQUEST, "A response is not expected here");
        };
        match self.legacy_session(headers, hinted, None, around.principal).await {
            Ok(Some(session)) => {
                if !self.open.answered(session.key, response)
                    && let Err(error) = self.pass_on(session.key, response).await
                {
                    return refuse::unavailable(None, &error);
                }
                Outbound::empty(StatusCode::ACCEPTED)
            }
            Ok(None) => refuse::bad_request(None, Code::INVALID_REQUEST, "A response is not expected here"),
            Err(refusal) => refusal,
        }
    }
}
