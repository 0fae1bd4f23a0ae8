//! What the three containers have in common: things by name, changed at run time, shown in pages.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::Page;
use crate::changes::{Changes, WeakChanges};

/// So many are on one page of a container.
const PAGE: usize = 500;
/// A container holds at most so many things: 100 000, far beyond what a client would list.
const MOST: usize = 100_000;

/// Why something can't be added to a container; for the developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetError(pub(super) String);

impl fmt::Display for SetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SetError {}

/// Something that a container holds.
pub(super) trait Held {
    /// Announces that the one of this name was added or removed, or that another took its place.
    fn announce(changes: &Changes, name: &str, replaced: bool);
}

/// Things by name, in the order of their names: a page begins behind the last name of the one before, whatever was added
/// or removed meanwhile.
pub(super) struct Set<T> {
    things: RwLock<BTreeMap<String, Arc<T>>>,
    servers: Servers,
}

/// The servers that have a provider, to be told of what changes.
#[derive(Default)]
pub(super) struct Servers(Mutex<Vec<WeakChanges>>);

impl Servers {
    /// From now on, what changes is announced there too.
    pub(super) fn connect(&self, changes: &Changes) {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|server| server.upgrade().is_some() && !server.is(changes));
        servers.push(changes.downgrade());
    }

    /// Announces to all of them.
    pub(super) fn announce(&self, announce: impl Fn(&Changes)) {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        servers.iter().filter_map(WeakChanges::upgrade).for_each(|changes| announce(&changes));
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { things: RwLock::default(), servers: Servers::default() }
    }
}

impl<T: Held> Set<T> {
    /// Puts a thing in, in the place of one of the same name.
    pub(super) fn insert(&self, name: String, thing: T) -> Result<(), SetError> {
        let mut things = self.things.write().unwrap_or_else(PoisonError::into_inner);
        if things.len() >= MOST && !things.contains_key(&name) {
            return Err(SetError(format!("the set is full: it holds {MOST}; remove some, or write a provider")));
        }
        let before = things.insert(name.clone(), Arc::new(thing));
        drop(things);
        self.announce(&name, before.is_some());
        Ok(())
    }

    /// Takes a thing out; says whether it was there.
    pub(super) fn remove(&self, name: &str) -> bool {
        let removed = self.things.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        if removed.is_some() {
            self.announce(name, false);
        }
        removed.is_some()
    }

    /// From now on, what changes is announced there too.
    pub(super) fn connect(&self, changes: &Changes) {
        self.servers.connect(changes);
    }

    /// Announces when what it is about can be seen: a client may look at once.
    fn announce(&self, name: &str, replaced: bool) {
        self.servers.announce(|changes| T::announce(changes, name, replaced));
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<T>> {
        self.things.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The first thing of which `find` makes something.
    pub(super) fn find_map<R>(&self, find: impl FnMut(&Arc<T>) -> Option<R>) -> Option<R> {
        self.things.read().unwrap_or_else(PoisonError::into_inner).values().find_map(find)
    }

    pub(super) fn len(&self) -> usize {
        self.things.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// A page behind the name that is the cursor.
    pub(super) fn page<S>(&self, cursor: Option<&str>, show: impl Fn(&T) -> S) -> Page<S> {
        let things = self.things.read().unwrap_or_else(PoisonError::into_inner);
        let behind = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = things.range::<str, _>((behind, Bound::Unbounded));
        let mut last = None;
        let items: Vec<S> = rest
            .by_ref()
            .take(PAGE)
            .map(|(name, thing)| {
                last = Some(name);
                show(thing)
            })
            .collect();
        match (rest.next(), last) {
            (Some(_), Some(last)) => Page::more(items, last.clone()),
            _ => Page::last(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Held for i32 {
        fn announce(_: &Changes, _: &str, _: bool) {}
    }

    #[test]
    fn pages_go_on_behind_a_name_that_is_gone_meanwhile() {
        let set = Set::default();
        for number in 0..1_200 {
            set.insert(format!("{number:04}"), number).unwrap();
        }
        let first = set.page(None, |number| *number);
        assert_eq!((first.items.len(), first.next.as_deref()), (500, Some("0499")));
        assert!(set.remove("0499") && set.remove("0500") && !set.remove("0500"));
        let second = set.page(first.next.as_deref(), |number| *number);
        assert_eq!((second.items.first(), second.items.len()), (Some(&501), 500));
        let third = set.page(second.next.as_deref(), |number| *number);
        assert_eq!((third.items.len(), third.next), (199, None));
    }
}
