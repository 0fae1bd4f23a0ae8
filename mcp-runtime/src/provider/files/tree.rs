//! A folder and what is below it, opened through the folder's own handle.
//!
//! Takes: paths below the folder, already without `..`. Gives: pages of files, bytes. Knows: that whoever can write into the
//! folder may move things while they are looked at. Must not know: URIs, MIME types.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::{
    ambient_authority,
    fs::{Dir, File, FileType, Metadata, OpenOptions},
};

use super::Page;

/// So many files are on one page.
const PAGE: usize = 500;
/// So many entries of folders are looked at for one page: a page that found less says where to go on.
const MOST_ENTRIES: usize = 10_000;
/// Folders below so many others are not there.
const DEEPEST: usize = 32;
/// Paths of more bytes are not there. They are cursors too, which may have 2048 bytes.
const LONGEST: usize = 1_024;
/// Systems follow about so many links.
const MOST_LINKS: usize = 40;
/// What systems call a chain of links without an end, or a link where none may be: Linux; macOS and BSD; Windows.
const LOOPS: [i32; 3] = [40, 62, 1921];

/// A folder and what is below it.
#[derive(Clone)]
pub(super) struct Tree {
    root: Arc<Dir>,
    /// Where it was when it was opened: for watching and for messages, never for opening.
    folder: PathBuf,
    /// Whether what begins with a dot is there.
    pub(super) hidden: bool,
}

/// A file of a list.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// No file that may be read.
    Nothing,
    /// A file of so many bytes, which are too many.
    TooLarge(u64),
    Bytes(Vec<u8>),
}

impl Tree {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let root = Dir::open_ambient_dir(&folder, ambient_authority())?;
        Ok(Self { root: Arc::new(root), folder, hidden: false })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The bytes at a path.
    ///
    /// # Errors
    /// The system failed: what is there is not known.
    pub(super) fn read(&self, path: &str, largest: u64) -> io::Result<Read> {
        let Some((file, metadata)) = present(self.file(path))?.flatten() else { return Ok(Read::Nothing) };
        if metadata.len() > largest {
            return Ok(Read::TooLarge(metadata.len()));
        }
        // It may grow meanwhile, and what says that it is empty may have no end.
        let mut bytes = Vec::new();
        file.take(largest.saturating_add(1)).read_to_end(&mut bytes)?;
        match u64::try_from(bytes.len()) {
            Ok(read) if read <= largest => Ok(Read::Bytes(bytes)),
            read => Ok(Read::TooLarge(read.unwrap_or(u64::MAX))),
        }
    }

    /// Opens the regular file at a path. Links are resolved first; of what they lead to, each step is opened without
    /// following any, so that nothing put in the way meanwhile leads elsewhere.
    fn file(&self, path: &str) -> io::Result<Option<(File, Metadata)>> {
        let Some(steps) = self.resolve(path)? else { return Ok(None) };
        let Some((name, folders)) = steps.split_last() else { return Ok(None) };
        let folder = self.descend(folders)?;
        // Opening a device may do something, so it is looked at before.
        if !folder.symlink_metadata(name)?.is_file() {
            return Ok(None);
        }
        let mut options = OpenOptions::new();
        // A pipe that took its place meanwhile would be waited for.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = folder.open_with(name, &options)?;
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then_some((file, metadata)))
    }

    /// Where a path leads, step by step, without links; `None` where that is out of the folder or hidden.
    fn resolve(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        if !self.shows(path) {
            return Ok(None);
        }
        let resolved = self.root.canonicalize(path)?;
        let steps = resolved.components().map(|step| match step {
            Component::Normal(name) => name.to_str().filter(|name| self.shows(name)).map(ToOwned::to_owned),
            _ => None,
        });
        Ok(steps.collect())
    }

    /// Where a path leads, whether or not there is something: the path without links. `None` where it leads out of the
    /// folder, to what is hidden, or nowhere. Nothing is opened by that, so what moves meanwhile does no harm.
    pub(super) fn leads_to(&self, path: &str) -> Option<String> {
        let mut rest: Vec<String> = path.split('/').rev().map(ToOwned::to_owned).collect();
        let (mut steps, mut links) = (Vec::<String>::new(), 0);
        while let Some(step) = rest.pop() {
            match &*step {
                "" | "." => continue,
                ".." => {
                    steps.pop()?;
                    continue;
                }
                _ => steps.push(step),
            }
            // What is no link, or not there, is a step like any other.
            let Ok(link) = self.root.read_link(steps.join("/")) else { continue };
            links += 1;
            if links > MOST_LINKS || link.is_absolute() {
                return None;
            }
            steps.pop();
            rest.extend(link.to_str()?.split('/').rev().map(ToOwned::to_owned));
        }
        let path = steps.join("/");
        (!path.is_empty() && self.shows(&path)).then_some(path)
    }

    fn descend(&self, folders: &[String]) -> io::Result<Dir> {
        folders.iter().try_fold(self.root.try_clone()?, |folder, name| folder.open_dir_nofollow(name))
    }

    /// Whether a path is one that may be asked for.
    fn shows(&self, path: &str) -> bool {
        shows(path, self.hidden)
    }

    /// The files behind a path, in the order of their names, folder by folder.
    ///
    /// # Errors
    /// The folder itself can't be read.
    pub(super) fn page(&self, behind: Option<&str>) -> io::Result<Page<Found>> {
        let mut walk = Walk { tree: self, found: Vec::new(), entries: 0, last: String::new() };
        let behind: Vec<&str> = behind.map(|path| path.split('/').collect()).unwrap_or_default();
        let ended = walk.folder(&self.root, "", &behind, 0)?;
        let Walk { found, last, .. } = walk;
        Ok(if ended { Page::last(found) } else { Page::more(found, last) })
    }

    /// What may stand at the end of an unfinished path: names of files, and of folders with a `/` behind them.
    pub(super) fn complete(&self, typed: &str, most: usize) -> io::Result<Vec<String>> {
        let (folder, begun) = typed.rsplit_once('/').unwrap_or(("", typed));
        if typed.starts_with('/') {
            return Ok(Vec::new());
        }
        let opened = match folder {
            "" => self.root.try_clone(),
            folder => match self.resolve(folder) {
                Ok(Some(steps)) => self.descend(&steps),
                Ok(None) => return Ok(Vec::new()),
                Err(error) => Err(error),
            },
        };
        let Some(opened) = present(opened)? else { return Ok(Vec::new()) };
        let mut values = Vec::new();
        let (names, _) = self.names(&opened, |name| name.starts_with(begun))?;
        for (name, kind) in names {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if kind.is_dir() {
                values.push(path + "/");
            } else if self.found(&opened, &path, kind).is_some() {
                values.push(path);
            }
            if values.len() >= most {
                break;
            }
        }
        Ok(values)
    }

    /// The first names of a folder that are wanted, in order, with what they are; and whether there are more.
    fn names(&self, folder: &Dir, wanted: impl Fn(&str) -> bool) -> io::Result<(BTreeMap<String, FileType>, bool)> {
        let (mut names, mut more) = (BTreeMap::new(), false);
        for entry in folder.entries()? {
            let Ok(entry) = entry else { break };
            let name = entry.file_name().into_string().ok().filter(|name| self.shows(name) && wanted(name));
            let (Some(name), Ok(kind)) = (name, entry.file_type()) else { continue };
            names.insert(name, kind);
            if names.len() > MOST_ENTRIES {
                names.pop_last();
                more = true;
            }
        }
        Ok((names, more))
    }

    /// The file at a path, whose last step is in this folder.
    fn found(&self, folder: &Dir, path: &str, kind: FileType) -> Option<Found> {
        let metadata = if kind.is_file() {
            folder.symlink_metadata(path.rsplit('/').next()?).ok()?
        } else if kind.is_symlink() {
            let steps = self.resolve(path).ok()??;
            let (name, folders) = steps.split_last()?;
            self.descend(folders).ok()?.symlink_metadata(name).ok()?
        } else {
            return None;
        };
        if !metadata.is_file() {
            return None;
        }
        let modified = metadata.modified().ok().map(cap_std::time::SystemTime::into_std);
        Some(Found { path: path.to_owned(), size: metadata.len(), modified })
    }
}

/// A walk through a folder for one page.
struct Walk<'t> {
    tree: &'t Tree,
    found: Vec<Found>,
    entries: usize,
    /// The last entry that was looked at: the next page begins behind it.
    last: String,
}

impl Walk<'_> {
    /// Looks at what is behind a path in a folder, a folder before what is in it; says whether it came to its end.
    fn folder(&mut self, folder: &Dir, path: &str, behind: &[&str], depth: usize) -> io::Result<bool> {
        let (first, below) = behind.split_first().map_or(("", behind), |(first, below)| (*first, below));
        let fits = |name: &str| path.len() + 1 + name.len() <= LONGEST;
        let (names, more) = self.tree.names(folder, |name| name >= first && fits(name))?;
        for (name, kind) in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let seen = name == first;
            if !seen {
                if self.found.len() >= PAGE || self.entries >= MOST_ENTRIES {
                    return Ok(false);
                }
                self.entries += 1;
                self.last.clone_from(&path);
                self.found.extend(self.tree.found(folder, &path, kind));
            }
            // A folder that can't be read has no files.
            if kind.is_dir()
                && depth < DEEPEST
                && let Ok(inner) = folder.open_dir_nofollow(&name)
                && !self.folder(&inner, &path, if seen { below } else { &[] }, depth + 1).unwrap_or(true)
            {
                return Ok(false);
            }
        }
        Ok(!more)
    }
}

/// Whether a path may be asked for, by its text alone.
pub(super) fn shows(path: &str, hidden: bool) -> bool {
    let plain = path.len() <= LONGEST && path.split('/').count() <= DEEPEST + 1;
    plain && (hidden || !path.split('/').any(|step| step.starts_with('.')))
}

/// What is there; `None` where there is nothing that may be looked at.
fn present<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error)
            if matches!(
                error.kind(),
                NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput | InvalidFilename
            ) || error.raw_os_error().is_some_and(|code| LOOPS.contains(&code)) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
