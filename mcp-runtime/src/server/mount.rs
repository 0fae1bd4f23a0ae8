//! Servers, composed.

use std::sync::Arc;

use super::Server;
use crate::{
    engine::StartError,
    provider::Providers,
    service::{Blank, Composite, Service},
};

impl Server {
    /// A server without a declaration of its own, for [mounts](Self::mount) and providers.
    pub fn named(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self::new(Blank::new(name.into(), version.into()))
    }

    /// Adds another server's functions and providers under a prefix: its tools and prompts become `prefix_name`, its session
    /// state has keys `prefix/key`, its resources keep their URIs.
    ///
    /// How a server is run is this one's word: address, sessions, store and page size of the other have no effect. What
    /// the other would lose in silence is refused at the start: `authorize`, `visible`, `wrap`, `merge` and `layer` belong on
    /// this server. So are names that are taken or longer than 64 characters, and resources that both have.
    pub fn mount(mut self, prefix: impl Into<String>, other: Server) -> Self {
        self.mounts.push((prefix.into(), other));
        self
    }

    /// The declaration with everything that is mounted, and all providers.
    pub(super) fn compose(&mut self) -> Result<Arc<dyn Service>, StartError> {
        let mut members = Vec::new();
        for (prefix, mut other) in std::mem::take(&mut self.mounts) {
            let lost = other.would_lose();
            if !lost.is_empty() {
                let advice = format!(
                    "what is mounted at `{prefix}` has {} of its own, which would be lost: set it on the server that is \
                     run",
                    lost.join(", ")
                );
                return Err(StartError::Mount { advice });
            }
            members.push((prefix.clone(), other.compose()?));
            if let Some(changes) = other.changes.take() {
                changes.join(self.changes());
            }
            if let Some(revocations) = other.revocations.take() {
                revocations.join(self.revocations());
            }
            self.providers.append(std::mem::take(&mut other.providers), &prefix);
            for (id, settings) in std::mem::take(&mut other.extensions) {
                self.extensions.entry(id).or_insert(settings);
            }
        }
        if members.is_empty() {
            return Ok(self.service.clone());
        }
        let composite = Composite::of(self.service.clone(), members).map_err(|advice| StartError::Mount { advice })?;
        Ok(Arc::new(composite))
    }

    /// What of a mounted server decides who may do what, or is served beside it.
    fn would_lose(&self) -> Vec<&'static str> {
        let set = [
            ("`authorize`", self.authenticator.is_some()),
            ("`visible`", self.visible.is_some()),
            ("`wrap`", !self.middleware.is_empty()),
            ("`merge`", self.app.is_some()),
            ("`layer`", !self.layers.is_empty()),
        ];
        set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }
}

impl Providers {
    /// Adds those of a mounted server.
    fn append(&mut self, other: Self, prefix: &str) {
        let Self { tools, resources, prompts } = other.under(prefix);
        self.tools.extend(tools);
        self.resources.extend(resources);
        self.prompts.extend(prompts);
    }
}
