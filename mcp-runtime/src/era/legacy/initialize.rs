//! The handshake.

use std::sync::Arc;

use http::StatusCode;

use crate::{
    call::Fault,
    era::{Era, Opened, Return, Surroundings, refuse},
    exchange::Outbound,
    protocol::{ClientCapabilities, Implementation, Version},
    session::{Policy, Process, ProtocolSession},
    wire::{Code, Raw, Request, write_result},
};

/// What a client says of itself at the handshake.
struct Hello {
    version: Version,
    capabilities: ClientCapabilities,
    client: Option<Implementation>,
}

impl Era {
    /// `initialize` over HTTP: a session id that came with it is ignored, a fresh one is minted.
    pub(in crate::era) async fn initialize(&self, request: &Request, around: &Surroundings<'_>) -> Opened {
        let hello = match hello(request) {
            Ok(hello) => hello,
            Err(fault) => return refused(request, &fault),
        };
        let session_id = match self.sessions.policy() {
            Policy::Off => {
                return Opened::Answered(self.welcome(request, self.prepared.sessionless_greeting(hello.version)));
            }
            Policy::Required | Policy::Optional => {
                let opened =
                    self.sessions.open(hello.version, &hello.capabilities, hello.client.as_ref(), around.principal);
                match opened.await {
                    Ok(id) => id,
                    Err(error) => return Opened::Answered(refuse::unavailable(Some(&request.id), &error)),
                }
            }
        };
        let welcome = self.welcome(request, self.prepared.greeting(hello.version));
        Opened::Answered(Outbound { session_id: Some(session_id), ..welcome })
    }

    /// `initialize` on a stdio connection: the connection is the session.
    pub(in crate::era) fn initialize_process(&self, request: &Request, process: &Arc<Process>) -> Opened {
        let hello = match hello(request) {
            Ok(hello) => hello,
            Err(fault) => return refused(request, &fault),
        };
        let version = hello.version;
        let session = ProtocolSession {
            key: process.key(),
            id: process.key().public_id(),
            version,
            capabilities: Arc::new(hello.capabilities),
            client: hello.client.map(Arc::new),
        };
        if process.open(session) {
            self.handshakes.begin(process);
            Opened::Answered(self.welcome(request, self.prepared.greeting(version)))
        } else {
            refused(request, &Fault::new(Code::INVALID_REQUEST, "This connection is initialized already"))
        }
    }

    fn welcome(&self, request: &Request, greeting: &[u8]) -> Outbound {
        let mut body = Vec::with_capacity(512);
        write_result(&mut body, &request.id, |out| out.extend_from_slice(greeting));
        Outbound::json(StatusCode::OK, body)
    }
}

fn refused(request: &Request, fault: &Fault) -> Opened {
    // The shape of an error is the same in every revision with a handshake.
    Opened::Answered(refuse::fault(&Return::to(request, Version::NEWEST_WITH_HANDSHAKE), fault))
}

/// Reads `initialize`, leniently where clients are known to leave things out.
fn hello(request: &Request) -> Result<Hello, Fault> {
    let params = &request.params;
    let version = match params.get("protocolVersion") {
        None => Version::NEWEST_WITH_HANDSHAKE,
        Some(raw) => {
            let asked = raw.string().ok_or_else(|| invalid("`params.protocolVersion` must be a string"))?;
            // Never an echo of a revision that has no handshake.
            Version::parse(&asked).filter(|version| !version.facts().modern).unwrap_or(Version::NEWEST_WITH_HANDSHAKE)
        }
    };
    let capabilities = decode(params.get("capabilities"), "`params.capabilities` must be an object")?;
    let client = decode(params.get("clientInfo"), "`params.clientInfo` must have a `name` and a `version`")?;
    Ok(Hello { version, capabilities: capabilities.unwrap_or_default(), client })
}

fn decode<T: serde::de::DeserializeOwned>(raw: Option<&Raw>, complaint: &str) -> Result<Option<T>, Fault> {
    // Some clients send null for what they leave out.
    raw.filter(|raw| raw.as_str() != "null")
        .map(|raw| serde_json::from_str(raw.as_str()))
        .transpose()
        .map_err(|_| invalid(complaint))
}

fn invalid(complaint: &str) -> Fault {
    Fault::new(Code::INVALID_PARAMS, complaint)
}
