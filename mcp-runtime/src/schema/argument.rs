//! Arguments: from undecoded JSON to the parameters of a function.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::{call::Arguments, call::ToolError, service::ToolCard};

/// What a parameter taken by value must be: it can be decoded and described.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument of a tool",
    label = "owned parameters are arguments: they need `Deserialize` and `JsonSchema`",
    note = "add `#[derive(Deserialize, JsonSchema)]` to the type; to have it injected instead, borrow it: `&{Self}`"
)]
pub trait ArgumentType: DeserializeOwned + JsonSchema + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> ArgumentType for T {}

/// An argument's type with its type: the one place where generated code states that the type is [`ArgumentType`].
///
/// Deliberately without a bound, so that a type which is none gives one error, where [`argument`] is called.
pub struct Argument<T> {
    schema: fn(&mut SchemaGenerator) -> Schema,
    decode: fn(&str) -> Result<T, serde_json::Error>,
    marker: PhantomData<fn() -> T>,
}

/// The table entry of an argument's type.
#[must_use]
pub const fn argument<T: ArgumentType>() -> Argument<T> {
    Argument {
        schema: |generator| generator.subschema_for::<T>(),
        decode: |text| serde_json::from_str(text),
        marker: PhantomData,
    }
}

impl<T> Argument<T> {
    /// How schemars describes the type.
    #[must_use]
    pub const fn schema(&self) -> fn(&mut SchemaGenerator) -> Schema {
        self.schema
    }

    /// A place for one decoded value; `default` makes the value where the argument is absent, without it an absent
    /// argument that is not required is decoded from `null`.
    #[must_use]
    pub const fn slot(&self, default: Option<fn() -> T>) -> Slot<T> {
        Slot { decode: self.decode, default, value: None }
    }
}

/// A place for one decoded value.
pub struct Slot<T> {
    decode: fn(&str) -> Result<T, serde_json::Error>,
    default: Option<fn() -> T>,
    value: Option<T>,
}

/// A place for one decoded value, whatever its type.
pub trait Fill: Send {
    /// Decodes the value from JSON text.
    ///
    /// # Errors
    /// What serde says; [`decode`] makes advice for the model of it.
    fn fill(&mut self, text: &str) -> Result<(), serde_json::Error>;

    /// Makes the value of an absent argument.
    ///
    /// # Errors
    /// Where the type has no value for absence.
    fn fill_absent(&mut self) -> Result<(), serde_json::Error>;
}

impl<T: Send> Fill for Slot<T> {
    fn fill(&mut self, text: &str) -> Result<(), serde_json::Error> {
        self.value = Some((self.decode)(text)?);
        Ok(())
    }

    fn fill_absent(&mut self) -> Result<(), serde_json::Error> {
        self.value = Some(match self.default {
            Some(default) => default(),
            None => (self.decode)("null")?,
        });
        Ok(())
    }
}

impl<T> Slot<T> {
    /// The decoded value, after [`decode`] returned `Ok`.
    #[must_use]
    pub fn take(&mut self) -> T {
        // `decode` fills every slot or fails.
        self.value.take().expect("decode filled every slot")
    }
}

/// Decodes all arguments of a call, one slot per entry of [`ToolCard::arguments`].
///
/// # Errors
/// One [`ToolError`] that lists every problem with its path, what was expected, what came, and "did you mean".
pub fn decode(
    arguments: Arguments<'_>,
    card: &ToolCard,
    lenient: bool,
    slots: &mut [&mut dyn Fill],
) -> Result<(), ToolError> {
    let _ = (arguments, card, lenient, slots);
    todo!()
}
