//! What is asked of tasks, read, and tasks in the shapes of both eras, which share names and little else.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Prepared, notices, project};
use crate::{
    call::{
        Answered, Fault, Manner, Operation, RELATED, Results, Standing, Task, TaskAction, TaskCall, TaskOutcome,
        TaskResult, Tasking,
    },
    protocol::{TaskStatus, version::Facts},
    tasks::iso,
    wire::{Code, Id, Raw, Request, write_notification, write_string},
};

/// `_meta` of a task that was made: what the model is told meanwhile.
const IMMEDIATE_RESPONSE: &str = "io.modelcontextprotocol/model-immediate-response";

/// What a request asks of tasks; `None` for a method that is none of this manner's.
pub(super) fn read(request: &Request, manner: Manner, can_ask: bool) -> Result<Option<Operation>, Fault> {
    let id = || {
        let id = request.params.string("taskId").map(|id| Box::from(&*id));
        id.ok_or_else(|| invalid(format!("{} needs `params.taskId`, a string", request.method)))
    };
    let action = match (&*request.method, manner) {
        ("tasks/get", _) => TaskAction::Get(id()?),
        ("tasks/cancel", _) => TaskAction::Cancel(id()?),
        ("tasks/result", Manner::ByRequest) => TaskAction::Result { id: id()?, can_ask, claim: None },
        ("tasks/list", Manner::ByRequest) => TaskAction::List(cursor(request)?),
        ("tasks/update", Manner::ByServer) => TaskAction::Update(id()?, answers(request)?),
        _ => return Ok(None),
    };
    Ok(Some(Operation::Task(Box::new(TaskCall { manner, action }))))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(Code::INVALID_PARAMS, message)
}

fn cursor(request: &Request) -> Result<Option<Box<str>>, Fault> {
    match request.params.get("cursor") {
        // Some clients send null for what they leave out.
        Some(cursor) if cursor.as_str() != "null" => {
            let cursor = cursor.string().ok_or_else(|| invalid("`params.cursor` must be a string"))?;
            Ok(Some(cursor.into()))
        }
        _ => Ok(None),
    }
}

fn answers(request: &Request) -> Result<Results, Fault> {
    let complaint = "tasks/update needs `params.inputResponses`, an object of results by key, each an object";
    let responses = request.params.get("inputResponses").and_then(Raw::members).ok_or_else(|| invalid(complaint))?;
    let answer = |(key, result): (&str, &Raw)| {
        let result = Some(result).filter(|result| result.is_object());
        let result = result.and_then(|result| serde_json::from_str(result.as_str()).ok());
        Ok((key.into(), result.ok_or_else(|| invalid(complaint))?))
    };
    responses.iter().map(answer).collect()
}

/// Whether a call of a session can become a task: `params.task` asks for it.
pub(super) fn requested(request: &Request) -> Result<Tasking, Fault> {
    let task = match request.params.get("task") {
        None => return Ok(Tasking::NotRequested),
        Some(task) if task.as_str() == "null" => return Ok(Tasking::NotRequested),
        Some(task) => task.members().ok_or_else(|| invalid("`params.task` must be an object"))?,
    };
    let ttl = match task.get("ttl").map(Raw::as_str) {
        None | Some("null") => None,
        Some(ttl) => {
            let complaint = || invalid("`params.task.ttl` must be a number of milliseconds, not below zero");
            let ttl: f64 = serde_json::from_str(ttl).map_err(|_| complaint())?;
            // What is too long for a time is longer than any task is kept.
            Some(Duration::try_from_secs_f64(ttl / 1000.0).or(if ttl > 0.0 {
                Ok(Duration::MAX)
            } else {
                Err(complaint())
            })?)
        }
    };
    Ok(Tasking::Requested { ttl })
}

/// Writes what was asked of tasks; `also` belongs into the `_meta` of a call that became one.
pub(super) fn write(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, outcome: TaskOutcome, also: Option<Value>) {
    if facts.modern {
        return write_extension(out, prepared, facts, outcome, also);
    }
    let value = match outcome {
        TaskOutcome::Created(task, meanwhile) => {
            let mut created = json!({ "task": flat(&task) });
            if let Some(also) = also {
                created["_meta"] = also;
            }
            if let Some(meanwhile) = meanwhile {
                created["_meta"][IMMEDIATE_RESPONSE] = meanwhile.into();
            }
            created
        }
        TaskOutcome::Got(task) | TaskOutcome::Cancelled(task) => flat(&task),
        TaskOutcome::Listed { tasks, next } => {
            let mut listed = json!({ "tasks": tasks.iter().map(flat).collect::<Vec<_>>() });
            if let Some(next) = next {
                listed["nextCursor"] = Value::from(&*next);
            }
            listed
        }
        TaskOutcome::Result { id, result: Ok((tool, result)) } => {
            let related = json!({ RELATED: { "taskId": id.to_string() } });
            return project::tool_result(out, prepared, facts, &by(tool), result, Some(related));
        }
        // A fault is answered as one before anything is written.
        TaskOutcome::Result { result: Err(_), .. } | TaskOutcome::Updated => json!({}),
    };
    out.extend_from_slice(value.to_string().as_bytes());
}

/// A task of a session, as all of its methods show it.
pub(super) fn flat(task: &Task) -> Value {
    let status = match &task.standing {
        Standing::Working => TaskStatus::Working,
        Standing::InputRequired(_) => TaskStatus::InputRequired,
        Standing::Cancelled => TaskStatus::Cancelled,
        // A tool that says no has failed.
        Standing::Ended(Ok((_, result))) if !result.is_error => TaskStatus::Completed,
        Standing::Ended(_) => TaskStatus::Failed,
    };
    let mut value = facts_of(task, status);
    value["ttl"] = milliseconds(task.ttl);
    value["pollInterval"] = milliseconds(task.poll_interval);
    value
}

/// What both eras tell of a task in the same way.
fn facts_of(task: &Task, status: TaskStatus) -> Value {
    let mut value = json!({
        "taskId": task.id.to_string(),
        "status": status.as_str(),
        "createdAt": iso(task.created),
        "lastUpdatedAt": iso(task.updated),
    });
    if let Some(message) = &task.message {
        value["statusMessage"] = Value::from(&**message);
    }
    value
}

fn milliseconds(time: Duration) -> Value {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}

/// Writes a result of the extension: flat, with a `resultType`.
fn write_extension(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, outcome: TaskOutcome, also: Option<Value>) {
    let created = matches!(outcome, TaskOutcome::Created(..));
    let kind: &[u8] = if created { b"task" } else { b"complete" };
    out.extend_from_slice(b"{\"resultType\":\"");
    out.extend_from_slice(kind);
    out.push(b'"');
    match outcome {
        TaskOutcome::Created(task, _) => {
            out.push(b',');
            write_extension_facts(out, &task);
        }
        TaskOutcome::Got(task) => {
            out.push(b',');
            write_detailed(out, prepared, facts, task);
        }
        // Only that it was heard. What sessions alone can ask for is never asked here.
        TaskOutcome::Cancelled(_) | TaskOutcome::Updated | TaskOutcome::Listed { .. } | TaskOutcome::Result { .. } => {}
    }
    project::meta(out, prepared, facts, None, also.filter(|_| created));
    out.push(b'}');
}

/// Writes the members of a task of the extension that every message about it has.
fn write_extension_facts(out: &mut Vec<u8>, task: &Task) {
    let status = match &task.standing {
        Standing::Working => TaskStatus::Working,
        Standing::InputRequired(_) => TaskStatus::InputRequired,
        Standing::Cancelled => TaskStatus::Cancelled,
        // A tool that says no has given a result.
        Standing::Ended(Ok(_)) => TaskStatus::Completed,
        Standing::Ended(Err(_)) => TaskStatus::Failed,
    };
    let mut value = facts_of(task, status);
    value["ttlMs"] = milliseconds(task.ttl);
    value["pollIntervalMs"] = milliseconds(task.poll_interval);
    let text = value.to_string();
    // Without its braces: more members may follow.
    out.extend_from_slice(text.get(1..text.len() - 1).unwrap_or_default().as_bytes());
}

/// Writes all members of a task of the extension.
pub(super) fn write_detailed(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, task: Task) {
    write_extension_facts(out, &task);
    match task.standing {
        Standing::Working | Standing::Cancelled => {}
        Standing::InputRequired(questions) => {
            out.extend_from_slice(b",\"inputRequests\":");
            project::questions(out, &questions);
        }
        Standing::Ended(Ok((tool, result))) => {
            out.extend_from_slice(b",\"result\":");
            project::tool_result(out, prepared, facts, &by(tool), result, None);
        }
        Standing::Ended(Err(fault)) => {
            out.extend_from_slice(b",\"error\":{\"code\":");
            out.extend_from_slice(fault.code.0.to_string().as_bytes());
            out.extend_from_slice(b",\"message\":");
            write_string(out, &fault.message);
            if let Some(data) = &fault.data {
                out.extend_from_slice(b",\"data\":");
                out.extend_from_slice(data.to_string().as_bytes());
            }
            out.push(b'}');
        }
    }
}

/// How a task of a session stands, told without being asked.
pub(super) fn write_status(out: &mut Vec<u8>, task: &Task) {
    write_notification(out, "notifications/tasks/status", |out| {
        out.extend_from_slice(flat(task).to_string().as_bytes());
    });
}

/// How a task of the extension stands, told to this subscription.
pub(super) fn write_news(out: &mut Vec<u8>, prepared: &Prepared, facts: &Facts, task: Task, subscription: &Id) {
    write_notification(out, "notifications/tasks", |out| {
        out.push(b'{');
        write_detailed(out, prepared, facts, task);
        out.push(b',');
        notices::write_subscription(out, subscription);
        out.push(b'}');
    });
}

/// Which tool gave a result.
fn by(tool: Option<usize>) -> Answered {
    tool.map_or(Answered::Framework, Answered::Declared)
}

/// The fault that the result of a task is, if it is one.
pub(super) fn fault(outcome: &mut TaskOutcome) -> Option<Fault> {
    match outcome {
        TaskOutcome::Result { result: result @ Err(_), .. } => {
            let taken: TaskResult = std::mem::replace(result, Err(Fault::internal()));
            taken.err()
        }
        _ => None,
    }
}

/// `_meta` of a question of a task, for its parameters.
pub(super) fn add_related(params: String, operation: &Operation) -> String {
    let Operation::Task(call) = operation else { return params };
    let TaskAction::Result { id, .. } = &call.action else { return params };
    // The order of what is asked is the order in which it is shown: so nothing is read and written again.
    let Some(members) = params.strip_suffix('}') else { return params };
    let comma = if members.len() > 1 { "," } else { "" };
    format!("{members}{comma}\"_meta\":{}}}", json!({ RELATED: { "taskId": &**id } }))
}
