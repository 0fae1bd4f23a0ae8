//! Cookies on the wire: `_meta["mcp/session"]`, and the methods that make, list and end their sessions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Era;
use crate::{
    call::{Context, CookieState, Fault, GivenCookie, OfferedCookies, Operation, SessionCall},
    session::{CookiePolicy, Cookies},
    wire::{Code, Raw, Request},
};

/// Where a cookie stands.
const COOKIE: &str = "mcp/session";
/// What a session may say of itself, in bytes.
const DATA_LIMIT: usize = 4 * 1024;

#[derive(Default, Deserialize)]
struct Hints {
    label: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

/// What the server says at the handshake.
pub(super) fn capability(offered: OfferedCookies) -> Value {
    let features: &[&str] = match offered {
        OfferedCookies::Stored => &["create", "list", "delete"],
        // Nobody can list or delete what only its client has.
        OfferedCookies::Sealed => &["create"],
    };
    json!({ "session": { "version": 2, "features": features } })
}

/// The member beside a cookie's id that only the server reads: what the client saw of the session, or all of it.
fn member(room: &Cookies) -> &'static str {
    if room.are_sealed() { "state" } else { "seen" }
}

/// The cookie of a request; `None` where the server takes none. Whatever is no cookie is none.
pub(super) fn given(era: &Era, request: &Request) -> Option<Box<CookieState>> {
    let room = era.sessions.cookies();
    (room.policy() != CookiePolicy::Off)
        .then(|| Box::new(CookieState::new(room.policy(), cookie(era, request), room.idle(), room.nothing())))
}

/// What a request sends of a cookie.
pub(super) fn cookie(era: &Era, request: &Request) -> Option<GivenCookie> {
    let room = era.sessions.cookies();
    if room.policy() == CookiePolicy::Off {
        return None;
    }
    let members = request.params.meta(COOKIE)?.members()?;
    let text = |name: &str| members.get(name).and_then(Raw::string);
    let id = text("id").filter(|id| !id.is_empty())?;
    Some(GivenCookie { id: id.into(), token: text(member(room)).map(Into::into) })
}

/// What a request asks of sessions; `None` for another method.
pub(super) fn read(request: &Request, offered: OfferedCookies) -> Result<Option<Operation>, Fault> {
    let asked = match (&*request.method, offered) {
        ("session/create", _) => create(request)?,
        ("session/list", OfferedCookies::Stored) => SessionCall::List,
        ("session/delete", OfferedCookies::Stored) => {
            SessionCall::Delete { id: optional(request, "id")?.map(String::into) }
        }
        _ => return Ok(None),
    };
    Ok(Some(Operation::Session(Box::new(asked))))
}

fn create(request: &Request) -> Result<SessionCall, Fault> {
    let Hints { label, mut data } = optional(request, "hints")?.unwrap_or_default();
    let size =
        data.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() + label.as_ref().map_or(0, String::len);
    if size > DATA_LIMIT {
        let message = format!("`params.hints` has {size} bytes of text, {DATA_LIMIT} are allowed");
        return Err(Fault::new(Code::INVALID_PARAMS, message));
    }
    let trimmed = |title: String| Some(title.trim().to_owned()).filter(|title| !title.is_empty());
    let title = data.remove("title").and_then(trimmed).or_else(|| label.and_then(trimmed)).map(Into::into);
    Ok(SessionCall::Create { title, data })
}

/// A parameter that need not be there.
fn optional<T: for<'de> Deserialize<'de>>(request: &Request, name: &str) -> Result<Option<T>, Fault> {
    let Some(raw) = request.params.get(name).filter(|raw| raw.as_str() != "null") else { return Ok(None) };
    serde_json::from_str(raw.as_str()).map(Some).map_err(|_| {
        let expected = if name == "hints" {
            "an object with `label`, a string, and `data`, an object of strings, both optional"
        } else {
            "a string"
        };
        Fault::new(Code::INVALID_PARAMS, format!("Invalid request parameters: `params.{name}` must be {expected}"))
    })
}

/// What the answer to a call says of its cookie: nothing, the session, or that it is over.
pub(super) fn echo(era: &Era, cx: &Context) -> Option<Value> {
    let cookies = cx.cookies()?;
    // Strings alone: encoding them can't fail.
    let mut cookie = cookies.echo()?.map_or(Value::Null, |cookie| serde_json::to_value(cookie).unwrap_or_default());
    if let (Value::Object(members), Some(token)) = (&mut cookie, cookies.token()) {
        members.insert(member(era.sessions.cookies()).to_owned(), String::from(token).into());
    }
    Some(Value::Object(Map::from_iter([(COOKIE.to_owned(), cookie)])))
}
