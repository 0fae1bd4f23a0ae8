//! URIs of resources, and templates of them.

/// The URI of a resource; templates with variables are refused so far.
#[derive(Clone, Debug)]
pub struct UriTemplate(String);

impl UriTemplate {
    /// Reads a URI.
    ///
    /// # Errors
    /// What is wrong with it, for the developer.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['{', '}']) {
            return Err("it has variables".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The variables of a URI that fits; `None` for one that does not.
    #[must_use]
    pub fn matches(&self, uri: &str) -> Option<Vec<(String, String)>> {
        (self.0 == uri).then(Vec::new)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether more than one URI fits.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        false
    }

    /// The same with one more variable in its query.
    #[must_use]
    pub fn with_query(&self, _name: &str) -> Self {
        self.clone()
    }
}
