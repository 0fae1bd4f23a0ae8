//! Messages from bytes.

use std::{ops::Range, sync::Arc};

use super::{
    Body, Code, Id, Malformed, Message, Notification, Params, Raw, Request, Response,
    id::IdError,
    members::piece,
    scan::{Broken, Scanner},
};

/// Reads one body. An array is not looked into: [`read_batch`] does, where a revision has batches.
///
/// # Errors
/// [`Malformed`], which the peer sees as it is: -32700 for bytes that are no JSON, -32600 for JSON that is no message,
/// -32602 for `params` that are no object or in which a key comes twice.
///
/// # Source
/// JSON-RPC 2.0 §4. Our choice, because two readers of one message must never disagree about it: a key twice is an
/// error at every depth; so is a message that is both a request and a response.
pub fn read(bytes: &[u8]) -> Result<Body, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| parse_error("The message is not valid UTF-8"))?;
    if u32::try_from(text.len()).is_err() {
        return Err(parse_error("The message is larger than 4 GiB"));
    }
    let text: Arc<str> = text.into();
    let mut scanner = Scanner::new(&text, 0);
    scanner.blanks();
    match scanner.peek() {
        Some(b'[') => {
            let start = scanner.at();
            // One step is enough to tell an empty array, which no revision allows.
            if !scanner.array(|_| Ok(false))? {
                return Ok(Body::Batch(piece(&text, start..text.len())));
            }
            scanner.end()?;
            Err(invalid(None, "The batch is empty"))
        }
        Some(b'{') => {
            let message = message(&mut scanner, &text)?;
            scanner.end()?;
            message.map(Body::Single)
        }
        _ => {
            scanner.value()?;
            scanner.end()?;
            Err(invalid(None, NO_OBJECT))
        }
    }
}

/// Reads the messages of a [`Body::Batch`], each for itself: one that is malformed leaves the others usable.
///
/// # Errors
/// [`Malformed`] for the batch as a whole: -32700 when it is no JSON, -32600 when it holds more than `limit` messages;
/// what follows those is not read.
pub fn read_batch(batch: &Raw, limit: usize) -> Result<Vec<Result<Message, Malformed>>, Malformed> {
    let (text, span) = batch.parts();
    let mut scanner = Scanner::new(text.get(..span.end as usize).unwrap_or_default(), span.start as usize);
    let mut messages = Vec::new();
    if scanner.peek() != Some(b'[') {
        return Err(invalid(None, "The batch is no array"));
    }
    let whole = scanner.array(|scanner| {
        if messages.len() == limit {
            return Ok(false);
        }
        messages.push(if scanner.peek() == Some(b'{') {
            message(scanner, text)?
        } else {
            scanner.value()?;
            Err(invalid(None, NO_OBJECT))
        });
        Ok(true)
    })?;
    if !whole {
        return Err(invalid(None, "The batch has too many messages"));
    }
    scanner.end()?;
    Ok(messages)
}

const NO_OBJECT: &str = "A message must be an object";

impl From<Broken> for Malformed {
    fn from(broken: Broken) -> Self {
        parse_error(match broken {
            Broken::Syntax => "The message is not valid JSON",
            Broken::TooDeep => "The message is nested too deeply",
        })
    }
}

fn parse_error(message: &'static str) -> Malformed {
    Malformed { id: None, code: Code::PARSE_ERROR, message }
}

fn invalid(id: Option<Id>, message: &'static str) -> Malformed {
    Malformed { id, code: Code::INVALID_REQUEST, message }
}

/// The members of a message that JSON-RPC knows, where they are.
#[derive(Default)]
struct Envelope {
    version: Option<Range<usize>>,
    id: Option<Range<usize>>,
    method: Option<Range<usize>>,
    params: Params,
    /// `params` is there and no object.
    odd_params: bool,
    result: Option<Range<usize>>,
    error: Option<Range<usize>>,
    /// Inside `params` a key comes twice.
    params_duplicate: bool,
    /// Anywhere else one does.
    duplicate: bool,
}

/// One message, at its opening brace. The outer error is no JSON, the inner one no message.
fn message(scanner: &mut Scanner<'_>, text: &Arc<str>) -> Result<Result<Message, Malformed>, Broken> {
    let mut envelope = Envelope::default();
    let twice = scanner.object(|scanner, key| {
        let start = scanner.at();
        if key.text == "params" {
            if scanner.peek() == Some(b'{') {
                envelope.params_duplicate |= envelope.params.scan(scanner, text)?;
            } else {
                envelope.odd_params = true;
                scanner.value()?;
            }
            return Ok(false);
        }
        envelope.duplicate |= scanner.value()?;
        let span = Some(start..scanner.at());
        match &*key.text {
            "jsonrpc" => envelope.version = span,
            "id" => envelope.id = span,
            "method" => envelope.method = span,
            "result" => envelope.result = span,
            "error" => envelope.error = span,
            _ => {}
        }
        Ok(false)
    })?;
    Ok(if twice { Err(invalid(None, "The message has a member twice")) } else { envelope.check(text) })
}

impl Envelope {
    /// The message in the envelope.
    fn check(self, text: &Arc<str>) -> Result<Message, Malformed> {
        let raw = |span| piece(text, span);
        let is_response = self.result.is_some() || self.error.is_some();
        let id = match self.id.map(|span| Id::read(&raw(span))) {
            None => None,
            Some(Ok(id)) => Some(id),
            // An error that nobody could match to a request.
            Some(Err(IdError::Null)) if self.error.is_some() => None,
            Some(Err(_)) => return Err(invalid(None, "The id must be an integer or a string of at most 1 KiB")),
        };
        // What claims to be a response is not answered under an id: the peer would take that for an answer to a request
        // of its own.
        let refuse = |message| Err(invalid(id.clone().filter(|_| !is_response), message));
        if self.version.and_then(|span| text.get(span)).is_none_or(|version| !is_version(version)) {
            return refuse("The member jsonrpc must be \"2.0\"");
        }
        if self.duplicate {
            return refuse("The message has a member twice");
        }
        let Some(method) = self.method else {
            return match (self.result, self.error) {
                (Some(_), None) if id.is_none() => refuse("A result must have an id"),
                (Some(result), None) => Ok(Message::Response(Response { id, outcome: Ok(raw(result)) })),
                (None, Some(error)) => {
                    let error = raw(error);
                    if !error.is_object() {
                        return refuse("The error must be an object");
                    }
                    Ok(Message::Response(Response { id, outcome: Err(error) }))
                }
                (None, None) => refuse("The message has no method"),
                (Some(_), Some(_)) => refuse("A response has a result or an error, not both"),
            };
        };
        if is_response {
            return refuse("A message is a request or a response, not both");
        }
        let method = raw(method);
        let Some(method) = method.string() else { return refuse("The method must be a string") };
        if self.odd_params {
            return Err(Malformed { id, code: Code::INVALID_PARAMS, message: "The parameters must be an object" });
        }
        if self.params_duplicate {
            return Err(Malformed { id, code: Code::INVALID_PARAMS, message: "The parameters have a member twice" });
        }
        let (method, params) = (method.into(), self.params);
        Ok(match id {
            Some(id) => Message::Request(Request { id, method, params }),
            None => Message::Notification(Notification { method, params }),
        })
    }
}

/// Whether this JSON text is the string `2.0`; escaped, it is that string too.
fn is_version(text: &str) -> bool {
    text == "\"2.0\"" || Raw::from(text).string().is_some_and(|version| version == "2.0")
}
