//! URIs and templates of them, as far as the macro must understand them: which variables there are. The runtime reads them
//! whole, at its start.
//!
//! Takes: a text. Gives: its variables, or what is wrong. Knows: the expressions of RFC 6570. Must not know: functions.

use crate::names;

/// A variable of a template.
pub(super) struct Variable {
    pub(super) name: String,
    /// A URI may leave it out: it is in the query.
    pub(super) optional: bool,
}

/// The variables, in their order.
pub(super) fn variables(text: &str) -> Result<Vec<Variable>, String> {
    scheme(text)?;
    if let Some(letter) = text.chars().find(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(format!(
            "a URI must be without spaces, found {letter:?} in `{text}`; write it as `%20`, or remove it"
        ));
    }
    let mut variables: Vec<Variable> = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        let Some(open) = rest[position..].strip_prefix('{') else {
            return Err(format!(
                "each `}}` of a template must close a variable, found one alone in `{text}`; remove it"
            ));
        };
        let Some(end) = open.find(['{', '}']).filter(|&end| open[end..].starts_with('}')) else {
            return Err(format!(
                "each `{{` of a template must be closed, found one that is not in `{text}`; write `{{id}}`"
            ));
        };
        for variable in expression(&open[..end])? {
            if variables.iter().any(|known| known.name == variable.name) {
                return Err(format!(
                    "each variable of a template must be in it once, found `{}` twice in `{text}`; rename one",
                    variable.name
                ));
            }
            variables.push(variable);
        }
        rest = &open[end + 1..];
    }
    Ok(variables)
}

fn scheme(text: &str) -> Result<(), String> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let legal = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
    if legal {
        return Ok(());
    }
    Err(format!("the URI of a resource must begin with a scheme, found `{text}`; write one of your own: `notes://…`"))
}

/// What is in one pair of braces.
fn expression(text: &str) -> Result<Vec<Variable>, String> {
    let names = text.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
    // At most one operator.
    let names = if text.len() > names.len() + 1 { &text[1..] } else { names };
    let optional = text.starts_with(['?', '&']);
    names
        .split(',')
        .map(|written| {
            let name = written.strip_suffix('*').unwrap_or(written);
            let name = match name.split_once(':') {
                Some((name, length)) if length.parse::<u16>().is_ok() => name,
                _ => name,
            };
            if names::is_argument_name(name) {
                return Ok(Variable { name: name.to_owned(), optional });
            }
            Err(format!(
                "a variable of a template must be letters, digits and `_`, not beginning with a digit, found `{written}` \
                 in `{{{text}}}`; write `{{id}}`, or `{{?id}}` in the query"
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let show = |variable: &Variable| format!("{}{}", variable.name, if variable.optional { "?" } else { "" });
        match variables(text) {
            Ok(variables) => variables.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(error) => error,
        }
    }

    #[test]
    fn variables_are_found_in_every_kind_of_expression() {
        for (template, expected) in [
            ("notes://all", ""),
            ("notes://{id}", "id"),
            ("file:///{+path}{?page,size*}{&more}", "path page? size? more?"),
            ("a+b-1.c:{x,y:3}{/z*}{#part}", "x y z part"),
        ] {
            assert_eq!(shown(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_says_how_to_write_one() {
        for (template, words) in [
            ("notes", "begin with a scheme"),
            ("{scheme}://notes", "begin with a scheme"),
            ("1a:x", "begin with a scheme"),
            ("notes://a b", "without spaces"),
            ("notes://{id", "must be closed"),
            ("notes://{a{b}}", "must be closed"),
            ("notes://id}", "close a variable"),
            ("notes://{}", "found `` in `{}`"),
            ("notes://{?}", "found `` in `{?}`"),
            ("notes://{??a}", "found `?a`"),
            ("notes://{=a}", "found `=a`"),
            ("notes://{a b}", "without spaces"),
            ("notes://{a-b}", "found `a-b`"),
            ("notes://{a:x}", "found `a:x`"),
            ("notes://{a}/{a}", "twice"),
        ] {
            assert!(shown(template).contains(words), "{template}: {}", shown(template));
        }
    }
}
