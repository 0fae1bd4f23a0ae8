//! Arguments: from undecoded JSON to the parameters of a function.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::{
    Arguments, advice,
    check::{Found, MOST_TOLD, member_path},
    checks,
    checks::Checks,
    coerce::coerce,
    order, walk, words,
};
use crate::{
    call::ToolError,
    service::{ArgumentCard, FunctionCard},
};

/// What a parameter taken by value must be: it can be decoded and described.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument",
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
        schema: |generator| {
            let mut schema = generator.subschema_for::<T>();
            if let Some(object) = schema.as_object_mut() {
                // What schemars sorts by the alphabet comes back into the order of its declaration.
                checks::put_orders(object, order::orders::<T>());
            }
            schema
        },
        decode: |text| serde_json::from_str(text),
        marker: PhantomData,
    }
}

/// The same of a schema and a way of decoding.
pub(super) const fn argument_of<T>(
    schema: fn(&mut SchemaGenerator) -> Schema,
    decode: fn(&str) -> Result<T, serde_json::Error>,
) -> Argument<T> {
    Argument { schema, decode, marker: PhantomData }
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

/// Decodes all arguments of a call, one slot per entry of [`FunctionCard::arguments`].
///
/// `null` for an argument that is not required is the same as leaving it out. With `lenient`, values that can't be
/// decoded as they are get a second try as what they plainly mean: `"5"` for 5, a JSON string for an object; no value is
/// changed. Constraints that the schema announces (`range`, `length`, sets without an element twice) hold; `pattern` is announced but left to the type.
///
/// # Errors
/// One [`ToolError`] that lists every problem with its path, what was expected, what came, and "did you mean".
pub fn decode(
    arguments: Arguments<'_>,
    card: &FunctionCard,
    lenient: bool,
    slots: &mut [&mut dyn Fill],
) -> Result<(), ToolError> {
    if let Some(checks) = arguments.checks {
        if fill_all(arguments, card.arguments, checks, slots).is_some() {
            return Ok(());
        }
        return explain(arguments, card, checks, lenient, slots);
    }
    // Nobody described the tool: its schema is made here, for this call alone.
    let checks = Checks::of(card).map_err(ToolError::internal)?;
    explain(arguments, card, &checks, lenient, slots)
}

/// The way of a call that is right: one walk over the text, each value decoded where it is met. `None` when anything is
/// wrong, or when there are more arguments than bits to mark them.
fn fill_all(
    arguments: Arguments<'_>,
    cards: &[ArgumentCard],
    checks: &Checks,
    slots: &mut [&mut dyn Fill],
) -> Option<()> {
    let count = cards.len();
    if count > 64 {
        return None;
    }
    let mut filled = 0_u64;
    // Clients tend to send arguments in the order in which the schema lists them.
    let mut likely = 0;
    for (name, value) in walk::members(arguments.text)? {
        let name = walk::unescape(name);
        let index = if cards.get(likely).is_some_and(|card| card.name == name) {
            likely
        } else if let Some(index) = cards.iter().position(|card| card.name == name) {
            index
        } else if arguments.reserved == Some(&*name) {
            continue;
        } else {
            return None;
        };
        likely = index + 1;
        let card = cards.get(index)?;
        if value == "null" && !card.required {
            continue;
        }
        slots.get_mut(index)?.fill(value).ok()?;
        if !checks.broken_constraints(index, value, "").is_empty() {
            return None;
        }
        filled |= 1 << index;
    }
    for (index, card) in cards.iter().enumerate() {
        if filled & (1 << index) == 0 {
            if card.required {
                return None;
            }
            slots.get_mut(index)?.fill_absent().ok()?;
        }
    }
    Some(())
}

/// The way of a call that is not right at once: everything is tried again, what fails leniently, and what fails then is
/// told.
fn explain(
    arguments: Arguments<'_>,
    card: &FunctionCard,
    checks: &Checks,
    lenient: bool,
    slots: &mut [&mut dyn Fill],
) -> Result<(), ToolError> {
    let names = || card.arguments.iter().map(|argument| argument.name);
    let mut values: Vec<Option<&str>> = vec![None; card.arguments.len()];
    // Unknown members stand where the argument stands that was probably meant, the others at the end.
    let mut unknown: Vec<(usize, String, String)> = Vec::new();
    let mut untold = 0;
    let mut meant: Vec<&str> = Vec::new();
    for (name, value) in walk::members(arguments.text).into_iter().flatten() {
        let name = walk::unescape(name);
        if let Some(index) = names().position(|known| known == name) {
            if let Some(slot) = values.get_mut(index) {
                *slot = Some(value);
            }
        } else if checks.closed && arguments.reserved != Some(&*name) {
            if unknown.len() == MOST_TOLD {
                untold += 1;
                continue;
            }
            let suggestion = advice::suggestion(&name, names());
            meant.extend(suggestion);
            let place = suggestion.and_then(|name| names().position(|known| known == name));
            unknown.push((
                place.unwrap_or(usize::MAX),
                advice::name(&name),
                advice::unknown_field(suggestion, names()),
            ));
        }
    }
    let mut problems: Vec<(String, String)> = Vec::new();
    for (index, ((argument, value), slot)) in card.arguments.iter().zip(values).zip(slots).enumerate() {
        for (_, name, text) in unknown.extract_if(.., |(place, ..)| *place == index) {
            problems.push((name, text));
        }
        let form = checks.arguments.get(index).map(|checks| &checks.form);
        let absent = value.is_none_or(|value| value == "null" && !argument.required);
        match value.filter(|_| !absent) {
            None if argument.required => {
                // The misspelt name says it already.
                if !meant.contains(&argument.name) {
                    let what = form.map(words::missing).unwrap_or_default();
                    problems.push((argument.name.to_owned(), format!("required, missing ({what})")));
                }
            }
            None => problems.extend(
                slot.fill_absent()
                    .err()
                    .map(|error| (argument.name.to_owned(), format!("no default: {}", plain(&error)))),
            ),
            Some(value) => {
                let (told, more) = fill_one(&mut **slot, argument, index, value, checks, lenient).into_parts();
                problems.extend(told.into_iter().map(|problem| (problem.path, problem.text)));
                untold += more;
            }
        }
    }
    problems.extend(unknown.into_iter().map(|(_, name, text)| (name, text)));
    if problems.is_empty() {
        return Ok(());
    }
    let lines = problems.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    Err(ToolError::new(advice::invalid_arguments(card.name, lines, untold)))
}

/// Fills one slot, leniently where allowed; gives what is wrong.
fn fill_one(
    slot: &mut dyn Fill,
    argument: &ArgumentCard,
    index: usize,
    text: &str,
    checks: &Checks,
    lenient: bool,
) -> Found {
    let mut attempt = |text: &str| match slot.fill(text) {
        Ok(()) => Ok(checks.broken_constraints(index, text, argument.name)),
        Err(error) => Err(error),
    };
    let strict = match attempt(text) {
        Ok(broken) => return broken,
        Err(error) => error,
    };
    let mut failed = strict;
    let mut tried = std::borrow::Cow::Borrowed(text);
    if lenient {
        if let Some(rewritten) =
            checks.arguments.get(index).and_then(|kept| coerce(&kept.form, text, &checks.definitions))
        {
            match attempt(&rewritten) {
                Ok(broken) => return broken,
                Err(error) => (failed, tried) = (error, std::borrow::Cow::Owned(rewritten)),
            }
        }
        if text == "\"null\"" && !argument.required && slot.fill_absent().is_ok() {
            return Found::nothing();
        }
    }
    let value = serde_json::from_str(&tried).ok();
    let mut found =
        value.as_ref().map(|value| checks.problems(index, value, argument.name)).unwrap_or_else(Found::nothing);
    if found.is_of_constraints() {
        // The schema sees nothing that the type refuses: the type's own words, at the place where it stopped.
        let (way, piece) = walk::way_to(&tried, offset(&tried, &failed));
        let path = way.iter().fold(argument.name.to_owned(), |path, step| match step {
            walk::Step::Member(name) => member_path(&path, name),
            walk::Step::Element(index) => format!("{path}[{index}]"),
        });
        let text = format!("{}, got {}", plain(&failed), words::got_text(piece));
        found.add(false, || (path, text));
    }
    found
}

/// The byte offset behind the value that serde stopped at.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let Some(read) = text.get(..before + error.column()) else { return 0 };
    let said = error.to_string();
    if ["missing field", "unknown field", "duplicate field", "invalid length"].iter().any(|own| said.starts_with(own)) {
        // The object or array itself is wrong, and it was read to its end.
        return read.len();
    }
    // When a type refuses a decoded value, the reader has gone on: over one comma or bracket, and the space around it.
    let read = read.trim_end();
    read.strip_suffix([',', ']', '}']).map_or(read, str::trim_end).len()
}

/// What serde says, without the position, which is that of a piece of the message.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    text.chars().take(200).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
