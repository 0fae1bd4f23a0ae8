//! Questions to the person that are forms.
//!
//! Takes: a Rust type or a schema. Gives: an [`Elicit`]. Knows: [`ElicitationForm`]. Must not know: how a question
//! travels.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, value::RawValue};

use super::{ElicitationForm, FormError, FormFeatures};
use crate::call::{Elicit, FormOf, Kinds, NoForm};

/// A form, or why it is none, and how its answer is decoded.
struct Decoded<T> {
    form: Result<ElicitationForm, FormError>,
    answer: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> FormOf<T> for Decoded<T> {
    fn schema(&self, kinds: Kinds) -> Result<Box<RawValue>, NoForm> {
        let form = self.form.as_ref().map_err(|error| NoForm::Mistake(error.to_string()))?;
        let features = FormFeatures {
            multi_select: kinds.several_choices,
            titled_enums: kinds.titled_choices,
            defaults: kinds.defaults,
        };
        form.schema(features).map_err(|error| NoForm::Unsupported(error.to_string()))
    }

    fn read(&self, content: Map<String, Value>) -> Result<T, String> {
        let form = self.form.as_ref().map_err(ToString::to_string)?;
        form.decode(content).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

impl Elicit {
    /// A form with a field for each field of `T`, which is a struct of texts, numbers, switches and choices; see
    /// [`ElicitationForm`] for what each type becomes.
    ///
    /// # Errors
    /// Awaited, [`AskError::Unsupported`](crate::call::AskError::Unsupported) before 2025-06-18, for clients that did not
    /// declare `elicitation`, and on 2025-06-18 for a field of several choices. A `T` that is no form is a mistake: the
    /// call fails with -32603 and the log says what to ask for instead.
    ///
    /// # Source
    /// 2026-07-28 client/elicitation §Requested Schema.
    pub fn form<T: JsonSchema + DeserializeOwned + 'static>(message: impl Into<String>) -> Elicit<T> {
        Elicit::of_form(message, Decoded { form: ElicitationForm::of::<T>(), answer: PhantomData })
    }

    /// A form of this JSON Schema, as text: an object of texts, numbers, switches and choices. Its answer is the fields
    /// by name, checked.
    ///
    /// # Errors
    /// As [`Elicit::form`].
    ///
    /// # Source
    /// 2026-07-28 client/elicitation §Requested Schema.
    pub fn raw(message: impl Into<String>, schema: &str) -> Elicit<Map<String, Value>> {
        Elicit::of_form(message, Decoded { form: ElicitationForm::from_json(schema), answer: PhantomData })
    }
}
