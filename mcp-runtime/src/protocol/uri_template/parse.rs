//! From the text of a template to its parts, or to an error that teaches.
//!
//! Takes: text from the server's source. Gives: a [`UriTemplate`]. Knows: the syntax, and what makes matching unambiguous.
//! Must not know: peers. The macros list the names of a template's variables at compile time by a small reading of their
//! own: which names stand between which braces is said twice, all other rules are here alone.

use super::{Part, Place, UriTemplate, UriTemplateError, Variable, value};

/// The longest template, in bytes.
///
/// Source: our choice, because a client shows it to people and models.
const LONGEST: usize = 2_048;

/// Whether this byte of ASCII may stand in a URI.
pub(super) const fn may_stand_in_uri(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Whether a value has this byte only percent-encoded when it stands in one segment.
const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'/'
            | b'?'
            | b'#'
            | b'['
            | b']'
            | b'@'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
    )
}

fn literal(text: &str) -> Result<(), String> {
    if let Some(wrong) = text.chars().find(|letter| !u8::try_from(*letter).is_ok_and(may_stand_in_uri)) {
        let mut encoded = String::new();
        value::encode(&mut encoded, wrong.encode_utf8(&mut [0; 4]), Place::Query);
        return Err(format!("{wrong:?} can't stand in a URI; write it `{encoded}`"));
    }
    let mut pieces = text.split('%');
    pieces.next();
    let broken =
        pieces.find(|piece| !matches!(piece.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()));
    match broken {
        Some(_) => Err("after `%` come two hexadecimal digits; the character itself is written `%25`".to_owned()),
        None => Ok(()),
    }
}

/// Checks that a text begins with a scheme and goes on after it.
fn scheme(text: &str) -> Result<(), String> {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let first = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !first || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return Err("a resource's URI begins with a scheme of your choice, such as `notes://`".to_owned());
    }
    if rest.trim_start_matches('/').is_empty() && !rest.starts_with("///") {
        return Err(format!("something must follow the scheme, such as `{scheme}://all`"));
    }
    Ok(())
}

impl UriTemplate {
    /// Reads a URI or a template: a scheme and something after it, of characters that a URI may hold.
    ///
    /// # Errors
    /// What is wrong and how it is done right; for the server's own, so the operator reads it.
    ///
    /// # Source
    /// RFC 3986 and RFC 6570, by their characters; what schemes ask for beyond that is theirs.
    pub fn parse(text: &str) -> Result<Self, UriTemplateError> {
        Parser::default().template(text).map_err(UriTemplateError)
    }
}

#[derive(Default)]
struct Parser {
    path: Vec<Part>,
    variables: Vec<Variable>,
    in_path: usize,
}

impl Parser {
    fn template(mut self, text: &str) -> Result<UriTemplate, String> {
        if text.len() > LONGEST {
            return Err(format!("it has {} bytes; at most {LONGEST}", text.len()));
        }
        if !text.contains(['{', '}']) {
            // One resource: it may have a query and a fragment, because nobody looks into it.
            literal(text)?;
            scheme(text)?;
            self.path.push(Part::Literal(text.to_owned()));
            return Ok(self.into_template(text));
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            self.literal(before)?;
            let (expression, after) = after.split_once('}').ok_or("a `{` has no `}`")?;
            self.expression(expression)?;
            rest = after;
        }
        self.literal(rest)?;
        match self.path.first() {
            // With a letter for what the variables bring.
            Some(Part::Literal(first)) => scheme(&format!("{first}x"))?,
            _ => scheme("")?,
        }
        self.bounds()?;
        Ok(self.into_template(text))
    }

    fn into_template(self, text: &str) -> UriTemplate {
        UriTemplate { text: text.to_owned(), path: self.path, variables: self.variables, in_path: self.in_path }
    }

    fn literal(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if text.contains('}') {
            return Err("a `}` has no `{`".to_owned());
        }
        if self.variables.len() > self.in_path {
            return Err(format!("nothing may follow the query, found `{text}`"));
        }
        if text.contains(['?', '#']) {
            return Err(
                "a template's query is written `{?name}`, and it has no fragment: matching takes the text before \
                        `?` as the path"
                    .to_owned(),
            );
        }
        literal(text)?;
        match self.path.last_mut() {
            Some(Part::Literal(before)) => before.push_str(text),
            _ => self.path.push(Part::Literal(text.to_owned())),
        }
        Ok(())
    }

    fn expression(&mut self, expression: &str) -> Result<(), String> {
        let (operator, names) = match expression.chars().next() {
            Some(operator @ ('+' | '/' | '.' | '?' | '#' | ';' | '&')) => (Some(operator), &expression[1..]),
            _ => (None, expression),
        };
        if self.variables.len() > self.in_path {
            return Err(format!(
                "nothing may follow the query, found `{{{expression}}}`; put all its variables in one, such as `{{?a,b}}`"
            ));
        }
        let place = match operator {
            None | Some('/' | '.') => Place::Segment,
            Some('+') => Place::Path,
            Some('?') => Place::Query,
            Some(operator) => {
                return Err(format!(
                    "`{{{operator}…}}` is not for resources; use `{{name}}`, `{{/name}}`, `{{+path}}` or `{{?name}}`"
                ));
            }
        };
        for (position, name) in names.split(',').enumerate() {
            match (operator, position) {
                (Some(separator @ ('/' | '.')), _) => self.literal(&separator.to_string())?,
                (None | Some('+'), 1..) => self.literal(",")?,
                _ => {}
            }
            self.variable(name, place)?;
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, place: Place) -> Result<(), String> {
        if let Some(plain) = name.strip_suffix('*') {
            return Err(format!(
                "`{name}` stands for a list, which can't be matched; use `{{+{plain}}}` for several segments"
            ));
        }
        if let Some((plain, _)) = name.split_once(':') {
            return Err(format!("`{name}` is cut short, which can't be undone; use `{{{plain}}}`"));
        }
        let identifier = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if !identifier {
            return Err(format!("a variable is named like a parameter (letters, digits, `_`), found `{{{name}}}`"));
        }
        if self.variables.iter().any(|variable| variable.name == name) {
            return Err(format!("`{{{name}}}` comes twice; give the second one a name of its own"));
        }
        let index = self.variables.len();
        self.variables.push(Variable { name: name.to_owned(), place });
        if place != Place::Query {
            self.in_path = self.variables.len();
            self.path.push(Part::Variable { index, until: None, suffix: String::new() });
        }
        Ok(())
    }

    /// Finds where each variable of the path ends, and refuses those that could end in two places.
    fn bounds(&mut self) -> Result<(), String> {
        let name = |part: Option<&Part>| match part {
            Some(Part::Variable { index, .. }) => {
                self.variables.get(*index).map(|variable| (&variable.name, variable.place))
            }
            _ => None,
        };
        let mut ends = Vec::with_capacity(self.path.len());
        for (position, part) in self.path.iter().enumerate() {
            let Some((this, place)) = name(Some(part)) else {
                ends.push(None);
                continue;
            };
            let (text, next) = match self.path.get(position + 1) {
                Some(Part::Literal(text)) => (text.as_str(), self.path.get(position + 2)),
                next => ("", next),
            };
            let next = name(next).map(|(name, _)| name);
            let end = text.bytes().position(is_reserved);
            let until = match (place, end, next) {
                (Place::Path, _, Some(next)) => {
                    return Err(format!(
                        "`{{+{this}}}` takes all of the path, so it must be its last variable; put `{{{next}}}` before it, or in \
                         the query"
                    ));
                }
                // What comes last is found from the end.
                (Place::Path, _, None) | (_, None, None) => None,
                (_, Some(end), _) => Some(end),
                (_, None, Some(next)) => {
                    return Err(format!(
                        "`{this}` and `{next}` can't be told apart: a value may hold letters, digits, `-`, `.`, `_` and `~`; put \
                         another character between them, such as `{{{this}}}/{{{next}}}`"
                    ));
                }
            };
            let suffix = text.get(..until.unwrap_or(text.len())).unwrap_or_default().to_owned();
            ends.push(Some((until.and_then(|at| text.as_bytes().get(at).copied()), suffix)));
        }
        for (part, end) in self.path.iter_mut().zip(ends) {
            if let (Part::Variable { until, suffix, .. }, Some(end)) = (part, end) {
                (*until, *suffix) = end;
            }
        }
        Ok(())
    }
}
