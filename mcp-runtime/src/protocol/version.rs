//! The protocol revisions, and one table of what each of them has.
//!
//! Takes: a version string. Gives: [`Facts`]. Knows: every difference between revisions that is a plain fact. Must not
//! know: how a difference is acted on; that is `era`'s, the only room that reads this table. Nothing compares versions
//! by order, here or elsewhere.

/// A protocol revision that this crate speaks.
///
/// # Source
/// The dated folders of the specification; the table of facts below is drawn from their changelogs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 2024-11-05, over stdio and (our choice) Streamable HTTP.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches, tool annotations, audio.
    V2025_03_26,
    /// 2025-06-18: structured results, elicitation, the version header; no batches.
    V2025_06_18,
    /// 2025-11-25: icons, experimental tasks, polling streams.
    V2025_11_25,
    /// 2026-07-28: no handshake and no protocol session; each request carries its own envelope.
    V2026_07_28,
}

/// What one revision has, as plain facts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// The version string on the wire, `YYYY-MM-DD`.
    pub name: &'static str,
    /// Requests carry their own envelope in `_meta`; there is no handshake.
    pub modern: bool,
    /// A body may be an array of messages.
    pub batches: bool,
    /// Tools have `annotations`.
    pub annotations: bool,
    /// Completion is a capability of its own.
    pub completions: bool,
    /// Annotations say when something last changed.
    pub last_modified: bool,
    /// Results may hold audio content.
    pub audio: bool,
    /// Results may hold resource links.
    pub resource_links: bool,
    /// Named things have a `title`.
    pub titles: bool,
    /// Tools have `outputSchema`, results `structuredContent`.
    pub structured: bool,
    /// Structured output may be any JSON value; where false, a non-object is wrapped as `{"result": …}`.
    pub any_output: bool,
    /// Objects such as tools have `_meta`.
    pub object_meta: bool,
    /// Named things have `icons`; `Implementation` has `description` and `websiteUrl`.
    pub icons: bool,
    /// Progress notifications have a `message`.
    pub progress_message: bool,
    /// Capabilities have `extensions`.
    pub extensions: bool,
    /// The person can be asked with a form.
    pub elicitation: bool,
    /// What the person is asked has a `mode`: a form or a page. Forms have defaults, titled choices and fields of several
    /// choices.
    pub elicitation_modes: bool,
    /// A page has an `elicitationId`, and it can be told that the page did its work.
    pub elicitation_ids: bool,
    /// The client's model can be given tools; a message to it may have several blocks.
    pub sampling_tools: bool,
    /// The server may end a connection before its answer, and clients come back for it: streams begin with an id.
    pub polling: bool,
    /// A call can ask to become a task, and tools say whether it may.
    pub tasks: bool,
}

const V2024_11_05: Facts = Facts {
    name: "2024-11-05",
    modern: false,
    batches: false,
    annotations: false,
    completions: false,
    last_modified: false,
    audio: false,
    resource_links: false,
    titles: false,
    structured: false,
    any_output: false,
    object_meta: false,
    icons: false,
    progress_message: false,
    extensions: false,
    elicitation: false,
    elicitation_modes: false,
    elicitation_ids: false,
    sampling_tools: false,
    polling: false,
    tasks: false,
};
const V2025_03_26: Facts = Facts {
    name: "2025-03-26",
    batches: true,
    annotations: true,
    completions: true,
    audio: true,
    progress_message: true,
    ..V2024_11_05
};
const V2025_06_18: Facts = Facts {
    name: "2025-06-18",
    batches: false,
    last_modified: true,
    resource_links: true,
    titles: true,
    structured: true,
    object_meta: true,
    elicitation: true,
    ..V2025_03_26
};
const V2025_11_25: Facts = Facts {
    name: "2025-11-25",
    icons: true,
    extensions: true,
    elicitation_modes: true,
    elicitation_ids: true,
    polling: true,
    sampling_tools: true,
    tasks: true,
    ..V2025_06_18
};
const V2026_07_28: Facts = Facts {
    name: "2026-07-28",
    modern: true,
    any_output: true,
    elicitation_ids: false,
    polling: false,
    tasks: false,
    ..V2025_11_25
};

impl Version {
    /// Every revision, oldest first.
    pub const ALL: [Version; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The newest revision.
    pub const NEWEST: Version = Self::V2026_07_28;

    /// The newest revision that begins with a handshake: what `initialize` falls back to.
    pub const NEWEST_WITH_HANDSHAKE: Version = Self::V2025_11_25;

    /// The revision that a request without any version is taken for.
    ///
    /// # Source
    /// 2025-11-25 basic/transports §Protocol Version Header.
    pub const WITHOUT_HEADER: Version = Self::V2025_03_26;

    /// The facts of this revision.
    #[must_use]
    pub const fn facts(self) -> &'static Facts {
        match self {
            Self::V2024_11_05 => &V2024_11_05,
            Self::V2025_03_26 => &V2025_03_26,
            Self::V2025_06_18 => &V2025_06_18,
            Self::V2025_11_25 => &V2025_11_25,
            Self::V2026_07_28 => &V2026_07_28,
        }
    }

    /// Whether a session of this revision begins with `initialize`.
    #[must_use]
    pub const fn has_handshake(self) -> bool {
        !self.facts().modern
    }

    /// The version string on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The revision of this exact string; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// Position in [`Version::ALL`], for tables with an entry per revision.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
