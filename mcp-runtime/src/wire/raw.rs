//! A piece of a message, undecoded.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use super::{Id, Members, scan};

/// JSON text that is a piece of a message and keeps the message alive: cloning copies no text.
#[derive(Clone)]
pub struct Raw {
    text: Arc<str>,
    span: Range<u32>,
}

impl Raw {
    /// The piece of `text` at `span`, byte offsets on character boundaries.
    pub(crate) fn new(text: Arc<str>, span: Range<u32>) -> Self {
        debug_assert!(text.get(span.start as usize..span.end as usize).is_some());
        Self { text, span }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(self.span.start as usize..self.span.end as usize).unwrap_or_default()
    }

    /// The value of a JSON string, unescaped; `None` for anything else.
    #[must_use]
    pub fn string(&self) -> Option<Cow<'_, str>> {
        let text = self.as_str().strip_prefix('"')?.strip_suffix('"')?;
        if text.as_bytes().contains(&b'\\') { scan::unescape(text).map(Cow::Owned) } else { Some(Cow::Borrowed(text)) }
    }

    /// Whether it is a JSON object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// The members of a JSON object; `None` for anything else. Scans the object once more, so call it once.
    #[must_use]
    pub fn members(&self) -> Option<Members> {
        Members::of(self)
    }

    /// The value as an id: a string or an integer; `None` for anything else.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        Id::read(self).ok()
    }

    /// The whole message that this is a piece of, and where in it.
    pub(super) fn parts(&self) -> (&Arc<str>, Range<u32>) {
        (&self.text, self.span.clone())
    }

    /// The text behind the first byte of the piece, whatever its end: for keys, which lie in the same message.
    pub(super) fn message(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        // A message is far below 4 GiB; a longer text would be cut to nothing by `as_str`, never out of bounds.
        Self { span: 0..u32::try_from(text.len()).unwrap_or(0), text: text.into() }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
