//! How many subscriptions each principal has.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{auth::Principal, changes::Mailbox};

/// A principal has at most so many subscriptions; the oldest gives way. Our choice: a client that comes back before its
/// connection is found dead is not refused. What nobody in particular has is bounded by the connections.
const PER_PRINCIPAL: usize = 64;

/// The subscriptions of each principal, oldest first.
#[derive(Default)]
pub(in crate::era) struct Listeners(Mutex<HashMap<Principal, VecDeque<Weak<Mailbox>>>>);

impl Listeners {
    /// Enters a subscription; of too many, this principal's oldest ends.
    pub(super) fn enter(&self, principal: &Principal, mailbox: &Arc<Mailbox>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those who left make room whenever somebody comes: what is kept is what there is, and a few.
        if !listeners.contains_key(principal) {
            listeners.retain(|_, own| own.iter().any(|mailbox| mailbox.strong_count() > 0));
        }
        let own = listeners.entry(principal.clone()).or_default();
        own.retain(|mailbox| mailbox.strong_count() > 0);
        if own.len() == PER_PRINCIPAL
            && let Some(oldest) = own.pop_front().and_then(|oldest| oldest.upgrade())
        {
            oldest.end();
        }
        own.push_back(Arc::downgrade(mailbox));
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::changes::{Changes, ListChanges};

    #[test]
    fn abuse_h2_of_too_many_subscriptions_the_principals_own_oldest_ends() {
        let (listeners, changes) = (Listeners::default(), Changes::default());
        let has_ended = |mailbox: &Mailbox| mailbox.poll_next(&Context::from_waker(Waker::noop())) == Poll::Ready(None);
        let enter = |name: &str| {
            let mailbox = Arc::new(changes.open(ListChanges::default(), None));
            listeners.enter(&Principal::new("issuer", name, ""), &mailbox);
            mailbox
        };
        let stranger = enter("ann");
        let own: Vec<_> = (0..64).map(|_| enter("bob")).collect();
        assert!(!own.iter().any(|mailbox| has_ended(mailbox)));
        let newest = enter("bob");
        assert!(has_ended(&own[0]) && !has_ended(&own[1]) && !has_ended(&newest) && !has_ended(&stranger));
        drop(own);
        // Those who left count no more.
        let more: Vec<_> = (0..63).map(|_| enter("bob")).collect();
        assert!(!has_ended(&newest) && !more.iter().any(|mailbox| has_ended(mailbox)));
    }
}
