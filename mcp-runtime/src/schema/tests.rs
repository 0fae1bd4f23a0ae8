//! Cards made by hand, as the macro writes them, and what becomes of them.

mod absent;
mod decoding;
mod portability;
mod properties;
mod schemas;
mod types;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{ArgumentType, Arguments, Described, ExtraArgument, Fill, argument, decode, describe};
use crate::service::{ArgumentCard, FunctionCard, OutputCard, ToolCard};

/// One argument of this type.
fn arg<T: ArgumentType>(name: &'static str) -> ArgumentCard {
    ArgumentCard {
        name,
        description: "",
        required: true,
        default: None,
        header: None,
        schema: const { argument::<T>() }.schema(),
    }
}

/// The same, which may be left out.
fn optional<T: ArgumentType>(name: &'static str) -> ArgumentCard {
    ArgumentCard { required: false, ..arg::<T>(name) }
}

/// A tool with these arguments. Cards live as long as the program, here too.
fn tool(arguments: Vec<ArgumentCard>) -> ToolCard {
    let function = FunctionCard {
        name: "book_flight",
        description: "Books a flight.",
        arguments: arguments.leak(),
        ..FunctionCard::BLANK
    };
    ToolCard { function, ..ToolCard::BLANK }
}

/// The same with a schema that the developer wrote.
fn verbatim(tool: ToolCard, schema: &'static str) -> ToolCard {
    ToolCard { function: FunctionCard { input_schema: Some(schema), ..tool.function }, ..tool }
}

fn described(arguments: Vec<ArgumentCard>) -> Described {
    describe(&tool(arguments), None).expect("portable")
}

/// The input schema's text.
fn input(arguments: Vec<ArgumentCard>) -> String {
    described(arguments).tool.input_schema.get().to_owned()
}

/// The schema of one argument's type, as it stands in the input schema.
fn schema_of<T: ArgumentType>() -> Value {
    let schema: Value = serde_json::from_str(&input(vec![arg::<T>("it")])).expect("JSON");
    schema["properties"]["it"].clone()
}

/// The output schema of this type.
fn output<T: Serialize + JsonSchema>() -> String {
    let card = ToolCard {
        output: || OutputCard { schema: Some(|generator| generator.subschema_for::<T>()) },
        ..tool(Vec::new())
    };
    describe(&card, None).expect("portable").tool.output_schema.expect("an output schema").get().to_owned()
}

/// Decodes `{"it": …}`.
fn one<T: ArgumentType>(card: ArgumentCard, text: &str, lenient: bool) -> Result<T, String> {
    let card = tool(vec![card]);
    let described = describe(&card, None).expect("portable");
    one_described(&card, &described, text, lenient)
}

/// The same for a tool that is described already.
fn one_described<T: ArgumentType>(
    card: &ToolCard,
    described: &Described,
    text: &str,
    lenient: bool,
) -> Result<T, String> {
    let arguments = format!("{{\"it\":{text}}}");
    let mut slot = const { argument::<T>() }.slot(None);
    let slots: &mut [&mut dyn Fill] = &mut [&mut slot];
    decode(Arguments::new(&arguments, &described.checks), &card.function, lenient, slots)
        .map_err(|error| error.message().to_owned())?;
    Ok(slot.take())
}

fn strict<T: ArgumentType>(text: &str) -> Result<T, String> {
    one(arg::<T>("it"), text, false)
}

fn lenient<T: ArgumentType>(text: &str) -> Result<T, String> {
    one(arg::<T>("it"), text, true)
}

/// The refusal's lines, without the first one.
fn refused<T: ArgumentType + std::fmt::Debug>(result: Result<T, String>) -> Vec<String> {
    let text = result.expect_err("must be refused");
    let mut lines = text.lines().map(str::to_owned);
    assert_eq!(lines.next().as_deref(), Some("Invalid arguments for `book_flight`:"));
    lines.collect()
}
