//! From what schemars says of a type to the portable profile.
//!
//! Takes: schemars' JSON. Gives: [`Form`]s. Knows: how schemars writes Rust types, what clients can't read. Must not
//! know: tools, calls.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    form::{Form, Kind, Rest},
    formats::bounds,
    order::Orders,
};

/// Which direction a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    /// What is taken: `null` where a member may be left out is taken too, but not said.
    Input,
    /// What is given: every `null` that may come is said.
    Output,
}

/// What stands around a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A named member, which may be left out.
    Member,
    /// An element, an arm, a map's value, a root.
    Other,
}

/// Schemas grow at most to this many nodes by inlining; beyond, shared types stay in `$defs`.
const NODES: usize = 4_000;

/// Turns schemas that share definitions into forms.
pub(super) struct Builder<'a> {
    pub(super) definitions: &'a Map<String, Value>,
    pub(super) orders: &'a Orders,
    pub(super) contract: Contract,
    /// Whether a definition is put where it is referred to; else only where it must be.
    pub(super) inline: bool,
    /// The definitions that are being built.
    path: Vec<String>,
    /// The definitions that forms refer to.
    referred: BTreeSet<String>,
    nodes: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        definitions: &'a Map<String, Value>,
        orders: &'a Orders,
        contract: Contract,
        inline: bool,
    ) -> Self {
        Self { definitions, orders, contract, inline, path: Vec::new(), referred: BTreeSet::new(), nodes: 0 }
    }

    /// Whether inlining went beyond all measure; what was built is then incomplete.
    pub(super) fn overflowed(&self) -> bool {
        self.nodes > NODES
    }

    /// The definitions that the forms built so far refer to, and those that these refer to.
    pub(super) fn definitions(&mut self) -> Result<Vec<(String, Form)>, String> {
        let mut built: Vec<(String, Form)> = Vec::new();
        loop {
            let Some(name) = self.referred.iter().find(|name| !built.iter().any(|(known, _)| known == *name)).cloned()
            else {
                return Ok(built);
            };
            let form = self.definition(&name)?;
            built.push((name, form));
        }
    }

    fn definition(&mut self, name: &str) -> Result<Form, String> {
        let schema =
            self.definitions.get(name).ok_or_else(|| format!("its schema refers to `{name}`, which is not defined"))?;
        self.path.push(name.to_owned());
        let form = self.form(schema, Place::Other);
        self.path.pop();
        form
    }

    /// The form of one schema.
    ///
    /// # Errors
    /// A reference that leads nowhere, or something that is no schema.
    pub(super) fn form(&mut self, schema: &Value, place: Place) -> Result<Form, String> {
        self.nodes += 1;
        if self.inline && self.overflowed() {
            return Ok(Form::default());
        }
        let object = match schema {
            Value::Bool(true) => return Ok(Form::default()),
            Value::Bool(false) => {
                return Ok(Form { extra: vec![("not".into(), Map::new().into())], ..Form::default() });
            }
            Value::Object(object) => object,
            _ => return Err(format!("its schema holds {schema} where a schema must be")),
        };
        let mut own = self.own_keywords(object)?;
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            let target = self.resolve(reference, &own)?;
            own = over(target, own);
        }
        for arm in object.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let mut arm = self.form(arm, Place::Other)?;
            arm.description.clear();
            own = over(arm, own);
        }
        for union in ["oneOf", "anyOf"] {
            if let Some(arms) = object.get(union).and_then(Value::as_array) {
                own = self.union(arms, own)?;
            }
        }
        close(object, &mut own);
        Ok(self.place_null(own, place))
    }

    /// What `$ref` stands for: the type itself, or its name where it is met on its own path.
    fn resolve(&mut self, reference: &str, beside: &Form) -> Result<Form, String> {
        let name = reference.strip_prefix("#/$defs/").ok_or_else(|| {
            format!("its schema refers to `{reference}`; only references into `#/$defs/` can be kept")
        })?;
        let name = percent_decoded(name).replace("~1", "/").replace("~0", "~");
        // A tagged variant says its tag beside the reference, which only works where both are one schema.
        let merges = beside.properties.is_some() || !beside.required.is_empty();
        let met = self.path.iter().filter(|known| **known == name).count();
        let keep = if merges { met > 1 } else { met > 0 || !self.inline };
        if keep {
            self.referred.insert(name.clone());
            return Ok(Form { reference: Some(name), ..Form::default() });
        }
        self.definition(&name)
    }

    /// Everything that a schema says by itself, without references and unions.
    fn own_keywords(&mut self, object: &Map<String, Value>) -> Result<Form, String> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| object.get(key).and_then(Value::as_number).cloned();
        let count = |key: &str| object.get(key).and_then(Value::as_u64);
        let mut form = Form {
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
            unique_items: object.get("uniqueItems") == Some(&Value::Bool(true)),
            pattern: text("pattern"),
            default: object.get("default").filter(|value| !value.is_null()).cloned(),
            ..Form::default()
        };
        types(object, &mut form);
        bounds(object.get("format").and_then(Value::as_str), &mut form);
        self.values(object, &mut form);
        self.members(object, &mut form)?;
        self.elements(object, &mut form)?;
        form.extra.extend(
            object.iter().filter(|(key, value)| is_extra(key, value)).map(|(key, value)| (key.clone(), value.clone())),
        );
        Ok(form)
    }

    /// `enum` and `const`.
    fn values(&self, object: &Map<String, Value>, form: &mut Form) {
        if let Some(value) = object.get("const") {
            form.allowed = vec![value.clone()];
        } else if let Some(values) = object.get("enum").and_then(Value::as_array) {
            form.nullable |= values.iter().any(Value::is_null);
            form.allowed = values.iter().filter(|value| !value.is_null()).cloned().collect();
            if form.allowed.is_empty() {
                form.kind = Some(Kind::Null);
            }
            self.declared_order(form);
        }
        if form.kind.is_none() {
            form.kind = one_kind(&form.allowed);
        }
    }

    /// Puts the names of an enum in the order of their declaration.
    fn declared_order(&self, form: &mut Form) {
        let Some(names) = form.allowed.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else { return };
        if self.orders.knows(&names) {
            let places = self.orders.places(&names);
            let mut values: Vec<_> = places.into_iter().zip(std::mem::take(&mut form.allowed)).collect();
            values.sort_by_key(|(place, _)| *place);
            form.allowed = values.into_iter().map(|(_, value)| value).collect();
        } else {
            // Not an enum that serde knows: nobody else refuses other values.
            form.checked = true;
        }
    }

    /// `properties` and what else a schema says of members.
    fn members(&mut self, object: &Map<String, Value>, form: &mut Form) -> Result<(), String> {
        form.required = strings(object.get("required"));
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut ordered: Vec<_> = properties
                .iter()
                .zip(self.orders.places(&names))
                .map(|((name, schema), declared)| {
                    let required = form.required.iter().position(|known| known == name).unwrap_or(usize::MAX);
                    (declared, required, name, schema)
                })
                .collect();
            // The sort is stable: where neither is known, the alphabet stays.
            ordered.sort_by_key(|(declared, required, ..)| (*declared, *required));
            let mut members = Vec::with_capacity(ordered.len());
            for (_, _, name, schema) in ordered {
                let place = if self.contract == Contract::Input && !form.required.contains(name) {
                    Place::Member
                } else {
                    Place::Other
                };
                members.push((name.clone(), self.form(schema, place)?));
            }
            form.properties = Some(members);
        }
        match object.get("additionalProperties") {
            Some(Value::Bool(false)) => form.rest = Rest::Closed,
            None => {}
            Some(schema) => form.rest = Rest::Of(Box::new(self.form(schema, Place::Other)?)),
        }
        if let Some(patterns) = object.get("patternProperties").and_then(Value::as_object) {
            // A map whose keys are numbers; few clients read `patternProperties`, all read a map.
            if let Some((pattern, schema)) = patterns.iter().next() {
                form.rest = Rest::Of(Box::new(self.form(schema, Place::Other)?));
                let names = Value::Object(Map::from_iter([("pattern".to_owned(), pattern.as_str().into())]));
                form.extra.push(("propertyNames".into(), names));
            }
        }
        Ok(())
    }

    /// `items` and `prefixItems`.
    fn elements(&mut self, object: &Map<String, Value>, form: &mut Form) -> Result<(), String> {
        for schema in object.get("prefixItems").and_then(Value::as_array).into_iter().flatten() {
            let element = self.form(schema, Place::Other)?;
            form.tuple.push(element);
        }
        if !form.tuple.is_empty() {
            let length = form.tuple.len() as u64;
            form.min_items.get_or_insert(length);
            form.max_items.get_or_insert(length);
            form.items = Some(Box::new(either(&form.tuple)));
            return Ok(());
        }
        match object.get("items") {
            Some(schema) => form.items = Some(Box::new(self.form(schema, Place::Other)?)),
            None if form.kind == Some(Kind::Array) => form.items = Some(Box::default()),
            None => {}
        }
        form.checked |= form.min_items.is_some() || form.max_items.is_some() || form.unique_items;
        Ok(())
    }

    /// `oneOf` and `anyOf`.
    fn union(&mut self, arms: &[Value], mut own: Form) -> Result<Form, String> {
        let mut forms = Vec::with_capacity(arms.len());
        for arm in arms {
            let form = self.form(arm, Place::Other)?;
            if form.is_null() {
                own.nullable = true;
            } else {
                forms.push(form);
            }
        }
        if let Some(mut names) = unit_variants(&forms) {
            self.declared_order(&mut names);
            return Ok(over(names, own));
        }
        if forms.len() == 1
            && let Some(only) = forms.pop()
        {
            return Ok(over(only, own));
        }
        if own.kind.is_none() && !forms.is_empty() && forms.iter().all(|form| form.kind == Some(Kind::Object)) {
            own.kind = Some(Kind::Object);
        }
        Ok(over(Form { any_of: forms, ..Form::default() }, own))
    }

    /// `null` is left unsaid where the member may be left out, and an arm of its own elsewhere.
    fn place_null(&self, form: Form, place: Place) -> Form {
        if !form.nullable || form.is_null() || (self.contract == Contract::Input && place == Place::Member) {
            return form;
        }
        let mut form = form;
        form.nullable = false;
        let description = std::mem::take(&mut form.description);
        let default = form.default.take();
        let plain_union = form.any_of.len() > 1 && form.properties.is_none() && form.allowed.is_empty();
        let mut any_of = if plain_union { std::mem::take(&mut form.any_of) } else { vec![form] };
        any_of.push(Form::of(Kind::Null));
        Form { description, default, any_of, ..Form::default() }
    }
}

/// `own` over `target`.
fn over(mut target: Form, own: Form) -> Form {
    target.overlay(own);
    target
}

/// `type`: one, or several as arms.
fn types(object: &Map<String, Value>, form: &mut Form) {
    let named = |value: &Value| value.as_str().and_then(Kind::named);
    match object.get("type") {
        Some(Value::Array(names)) => {
            let mut kinds: Vec<_> = names.iter().filter_map(named).collect();
            if kinds.len() > 1 {
                form.nullable |= kinds.contains(&Kind::Null);
                kinds.retain(|kind| *kind != Kind::Null);
            }
            match kinds.as_slice() {
                [kind] => form.kind = Some(*kind),
                kinds => form.any_of = kinds.iter().map(|kind| arm_of_kind(*kind)).collect(),
            }
        }
        Some(name) => form.kind = named(name),
        None => {}
    }
}

/// One of several types of a value; clients refuse arrays that don't say what is in them.
fn arm_of_kind(kind: Kind) -> Form {
    Form { items: (kind == Kind::Array).then(Box::default), ..Form::of(kind) }
}

/// `unevaluatedProperties: false` is unknown to draft-07: each arm gets all members and is closed by itself.
fn close(object: &Map<String, Value>, form: &mut Form) {
    if object.get("unevaluatedProperties") != Some(&Value::Bool(false)) {
        return;
    }
    if form.any_of.is_empty() {
        form.rest = Rest::Closed;
        return;
    }
    let shared =
        Form { properties: form.properties.take(), required: std::mem::take(&mut form.required), ..Form::default() };
    for arm in &mut form.any_of {
        let mut whole = over(arm.clone(), shared.clone());
        whole.rest = Rest::Closed;
        whole.kind = Some(Kind::Object);
        *arm = whole;
    }
}

/// Keywords that no field of [`Form`] holds and that are passed on.
fn is_extra(key: &str, value: &Value) -> bool {
    const HANDLED: [&str; 35] = [
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "$ref",
        "definitions",
        "title",
        "description",
        "type",
        "format",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "items",
        "prefixItems",
        "oneOf",
        "anyOf",
        "allOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "pattern",
        "default",
        ORDERS,
    ];
    // A keyword that refers to definitions would lead nowhere once they are inlined.
    !HANDLED.contains(&key) && !value.to_string().contains("\"$ref\"")
}

/// Where [`argument`](super::argument()) leaves the [`Orders`] of a type in its schema.
pub(super) const ORDERS: &str = "\u{0}orders";

/// The type of all these values, if it is one.
fn one_kind(values: &[Value]) -> Option<Kind> {
    let mut kinds = values.iter().map(|value| match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Number,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    });
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// The union of a documented unit enum: one `enum`, and what its variants mean.
fn unit_variants(arms: &[Form]) -> Option<Form> {
    let plain = |arm: &Form| arm.kind == Some(Kind::String) && !arm.allowed.is_empty();
    if arms.is_empty() || !arms.iter().all(plain) {
        return None;
    }
    let mut names = Form::of(Kind::String);
    for arm in arms {
        if let ([name], false) = (arm.allowed.as_slice(), arm.description.is_empty()) {
            names.variants.push((name.as_str().unwrap_or_default().to_owned(), arm.description.clone()));
        }
        names.variants.extend(arm.variants.iter().cloned());
        names.allowed.extend(arm.allowed.iter().cloned());
    }
    Some(names)
}

/// A form that fits what any of these fits.
fn either(forms: &[Form]) -> Form {
    let mut arms: Vec<Form> = Vec::new();
    for form in forms {
        // Forms have no equality; how they are written has.
        if !arms.iter().any(|known| super::write::text(known) == super::write::text(form)) {
            arms.push(form.clone());
        }
    }
    if arms.len() > 1 { Form { any_of: arms, ..Form::default() } } else { arms.pop().unwrap_or_default() }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
