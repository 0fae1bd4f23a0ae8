//! `#[tool]`

use proc_macro2::Span;
use syn::Attribute;

use super::{Own, spaceless};
use crate::{
    args::ToolArgs,
    errors::Errors,
    item,
    model::{Kind, Tool},
};

impl Own<'_> {
    pub(super) fn tool(&self, function: &item::Function, attribute: &Attribute, errors: &mut Errors) -> Tool {
        let args = ToolArgs::parse(attribute, errors);
        let tool = Tool {
            function: self.function(Kind::Tool, function, args.function, errors),
            annotations: args.annotations,
            input_schema: args.input_schema.map(|schema| self.concrete(schema)),
            task: args.task,
            ask_first: args.ask_first.is_some(),
            meanwhile: args.meanwhile.map(|(_, text)| self.concrete(text)),
            single_use: args.single_use,
        };
        if tool.function.description.is_empty() {
            let ident = &tool.function.ident;
            errors.at(
                ident,
                format_args!(
                    "a tool must have a description, by which the model chooses it, found none on `{ident}`; write \
                     a doc comment above `fn {ident}`: `/// What it does and when to use it.`"
                ),
            );
        }
        read_only(&tool, args.read_only, errors);
        tool
    }
}

fn read_only(tool: &Tool, key: Option<Span>, errors: &mut Errors) {
    let Some(key) = key else { return };
    if let Some(part) = tool.function.parts().find(|part| part.writes) {
        let ty = spaceless(&part.ty);
        errors.at_span(
            key,
            format_args!(
                "a `read_only` tool must not change anything, found `&mut {ty}`; borrow `&{ty}`, or remove \
                 `read_only`"
            ),
        );
    }
}
