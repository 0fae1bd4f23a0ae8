//! The blocks that results are made of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Resource;

/// One block of a result.
///
/// Binary data is base64, standard alphabet with padding. The kinds may gain members: build them with the constructors,
/// match them with `..`.
///
/// # Source
/// 2026-07-28 schema, `ContentBlock`. Revisions that lack a kind get text in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    #[non_exhaustive]
    Text {
        /// The text.
        text: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// An image.
    #[non_exhaustive]
    #[serde(rename_all = "camelCase")]
    Image {
        /// Base64 of the image.
        data: String,
        /// For example `image/png`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A sound; text on 2024-11-05, which has no audio.
    #[non_exhaustive]
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Base64 of the sound.
        data: String,
        /// For example `audio/wav`.
        mime_type: String,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A resource with its contents.
    #[non_exhaustive]
    Resource {
        /// The contents.
        resource: Box<ResourceContents>,
        /// For whom, how important.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<Annotations>>,
        /// Additional facts by namespaced key.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A reference to a resource; text with the URI before 2025-06-18, which has no links.
    ResourceLink(Box<Resource>),
}

impl Content {
    /// A block of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), annotations: None, meta: None }
    }

    /// An image, of bytes that this encodes as base64.
    pub fn image(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Image { data: base64(bytes.as_ref()), mime_type: mime_type.into(), annotations: None, meta: None }
    }

    /// A sound, of bytes that this encodes as base64.
    pub fn audio(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Self::Audio { data: base64(bytes.as_ref()), mime_type: mime_type.into(), annotations: None, meta: None }
    }

    /// A resource with its contents.
    pub fn resource(contents: ResourceContents) -> Self {
        Self::Resource { resource: Box::new(contents), annotations: None, meta: None }
    }

    /// A reference to a resource; for more than its name, convert a [`Resource`].
    pub fn link(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self::from(Resource::new(uri, name))
    }

    /// The same, said for whom and how important.
    #[must_use]
    pub fn with_annotations(mut self, new: Annotations) -> Self {
        match &mut self {
            Self::Text { annotations, .. }
            | Self::Image { annotations, .. }
            | Self::Audio { annotations, .. }
            | Self::Resource { annotations, .. } => *annotations = Some(Box::new(new)),
            Self::ResourceLink(resource) => resource.annotations = Some(new),
        }
        self
    }

    /// The same with a `_meta` member.
    #[must_use]
    pub fn with_meta(mut self, key: impl Into<String>, value: Value) -> Self {
        let meta: &mut Map<String, Value> = match &mut self {
            Self::Text { meta, .. }
            | Self::Image { meta, .. }
            | Self::Audio { meta, .. }
            | Self::Resource { meta, .. } => meta.get_or_insert_default(),
            Self::ResourceLink(resource) => resource.meta.get_or_insert_default(),
        };
        meta.insert(key.into(), value);
        self
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<ResourceContents> for Content {
    fn from(contents: ResourceContents) -> Self {
        Self::resource(contents)
    }
}

impl From<Resource> for Content {
    fn from(resource: Resource) -> Self {
        Self::ResourceLink(Box::new(resource))
    }
}

/// The contents of a resource, as text or as base64.
///
/// # Source
/// 2026-07-28 schema, `TextResourceContents` and `BlobResourceContents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceContents {
    /// Where it comes from.
    pub uri: String,
    /// For example `text/plain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The text, for textual resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Base64, for binary ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl ResourceContents {
    /// Textual contents.
    pub fn text(uri: impl Into<String>, mime_type: impl Into<String>, text: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: Some(mime_type.into()), text: Some(text.into()), blob: None, meta: None }
    }

    /// Binary contents, of bytes that this encodes as base64.
    pub fn blob(uri: impl Into<String>, mime_type: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        let blob = Some(base64(bytes.as_ref()));
        Self { uri: uri.into(), mime_type: Some(mime_type.into()), text: None, blob, meta: None }
    }

    /// The same with a `_meta` member.
    #[must_use]
    pub fn with_meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value);
        self
    }
}

/// For whom a block is meant and how important it is: `Annotations::default().with_priority(0.9)`.
///
/// # Source
/// 2026-07-28 schema, `Annotations`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Annotations {
    /// Who should see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Role>,
    /// From 0 (optional) to 1 (required).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// ISO 8601; from 2025-06-18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Annotations {
    /// The same, for these readers.
    #[must_use]
    pub fn with_audience(mut self, audience: impl IntoIterator<Item = Role>) -> Self {
        self.audience = audience.into_iter().collect();
        self
    }

    /// The same, this important: from 0 (optional) to 1 (required).
    #[must_use]
    pub fn with_priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// The same, changed at this time: ISO 8601, such as `2025-01-12T15:00:58Z`.
    #[must_use]
    pub fn with_last_modified(mut self, last_modified: impl Into<String>) -> Self {
        self.last_modified = Some(last_modified.into());
        self
    }
}

/// Who says something, or should see it.
///
/// # Source
/// 2026-07-28 schema, `Role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// A picture that stands for a server, tool, prompt or resource.
///
/// # Source
/// 2025-11-25 schema, `Icon`; left out before that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Icon {
    /// `https:` or `data:` URI.
    pub src: String,
    /// For example `image/svg+xml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// For example `["48x48"]` or `["any"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    /// `light` or `dark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

impl Icon {
    /// An icon at this URI.
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: Vec::new(), theme: None }
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
