//! Questions as a result, and answers as parameters of the same request, sent again.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    auth::Principal,
    call::{ANSWERS_LIVE, Answer, Answers, Call, Fault, Given, GivenCookie, Operation, Question, canonical, digest},
    era::{Era, Return, cookies, project, refuse},
    exchange::Outbound,
    session::principal_tag,
    wire::{Code, Raw, Request, write_result, write_string},
};

/// What the seals of `requestState` are for.
const PURPOSE: &str = "request-state";
/// What a call remembers between its questions has at most so many bytes.
///
/// Source: our choice, because the client sends it back in a body that is limited.
const STATE_LIMIT: usize = 256 * 1024;

/// What `requestState` holds, sealed.
#[derive(Default, Serialize, Deserialize)]
struct State {
    answers: Answers,
    /// What was asked with it: each key with the digest of its question.
    open: BTreeMap<Box<str>, Box<str>>,
}

/// The answers that a request brings; `None` where it brings none.
pub(super) fn answers(
    era: &Era,
    request: &Request,
    operation: &Operation,
    principal: Option<&Principal>,
) -> Result<Option<Answers>, Fault> {
    let (responses, state) = (request.params.get("inputResponses"), request.params.get("requestState"));
    if responses.is_none() && state.is_none() {
        return Ok(None);
    }
    let cookie = cookies::cookie(era, request);
    let Some(digest) = digest_of(operation, cookie.as_ref()) else { return Ok(None) };
    let state = state.map(|state| open(era, &digest, principal, state).ok_or_else(Fault::invalid_request_state));
    let sealed = state.transpose()?;
    let knows = sealed.is_some();
    let State { mut answers, open } = sealed.unwrap_or_default();
    for (key, result) in responses.map(given).transpose()?.unwrap_or_default() {
        let question = open.get(&key);
        // A state names what was asked with it; whatever else comes answers nothing.
        if question.is_some() || !knows {
            answers.given.insert(key, Given { question: question.cloned(), answer: Answer::Result(result) });
        }
    }
    Ok(Some(answers))
}

/// The results in `inputResponses`, by key.
fn given(responses: &Raw) -> Result<BTreeMap<Box<str>, Box<serde_json::value::RawValue>>, Fault> {
    let invalid = |message: &str| Fault::new(Code::INVALID_PARAMS, message);
    let members =
        responses.members().ok_or_else(|| invalid("`params.inputResponses` must be an object of results by key"))?;
    members
        .iter()
        .map(|(key, result)| {
            let result = Some(result).filter(|result| result.is_object());
            let result = result.and_then(|result| serde_json::from_str(result.as_str()).ok());
            let result = result.ok_or_else(|| invalid("each member of `params.inputResponses` must be an object"))?;
            Ok((key.into(), result))
        })
        .collect()
}

/// The state behind this text: no other request can use it, and no other principal.
fn open(era: &Era, request: &[u8; 32], principal: Option<&Principal>, state: &Raw) -> Option<State> {
    let opened = era.sessions.seals().open(PURPOSE, &[request, &principal_tag(principal)], &state.string()?)?;
    serde_json::from_slice(&opened).ok()
}

/// The digest of what is asked for, with which arguments. `None` for what asks nothing.
///
/// A cookie names the session that the call works on, as a handle does in the arguments.
fn digest_of(operation: &Operation, cookie: Option<&GivenCookie>) -> Option<[u8; 32]> {
    let (name, arguments) = match operation {
        Operation::CallTool { name, arguments } | Operation::GetPrompt { name, arguments } => (name, Some(arguments)),
        Operation::ReadResource { uri } => (uri, None),
        Operation::List { .. } | Operation::Complete(_) | Operation::Task(_) | Operation::Session(_) => return None,
    };
    // The arguments are JSON, or the message would not have been read.
    let arguments: Value = arguments.and_then(|raw| serde_json::from_str(raw.as_str()).ok()).unwrap_or_default();
    let arguments = canonical(&arguments);
    let mut named = vec![operation.method().as_bytes(), name.as_bytes(), arguments.as_bytes()];
    named.extend(cookie.map(|cookie| cookie.id.as_bytes()));
    Some(digest(&named))
}

/// The result that asks.
pub(in crate::era) fn ask(era: &Era, call: &Call, to: &Return, questions: &[Question]) -> Outbound {
    match sealed(era, call, questions) {
        Err(fault) => refuse::fault(to, &fault),
        Ok(state) => {
            let mut body = Vec::with_capacity(1024 + state.len());
            write_result(&mut body, &to.id, |out| {
                out.extend_from_slice(b"{\"resultType\":\"input_required\",\"inputRequests\":");
                project::questions(out, questions);
                out.extend_from_slice(b",\"requestState\":");
                write_string(out, &state);
                out.extend_from_slice(b",\"_meta\":");
                out.extend_from_slice(era.prepared.meta());
                out.push(b'}');
            });
            Outbound::json(StatusCode::OK, body)
        }
    }
}

/// The state that goes with these questions.
fn sealed(era: &Era, call: &Call, questions: &[Question]) -> Result<String, Fault> {
    let mut answers = call.context.answers().cloned().unwrap_or_default();
    answers.name = Some(crate::session::random());
    let open = questions.iter().map(|question| (question.key.clone(), question.digest.clone())).collect();
    let request = digest_of(&call.operation, call.context.cookies().and_then(|cookies| cookies.given.as_ref()))
        .ok_or_else(Fault::internal)?;
    let state = serde_json::to_vec(&State { answers, open }).unwrap_or_default();
    if state.len() > STATE_LIMIT {
        tracing::error!(bytes = state.len(), limit = STATE_LIMIT, "a call remembers too much between its questions");
        let message = format!(
            "The answers so far are larger than the {STATE_LIMIT} bytes that a call may remember between its questions"
        );
        return Err(Fault::new(Code::INTERNAL_ERROR, message));
    }
    let principal = principal_tag(call.context.principal());
    let sealed = era.sessions.seals().seal(PURPOSE, &[&request, &principal], &state, ANSWERS_LIVE);
    sealed.ok_or_else(Fault::internal)
}
