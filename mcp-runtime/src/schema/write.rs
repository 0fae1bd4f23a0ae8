//! A form as JSON text, keywords and properties in a fixed order.
//!
//! Takes: a [`Form`]. Gives: JSON Schema that is valid by draft-07 and 2020-12. Knows: JSON. Must not know: Rust types.

use serde::Serialize;
use serde_json::Value;

use super::{
    form::{Form, Kind, Rest},
    words,
};

/// The form alone.
pub(super) fn text(form: &Form) -> String {
    document(form, &[])
}

/// The form with the definitions that it refers to.
pub(super) fn document(form: &Form, definitions: &[(String, Form)]) -> String {
    let mut text = String::with_capacity(512);
    object(&mut text, |out| {
        keywords(form, out);
        if !definitions.is_empty() {
            out.member("$defs", |text| {
                object(text, |out| {
                    for (name, form) in definitions {
                        out.member(&definition_name(name), |text| write(form, text));
                    }
                });
            });
        }
    });
    text
}

fn write(form: &Form, text: &mut String) {
    object(text, |out| keywords(form, out));
}

fn keywords(form: &Form, out: &mut Object<'_>) {
    if let Some(name) = &form.reference {
        out.value("$ref", &format!("#/$defs/{}", definition_name(name)));
    }
    if let Some(kind) = form.kind {
        out.value("type", kind.name());
    }
    let description = words::description(form);
    if !description.is_empty() {
        out.value("description", &description);
    }
    if !form.allowed.is_empty() {
        out.value("enum", &form.allowed);
    }
    out.some("format", form.format.as_ref());
    out.some("pattern", form.pattern.as_ref());
    out.some("minLength", form.min_length);
    out.some("maxLength", form.max_length);
    out.some("minimum", form.minimum.as_ref());
    out.some("maximum", form.maximum.as_ref());
    out.some("exclusiveMinimum", form.exclusive_minimum.as_ref());
    out.some("exclusiveMaximum", form.exclusive_maximum.as_ref());
    out.some("multipleOf", form.multiple_of.as_ref());
    if let Some(items) = &form.items {
        out.member("items", |text| write(items, text));
    }
    out.some("minItems", form.min_items);
    out.some("maxItems", form.max_items);
    if form.unique_items {
        out.value("uniqueItems", &true);
    }
    members(form, out);
    forms("anyOf", &form.any_of, out);
    forms("allOf", &form.all_of, out);
    out.some("default", form.default.as_ref());
    for (key, value) in &form.extra {
        out.value(key, value);
    }
}

fn members(form: &Form, out: &mut Object<'_>) {
    if let Some(properties) = &form.properties {
        out.member("properties", |text| {
            object(text, |out| {
                for (name, form) in properties {
                    out.member(name, |text| write(form, text));
                }
            });
        });
    } else if form.kind == Some(Kind::Object) && matches!(form.rest, Rest::Closed) && form.any_of.is_empty() {
        // Some clients look into `properties` without asking whether it is there.
        out.member("properties", |text| text.push_str("{}"));
    }
    if !form.required.is_empty() {
        out.value("required", &form.required);
    }
    match &form.rest {
        Rest::Open => {}
        Rest::Closed => out.value("additionalProperties", &false),
        Rest::Of(form) if form.is_anything() => out.value("additionalProperties", &true),
        Rest::Of(form) => out.member("additionalProperties", |text| write(form, text)),
    }
}

fn forms(key: &str, forms: &[Form], out: &mut Object<'_>) {
    if forms.is_empty() {
        return;
    }
    out.member(key, |text| {
        text.push('[');
        for (index, form) in forms.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            write(form, text);
        }
        text.push(']');
    });
}

/// A name that needs no escape in a reference and that every API takes.
fn definition_name(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "_.-".contains(letter) { letter } else { '_' })
        .collect()
}

/// An object that is being written.
pub(super) struct Object<'a> {
    text: &'a mut String,
    first: bool,
}

pub(super) fn object(text: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    text.push('{');
    fill(&mut Object { text, first: true });
    text.push('}');
}

impl Object<'_> {
    pub(super) fn member(&mut self, key: &str, write: impl FnOnce(&mut String)) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
        json(key, self.text);
        self.text.push(':');
        write(self.text);
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.member(key, |text| json(value, text));
    }

    pub(super) fn some<T: Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.value(key, &value);
        }
    }
}

fn json<T: Serialize + ?Sized>(value: &T, text: &mut String) {
    // Strings, numbers, lists and `Value`s: none of them can fail.
    text.push_str(&serde_json::to_string(value).unwrap_or_else(|_| Value::Null.to_string()));
}
