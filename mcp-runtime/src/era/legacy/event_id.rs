//! What clients are told as the id of an event: which stream, and where in it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use crate::{
    session,
    store::{Sequence, StreamId},
};

/// The length of a stream's name in an id.
const NAME: usize = 22;

/// The bit in which the names of streams of sessions and of calls differ; who turns it names a stream that is not there.
const OF_SESSION: u8 = 1;

/// The place of an event: its stream and its number there, 0 for the place before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventId {
    pub(super) stream: StreamId,
    pub(super) number: Sequence,
}

impl EventId {
    /// A new stream for what one call says.
    pub(super) fn stream_of_call() -> StreamId {
        let mut stream: [u8; 16] = session::random();
        stream[0] &= !OF_SESSION;
        StreamId(stream)
    }

    /// A new stream for what a session is told outside of its calls.
    pub(super) fn stream_of_session() -> StreamId {
        let mut stream: [u8; 16] = session::random();
        stream[0] |= OF_SESSION;
        StreamId(stream)
    }

    /// Whether it is a stream of the session, and not of a call.
    pub(super) fn is_of_session(self) -> bool {
        self.stream.0[0] & OF_SESSION != 0
    }

    /// The id as clients see it, who take it for a word without meaning.
    pub(super) fn write(self) -> Box<str> {
        format!("{}-{}", BASE64.encode(self.stream.0), self.number).into()
    }

    /// Reads exactly what [`write`](Self::write) gives; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (name, number) = text.split_at_checked(NAME)?;
        let number: Sequence = number.strip_prefix('-')?.parse().ok()?;
        let stream = BASE64.decode(name).ok()?.try_into().ok().map(StreamId)?;
        let id = Self { stream, number };
        // One id has one form: no plus sign, no zeros before the number.
        (*id.write() == *text).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_in_no_other_form() {
        for number in [0, 1, 17, u64::MAX] {
            let id = EventId { stream: StreamId([0xfb; 16]), number };
            assert_eq!(EventId::read(&id.write()), Some(id));
        }
        let name = "-_v7-_v7-_v7-_v7-_v7-w";
        assert!(EventId::read(&format!("{name}-7")).is_some());
        let large = format!("{name}-{}", "9".repeat(1 << 20));
        for number in ["--7", "-+7", "-07", "-", "", "7", "-7 ", "-18446744073709551616", "-1.0", "-7-7"] {
            assert_eq!(EventId::read(&format!("{name}{number}")), None, "{number}");
        }
        for text in ["", "7", "-_v7-_v7-_v7-_v7-_v7-x-7", "é_v7-_v7-_v7-_v7-_v7-w-7", &large] {
            assert_eq!(EventId::read(text), None, "{text:.40}");
        }
    }
}
