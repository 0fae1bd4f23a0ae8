//! The arguments of a call, undecoded.

use super::Checks;

/// The arguments of a call as JSON text: an object, checked to be well-formed and without duplicate keys.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    pub(crate) text: &'a str,
    /// A member that the framework took for itself (the handle): neither decoded nor unknown.
    pub(crate) reserved: Option<&'a str>,
    /// What [`describe`](super::describe) kept of the tool's schema. Without it every call makes its own, which
    /// is right but slow.
    pub(crate) checks: Option<&'a Checks>,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call to the tool that was described with these `checks`.
    ///
    /// `text` is the JSON text of an object, well-formed and without duplicate keys.
    #[must_use]
    pub(crate) fn new(text: &'a str, checks: &'a Checks) -> Self {
        Self { text, reserved: None, checks: Some(checks) }
    }

    /// The same without the member of this name, which the framework took for itself.
    #[must_use]
    pub(crate) fn without(self, name: &'a str) -> Self {
        Self { reserved: Some(name), ..self }
    }
}
