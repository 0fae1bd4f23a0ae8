//! Doorbells: waiting within one process until something in a store changes.
//!
//! Takes: keys that are waited for, keys that changed. Gives: wake-ups, perhaps one too many. Knows: who waits. Must not
//! know: what changed.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// One bell for each key that someone waits for; keys that nobody waits for cost nothing.
pub(super) struct Doorbells<K>(Mutex<HashMap<K, Bell>>);

struct Bell {
    notify: Arc<Notify>,
    waiting: usize,
}

impl<K> Default for Doorbells<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash> Doorbells<K> {
    /// Wakes those who wait for this key. Called after the change can be seen.
    pub(super) fn ring(&self, key: K) {
        if let Some(bell) = self.bells().get(&key) {
            bell.notify.notify_waiters();
        }
    }

    /// Wakes all who wait: whatever they wait for may have changed.
    #[cfg(feature = "postgres")]
    pub(super) fn ring_all(&self) {
        self.bells().values().for_each(|bell| bell.notify.notify_waiters());
    }

    /// Waits until `look` sees what it waits for; it looks at once, and again each time the bell rings.
    pub(super) async fn wait<E, F: Future<Output = Result<bool, E>>>(
        &self,
        key: K,
        mut look: impl FnMut() -> F,
    ) -> Result<(), E> {
        let waiter = Waiter::at(self, key);
        loop {
            let mut rung = pin!(waiter.notify.notified());
            // From here on no ring is missed, so one that comes while looking is heard after it.
            rung.as_mut().enable();
            if look().await? {
                return Ok(());
            }
            rung.await;
        }
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<K, Bell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone at the door, who takes the bell away when the last one leaves.
struct Waiter<'a, K: Copy + Eq + Hash> {
    bells: &'a Doorbells<K>,
    key: K,
    notify: Arc<Notify>,
}

impl<'a, K: Copy + Eq + Hash> Waiter<'a, K> {
    fn at(bells: &'a Doorbells<K>, key: K) -> Self {
        let mut all = bells.bells();
        let bell = all.entry(key).or_insert_with(|| Bell { notify: Arc::default(), waiting: 0 });
        bell.waiting += 1;
        Self { bells, key, notify: Arc::clone(&bell.notify) }
    }
}

impl<K: Copy + Eq + Hash> Drop for Waiter<'_, K> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut bell) = self.bells.bells().entry(self.key) {
            bell.get_mut().waiting -= 1;
            if bell.get().waiting == 0 {
                bell.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn a_ring_wakes_all_who_wait_for_its_key_and_no_bell_is_left() {
        let bells = Arc::new(Doorbells::default());
        let (there, looks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let waiters: Vec<_> = [1, 1, 2]
            .into_iter()
            .map(|key| {
                let (bells, there, looks) = (Arc::clone(&bells), Arc::clone(&there), Arc::clone(&looks));
                tokio::spawn(async move {
                    let look = || {
                        looks.fetch_add(1, Ordering::SeqCst);
                        std::future::ready(Ok::<_, Infallible>(there.load(Ordering::SeqCst) >= key))
                    };
                    bells.wait(key, look).await
                })
            })
            .collect();
        while looks.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        there.store(1, Ordering::SeqCst);
        bells.ring(1);
        let [one, another, other] = <[_; 3]>::try_from(waiters).expect("three");
        one.await.expect("it ran").expect("woken");
        another.await.expect("it ran").expect("woken");
        assert!(!other.is_finished());
        assert_eq!(bells.bells().len(), 1);
        other.abort();
        let _ = tokio::time::timeout(Duration::from_secs(5), other).await;
        assert_eq!(bells.bells().len(), 0);
    }
}
