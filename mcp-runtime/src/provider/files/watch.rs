//! What happens below a folder, told to the servers that have it: gathered for a moment, so that a file that is written in
//! many pieces is news once.

use std::{
    collections::BTreeSet,
    io,
    path::{Component, Path, PathBuf},
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};

use super::{PATH, tree};
use crate::{changes::Changes, protocol::UriTemplate, provider::set::Servers};

/// What happens within this time is told at once.
const GATHERED: Duration = Duration::from_millis(200);
/// So many paths are gathered; then they are told without waiting.
const MOST_PATHS: usize = 4_096;
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
    /// The URIs of files, and whether those that begin with a dot are there: known when the first server connects.
    shown: OnceLock<(UriTemplate, bool)>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let told = Arc::new(Told { folder: folder.to_owned(), servers: Servers::default(), shown: OnceLock::new() });
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
    pub(super) fn connect(&self, changes: &Changes, uris: &UriTemplate, hidden: bool) {
        self.told.shown.get_or_init(|| (uris.clone(), hidden));
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
        let Some((uris, hidden)) = self.shown.get() else { return };
        let uri = |path: &PathBuf| {
            let path = below(&self.folder, path).filter(|path| tree::shows(path, *hidden))?;
            uris.expand(&[(PATH, &path)]).ok()
        };
        let changed: Vec<String> = news.changed.iter().filter_map(uri).collect();
        let moved: Vec<String> = news.moved.iter().filter_map(uri).collect();
        let all = uris.as_str().split('{').next().filter(|_| news.anything);
        self.servers.announce(|changes| {
            changed.iter().chain(&moved).for_each(|uri| changes.resource_updated(uri));
            // With a folder, everything in it goes or comes, whether or not the system says each by itself.
            let folders = moved.iter().map(|uri| format!("{uri}/")).chain(all.map(ToOwned::to_owned));
            let subscribed: BTreeSet<_> = folders.flat_map(|folder| changes.subscribed_below(&folder)).collect();
            subscribed.iter().for_each(|uri| changes.resource_updated(uri));
            if all.is_some() || !moved.is_empty() {
                changes.resources_changed();
            }
        });
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
