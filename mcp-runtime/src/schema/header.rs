//! `x-mcp-header`: arguments that a header mirrors on 2026-07-28.
//!
//! Takes: forms and header names. Gives: the annotation, or why it is wrong. Knows: the rules of the annotation. Must
//! not know: requests.
//!
//! # Source
//! 2026-07-28 basic/transports/streamable-http §Schema extension. A wrong annotation makes clients drop the tool.

use serde_json::{Number, Value};

use super::{
    exact::EXACT,
    form::{Form, Kind},
};

/// The keyword.
pub(super) const KEYWORD: &str = "x-mcp-header";

/// Annotates a form with the header that mirrors it; says whether bounds were added that its type does not have.
///
/// # Errors
/// A sentence on what is wrong with the name or the type.
pub(super) fn annotate(form: &mut Form, header: &str) -> Result<bool, String> {
    if !is_token(header) {
        return Err(format!("header \"{header}\" is no header name: letters, digits and `-`, no spaces"));
    }
    let bounded = match form.kind.filter(|_| form.any_of.is_empty() && form.reference.is_none()) {
        Some(Kind::String | Kind::Boolean) => false,
        Some(Kind::Integer) => keep_exact(form),
        kind => {
            let found = kind.map_or("a union or a shared type", Kind::name);
            return Err(format!(
                "header \"{header}\" needs a string, an integer or a boolean; this argument is {found}"
            ));
        }
    };
    form.extra.retain(|(key, _)| key != KEYWORD);
    form.extra.push((KEYWORD.to_owned(), Value::from(header)));
    Ok(bounded)
}

fn keep_exact(form: &mut Form) -> bool {
    let below = |bound: &Option<Number>, limit: i64| {
        bound.as_ref().and_then(Number::as_f64).is_some_and(|bound| bound.abs() <= limit as f64)
    };
    let mut added = false;
    if !below(&form.minimum, EXACT) && !below(&form.exclusive_minimum, EXACT) {
        form.minimum = Some((-EXACT).into());
        added = true;
    }
    if !below(&form.maximum, EXACT) && !below(&form.exclusive_maximum, EXACT) {
        form.maximum = Some(EXACT.into());
        added = true;
    }
    form.checked |= added;
    added
}

/// An argument that a header mirrors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirrored {
    /// Where it is: member by member from the arguments on.
    pub(crate) path: Vec<Box<str>>,
    /// The header's name behind `Mcp-Param-`.
    pub(crate) header: Box<str>,
}

/// Every argument that a header mirrors, by the schema of the arguments.
pub(crate) fn mirrored(schema: &Value) -> Vec<Mirrored> {
    fn collect(schema: &Value, path: &mut Vec<Box<str>>, found: &mut Vec<Mirrored>) {
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            path.push(name.as_str().into());
            if let Some(header) = schema.get(KEYWORD).and_then(Value::as_str) {
                found.push(Mirrored { path: path.clone(), header: header.into() });
            }
            collect(schema, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found);
    found
}

/// What is wrong with the annotations of a whole schema, wherever they stand.
pub(super) fn violations(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut found = Vec::new();
    collect(schema, true, true, &mut names, &mut found);
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other: &String| other.eq_ignore_ascii_case(name)) {
            found.push(format!("header \"{name}\" is named twice; headers know no case"));
        }
    }
    found
}

/// `reachable`: by `properties` alone from the root. `schema` may carry the annotation unless it is the root.
fn collect(schema: &Value, root: bool, reachable: bool, names: &mut Vec<String>, found: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(header) = object.get(KEYWORD) {
                let name = header.as_str().unwrap_or_default();
                if !is_token(name) {
                    found.push(format!("header {header} is no header name"));
                }
                if root || !reachable {
                    found.push(format!(
                        "header {header} must stand on a property, not under `$ref`, `items` or a union"
                    ));
                }
                if !matches!(object.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")) {
                    found.push(format!("header {header} needs `type` string, integer or boolean"));
                }
                names.push(name.to_owned());
            }
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        for value in properties.values() {
                            collect(value, false, reachable, names, found);
                        }
                    }
                    ("default" | "enum" | "const" | "examples", _) => {}
                    _ => collect(value, false, false, names, found),
                }
            }
        }
        Value::Array(elements) => {
            for element in elements {
                collect(element, false, false, names, found);
            }
        }
        _ => {}
    }
}

/// Whether it can be a part of a header's name.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
