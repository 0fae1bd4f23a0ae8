//! One pass over JSON text.
