//! URI templates: which URIs belong to a family of resources, and what their variables are.
//!
//! Takes: a template such as `notes://{id}`, a URI or values. Gives: values or a URI. Knows: RFC 6570 as far as it can be
//! read backwards, and what a value must not hold. Must not know: resources, functions, files.

mod parse;
mod value;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use value::Place;

/// The URI of a resource, or of a family of them: text with variables, matched in time linear in the length of the URI.
///
/// | written | takes |
/// |---|---|
/// | `{name}` | one segment: at least one character, no `/` |
/// | `{a,b}` | two of them with a comma between |
/// | `{/name}`, `{/a,b}` | the same after a `/` each |
/// | `{.name}` | the same after a `.` |
/// | `{+path}` | one segment or more with `/` between; the last variable before the query |
/// | `{?a,b}` | `?a=…&b=…` in any order; each may be left out, nothing else may be there; only at the end |
///
/// A template that could match one URI in two ways is refused: between two variables stands a character that the first one
/// has only percent-encoded. What the rest of RFC 6570 can do (`{name*}`, `{name:3}`, `{#name}`, `{;name}`, `{&name}`) can't
/// be told apart when it is read backwards, or is of no use to a server.
///
/// **Values can't leave their place.** They are percent-decoded once. A value of the path does not match if it
/// holds `\` or a control character, if it, or a segment of `{+path}`, is empty, `.` or `..`, or if `{name}` holds a `/`; on
/// Windows also if it begins with a drive. The same is asked of what decoding it again would make of it (`%252e%252e`),
/// because someone behind this may do so; a value that still changes after some such rounds does not match either. So
/// joining a value to a folder stays in that folder, symbolic links aside. Values of the query are data and free of these
/// rules, except that none holds NUL: don't make paths of them. `+` stays `+` in both.
///
/// Literal text is compared byte by byte. A URI with a fragment, with a character that no URI may hold, or with broken
/// percent-encoding matches nothing; characters beyond ASCII are taken, as people type them.
///
/// ```
/// use mcp_runtime::protocol::uri_template::UriTemplate;
///
/// let template = UriTemplate::parse("docs://{book}/{+page}{?language}").unwrap();
/// let values = template.matches("docs://guide/start/first%20steps").unwrap();
/// assert_eq!(values, [("book", "guide".to_owned()), ("page", "start/first steps".to_owned())]);
/// assert_eq!(template.matches("docs://guide/%2e%2e/secrets"), None);
/// let uri = template.expand(&[("book", "guide"), ("page", "start")]).unwrap();
/// assert_eq!(uri, "docs://guide/start");
/// ```
///
/// # Source
/// RFC 6570, levels 1 to 3 in part; server/resources §Security Considerations. What is refused is our choice, because a
/// server's resources are named by peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    path: Vec<Part>,
    /// Those of the path first.
    variables: Vec<Variable>,
    /// How many those of the path are.
    in_path: usize,
}

/// A variable of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    name: String,
    place: Place,
}

/// A piece of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The value of the variable at `index` goes up to the first `until`, or to the end, less `suffix`.
    Variable {
        index: usize,
        until: Option<u8>,
        suffix: String,
    },
}

/// This URI as it is spelled when nothing is encoded that need not be: two spellings of the same bytes are one URI.
///
/// # Source
/// RFC 3986 §6.2.2.
pub(crate) fn plainly_spelled(uri: &str) -> Cow<'_, str> {
    if !uri.contains('%') {
        return uri.into();
    }
    let mut plain = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => plain.push(char::from(byte)),
            Some(byte) => plain.push_str(&format!("%{byte:02X}")),
            None => {
                plain.push('%');
                rest = after;
                continue;
            }
        }
        rest = &after[2..];
    }
    plain.push_str(rest);
    plain.into()
}

impl UriTemplate {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether more than one URI fits.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    /// The names of the variables, those of the path first.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    /// The same with one more variable in its query.
    ///
    /// # Errors
    /// When it has a variable of this name, or a literal query or a fragment; for the server's own, so the operator reads
    /// it.
    pub fn with_query(&self, name: &str) -> Result<Self, UriTemplateError> {
        let has_query = self.variables.len() > self.in_path;
        match self.text.strip_suffix('}').filter(|_| has_query) {
            Some(before) => Self::parse(&format!("{before},{name}}}")),
            None => Self::parse(&format!("{}{{?{name}}}", self.text)),
        }
    }

    /// The variables of a URI that fits, by name; those of the query that were left out are left out here. `None` for a URI
    /// that does not fit, or that has a value where it must not stand.
    #[must_use]
    pub fn matches(&self, uri: &str) -> Option<Vec<(&str, String)>> {
        if !self.has_variables() {
            return (self.text == uri).then(Vec::new);
        }
        if !uri.bytes().all(|byte| byte >= 0x80 || (parse::may_stand_in_uri(byte) && byte != b'#')) {
            return None;
        }
        let (mut rest, query) = match uri.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (uri, None),
        };
        let mut values = vec![None; self.variables.len()];
        for part in &self.path {
            match part {
                Part::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Variable { index, until, suffix } => {
                    let end = match until {
                        Some(until) => value::steps(rest.bytes()).position(|byte| byte == *until)?,
                        None => rest.len(),
                    };
                    let raw = rest.get(..end)?.strip_suffix(suffix.as_str())?;
                    let value = value::decode(raw)?;
                    let place = self.variables.get(*index)?.place;
                    *values.get_mut(*index)? = Some(value).filter(|value| value::may_stand(value, place));
                    values.get(*index)?.as_ref()?;
                    rest = rest.get(raw.len()..)?;
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        self.match_query(query, &mut values)?;
        Some(self.variables().zip(values).filter_map(|(name, value)| Some((name, value?))).collect())
    }

    fn match_query(&self, query: Option<&str>, values: &mut [Option<String>]) -> Option<()> {
        let Some(query) = query else { return Some(()) };
        let known = self.variables.get(self.in_path..).filter(|known| !known.is_empty())?;
        // More pairs than variables can't all be known and different.
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for (pair, _) in pairs.clone().zip(0..=known.len()) {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            let index = self.in_path + known.iter().position(|variable| variable.name == name)?;
            let value = value::decode(raw).filter(|value| value::may_stand(value, Place::Query))?;
            if values.get_mut(index)?.replace(value).is_some() {
                return None;
            }
        }
        Some(())
    }

    /// The URI of these values, by the name of their variable; [`UriTemplate::matches`] gives them back.
    ///
    /// # Errors
    /// When a variable of the path has no value, a name is not the template's or comes twice, or a value is none that
    /// [`UriTemplate::matches`] would take. The caller reads it.
    pub fn expand(&self, values: &[(&str, &str)]) -> Result<String, UriTemplateError> {
        for (position, (name, _)) in values.iter().enumerate() {
            if !self.variables.iter().any(|variable| variable.name == *name) {
                return Err(UriTemplateError(format!("it has no variable `{name}`")));
            }
            if values.iter().take(position).any(|(other, _)| other == name) {
                return Err(UriTemplateError(format!("`{name}` has two values")));
            }
        }
        let value_of = |variable: &Variable| {
            let value = values.iter().find(|(name, _)| *name == variable.name).map(|(_, value)| *value);
            match value {
                Some(value) if !value::may_stand(value, variable.place) => {
                    Err(UriTemplateError(format!("`{}` {}", variable.name, variable.place.demand())))
                }
                value => Ok(value),
            }
        };
        let mut uri = String::with_capacity(self.text.len() + 32);
        for part in &self.path {
            match part {
                Part::Literal(text) => uri.push_str(text),
                Part::Variable { index, .. } => {
                    let Some(variable) = self.variables.get(*index) else { continue };
                    let value = value_of(variable)?.ok_or_else(|| {
                        UriTemplateError(format!("`{}` has no value, and stands in the path", variable.name))
                    })?;
                    value::encode(&mut uri, value, variable.place);
                }
            }
        }
        let mut separator = '?';
        for variable in self.variables.iter().skip(self.in_path) {
            if let Some(value) = value_of(variable)? {
                uri.push(separator);
                uri.push_str(&variable.name);
                uri.push('=');
                value::encode(&mut uri, value, Place::Query);
                separator = '&';
            }
        }
        Ok(uri)
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What is wrong with a template or with the values for one, and how it is done right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplateError(String);

impl fmt::Display for UriTemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UriTemplateError {}
