//! `#[resource]`

use syn::{Attribute, LitStr};

use super::{
    Own,
    template::{self, Variable},
};
use crate::{
    args::ResourceArgs,
    errors::Errors,
    item,
    model::{Function, Kind, Name, Resource},
};

impl Own<'_> {
    /// A resource; `None` where it has no URI.
    pub(super) fn resource(
        &self,
        function: &item::Function,
        attribute: &Attribute,
        errors: &mut Errors,
    ) -> Option<Resource> {
        let args = ResourceArgs::parse(attribute, errors);
        let function = self.function(Kind::Resource, function, args.function, errors);
        let uri = args.uri?;
        let text = uri.value();
        let mut optional = Vec::new();
        match template::variables(&text) {
            Ok(variables) => {
                same_names(&uri, &variables, &function, errors);
                if let Some(size) = args.size.as_ref().filter(|_| !variables.is_empty()) {
                    errors.at(
                        size,
                        format_args!(
                            "`size` must be that of one resource, found it on the template `{text}`; remove it"
                        ),
                    );
                }
                optional.extend(variables.into_iter().filter(|known| known.optional).map(|known| known.name));
            }
            Err(error) => errors.at(&uri, error),
        }
        Some(Resource {
            function,
            uri: Name { text, span: uri.span() },
            optional,
            mime_type: args.mime_type.map(|text| self.concrete(text)),
            size: args.size.map(|size| self.concrete(size)),
            audience: args.audience,
            priority: args.priority.map(|priority| self.concrete(priority)),
            last_modified: args.last_modified.map(|text| self.concrete(text)),
            ttl: args.ttl.map(|ttl| self.concrete(ttl)),
            public: args.public,
        })
    }
}

/// Variables and arguments are the same.
fn same_names(uri: &LitStr, variables: &[Variable], function: &Function, errors: &mut Errors) {
    let text = uri.value();
    for variable in variables {
        let Variable { name, optional } = variable;
        if !function.arguments().any(|argument| argument.name.text == *name) {
            let ty = if *optional { "Option<String>" } else { "String" };
            errors.at(
                uri,
                format_args!(
                    "each variable of a template must be an argument of its function, found `{name}` in `{text}` and no \
                     such argument of `{0}`; add `{name}: {ty}` to `fn {0}`",
                    function.ident
                ),
            );
        }
    }
    for argument in function.arguments() {
        let name = &argument.name.text;
        if !variables.iter().any(|variable| variable.name == *name) {
            errors.at_span(
                argument.name.span,
                format_args!(
                    "each argument of a resource must be a variable of its template, found `{name}`, which `{text}` does \
                     not have; write `{{{name}}}` into it, or `{{?{name}}}` if a URI may leave it out"
                ),
            );
        }
    }
}
