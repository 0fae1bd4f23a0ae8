//! A form as the schema that a client reads.
//!
//! Takes: an [`ElicitationForm`], what the client knows. Gives: JSON Schema, fields in their order. Knows: JSON. Must not
//! know: Rust types, revisions.

use serde_json::{Value, value::RawValue};

use super::{ElicitationForm, Field, FormError, FormFeatures, Titles};
use crate::schema::{
    form::{Form, Kind},
    write::{Object, object},
};

impl ElicitationForm {
    /// The schema of the form, for a client that knows so much: the `requestedSchema` of `elicitation/create`.
    ///
    /// # Errors
    /// When a field can't be said to such a client; it names the field, for the developer.
    pub fn schema(&self, features: FormFeatures) -> Result<Box<RawValue>, FormError> {
        for field in &self.fields {
            if field.form.kind == Some(Kind::Array) && !features.multi_select {
                return Err(FormError::of(
                    &field.name,
                    "is a list of choices, which this client's revision can't show: ask for each choice as a `bool`",
                ));
            }
        }
        let mut text = String::with_capacity(256);
        object(&mut text, |out| {
            out.value("type", "object");
            out.member("properties", |text| {
                object(text, |out| {
                    for field in &self.fields {
                        out.member(&field.name, |text| object(text, |out| write(field, features, out)));
                    }
                });
            });
            let required: Vec<&str> =
                self.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
            if !required.is_empty() {
                out.value("required", &required);
            }
        });
        RawValue::from_string(text).map_err(|error| FormError::whole(error.to_string()))
    }
}

fn write(field: &Field, features: FormFeatures, out: &mut Object<'_>) {
    let form = &field.form;
    out.some("type", form.kind.map(Kind::name));
    out.some("title", field.title.as_ref());
    if !form.description.is_empty() {
        out.value("description", &form.description);
    }
    match &form.items {
        Some(items) => {
            out.member("items", |text| object(text, |out| choices(items, &field.titles, "anyOf", features, out)));
            out.some("minItems", form.min_items);
            out.some("maxItems", form.max_items);
        }
        None if !form.allowed.is_empty() => choices(form, &field.titles, "oneOf", features, out),
        None => {
            out.some("format", form.format.as_ref());
            out.some("minLength", form.min_length);
            out.some("maxLength", form.max_length);
            // The bounds of a float's type are no news.
            if !(form.wide && form.kind == Some(Kind::Number)) {
                out.some("minimum", form.minimum.as_ref());
                out.some("maximum", form.maximum.as_ref());
            }
        }
    }
    if features.defaults || form.kind == Some(Kind::Boolean) {
        out.some("default", form.default.as_ref());
    }
}

/// The choices; `union` is the keyword of titled ones. The one of several carries no type when they are titled.
fn choices(form: &Form, titles: &Titles, union: &str, features: FormFeatures, out: &mut Object<'_>) {
    let several = union == "anyOf";
    match titles {
        Titles::Each(titles) if features.titled_enums => {
            let titled = form.allowed.iter().zip(titles);
            let arms: Vec<Value> =
                titled.map(|(value, title)| serde_json::json!({ "const": value, "title": title })).collect();
            out.value(union, &arms);
        }
        titles => {
            if several {
                out.value("type", "string");
            }
            out.value("enum", &form.allowed);
            if let (Titles::Each(titles) | Titles::Legacy(titles), false) = (titles, several) {
                out.value("enumNames", titles);
            }
        }
    }
}
