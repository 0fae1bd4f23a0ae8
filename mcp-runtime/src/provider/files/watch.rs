//! What happens below a folder, told to the servers that have it: gathered for a moment, so that a file that is written in
//! many pieces is news once.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    io,
    ops::Bound,
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};

use super::{
    PATH,
    tree::{self, Tree},
};
use crate::{changes::Changes, protocol::UriTemplate, provider::set::Servers};

/// What happens within this time is told at once.
const GATHERED: Duration = Duration::from_millis(200);
/// So many paths are gathered; then they are told without waiting.
const MOST_PATHS: usize = 4_096;
/// Of so many URIs that somebody subscribed to is looked up whether they lead through links.
const MOST_LINKED: usize = 4_096;
/// So many events wait for being gathered. Behind them the system's own queue fills up, and says so when it is full.
const MOST_WAITING: usize = 1_024;

/// A folder that is watched, until this is dropped.
pub(super) struct Watch {
    told: Arc<Told>,
    /// Holds the other end of the thread's channel.
    _watcher: RecommendedWatcher,
}

/// To whom it is told, and how.
struct Told {
    folder: PathBuf,
    servers: Servers,
    /// The URIs of files and how links are followed: known when the first server connects.
    shown: OnceLock<(UriTemplate, Arc<Tree>)>,
    /// Where what somebody subscribed to leads, where that is through a link.
    links: Mutex<HashMap<Arc<str>, Option<String>>>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let told = Arc::new(Told {
            folder: folder.to_owned(),
            servers: Servers::default(),
            shown: OnceLock::new(),
            links: Mutex::default(),
        });
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let hear = move |event| {
            // The thread ends when nobody can send any more, not before.
            let _ = sender.send(event);
        };
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(hear, config).map_err(failed)?;
        watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
        let tells = told.clone();
        thread::Builder::new().name("watched folder".to_owned()).spawn(move || tells.tell_all(&receiver))?;
        Ok(Self { told, _watcher: watcher })
    }

    /// From now on, it is told there too.
    pub(super) fn connect(&self, changes: &Changes, uris: &UriTemplate, tree: &Arc<Tree>) {
        self.told.shown.get_or_init(|| (uris.clone(), tree.clone()));
        self.told.servers.connect(changes);
    }
}

fn failed(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        _ => io::Error::other(error),
    }
}

/// What happened within a moment.
#[derive(Default)]
struct News {
    /// What has other contents now.
    changed: BTreeSet<PathBuf>,
    /// What is another file or folder now, or none.
    moved: BTreeSet<PathBuf>,
    /// Some events were lost: anything may have happened.
    anything: bool,
}

impl News {
    fn gather(&mut self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "a folder can't be watched as a whole");
                self.anything = true;
                return;
            }
        };
        self.anything |= event.need_rescan();
        match event.kind {
            EventKind::Access(_) => {}
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_) | ModifyKind::Any) => {
                self.changed.extend(event.paths);
            }
            _ => self.moved.extend(event.paths),
        }
    }

    fn is_full(&self) -> bool {
        self.changed.len() + self.moved.len() >= MOST_PATHS
    }
}

impl Told {
    fn tell_all(&self, events: &Receiver<notify::Result<Event>>) {
        while let Ok(first) = events.recv() {
            let mut news = News::default();
            news.gather(first);
            let until = Instant::now() + GATHERED;
            while !news.is_full() {
                match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(event) => news.gather(event),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            self.tell(&news);
        }
    }

    fn tell(&self, news: &News) {
        let Some((uris, tree)) = self.shown.get() else { return };
        let path = |path: &PathBuf| below(&self.folder, path).filter(|path| tree::shows(path, tree.hidden));
        let changed: BTreeSet<String> = news.changed.iter().filter_map(path).collect();
        let moved: BTreeSet<String> = news.moved.iter().filter_map(path).collect();
        let uri = |path: &String| uris.expand(&[(PATH, path)]).ok();
        let files: Vec<String> = changed.iter().chain(&moved).filter_map(uri).collect();
        // With a folder, everything in it goes or comes, whether or not the system says each by itself.
        let mut folders: Vec<String> = moved.iter().filter_map(uri).map(|uri| format!("{uri}/")).collect();
        let beginning = uris.as_str().split('{').next().unwrap_or_default();
        if news.anything {
            folders.push(beginning.to_owned());
        }
        let subscribed = RefCell::new(BTreeSet::new());
        self.servers.announce(|changes| subscribed.borrow_mut().extend(changes.subscribed_below(beginning)));
        let subscribed = subscribed.into_inner();
        let within = subscribed.iter().filter(|uri| folders.iter().any(|folder| uri.starts_with(&**folder)));
        let behind_links = self.behind_links(&subscribed, &changed, &moved);
        let updated: BTreeSet<&str> =
            files.iter().map(String::as_str).chain(within.chain(&behind_links).map(|uri| &**uri)).collect();
        self.servers.announce(|changes| {
            updated.iter().for_each(|uri| changes.resource_updated(uri));
            if !folders.is_empty() {
                changes.resources_changed();
            }
        });
    }

    /// Those of these URIs that lead through a link to what changed or moved. Where they lead is looked up once, until
    /// something moves, which may be a link.
    fn behind_links(
        &self,
        subscribed: &BTreeSet<Arc<str>>,
        changed: &BTreeSet<String>,
        moved: &BTreeSet<String>,
    ) -> Vec<Arc<str>> {
        let Some((uris, tree)) = self.shown.get() else { return Vec::new() };
        let path = |uri: &str| uris.matches(uri)?.pop().map(|(_, path)| path);
        let lead = |uri: &str| {
            let path = path(uri).filter(|path| tree::shows(path, tree.hidden))?;
            tree.leads_to(&path).filter(|end| *end != path)
        };
        // It itself, a folder above it, or something in it.
        let is_news = |end: &String| {
            let mut above = end.match_indices('/').map(|(at, _)| &end[..at]);
            let within = format!("{end}/");
            let has = |paths: &BTreeSet<String>| {
                let mut behind = paths.range::<str, _>((Bound::Included(&*within), Bound::Unbounded));
                paths.contains(end) || behind.next().is_some_and(|path| path.starts_with(&within))
            };
            has(changed) || has(moved) || above.any(|folder| moved.contains(folder))
        };
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = std::mem::take(&mut *links);
        let mut news = Vec::new();
        for uri in subscribed.iter().take(MOST_LINKED) {
            let before = known.remove(uri);
            let now = match &before {
                Some(before) if moved.is_empty() => before.clone(),
                _ => lead(uri),
            };
            let leads_elsewhere = before.as_ref().is_some_and(|before| *before != now);
            if leads_elsewhere || now.as_ref().is_some_and(is_news) {
                news.push(uri.clone());
            }
            links.insert(uri.clone(), now);
        }
        news
    }
}

/// A path from the folder on, with `/` between its steps; `None` for the folder itself, and for what is no text.
fn below(folder: &Path, path: &Path) -> Option<String> {
    let steps = path.strip_prefix(folder).ok()?.components().map(|step| match step {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    steps.collect::<Option<Vec<&str>>>().map(|steps| steps.join("/")).filter(|path| !path.is_empty())
}
