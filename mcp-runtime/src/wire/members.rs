//! The members of objects, undecoded.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    Raw,
    scan::{Broken, Key, Scanner},
};

/// The members of one JSON object, undecoded, in the order they came; no key twice.
#[derive(Clone, Debug, Default)]
pub struct Members {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: EntryKey,
    value: Raw,
}

/// Keys are not copied but found again in the message, unless they had to be unescaped.
#[derive(Clone, Debug)]
enum EntryKey {
    At { start: u32, end: u32 },
    Unescaped(Box<str>),
}

impl Entry {
    fn key(&self) -> &str {
        match &self.key {
            EntryKey::At { start, end } => self.value.message().get(*start as usize..*end as usize).unwrap_or_default(),
            EntryKey::Unescaped(key) => key,
        }
    }
}

impl Members {
    /// The value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.entries.iter().find(|entry| entry.key() == key).map(|entry| &entry.value)
    }

    /// All keys and values, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Raw)> {
        self.entries.iter().map(|entry| (entry.key(), &entry.value))
    }

    /// The members of this object, if it is one, without a key twice.
    pub(super) fn of(raw: &Raw) -> Option<Self> {
        let (text, span) = raw.parts();
        let scanned = text.get(..span.end as usize)?;
        let mut scanner = Scanner::new(scanned, span.start as usize);
        scanner.blanks();
        if scanner.peek() != Some(b'{') {
            return None;
        }
        let mut members = Self::default();
        let duplicate = scanner.object(|scanner, key| members.scan(scanner, text, key)).ok()?;
        scanner.end().ok()?;
        (!duplicate).then_some(members)
    }

    /// Steps over a value and keeps it. `true` if an object in it has a key twice.
    pub(super) fn scan(&mut self, scanner: &mut Scanner<'_>, text: &Arc<str>, key: &Key<'_>) -> Result<bool, Broken> {
        let start = scanner.at();
        let duplicate = scanner.value()?;
        self.push(text, key, start..scanner.at());
        Ok(duplicate)
    }

    /// Keeps the value that is here.
    pub(super) fn push(&mut self, text: &Arc<str>, key: &Key<'_>, value: Range<usize>) {
        let key = match &key.text {
            Cow::Borrowed(text) => EntryKey::At { start: offset(key.start), end: offset(key.start + text.len()) },
            Cow::Owned(text) => EntryKey::Unescaped(text.as_str().into()),
        };
        self.entries.push(Entry { key, value: piece(text, value) });
    }
}

/// The piece of a message here.
pub(super) fn piece(text: &Arc<str>, span: Range<usize>) -> Raw {
    Raw::new(text.clone(), offset(span.start)..offset(span.end))
}

/// Offsets fit: a longer message was refused before it was scanned.
fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// `params`, with the members of `params` and of `params._meta` at hand.
#[derive(Clone, Debug, Default)]
pub struct Params {
    whole: Option<Raw>,
    members: Members,
    meta: Option<Members>,
}

/// What stands for the members of a `_meta` that did not come.
static NO_MEMBERS: Members = Members { entries: Vec::new() };

impl Params {
    /// The value of this member of `params`, undecoded.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.members.get(key)
    }

    /// The string value of this member of `params`; `None` when it is absent or no string.
    #[must_use]
    pub fn string(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key)?.string()
    }

    /// All members of `params`.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The whole of `params`, an object; `None` when there are none.
    #[must_use]
    pub fn as_raw(&self) -> Option<&Raw> {
        self.whole.as_ref()
    }

    /// The value of this member of `params._meta`, undecoded.
    #[must_use]
    pub fn meta(&self, key: &str) -> Option<&Raw> {
        self.meta_members().get(key)
    }

    /// All members of `params._meta`.
    #[must_use]
    pub fn meta_members(&self) -> &Members {
        self.meta.as_ref().unwrap_or(&NO_MEMBERS)
    }

    /// Whether `params._meta` is there and an object. One that is there and none is an ordinary member: `get("_meta")`.
    #[must_use]
    pub fn has_meta(&self) -> bool {
        self.meta.is_some()
    }

    /// Steps over `params`, which must be an object, and keeps it. `true` if an object in it has a key twice.
    pub(super) fn scan(&mut self, scanner: &mut Scanner<'_>, text: &Arc<str>) -> Result<bool, Broken> {
        let start = scanner.at();
        let Self { members, meta, .. } = self;
        let duplicate = scanner.object(|scanner, key| {
            if key.text != "_meta" || scanner.peek() != Some(b'{') {
                return members.scan(scanner, text, key);
            }
            let start = scanner.at();
            let found = meta.insert(Members::default());
            let duplicate = scanner.object(|scanner, key| found.scan(scanner, text, key))?;
            members.push(text, key, start..scanner.at());
            Ok(duplicate)
        })?;
        self.whole = Some(piece(text, start..scanner.at()));
        Ok(duplicate)
    }
}
