//! One pass over JSON text.
//!
//! Takes: text. Gives: where its pieces are, and whether an object has a key twice. Knows: JSON. Must not know:
//! JSON-RPC.
//!
//! # Source
//! RFC 8259. Stricter where it leaves a choice, so that no two readers of a message can disagree about it: no byte order
//! mark, no lone surrogates, no number beyond the range of `f64`, and duplicate keys are reported.

use std::{borrow::Cow, collections::HashSet};

/// How deep objects and arrays may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// Up to here the keys of an object are compared one by one, which is faster than hashing; more go into a set, which is
/// linear whatever the peer sends since its hashes are keyed at random.
const FEW_KEYS: usize = 16;

/// Why text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It breaks the grammar.
    Syntax,
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// A key of an object.
pub(super) struct Key<'a> {
    /// Where its text begins, behind the quote.
    pub(super) start: usize,
    /// The text, unescaped: owned if there was anything to unescape.
    pub(super) text: Cow<'a, str>,
}

/// Walks over JSON text. Each method expects to stand at the first byte of what it is named after, and leaves behind
/// its last.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The keys of the objects that are open, as long as each has few and none of them is escaped.
    keys: Vec<&'a str>,
    /// How many keys were compared or hashed.
    #[cfg(test)]
    pub(super) work: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            depth: 0,
            keys: Vec::with_capacity(FEW_KEYS),
            #[cfg(test)]
            work: 0,
        }
    }

    /// The offset of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over blanks.
    #[inline]
    pub(super) fn blanks(&mut self) {
        // Peers rarely send any.
        while self.peek().is_some_and(|byte| byte <= b' ') {
            if !matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                break;
            }
            self.at += 1;
        }
    }

    /// Steps over blanks to the end of the text.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        self.blanks();
        if self.at == self.text.len() { Ok(()) } else { Err(Broken::Syntax) }
    }

    /// Any value. `true` if an object in it has a key twice.
    pub(super) fn value(&mut self) -> Result<bool, Broken> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'{') => self.object(|scanner, _| scanner.value()),
            Some(b'[') => {
                let mut duplicate = false;
                self.array(|scanner| {
                    duplicate |= scanner.value()?;
                    Ok(true)
                })?;
                Ok(duplicate)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(Broken::Syntax),
        }
    }

    /// An object; `each` gets every key and steps over its value. `true` if a key came twice, or `each` ever said so.
    pub(super) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &Key<'a>) -> Result<bool, Broken>,
    ) -> Result<bool, Broken> {
        self.open()?;
        let first = self.keys.len();
        let mut many = None;
        let mut duplicate = false;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let key = self.key()?;
                duplicate |= self.is_known(first, &mut many, &key);
                duplicate |= each(self, &key)?;
                self.blanks();
                if self.follows(b'}')? {
                    break;
                }
            }
        }
        self.keys.truncate(first);
        self.depth -= 1;
        Ok(duplicate)
    }

    /// An array; `each` steps over one element and says whether to go on. `false` if it did not.
    pub(super) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<bool, Broken>) -> Result<bool, Broken> {
        self.open()?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                if !each(self)? {
                    return Ok(false);
                }
                self.blanks();
                if self.follows(b']')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(true)
    }

    /// A string. `true` if anything in it is escaped.
    pub(super) fn string(&mut self) -> Result<bool, Broken> {
        let bytes = self.text.as_bytes();
        let at = plain_end(bytes, self.at + 1);
        if bytes.get(at) == Some(&b'"') {
            self.at = at + 1;
            return Ok(false);
        }
        self.escaped_string(at)
    }

    /// The rest of a string, at its first byte that is not plain.
    #[cold]
    fn escaped_string(&mut self, mut at: usize) -> Result<bool, Broken> {
        let bytes = self.text.as_bytes();
        while bytes.get(at) == Some(&b'\\') {
            let (_, next) = escape(bytes, at).ok_or(Broken::Syntax)?;
            at = plain_end(bytes, next);
        }
        self.at = at + 1;
        if bytes.get(at) == Some(&b'"') { Ok(true) } else { Err(Broken::Syntax) }
    }

    /// Steps into an object or array, to its first member or its end.
    fn open(&mut self) -> Result<(), Broken> {
        if self.depth == MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        self.blanks();
        Ok(())
    }

    /// Steps over what follows a member: `true` for the closing bracket, `false` for a comma and its blanks.
    fn follows(&mut self, closing: u8) -> Result<bool, Broken> {
        let next = self.peek();
        self.at += 1;
        if next == Some(closing) {
            Ok(true)
        } else if next == Some(b',') {
            self.blanks();
            Ok(false)
        } else {
            Err(Broken::Syntax)
        }
    }

    /// A key, its colon, and the blanks around that.
    fn key(&mut self) -> Result<Key<'a>, Broken> {
        if self.peek() != Some(b'"') {
            return Err(Broken::Syntax);
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let text = self.text.get(start..self.at - 1).ok_or(Broken::Syntax)?;
        let text = if escaped { Cow::Owned(unescape(text).ok_or(Broken::Syntax)?) } else { Cow::Borrowed(text) };
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(Broken::Syntax);
        }
        self.at += 1;
        self.blanks();
        Ok(Key { start, text })
    }

    /// Whether the object, whose keys so far are those from `first` on or the set, has this key; it has it from now on.
    #[inline]
    fn is_known(&mut self, first: usize, many: &mut Option<HashSet<Cow<'a, str>>>, key: &Key<'a>) -> bool {
        if let (Cow::Borrowed(key), None) = (&key.text, &many)
            && let Some(few) = self.keys.get(first..)
            && few.len() < FEW_KEYS
        {
            #[cfg(test)]
            {
                self.work += few.len();
            }
            let known = few.contains(key);
            self.keys.push(key);
            return known;
        }
        self.is_known_of_many(first, many, key)
    }

    /// The same for an object with many keys, or with one that is escaped.
    #[cold]
    fn is_known_of_many(&mut self, first: usize, many: &mut Option<HashSet<Cow<'a, str>>>, key: &Key<'a>) -> bool {
        #[cfg(test)]
        {
            self.work += 1;
        }
        let many = many.get_or_insert_with(|| self.keys.drain(first..).map(Cow::Borrowed).collect());
        !many.insert(key.text.clone())
    }

    /// A number.
    fn number(&mut self) -> Result<(), Broken> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = match self.digits() {
            0 => return Err(Broken::Syntax),
            // No digit may follow a leading zero.
            many if many > 1 && self.text.as_bytes().get(self.at - many) == Some(&b'0') => return Err(Broken::Syntax),
            whole => whole,
        };
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Broken::Syntax);
            }
        }
        let mut may_overflow = whole > 308;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Broken::Syntax);
            }
            may_overflow = true;
        }
        // Elsewhere such a number would become an infinity or an error, depending on who reads it.
        let overflows = may_overflow
            && !self.text.get(start..self.at).and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite);
        if overflows { Err(Broken::Syntax) } else { Ok(()) }
    }

    /// Steps over digits and counts them.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &str) -> Result<bool, Broken> {
        if self.text.as_bytes().get(self.at..self.at + word.len()) != Some(word.as_bytes()) {
            return Err(Broken::Syntax);
        }
        self.at += word.len();
        Ok(false)
    }
}

/// The text between the quotes of a JSON string, unescaped; `None` if an escape is wrong.
pub(super) fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut unescaped = String::with_capacity(text.len());
    let mut plain = 0;
    while let Some(backslash) = text.get(plain..)?.find('\\').map(|offset| plain + offset) {
        unescaped.push_str(text.get(plain..backslash)?);
        let (character, next) = escape(bytes, backslash)?;
        unescaped.push(character);
        plain = next;
    }
    unescaped.push_str(text.get(plain..)?);
    Some(unescaped)
}

/// The character behind the escape at `at`, and the offset behind it; a pair of surrogates is one character.
fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let character = match bytes.get(at + 1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = hex(bytes, at + 2)?;
            if !(0xd800..=0xdbff).contains(&unit) {
                return Some((char::from_u32(unit)?, at + 6));
            }
            if bytes.get(at + 6..at + 8)? != b"\\u" {
                return None;
            }
            let low = hex(bytes, at + 8).filter(|low| (0xdc00..=0xdfff).contains(low))?;
            return Some((char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?, at + 12));
        }
        _ => return None,
    };
    Some((character, at + 2))
}

/// The four hexadecimal digits at `at`.
fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// The offset, from `at` on, of the first byte that can't stand for itself in a JSON string: a quote, a backslash or a
/// control character; the length of `bytes` if there is none.
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    // Eight bytes at a time. A byte below n sets its high bit in `(x - n) & !x`; what is subtracted may borrow from the
    // bytes behind the first hit only, so that the first hit is always a true one.
    while let Some(word) = bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map(u64::from_le_bytes) {
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let hits = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        let hits = hits & HIGH;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if *byte < 0x20 || *byte == b'"' || *byte == b'\\' {
            break;
        }
        at += 1;
    }
    at
}
