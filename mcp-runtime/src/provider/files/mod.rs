//! A folder whose files are resources, confined to it and watched.
//!
//! Takes: a folder, URIs. Gives: pages of its files, their contents, news of them. Knows: files, links, MIME types. Must not
//! know: who asks, what else the server has.

mod kind;
mod tree;
mod watch;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, io, path::Path, sync::Arc, time::SystemTime};

use tokio::sync::Semaphore;

use self::{
    tree::{Found, Read, Tree},
    watch::Watch,
};
use super::{Page, ResourceProvider, SetError, has_scheme};
use crate::{
    call::{Completion, Context, ResourceResult, ToolError},
    changes::Changes,
    protocol::{Annotations, CacheHint, Resource, ResourceContents, ResourceTemplate, UriTemplate, plainly_spelled},
    service::BoxFuture,
};

/// The variable of the template: where a file is, from the folder on.
const PATH: &str = "path";
/// Files of at most so many bytes are read: 4 MiB.
const LARGEST: u64 = 4 * 1024 * 1024;
/// So many values a client may be given at most.
const MOST_VALUES: usize = 100;
/// So many requests look into a folder at the same time; the others wait.
const AT_ONCE: usize = 16;

/// The files of a folder and of the folders in it as resources: `Server::resources(Directory::open("docs")?)`.
///
/// Each file is listed with its size, its type as its name has it and when it last changed, and can be read under
/// `file:///` and its path in the folder, whatever lies above the folder; [`at`](Self::at) says another beginning. The
/// template `file:///{+path}` is listed too. A file whose bytes are UTF-8 without NUL is read as text, any other as a blob.
///
/// **Nothing outside of the folder can be reached.** The folder is opened once, and each file through it, step by step, so
/// that nobody can put a link in the way meanwhile. Symbolic links are followed as far as they stay in the folder; folders
/// behind links are not listed. What is no regular file (a pipe, a device) is never opened. What begins with a dot, or lies
/// in a folder that does, is not there unless [`with_hidden`](Self::with_hidden) says so.
///
/// A name that is not UTF-8, that has a `\` or a control character, that would be another path when it is percent-decoded
/// again, or a path of more than 1024 bytes or 32 folders is neither listed nor read. A folder is read anew for each page:
/// for folders of very many files, write a [`ResourceProvider`] with an index.
///
/// Needs the feature `files`.
///
/// # Source
/// server/resources §Common URI Schemes: `file://` URIs need not map to a physical file system; §Security Considerations.
pub struct Directory {
    tree: Arc<Tree>,
    /// The URIs of files, with one variable.
    uris: UriTemplate,
    largest: u64,
    cache: CacheHint,
    watch: Option<Watch>,
    doors: Arc<Semaphore>,
}

impl Directory {
    /// The files of this folder.
    ///
    /// # Errors
    /// The folder can't be opened; the text names it.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref();
        let tree = Tree::open(folder).map_err(|error| named(folder, &error))?;
        let uris = template("file:///").map_err(|error| io::Error::other(error.to_string()))?;
        let doors = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { tree: Arc::new(tree), uris, largest: LARGEST, cache: CacheHint::NONE, watch: None, doors })
    }

    /// The same under URIs that begin so, for example `docs://`: where a server has two folders, they need two beginnings.
    ///
    /// # Errors
    /// [`SetError`]: a beginning without a scheme, or that does not end in `/`.
    pub fn at(mut self, beginning: &str) -> Result<Self, SetError> {
        self.uris = template(beginning)?;
        Ok(self)
    }

    /// The same with the files and folders whose names begin with a dot.
    #[must_use]
    pub fn with_hidden(mut self) -> Self {
        Arc::make_mut(&mut self.tree).hidden = true;
        self
    }

    /// The same with files read up to so many bytes, by default 4 MiB. A larger one is listed, and reading it says why it
    /// can't be read. At most 16 files are held in memory at the same time.
    #[must_use]
    pub fn largest(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// The same with files that may be kept as this hint says; by default nobody keeps them.
    #[must_use]
    pub fn cached(mut self, cache: CacheHint) -> Self {
        self.cache = cache;
        self
    }

    /// The same, watched: clients are told when files appear, vanish or are renamed (`list_changed`), and who subscribed to
    /// a file, that it changed, also where a link in the folder leads to it. Changes within a fifth of a second are told at
    /// once. Of 4096 URIs that somebody subscribed to is looked up where they lead.
    ///
    /// # Errors
    /// The system can't watch the folder, for example because it watches too many already; the text says so.
    ///
    /// # Source
    /// server/resources §List Changed Notification, §Subscriptions. That folders behind links are not watched is our choice:
    /// they are not listed either.
    pub fn watched(mut self) -> io::Result<Self> {
        let watch = Watch::new(self.tree.folder()).map_err(|error| named(self.tree.folder(), &error))?;
        self.watch = Some(watch);
        Ok(self)
    }

    /// The URI of a path; `None` for a path that no URI may name.
    fn uri(&self, path: &str) -> Option<String> {
        self.uris.expand(&[(PATH, path)]).ok()
    }

    /// The path that a URI names; `None` for any other URI, and for one that is not spelled as it is listed: whoever
    /// decides by the URI who may read a file would not know it.
    fn path(&self, uri: &str) -> Option<String> {
        let (_, path) = self.uris.matches(uri)?.pop()?;
        (self.uri(&path)? == plainly_spelled(uri)).then_some(path)
    }

    /// Looks into the folder, on a thread that may wait.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Tree) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ToolError> {
        let door = self.doors.clone().acquire_owned().await.map_err(ToolError::internal)?;
        let tree = self.tree.clone();
        let looked = tokio::task::spawn_blocking(move || {
            // A request that goes away does not end the look: who comes next waits for it.
            let _door = door;
            look(&tree)
        });
        looked.await.map_err(ToolError::internal)?.map_err(ToolError::internal)
    }

    fn describe(&self, found: Found) -> Option<Resource> {
        let mut resource = Resource::new(self.uri(&found.path)?, &found.path).with_size(found.size);
        resource.mime_type = kind::of_name(&found.path).map(Into::into);
        // A file can be dated before 1970 or after 9999, which the format of the date can't say.
        let known = |time: &SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < 253_402_300_800)
        };
        if let Some(modified) = found.modified.filter(known) {
            let modified = humantime::format_rfc3339_seconds(modified).to_string();
            resource.annotations = Some(Annotations::default().with_last_modified(modified));
        }
        Some(resource)
    }
}

fn template(beginning: &str) -> Result<UriTemplate, SetError> {
    if !has_scheme(beginning) || !beginning.ends_with('/') || beginning.contains(['{', '}']) {
        let must =
            "URIs of files begin with a scheme and end in `/` before the path, such as `docs://` or `file:///data/`";
        return Err(SetError(format!("`{beginning}` is no beginning: {must}")));
    }
    UriTemplate::parse(&format!("{beginning}{{+{PATH}}}"))
        .map_err(|error| SetError(format!("`{beginning}` is no beginning: {error}")))
}

/// The same error with the folder that it is about; for the developer.
fn named(folder: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the folder `{}` can't be served: {error}", folder.display()))
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.watch.is_some();
        let mut shown = formatter.debug_struct("Directory");
        shown
            .field("folder", &self.tree.folder())
            .field("uris", &self.uris.as_str())
            .field("watched", &watched)
            .finish()
    }
}

impl ResourceProvider for Directory {
    fn list<'a>(&'a self, _: &'a Context, cursor: Option<&'a str>) -> BoxFuture<'a, Result<Page<Resource>, ToolError>> {
        Box::pin(async move {
            let behind = cursor.map(ToOwned::to_owned);
            let page = self.look(move |tree| tree.page(behind.as_deref())).await?;
            let items = page.items.into_iter().filter_map(|found| self.describe(found)).collect();
            Ok(Page { items, next: page.next })
        })
    }

    fn templates<'a>(
        &'a self,
        _: &'a Context,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ResourceTemplate>, ToolError>> {
        Box::pin(async move {
            let template = ResourceTemplate::new(self.uris.as_str(), "file");
            Ok(Page::last([template.with_description("A file, by its path in the folder that is served.")]))
        })
    }

    fn read<'a>(&'a self, _: &'a Context, uri: &'a str) -> BoxFuture<'a, Result<ResourceResult, ToolError>> {
        Box::pin(async move {
            let Some(path) = self.path(uri) else { return Ok(ResourceResult::NotFound) };
            let (largest, name) = (self.largest, path.clone());
            match self.look(move |tree| tree.read(&path, largest)).await? {
                Read::Nothing => Ok(ResourceResult::NotFound),
                Read::TooLarge(size) => Err(ToolError::new(format!(
                    "This file has {size} bytes; files of at most {largest} bytes are read. Ask for a smaller one"
                ))),
                Read::Bytes(bytes) => {
                    let contents = match kind::text(bytes) {
                        Ok(text) => ResourceContents::text(uri, kind::of_text(&name), text),
                        Err(bytes) => ResourceContents::blob(uri, kind::of_bytes(&name), bytes),
                    };
                    Ok(ResourceResult::Contents(vec![contents]).cached(self.cache))
                }
            }
        })
    }

    fn complete<'a>(
        &'a self,
        _: &'a Context,
        _: &'a str,
        variable: &'a str,
        value: &'a str,
        _: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Completion, ToolError>> {
        Box::pin(async move {
            let folder = value.rsplit_once('/').map(|(folder, _)| folder);
            if variable != PATH || folder.is_some_and(|folder| self.uri(folder).is_none()) {
                return Ok(Completion::default());
            }
            let typed = value.to_owned();
            let mut values = self.look(move |tree| tree.complete(&typed, MOST_VALUES + 1)).await?;
            values.retain(|path| self.uri(path.trim_end_matches('/')).is_some());
            Ok(Completion { has_more: values.len() > MOST_VALUES, ..Completion::new(values) })
        })
    }

    fn changes(&self) -> bool {
        self.watch.is_some()
    }

    fn connect(&self, changes: &Changes) {
        if let Some(watch) = &self.watch {
            watch.connect(changes, &self.uris, &self.tree);
        }
    }
}
