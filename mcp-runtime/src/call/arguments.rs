//! The arguments of a call, undecoded.

/// The arguments of a call as JSON text: an object, checked to be well-formed and without duplicate keys.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    pub(crate) text: &'a str,
    /// A member that the framework took for itself (the handle): neither decoded nor unknown.
    pub(crate) reserved: Option<&'a str>,
}
