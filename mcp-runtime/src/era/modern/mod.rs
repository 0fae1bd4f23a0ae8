//! The revision without a handshake, 2026-07-28: each request carries its own envelope.

mod ask;
mod headers;
mod listen;
mod listeners;

pub(super) use ask::ask;

use http::StatusCode;
pub(crate) use listen::Listening;
pub(super) use listeners::Listeners;
use serde_json::json;

use super::{Era, Opened, Return, Surroundings, asking, cookies, legacy, operations, refuse, tasks};
use crate::{
    call::{Call, Carrier, Context, Facts, Fault, Logging, Manner, Operation, Session, Tasking, Undecoded},
    exchange::{Field, Headers, Outbound, Source},
    protocol::{ClientCapabilities, Version, notice::UnknownLogLevel, task::TASKS_EXTENSION},
    wire::{Code, Id, Params, Request, write_result},
};

/// The one key that makes a request modern; any other `_meta` is not a claim.
const CLAIM: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";

/// Whether a message claims to be of this revision.
pub(super) fn has_claim(params: &Params) -> bool {
    params.meta(CLAIM).is_some()
}

/// Methods that no revision with a handshake has: without an envelope they are broken requests of this one.
pub(super) fn only_modern(method: &str) -> bool {
    matches!(method, "server/discover" | "subscriptions/listen" | "tasks/update")
}

/// `initialize` with this revision's header but no envelope.
pub(super) fn header_without_envelope(id: &Id) -> Outbound {
    let data = json!({ "supported": refuse::supported() }).to_string();
    let message = "The MCP-Protocol-Version header names a revision that has no `initialize`";
    refuse::error(StatusCode::BAD_REQUEST, Some(id), Code::HEADER_MISMATCH, message, Some(&data))
}

/// A request of this revision whose envelope lacks something; the message names what.
pub(super) fn incomplete_envelope(id: &Id, params: &Params) -> Outbound {
    let mut missing = Vec::new();
    if params.meta(CLAIM).and_then(crate::wire::Raw::string).is_none() {
        missing.push(format!("`{CLAIM}` (a string)"));
    }
    if !params.meta(CAPABILITIES).is_some_and(crate::wire::Raw::is_object) {
        missing.push(format!("`{CAPABILITIES}` (an object)"));
    }
    let message = format!("`params._meta` needs {}", missing.join(" and "));
    refuse::bad_request(Some(id), Code::INVALID_PARAMS, &message)
}

/// Opens a request that claims this era, in the order of checks that decides which error a broken one gets.
pub(super) fn open(era: &Era, request: &Request, headers: Option<&Headers>, around: &Surroundings<'_>) -> Opened {
    match try_open(era, request, headers, around) {
        Ok(opened) => opened,
        Err(refusal) => Opened::Answered(refusal),
    }
}

fn try_open(
    era: &Era,
    request: &Request,
    headers: Option<&Headers>,
    around: &Surroundings<'_>,
) -> Result<Opened, Outbound> {
    let version = envelope(request, headers)?;
    if let Some(headers) = headers {
        same(&request.id, &headers.method, &request.method, "Mcp-Method")?;
    }
    let to = Return { scope: scope(around), ..Return::to(request, version) };
    let logging = logging(request).map_err(|fault| refuse::fault(&to, &fault))?;
    let operation = match &*request.method {
        "server/discover" => return Ok(Opened::Answered(discover(era, &to))),
        "subscriptions/listen" => {
            let listening = listen::open(era, request, &to, around)?;
            return Ok(Opened::Listening(listening, to));
        }
        method => {
            if let (Some(headers), Some(parameter)) = (headers, named_by(method)) {
                headers::named(request, headers, parameter)?;
            }
            let operation = match method.strip_prefix("tasks/").filter(|_| era.prepared.has_tasks()) {
                None => operations::read(request, &era.offered),
                Some(_) => of_tasks(request),
            };
            let operation = operation.map_err(|fault| refuse::fault(&to, &fault))?;
            let Some(operation) = operation else {
                return Err(refuse::fault(&to, &Fault::new(Code::METHOD_NOT_FOUND, "Method not found")));
            };
            operation
        }
    };
    let answers =
        ask::answers(era, request, &operation, around.principal).map_err(|fault| refuse::fault(&to, &fault))?;
    // By identity where the server wants that and somebody is known, else by the handle in the arguments.
    let (carrier, session) = match around.principal.filter(|_| era.sessions.by_identity()) {
        Some(principal) => {
            let key = era.sessions.identity(principal);
            (Carrier::Session(key), Session::Named(key.public_id()))
        }
        None => (Carrier::Handle, Session::None),
    };
    let facts = Facts {
        session,
        principal: around.principal.cloned().map(Box::new),
        client: request.params.meta(CLIENT_INFO).map_or(Undecoded::Absent, Undecoded::raw),
        capabilities: request.params.meta(CAPABILITIES).map_or(Undecoded::Absent, Undecoded::raw),
        progress: legacy::progress(request, version),
        // Which tool has which is not known here: what came goes along, where there is a tool that could want it.
        mirrors: headers.filter(|_| era.prepared.mirrors()).map(|headers| Box::new(headers::mirrors(headers))),
        means: asking::means(version.facts(), &operation),
        logging,
        meta: request.params.get("_meta").map_or(Undecoded::Absent, Undecoded::raw),
        cookies: cookies::given(era, request),
        tasking: if era.prepared.has_tasks() { Tasking::Offered } else { Tasking::Unavailable },
        news: None,
    };
    let mut context = Context::new(facts, around.outbox.clone(), era.shared.clone());
    if let Some(answers) = answers {
        context.set_answers(answers);
    }
    Ok(Opened::Call(Box::new(Call { operation, carrier, context }), to))
}

/// From which level on this request wants log messages: none, unless it says so.
fn logging(request: &Request) -> Result<Logging, Fault> {
    let Some(level) = request.params.meta(LOG_LEVEL) else { return Ok(Logging::Never) };
    let level = level.string().ok_or(UnknownLogLevel).and_then(|level| level.parse());
    let invalid = |unknown| Fault::new(Code::INVALID_PARAMS, format!("`params._meta[\"{LOG_LEVEL}\"]`: {unknown}"));
    level.map(Logging::From).map_err(invalid)
}

/// What a request asks of tasks, from a client that knows them.
fn of_tasks(request: &Request) -> Result<Option<Operation>, Fault> {
    let operation = tasks::read(request, Manner::ByServer, false)?;
    if operation.is_some() && !knows_tasks(request) {
        let needed = json!({ "extensions": { TASKS_EXTENSION: {} } });
        let needed = ClientCapabilities(needed.as_object().cloned().unwrap_or_default());
        let message = format!("{} needs a client that declares the extension {}", request.method, TASKS_EXTENSION);
        return Err(Fault::missing_capability(message, &needed));
    }
    Ok(operation)
}

/// Whether a request comes from a client that knows tasks.
fn knows_tasks(request: &Request) -> bool {
    let client = request.params.meta(CAPABILITIES).and_then(|client| serde_json::from_str(client.as_str()).ok());
    client.is_some_and(|client: ClientCapabilities| client.extension(TASKS_EXTENSION).is_some())
}

/// The parameter that the `Mcp-Name` header of this method mirrors.
fn named_by(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// The version of a complete envelope that agrees with the header.
fn envelope(request: &Request, headers: Option<&Headers>) -> Result<Version, Outbound> {
    let claimed = request.params.meta(CLAIM).and_then(crate::wire::Raw::string);
    let complete = request.params.meta(CAPABILITIES).is_some_and(crate::wire::Raw::is_object);
    let Some(claimed) = claimed.filter(|_| complete) else {
        return Err(incomplete_envelope(&request.id, &request.params));
    };
    if let Some(headers) = headers {
        same(&request.id, &headers.protocol_version, &claimed, "MCP-Protocol-Version")?;
    }
    // A revision with a handshake can't be spoken in an envelope.
    match Version::parse(&claimed) {
        Some(version) if version.facts().modern => Ok(version),
        _ => Err(refuse::unsupported_version(&request.id, &claimed)),
    }
}

/// Whether a header is there, once, and says what the body says.
fn same(id: &Id, field: &Field, body: &str, header: &str) -> Result<(), Outbound> {
    match field {
        Field::Value(value) if **value == *body => Ok(()),
        Field::Value(_) => Err(headers::mismatch(id, &format!("The {header} header differs from the body"))),
        Field::Absent => Err(headers::mismatch(id, &format!("The {header} header is missing"))),
        Field::Repeated => Err(headers::mismatch(id, &format!("The {header} header came more than once"))),
    }
}

/// On stdio a notification cancels; over HTTP a closed connection does, so nothing needs to be found by its id.
fn scope(around: &Surroundings<'_>) -> Option<crate::session::SessionKey> {
    match around.source {
        Source::Stdio(process) => Some(process.key()),
        Source::Http { .. } => None,
    }
}

fn discover(era: &Era, to: &Return) -> Outbound {
    let mut body = Vec::with_capacity(512);
    write_result(&mut body, &to.id, |out| out.extend_from_slice(era.prepared.greeting(to.version)));
    Outbound::json(StatusCode::OK, body)
}
