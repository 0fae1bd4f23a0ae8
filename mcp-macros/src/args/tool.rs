//! `#[tool(…)]`

use proc_macro2::Span;
use syn::{Attribute, Expr, ExprLit, Lit};

use super::{FunctionArgs, Grammar, Pair, Value};
use crate::{
    errors::Errors,
    model::{Annotations, TaskSupport},
};

const TOOL: Grammar = Grammar {
    attribute: "#[tool]",
    keys: &[
        "name",
        "title",
        "read_only",
        "destructive",
        "idempotent",
        "open_world",
        "blocking",
        "deadline",
        "task",
        "ask_first",
        "meanwhile",
        "single_use",
        "icon",
        "input_schema",
        "meta",
    ],
    repeatable: &["icon"],
    advice: &[
        ("description", "the description is the doc comment of the function"),
        ("output_schema", "the output schema is that of the return type"),
    ],
};

/// `#[tool(…)]`
#[derive(Default)]
pub(crate) struct ToolArgs {
    pub(crate) function: FunctionArgs,
    pub(crate) annotations: Annotations,
    /// The key that says `read_only`, for errors.
    pub(crate) read_only: Option<Span>,
    pub(crate) input_schema: Option<Expr>,
    pub(crate) task: TaskSupport,
    /// What is asked before the first wait is asked before the call becomes a task; the key, for errors.
    pub(crate) ask_first: Option<Span>,
    /// What the model is told while the task runs, with the key, for errors.
    pub(crate) meanwhile: Option<(Span, Expr)>,
    pub(crate) single_use: bool,
}

impl ToolArgs {
    /// Reads the attribute.
    pub(crate) fn parse(attribute: &Attribute, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in TOOL.parse_attribute(attribute, errors) {
            let Some(pair) = args.function.take(pair, errors) else { continue };
            let place = pair.key.span();
            match pair.key.to_string().as_str() {
                "read_only" => {
                    args.annotations.read_only = pair.flag(errors);
                    args.read_only = (args.annotations.read_only == Some(true)).then_some(place);
                }
                "destructive" => args.annotations.destructive = pair.flag(errors),
                "idempotent" => args.annotations.idempotent = pair.flag(errors),
                "open_world" => args.annotations.open_world = pair.flag(errors),
                "task" => args.task = pair.task(errors),
                "ask_first" => args.ask_first = pair.flag(errors).unwrap_or_default().then_some(place),
                "meanwhile" => args.meanwhile = pair.text(errors).map(|text| (place, text)),
                "single_use" => args.single_use = pair.flag(errors).unwrap_or_default(),
                _ => args.input_schema = pair.text(errors),
            }
        }
        if let (TaskSupport::Forbidden, Some(place)) = (args.task, args.ask_first) {
            errors.at_span(
                place,
                "`ask_first` must be beside `task`, found it alone: it says what is asked before a call becomes a task; add \
                 `task`, or remove `ask_first`",
            );
        }
        if let (TaskSupport::Forbidden, Some((place, _))) = (args.task, &args.meanwhile) {
            errors.at_span(
                *place,
                "`meanwhile` must be beside `task`, found it alone: it says what the model is told while the task runs; add \
                 `task`, or remove `meanwhile`",
            );
        }
        args
    }
}

impl Pair {
    /// `task`, `task = "optional"` or `task = "required"`.
    fn task(self, errors: &mut Errors) -> TaskSupport {
        match &self.value {
            Value::Absent => return TaskSupport::Optional,
            Value::Is(value) => {
                if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = &**value {
                    match literal.value().as_str() {
                        "optional" => return TaskSupport::Optional,
                        "required" => return TaskSupport::Required,
                        _ => {}
                    }
                }
            }
            Value::List(_) => {}
        }
        errors.at(
            &self,
            "`task` must be alone, or \"optional\" or \"required\", found something else; write `task` where a call can \
             be a task, `task = \"required\"` where it always is one",
        );
        TaskSupport::Forbidden
    }
}
