//! From schemas to forms: those of Rust types, and those that the developer wrote.
//!
//! Takes: JSON Schema. Gives: an [`ElicitationForm`], or why it is none. Knows: how schemars writes Rust types. Must not
//! know: clients, answers.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{ElicitationForm, Field, FormError, Titles};
use crate::schema::{
    build::Contract,
    check::{Checker, Definitions},
    checks,
    form::{Form, Kind, Rest},
    formats::bounds,
    order::{self, Orders},
    walk, words,
};

/// References that are followed without anything in between are cut here: they go in circles.
const TURNS: usize = 32;

/// The formats that a form can ask for.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

impl ElicitationForm {
    /// The form of a struct.
    ///
    /// # Errors
    /// When it is no struct of plain fields; for the developer, so it says what to ask for instead.
    pub fn of<T: JsonSchema + DeserializeOwned>() -> Result<Self, FormError> {
        let mut generator = checks::generator(Contract::Input);
        let schema = generator.subschema_for::<T>().to_value();
        let definitions = generator.take_definitions(true);
        let reader = Reader { definitions: &definitions, orders: order::orders::<T>(), written: false };
        reader.form(&schema)
    }

    /// The form of a schema that the developer wrote, its fields in the order of the text. `enumNames` stays as it is;
    /// everything else is written as the reader of the form knows it.
    ///
    /// # Errors
    /// When it is no JSON, or not the schema of a form; for the developer.
    pub fn from_json(schema: &str) -> Result<Self, FormError> {
        let value: Value =
            serde_json::from_str(schema).map_err(|error| FormError::whole(format!("the form is no JSON: {error}")))?;
        let member = |name: &str, text| walk::members(text)?.find(|(known, _)| *known == name).map(|(_, value)| value);
        let names = member("properties", schema).and_then(walk::members);
        let names = names.into_iter().flatten().map(|(name, _)| walk::unescape(name).into_owned()).collect();
        let definitions = value.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        Reader { definitions: &definitions, orders: Orders(vec![names]), written: true }.form(&value)
    }
}

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    orders: Orders,
    /// Whether the developer wrote it: then nothing may be lost in silence.
    written: bool,
}

impl Reader<'_> {
    fn form(&self, schema: &Value) -> Result<ElicitationForm, FormError> {
        let (schema, _) = self.resolved(schema).unwrap_or_default();
        let alternatives = ["oneOf", "anyOf", "allOf"].iter().any(|key| schema.contains_key(*key));
        let properties = schema.get("properties").and_then(Value::as_object);
        let map =
            properties.is_none() && schema.get("additionalProperties").is_some_and(|rest| *rest != Value::Bool(false));
        if schema.get("type").and_then(Value::as_str) != Some("object") || alternatives || map {
            return Err(FormError::whole(
                "a form is a struct with named fields (`\"type\": \"object\"`), so put what you ask for into one; an enum \
                 may be the type of a field",
            ));
        }
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let names: Vec<&String> = properties.into_iter().flat_map(Map::keys).collect();
        let places = self.orders.places(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>());
        let mut ordered: Vec<_> = places.into_iter().zip(properties.into_iter().flatten()).collect();
        ordered.sort_by_key(|(place, _)| *place);
        let mut fields = Vec::with_capacity(ordered.len());
        for (_, (name, schema)) in ordered {
            fields.push(self.field(name, schema, required.contains(&name.as_str()))?);
        }
        Ok(ElicitationForm { fields })
    }

    fn field(&self, name: &str, schema: &Value, required: bool) -> Result<Field, FormError> {
        let wrong = |text: String| FormError::of(name, text);
        let (schema, nullable) = self
            .resolved(schema)
            .ok_or_else(|| wrong("has a schema that refers to itself, which no form can show".into()))?;
        let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| schema.get(key).and_then(Value::as_number).cloned();
        let count = |key: &str| schema.get(key).and_then(Value::as_u64);
        let mut form = Form {
            kind: text("type").as_deref().and_then(Kind::named),
            description: text("description").unwrap_or_default(),
            minimum: number("minimum"),
            maximum: number("maximum"),
            exclusive_minimum: number("exclusiveMinimum"),
            exclusive_maximum: number("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
            nullable: nullable || !required,
            ..Form::default()
        };
        let titles = self.answer(&schema, &mut form).map_err(wrong)?;
        if self.written {
            only_known(&schema, &form).map_err(wrong)?;
        }
        if let Some(default) = &form.default {
            let definitions = Definitions::new();
            if !(Checker { definitions: &definitions }).accepts(&form, default) {
                let expected = words::expected(&form);
                return Err(wrong(format!("has the default {default}, which is no answer to it: expected {expected}")));
            }
        }
        Ok(Field { name: name.to_owned(), title: text("title"), required, form, titles })
    }

    /// Completes what an answer must be; gives how its choices are shown.
    fn answer(&self, schema: &Map<String, Value>, form: &mut Form) -> Result<Titles, String> {
        let format = schema.get("format").and_then(Value::as_str);
        if let Some((values, titles)) = self.choices(schema)? {
            (form.kind, form.allowed) = (Some(Kind::String), values);
            return Ok(titles);
        }
        match form.kind {
            Some(Kind::String) => form.format = format.filter(|format| FORMATS.contains(format)).map(str::to_owned),
            Some(Kind::Integer | Kind::Number) => bounds(format, form),
            Some(Kind::Boolean) => {}
            Some(Kind::Array) => {
                let items = schema.get("items").and_then(|items| self.resolved(items)).unwrap_or_default().0;
                let Some((values, titles)) = self.choices(&items)? else {
                    return Err("is a list of something else than choices; a form has only lists of choices: make it a `Vec` of \
                                an enum, ask for one text, or use URL mode"
                        .to_owned());
                };
                form.items = Some(Box::new(Form { allowed: values, ..Form::of(Kind::String) }));
                return Ok(titles);
            }
            Some(Kind::Object) => {
                return Err("is an object; a form has only texts, numbers, switches and choices: ask for its fields, or use URL \
                            mode"
                    .to_owned());
            }
            Some(Kind::Null) | None => {
                return Err(
                    "may be of several types; a field of a form is one text, number, switch or choice: give it one \
                            type, or use URL mode"
                        .to_owned(),
                );
            }
        }
        Ok(Titles::None)
    }

    /// The schema with what it refers to, without its `null`, and whether it had one.
    fn resolved(&self, schema: &Value) -> Option<(Map<String, Value>, bool)> {
        let mut schema = match schema {
            // Anything at all.
            Value::Bool(true) => Map::new(),
            schema => schema.as_object()?.clone(),
        };
        let mut nullable = false;
        for _ in 0..TURNS {
            if let Some(Value::Array(kinds)) = schema.get_mut("type") {
                let all = kinds.len();
                kinds.retain(|kind| kind != "null");
                nullable |= kinds.len() < all;
                if let [kind] = kinds.as_slice() {
                    let kind = kind.clone();
                    schema.insert("type".to_owned(), kind);
                }
            }
            let below = match schema.remove("$ref") {
                Some(reference) => {
                    let name = reference.as_str()?.strip_prefix("#/$defs/")?.to_owned();
                    Some(self.definitions.get(&name)?.clone())
                }
                None => ["anyOf", "oneOf", "allOf"].into_iter().find_map(|key| {
                    let arms = schema.get(key)?.as_array()?;
                    let null = |arm: &&Value| arm.get("type").is_some_and(|kind| kind == "null");
                    let mut others = arms.iter().filter(|arm| !null(arm));
                    let (only, more) = (others.next()?.clone(), others.next());
                    // One arm that names choices is choices, not what they are.
                    let choices = only.get("const").is_some();
                    if more.is_some() || (choices && arms.len() == 1) {
                        return None;
                    }
                    nullable |= arms.len() > 1;
                    schema.remove(key);
                    Some(only)
                }),
            };
            let Some(Value::Object(mut below)) = below else { return Some((schema, nullable)) };
            // What is said beside a reference is said of this field.
            below.extend(schema);
            schema = below;
        }
        None
    }

    /// The choices of a schema, in the order of their declaration, and how they are shown; `None` where it has none.
    fn choices(&self, schema: &Map<String, Value>) -> Result<Option<(Vec<Value>, Titles)>, String> {
        let list = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice);
        let mut choices: Vec<(String, Option<String>)> = Vec::new();
        // Choices without words of their own: what the schema says is said of the field.
        let plain = ["const", "enum"].into_iter().find_map(|key| Some((key.to_owned(), schema.get(key)?.clone())));
        let plain = plain.map(|plain| [Value::Object(Map::from_iter([plain]))]);
        let Some(arms) = list("oneOf").or_else(|| list("anyOf")).or(plain.as_ref().map(|plain| &plain[..])) else {
            return Ok(None);
        };
        for arm in arms {
            let values = match (arm.get("const"), arm.get("enum").and_then(Value::as_array)) {
                (Some(value), _) => std::slice::from_ref(value),
                (None, Some(values)) => values.as_slice(),
                (None, None) => {
                    return Err("is one of several kinds of things; a choice of a form is a name alone: ask for the kind, and for \
                                the rest in other fields, or use URL mode"
                        .to_owned());
                }
            };
            let title = arm.get("title").and_then(Value::as_str).map(str::to_owned);
            let shown = title.or_else(|| arm.get("description").and_then(Value::as_str).map(first_paragraph));
            let shown = shown.filter(|_| arm.get("const").is_some());
            for value in values.iter().filter(|value| !value.is_null()) {
                let Some(value) = value.as_str() else {
                    return Err(format!("has the choice {value}; choices of a form are strings"));
                };
                choices.push((value.to_owned(), shown.clone()));
            }
        }
        if choices.is_empty() {
            return Err("has no choice; a form needs at least one".to_owned());
        }
        if let Some(names) = list("enumNames") {
            let names: Vec<String> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if names.len() != choices.len() {
                return Err(format!("has {} choices and {} `enumNames`; each needs one", choices.len(), names.len()));
            }
            let values = choices.into_iter().map(|(value, _)| Value::from(value)).collect();
            return Ok(Some((values, Titles::Legacy(names))));
        }
        let places = self.orders.places(&choices.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>());
        let mut ordered: Vec<_> = places.into_iter().zip(choices).collect();
        if !self.written {
            ordered.sort_by_key(|(place, _)| *place);
        }
        let titled = ordered.iter().any(|(_, (_, shown))| shown.is_some());
        let (mut values, mut titles) = (Vec::new(), Vec::new());
        for (_, (value, shown)) in ordered {
            titles.push(shown.unwrap_or_else(|| value.clone()));
            values.push(Value::from(value));
        }
        Ok(Some((values, if titled { Titles::Each(titles) } else { Titles::None })))
    }
}

/// Refuses keywords of a schema that the developer wrote which would not reach the client.
fn only_known(schema: &Map<String, Value>, form: &Form) -> Result<(), String> {
    let common = ["type", "title", "description", "default"];
    let own: &[&str] = match form.kind {
        Some(Kind::String) if !form.allowed.is_empty() => &["enum", "enumNames", "oneOf"],
        Some(Kind::String) => &["minLength", "maxLength", "format"],
        Some(Kind::Integer | Kind::Number) => &["minimum", "maximum"],
        Some(Kind::Array) => &["items", "minItems", "maxItems"],
        _ => &[],
    };
    if let Some(key) = schema.keys().find(|key| !common.contains(&key.as_str()) && !own.contains(&key.as_str())) {
        let known = own.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let known = if own.is_empty() { "`default`".to_owned() } else { known };
        return Err(format!("has `{key}`, which no form can say; such a field has {known}"));
    }
    match schema.get("format").and_then(Value::as_str) {
        Some(format) if !FORMATS.contains(&format) => {
            Err(format!("has the format `{format}`; a form knows {}", FORMATS.join(", ")))
        }
        _ => Ok(()),
    }
}

/// What a title can be of a doc comment.
fn first_paragraph(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    text.strip_suffix('.').map_or(text.clone(), str::to_owned)
}

impl ElicitationForm {
    /// What an answer must be, as a whole.
    pub(super) fn whole(&self) -> Form {
        let properties = self.fields.iter().map(|field| (field.name.clone(), field.form.clone())).collect();
        let required = self.fields.iter().filter(|field| field.required).map(|field| field.name.clone()).collect();
        Form { properties: Some(properties), required, rest: Rest::Open, ..Form::of(Kind::Object) }
    }
}
