//! Completions against what they complete.

use super::twice;
use crate::{
    errors::Errors,
    model::{Completion, Function, Server},
    names,
};

/// Records every broken rule of completions.
pub(super) fn of(server: &Server, errors: &mut Errors) {
    for completion in &server.completions {
        match target(server, completion) {
            Some(target) => {
                known_argument(completion, target, errors);
                known_others(completion, target, errors);
            }
            None => unknown_target(server, completion, errors),
        }
    }
    let of = |completion: &Completion| if completion.of_prompt { "prompt" } else { "resource" };
    let completed = server.completions.iter().map(|completion| {
        let Completion { of: target, argument, .. } = completion;
        (format!("`{}` of the {} `{}`", argument.text, of(completion), target.text), argument.span)
    });
    twice(completed, |what, place, other| {
        errors.at_span(place, format_args!("an argument must have one completion, found two for {what}; remove one"));
        errors.at_span(other, format_args!("this is also the completion for {what}"));
    });
}

/// What it completes.
fn target<'a>(server: &'a Server, completion: &Completion) -> Option<&'a Function> {
    if completion.of_prompt {
        let found = server.prompts.iter().find(|prompt| prompt.function.name.text == completion.of.text);
        found.map(|prompt| &prompt.function)
    } else {
        let found = server.resources.iter().find(|resource| resource.uri.text == completion.of.text);
        found.map(|resource| &resource.function)
    }
}

fn unknown_target(server: &Server, completion: &Completion, errors: &mut Errors) {
    let (noun, known): (_, Vec<&str>) = if completion.of_prompt {
        ("prompt", server.prompts.iter().map(|prompt| prompt.function.name.text.as_str()).collect())
    } else {
        let templates = server.resources.iter().filter(|resource| resource.function.arguments().next().is_some());
        ("resource", templates.map(|resource| resource.uri.text.as_str()).collect())
    };
    let found = &completion.of.text;
    errors.at_span(
        completion.of.span,
        format_args!("a completion must be for a {noun} of this server, found `{found}`; {}", one_of(&known, noun)),
    );
}

fn known_argument(completion: &Completion, target: &Function, errors: &mut Errors) {
    let known = names_of(target);
    if !known.contains(&completion.argument.text.as_str()) {
        errors.at_span(
            completion.argument.span,
            format_args!(
                "a completion must be for an argument of `{}`, found `{}`; {}",
                completion.of.text,
                completion.argument.text,
                one_of(&known, "argument")
            ),
        );
    }
}

/// Beside what was typed, it takes other arguments of the same function.
fn known_others(completion: &Completion, target: &Function, errors: &mut Errors) {
    let known: Vec<&str> = names_of(target).into_iter().filter(|name| *name != completion.argument.text).collect();
    for argument in completion.function.arguments() {
        let name = argument.name.text.as_str();
        if name != names::TYPED_ARGUMENT && !known.contains(&name) {
            errors.at_span(
                argument.name.span,
                format_args!(
                    "beside `{}` a completion must take other arguments of `{}`, found `{name}`; {}",
                    names::TYPED_ARGUMENT,
                    completion.of.text,
                    one_of(&known, "other argument")
                ),
            );
        }
    }
}

fn names_of(function: &Function) -> Vec<&str> {
    function.arguments().map(|argument| argument.name.text.as_str()).collect()
}

/// What there is.
fn one_of(known: &[&str], noun: &str) -> String {
    match known {
        [] => format!("there is no {noun}, remove it or declare one"),
        [one] => format!("write `{one}`"),
        many => {
            let many: Vec<String> = many.iter().map(|name| format!("`{name}`")).collect();
            format!("write one of {}", many.join(", "))
        }
    }
}
