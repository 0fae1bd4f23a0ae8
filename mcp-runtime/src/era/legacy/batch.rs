//! Batches, which 2025-03-26 alone has.

use crate::{
    era::{Era, Surroundings, classify::Hinted, modern, refuse},
    exchange::{Outbound, Source},
    protocol::Version,
    wire::{Code, Malformed, Message, Notification, Raw, Request, read_batch},
};

/// More messages than this in one array are refused.
const BATCH_LIMIT: usize = 64;

impl Era {
    /// The elements of an array, if whoever sent it may send arrays.
    pub(crate) async fn unbatch(
        &self,
        array: &Raw,
        around: &Surroundings<'_>,
    ) -> Result<Vec<Result<Message, Malformed>>, Outbound> {
        let version = match around.source {
            Source::Http { headers, .. } => match Hinted::of(headers).older() {
                None => None,
                Some(hinted) => {
                    let session = self.legacy_session(headers, hinted, None, around.principal).await?;
                    Some(session.map_or(hinted.unwrap_or(Version::WITHOUT_HEADER), |session| session.version))
                }
            },
            Source::Stdio(process) => process.session().map(|session| session.version),
        };
        if !version.is_some_and(|version| version.facts().batches) {
            return Err(refuse::bad_request(None, Code::INVALID_REQUEST, "This revision has no batches"));
        }
        let messages = read_batch(array, BATCH_LIMIT).map_err(|malformed| refuse::malformed(&malformed))?;
        let claims = |message: &Result<Message, Malformed>| match message {
            Ok(Message::Request(Request { params, .. }) | Message::Notification(Notification { params, .. })) => {
                modern::has_claim(params)
            }
            _ => false,
        };
        if messages.iter().any(claims) {
            return Err(refuse::bad_request(
                None,
                Code::INVALID_REQUEST,
                "A message with an envelope must stand alone",
            ));
        }
        let initialize = |message: &Result<Message, Malformed>| matches!(message, Ok(Message::Request(request)) if &*request.method == "initialize");
        if messages.iter().any(initialize) {
            return Err(refuse::bad_request(None, Code::INVALID_REQUEST, "`initialize` must stand alone"));
        }
        Ok(messages)
    }
}
