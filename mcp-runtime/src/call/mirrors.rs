//! What came beside a call and repeats some of its arguments, so that proxies can route without reading it.

use std::borrow::Cow;

use crate::wire::Raw;

/// What came beside a call: each name in whatever case, and its text; `None` for a text that can't be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mirrors(pub(crate) Vec<(Box<str>, Option<Box<str>>)>);

impl Mirrors {
    /// Holds what came under `name` against the argument at `path`, member by member from the arguments on.
    ///
    /// # Errors
    /// One sentence for the developer of the client.
    pub(crate) fn check(&self, name: &str, path: &[&str], arguments: &Raw) -> Result<(), String> {
        let sent = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, text)| text.as_deref());
        let agrees = match (sent, at(path, arguments)) {
            (None, None) => true,
            (Some(Some(sent)), Some(value)) => equal(sent, &value),
            _ => false,
        };
        if agrees {
            return Ok(());
        }
        Err(format!("The Mcp-Param-{name} header differs from the argument `{}`", path.join(".")))
    }
}

/// The argument at a path; one that is null is as good as absent: nothing is expected for it.
fn at(path: &[&str], arguments: &Raw) -> Option<Raw> {
    let value = path.iter().try_fold(arguments.clone(), |value, name| value.members()?.get(name).cloned())?;
    Some(value).filter(|value| value.as_str() != "null")
}

/// Whether a text says the same as a JSON value: integers by their number, without a detour through floats.
fn equal(sent: &str, value: &Raw) -> bool {
    if let Some(text) = value.string() {
        return text == Cow::Borrowed(sent);
    }
    match value.as_str() {
        literal @ ("true" | "false") => sent == literal,
        number => integer(sent).is_some_and(|sent| integer(number) == Some(sent)),
    }
}

/// The integer that a decimal text stands for; a fraction of zeros is an integer too.
fn integer(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let canonical = digits == "0" || !digits.starts_with('0');
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let zero = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    (canonical && plain && zero).then(|| whole.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: N-05, P-19.
    #[test]
    fn abuse_d7_integers_are_compared_by_number_and_never_through_floats() {
        assert!(equal("42", &Raw::from("42.0")));
        assert!(equal("9007199254740993", &Raw::from("9007199254740993")));
        assert!(!equal("9007199254740992", &Raw::from("9007199254740993")));
        assert!(!equal("01", &Raw::from("1")));
        assert!(!equal("+1", &Raw::from("1")));
        assert!(!equal("TRUE", &Raw::from("true")));
    }

    // Proves: N-05, P-19.
    #[test]
    fn an_argument_is_found_at_any_depth() {
        let mirrors = Mirrors(vec![("region".into(), Some("eu".into())), ("bad".into(), None)]);
        let arguments = Raw::from(r#"{"place":{"region":"eu","zone":null},"bad":"x"}"#);
        assert_eq!(mirrors.check("Region", &["place", "region"], &arguments), Ok(()));
        assert_eq!(mirrors.check("Zone", &["place", "zone"], &arguments), Ok(()));
        assert_eq!(mirrors.check("Gone", &["nowhere", "at", "all"], &arguments), Ok(()));
        assert!(mirrors.check("Region", &["place", "zone"], &arguments).is_err());
        assert!(mirrors.check("Bad", &["bad"], &arguments).is_err());
    }
}
