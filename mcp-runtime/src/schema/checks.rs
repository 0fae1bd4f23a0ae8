//! What is kept of a tool's input schema for its calls.
//!
//! Takes: a function's card. Gives: its arguments' forms. Knows: which arguments need more than their type's own decoding.
//! Must not know: revisions, sessions.

use std::fmt;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{
    build::{Builder, Contract, ORDERS, Place},
    check::{Checker, Definitions, Found},
    form::Form,
    order::Orders,
    write,
};
use crate::service::FunctionCard;

/// What is kept of a tool's input schema for its calls: made once by [`describe`](super::describe), used by
/// [`decode`](super::decode).
pub struct Checks {
    /// One per argument, in the order of the parameters.
    pub(super) arguments: Vec<ArgumentChecks>,
    pub(super) definitions: Definitions,
    /// Whether members that are no arguments are refused.
    pub(super) closed: bool,
}

/// One argument's.
pub(super) struct ArgumentChecks {
    pub(super) form: Form,
    /// Whether the schema demands what the type's own decoding does not see to.
    pub(super) constrained: bool,
}

impl fmt::Debug for Checks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Checks").field("arguments", &self.arguments.len()).finish_non_exhaustive()
    }
}

impl Checks {
    /// The checks of a function.
    ///
    /// # Errors
    /// What [`describe`](super::describe) says of a schema that can't be made portable.
    pub(crate) fn of(card: &FunctionCard) -> Result<Self, String> {
        let mut checks = Self::generated(card)?;
        if let Some(verbatim) = card.input_schema {
            let schema: Value =
                serde_json::from_str(verbatim).map_err(|error| format!("its input schema is no JSON: {error}"))?;
            checks.closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        }
        Ok(checks)
    }

    fn generated(card: &FunctionCard) -> Result<Self, String> {
        let mut generator = generator(Contract::Input);
        let mut orders = Orders::default();
        let mut schemas = Vec::with_capacity(card.arguments.len());
        for argument in card.arguments {
            let mut schema = (argument.schema)(&mut generator).to_value();
            take_orders(&mut schema, &mut orders);
            schemas.push(schema);
        }
        let definitions = generator.take_definitions(true);
        let arguments = |inline: bool| -> Result<(Built, bool), String> {
            let mut builder = Builder::new(&definitions, &orders, Contract::Input, inline);
            let mut forms = Vec::with_capacity(schemas.len());
            for (argument, schema) in card.arguments.iter().zip(&schemas) {
                let place = if argument.required { Place::Other } else { Place::Member };
                let mut form =
                    builder.form(schema, place).map_err(|error| format!("argument `{}`: {error}", argument.name))?;
                if !argument.description.is_empty() {
                    form.description = argument.description.to_owned();
                }
                if let Some(default) = argument.default {
                    form.default = Some(default()).filter(|default| !default.is_null());
                }
                form.nullable |= !argument.required;
                forms.push(form);
            }
            let definitions = builder.definitions()?;
            Ok(((forms, definitions), builder.overflowed()))
        };
        let (forms, definitions) = smaller(card.name, arguments)?;
        let constrained_definition = definitions.iter().any(|(_, form)| form.any(&|form| form.checked));
        let arguments = forms
            .into_iter()
            .map(|form| ArgumentChecks {
                constrained: form.any(&|form| form.checked || (constrained_definition && form.reference.is_some())),
                form,
            })
            .collect();
        Ok(Self { arguments, definitions: definitions.into_iter().collect(), closed: true })
    }

    /// The argument at `index` must be a header's mirror, so its integers stay exact in every language.
    pub(super) fn bound_header(&mut self, index: usize) {
        if let Some(argument) = self.arguments.get_mut(index) {
            argument.constrained = true;
        }
    }

    /// The texts that the argument at `index` may be, where its type is a list of them.
    pub(crate) fn choices(&self, index: usize) -> impl Iterator<Item = &str> {
        let allowed = self.arguments.get(index).map(|argument| match &argument.form.reference {
            Some(name) => self.definitions.get(name).map_or(&[][..], |form| &form.allowed),
            None => &argument.form.allowed,
        });
        allowed.into_iter().flatten().filter_map(Value::as_str)
    }

    /// What is wrong with the value of an argument, by the schema.
    pub(super) fn problems(&self, index: usize, value: &Value, path: &str) -> Found {
        let Some(argument) = self.arguments.get(index) else { return Found::nothing() };
        Checker { definitions: &self.definitions }.problems(&argument.form, value, path)
    }

    /// Constraints that the value of an argument breaks, though its type took it.
    pub(super) fn broken_constraints(&self, index: usize, text: &str, path: &str) -> Found {
        if !self.arguments.get(index).is_some_and(|argument| argument.constrained) {
            return Found::nothing();
        }
        let Ok(value) = serde_json::from_str(text) else { return Found::nothing() };
        let mut problems = self.problems(index, &value, path);
        // The type knows better than the schema what else it takes: aliases, forms of its own.
        problems.retain_constraints();
        problems
    }
}

/// A generator whose schemas [`Builder`] reads.
pub(super) fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None);
    match contract {
        Contract::Input => settings.for_deserialize(),
        Contract::Output => settings.for_serialize(),
    }
    .into_generator()
}

/// Takes out what [`argument`](super::argument()) left in the schema.
pub(super) fn take_orders(schema: &mut Value, orders: &mut Orders) {
    let Some(lists) = schema.as_object_mut().and_then(|object| object.remove(ORDERS)) else { return };
    for list in lists.as_array().into_iter().flatten() {
        let names = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        orders.0.push(names);
    }
}

/// The orders as [`take_orders`] finds them.
pub(super) fn put_orders(schema: &mut Map<String, Value>, orders: Orders) {
    if !orders.0.is_empty() {
        schema.insert(ORDERS.to_owned(), orders.0.into());
    }
}

/// Forms and the definitions that they refer to.
pub(super) type Built = (Vec<Form>, Vec<(String, Form)>);

/// Builds with every type inlined, unless that more than doubles the text; `build` takes whether to inline and gives also
/// whether that went beyond all measure.
pub(super) fn smaller(tool: &str, build: impl Fn(bool) -> Result<(Built, bool), String>) -> Result<Built, String> {
    /// Documents below this size may double: nobody is harmed. In bytes.
    const SMALL: usize = 4_096;
    let size = |forms: &[Form], definitions: &[(String, Form)]| -> usize {
        forms.iter().chain(definitions.iter().map(|(_, form)| form)).map(|form| write::text(form).len()).sum()
    };
    let ((forms, definitions), overflowed) = build(true)?;
    if !overflowed && size(&forms, &definitions) <= SMALL {
        return Ok((forms, definitions));
    }
    let ((kept_forms, kept_definitions), _) = build(false)?;
    if !overflowed && size(&forms, &definitions) <= 2 * size(&kept_forms, &kept_definitions) {
        return Ok((forms, definitions));
    }
    tracing::warn!(
        tool,
        "types that are used often make this schema large: they stay in `$defs`, which some clients can't read"
    );
    Ok((kept_forms, kept_definitions))
}
