//! How many tasks there may be at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::Ordering},
};

use tokio::sync::OwnedSemaphorePermit;

use super::{TaskRoom, lock};
use crate::{call::Fault, store::Owner, wire::Code};

/// Requests that nobody in particular sends may have so many times as many tasks as a caller who is known.
const NOBODY: usize = 16;

/// A place among the tasks under way.
pub(crate) struct Place {
    _all: OwnedSemaphorePermit,
    owner: Owner,
    under_way: Arc<Mutex<HashMap<Owner, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        if let Some(count) = under_way.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.owner);
            }
        }
    }
}

impl TaskRoom {
    /// A place for one more task of this owner.
    ///
    /// # Errors
    /// -32603 where there is none.
    pub(crate) async fn place(&self, owner: Owner) -> Result<Place, Fault> {
        let nobody = owner == Owner::default();
        let factor = if nobody { NOBODY } else { 1 };
        let limit = self.options.under_way.saturating_mul(factor);
        let too_many = |what: &str| Fault::new(Code::INTERNAL_ERROR, format!("Too many tasks {what}"));
        if self.stopped.load(Ordering::Acquire) {
            return Err(too_many("for a server that goes down: try again"));
        }
        let count = self.ask(self.options.store.count(owner)).await?;
        if count >= self.options.kept.saturating_mul(factor) {
            return Err(too_many("are kept for this caller: wait until the time of one has passed"));
        }
        let mut under_way = lock(&self.under_way);
        let of_owner = under_way.entry(owner).or_default();
        if *of_owner >= limit {
            return Err(too_many("of this caller are under way: wait for one of them, or cancel one"));
        }
        let Ok(all) = self.all.clone().try_acquire_owned() else {
            if *of_owner == 0 {
                under_way.remove(&owner);
            }
            return Err(too_many("are under way: try again later"));
        };
        *of_owner += 1;
        drop(under_way);
        Ok(Place { _all: all, owner, under_way: self.under_way.clone() })
    }
}
