//! `#[prompt]`

use syn::Attribute;

use super::Own;
use crate::{
    args::FunctionArgs,
    errors::Errors,
    item,
    model::{Kind, Prompt},
};

impl Own<'_> {
    pub(super) fn prompt(&self, function: &item::Function, attribute: &Attribute, errors: &mut Errors) -> Prompt {
        let args = FunctionArgs::prompt(attribute, errors);
        Prompt { function: self.function(Kind::Prompt, function, args, errors) }
    }
}
