//! The sessions that have news, by when they last came for them.
//!
//! Takes: sessions and how to open their mailboxes. Gives: the mailboxes. Knows: how much there may be, and who gives way.
//! Must not know: what news are.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::time::Instant;

use crate::{auth::Principal, changes::Mailbox, session::SessionKey};

/// So many sessions can have a mailbox. Our choice: several times as many as there can be connections.
const SESSIONS: usize = 1 << 16;
/// So many bytes the subscriptions of all sessions may have together, of which those of sessions in use count.
const BYTES: usize = 64 << 20;
/// How long a session is remembered that subscribed to nothing, has nothing waiting and no stream. Our choice: a client
/// that lost its stream is back sooner.
const BARE: Duration = Duration::from_secs(5 * 60);

/// How much a register may hold.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) sessions: usize,
    pub(super) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions: SESSIONS, bytes: BYTES }
    }
}

/// The sessions that have a mailbox. Where one too many comes, one that nobody listens to gives way: of those that
/// subscribed to nothing the one that was not seen for longest, and where there is none, of the others.
#[derive(Default)]
pub(super) struct Register {
    limits: Limits,
    sessions: HashMap<SessionKey, Kept>,
    /// Those that subscribed to nothing, when it was last looked, by turn.
    bare: BTreeMap<u64, SessionKey>,
    /// The others.
    subscribed: BTreeMap<u64, SessionKey>,
    next_turn: u64,
    /// Of all subscriptions.
    bytes: usize,
}

struct Kept {
    /// Shared with whoever listens.
    mailbox: Arc<Mailbox>,
    whose: Whose,
    /// Its place among the others.
    turn: u64,
    subscribed: bool,
    bytes: usize,
    /// When it was last seen in use.
    used: Instant,
    /// When it was last asked whether the session lives.
    asked: Instant,
    /// When the session's id ends, where it does by itself.
    until: Option<Instant>,
}

impl Kept {
    fn in_use(&self) -> bool {
        Arc::strong_count(&self.mailbox) > 1
    }
}

/// Whose session it is, once they came here. Nobody reads the news before that.
pub(super) type Whose = Arc<OnceLock<Option<Principal>>>;

/// What is not kept any more: to be dropped when the register is free again, because it leaves others then.
pub(super) type Forgotten = Vec<Arc<Mailbox>>;

impl Register {
    #[cfg(test)]
    pub(super) fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// The mailbox of a session that is there.
    pub(super) fn get(&self, session: SessionKey) -> Option<&Arc<Mailbox>> {
        self.sessions.get(&session).map(|kept| &kept.mailbox)
    }

    /// The mailbox of a session, which is used now and whose id ends then; `None` where all that are there are in use.
    pub(super) fn enter(
        &mut self,
        session: SessionKey,
        until: Option<Instant>,
        open: impl FnOnce(&Whose) -> Mailbox,
        forgotten: &mut Forgotten,
    ) -> Option<(Arc<Mailbox>, Whose)> {
        let now = Instant::now();
        if !self.sessions.contains_key(&session) {
            if self.sessions.len() >= self.limits.sessions {
                let oldest = self.oldest()?;
                forgotten.extend(self.remove(oldest));
            }
            let whose = Whose::default();
            let (mailbox, turn) = (Arc::new(open(&whose)), self.turn());
            let kept = Kept { mailbox, whose, turn, subscribed: false, bytes: 0, used: now, asked: now, until };
            self.bare.insert(turn, session);
            self.sessions.insert(session, kept);
        }
        self.use_now(session, now);
        let kept = self.sessions.get_mut(&session)?;
        kept.until = until;
        Some((kept.mailbox.clone(), kept.whose.clone()))
    }

    /// What a session subscribed to is another thing now. `false` if the subscriptions of those in use leave no room for it.
    pub(super) fn changed(&mut self, session: SessionKey, forgotten: &mut Forgotten) -> bool {
        self.look_at(session);
        while self.bytes > self.limits.bytes {
            // Those without subscriptions make no room for any.
            match self.first_idle(true).filter(|oldest| *oldest != session) {
                Some(oldest) => forgotten.extend(self.remove(oldest)),
                None => return false,
            }
        }
        true
    }

    /// This session is over.
    pub(super) fn remove(&mut self, session: SessionKey) -> Option<Arc<Mailbox>> {
        let kept = self.sessions.remove(&session)?;
        self.order(kept.subscribed).remove(&kept.turn);
        self.bytes -= kept.bytes;
        Some(kept.mailbox)
    }

    /// Forgets those whose ids have ended, and those that want nothing and have nothing any more. Gives at most so many of
    /// those that were not used for this long: whether they live is not known here.
    pub(super) fn sweep(&mut self, idle: Duration, most: usize, forgotten: &mut Forgotten) -> Vec<SessionKey> {
        let now = Instant::now();
        let (mut ended, mut used, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
        for (session, kept) in &mut self.sessions {
            let rested = now.saturating_duration_since(kept.used);
            if kept.in_use() {
                used.push(*session);
            } else if kept.until.is_some_and(|until| until <= now) || rested >= BARE && kept.mailbox.is_bare() {
                ended.push(*session);
            } else if now.saturating_duration_since(kept.used.max(kept.asked)) >= idle && doubtful.len() < most {
                kept.asked = now;
                doubtful.push(*session);
            }
        }
        used.into_iter().for_each(|session| self.use_now(session, now));
        forgotten.extend(ended.into_iter().filter_map(|session| self.remove(session)));
        doubtful
    }

    /// The session that gives way first; `None` if all are in use.
    fn oldest(&mut self) -> Option<SessionKey> {
        match self.first_idle(false) {
            Some(oldest) => Some(oldest),
            None => self.first_idle(true),
        }
    }

    /// The first in one of the two orders that is not in use and belongs there. Those before it go where they belong.
    fn first_idle(&mut self, subscribed: bool) -> Option<SessionKey> {
        for _ in 0..self.order(subscribed).len() {
            let (_, &session) = self.order(subscribed).first_key_value()?;
            if self.sessions.get(&session).is_some_and(Kept::in_use) {
                self.use_now(session, Instant::now());
                continue;
            }
            self.look_at(session);
            if self.sessions.get(&session).is_some_and(|kept| kept.subscribed == subscribed) {
                return Some(session);
            }
        }
        None
    }

    /// Puts a session into the order where it belongs, in its place.
    fn look_at(&mut self, session: SessionKey) {
        let Some(kept) = self.sessions.get_mut(&session) else { return };
        let (bytes, subscribed, turn) = (kept.mailbox.bytes(), kept.mailbox.is_subscribed(), kept.turn);
        self.bytes = self.bytes - kept.bytes + bytes;
        kept.bytes = bytes;
        let was = std::mem::replace(&mut kept.subscribed, subscribed);
        if was != subscribed {
            self.order(was).remove(&turn);
            self.order(subscribed).insert(turn, session);
        }
    }

    /// Puts a session behind all others.
    fn use_now(&mut self, session: SessionKey, now: Instant) {
        let next = self.turn();
        let Some(kept) = self.sessions.get_mut(&session) else { return };
        kept.used = now;
        let (turn, subscribed) = (std::mem::replace(&mut kept.turn, next), kept.subscribed);
        self.order(subscribed).remove(&turn);
        self.order(subscribed).insert(next, session);
    }

    fn turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    fn order(&mut self, subscribed: bool) -> &mut BTreeMap<u64, SessionKey> {
        if subscribed { &mut self.subscribed } else { &mut self.bare }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{Change, Changes, ListChanges};

    struct Room {
        changes: Changes,
        register: Register,
    }

    fn room(sessions: usize, bytes: usize) -> Room {
        Room { changes: Changes::default(), register: Register::with_limits(Limits { sessions, bytes }) }
    }

    fn key(number: usize) -> SessionKey {
        let mut bytes = [0; 17];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SessionKey(bytes)
    }

    impl Room {
        fn enter(&mut self, number: usize) -> Option<Arc<Mailbox>> {
            self.enter_until(number, None)
        }

        fn enter_until(&mut self, number: usize, until: Option<Instant>) -> Option<Arc<Mailbox>> {
            let lists = ListChanges { tools: true, ..ListChanges::default() };
            let changes = self.changes.clone();
            let entered = self.register.enter(key(number), until, |_| changes.open(lists, None), &mut Vec::new());
            entered.map(|(mailbox, _)| mailbox)
        }

        fn subscribe(&mut self, number: usize, uri: &str) -> bool {
            self.enter(number).unwrap().subscribe(uri).unwrap();
            self.register.changed(key(number), &mut Vec::new())
        }

        fn has(&self, number: usize) -> bool {
            self.register.get(key(number)).is_some()
        }

        fn sweep(&mut self) -> Vec<SessionKey> {
            self.register.sweep(Duration::from_secs(1800), 2, &mut Vec::new())
        }
    }

    #[test]
    fn however_many_sessions_come_those_that_listen_or_subscribed_stay() {
        let mut room = room(8, BYTES);
        assert!(room.subscribe(1, "notes://a"));
        let listening = room.enter(2).unwrap();
        for number in 3..1000 {
            assert!(room.enter(number).is_some(), "{number}");
        }
        assert!(room.has(1) && room.has(2) && room.register.len() == 8);
        // The oldest gave way.
        assert!((994..1000).all(|number| room.has(number)));
        room.changes.resource_updated("notes://a/1");
        assert!(!room.register.get(key(1)).unwrap().is_bare());
        drop(listening);
        for number in 1000..1010 {
            room.enter(number);
        }
        assert!(room.has(1) && !room.has(2));
    }

    #[test]
    fn whoever_is_used_again_comes_last() {
        let mut room = room(3, BYTES);
        for number in [1, 2, 3, 1, 4] {
            room.enter(number);
        }
        assert!(room.has(1) && !room.has(2) && room.has(3) && room.has(4));
    }

    #[test]
    fn where_all_subscribed_the_oldest_gives_way_and_nobody_who_listens() {
        let mut room = room(4, BYTES);
        let listening = room.enter(1).unwrap();
        assert!(room.subscribe(1, "notes://mine"));
        for number in 2..100 {
            assert!(room.subscribe(number, "notes://a"), "{number}");
        }
        assert!(room.has(1) && room.has(97) && room.has(98) && room.has(99) && room.register.len() == 4);
        let all: Vec<_> = (97..100).map(|number| room.enter(number)).collect();
        assert!(room.enter(100).is_none(), "everybody listens");
        drop((all, listening));
        assert!(room.enter(100).is_some());
    }

    #[test]
    fn whoever_unsubscribed_gives_way_like_those_that_never_did() {
        let mut room = room(3, BYTES);
        for number in [1, 2] {
            assert!(room.subscribe(number, "notes://a"));
        }
        room.enter(1).unwrap().unsubscribe("notes://a");
        assert!(room.register.changed(key(1), &mut Vec::new()));
        room.enter(3);
        room.enter(4);
        assert!(!room.has(1) && room.has(2) && room.has(3) && room.has(4));
        assert_eq!(room.register.bytes, room.register.get(key(2)).unwrap().bytes());
    }

    #[test]
    fn the_subscriptions_of_all_have_a_limit_together() {
        let long = |number: usize| format!("notes://{number}/{}", "x".repeat(2000));
        let mut room = room(1000, 10_000);
        for number in 0..100 {
            assert!(room.subscribe(number, &long(number)), "{number}");
            assert!(room.register.bytes <= 10_000);
        }
        assert!(room.has(99) && room.has(97) && !room.has(90));
        let _listening: Vec<_> = (0..100).filter_map(|number| room.register.get(key(number)).cloned()).collect();
        assert!(!room.subscribe(200, &long(200)), "those who listen keep what they have");
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_goes_with_the_id_of_its_session_and_soon_where_it_holds_nothing() {
        let mut room = room(100, BYTES);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let hour = Instant::now() + minutes(60);
        assert!(room.enter_until(1, Some(hour)).is_some());
        room.enter_until(2, Some(hour)).unwrap().subscribe("notes://a").unwrap();
        let told = room.enter_until(3, Some(hour)).unwrap();
        room.changes.tools_changed();
        drop(told);
        room.enter(4).unwrap().subscribe("notes://a").unwrap();
        let listening = room.enter_until(5, Some(hour));
        // What waits for the first two is told to them.
        for number in [1, 2] {
            let told = room.enter_until(number, Some(hour)).unwrap().next().await;
            assert_eq!(told, Some(Change::Tools));
        }
        tokio::time::advance(minutes(6)).await;
        assert!(room.sweep().is_empty());
        assert!(!room.has(1) && room.has(2) && room.has(3) && room.has(4) && room.has(5));
        tokio::time::advance(minutes(30)).await;
        // Of those that may be over, so many at once, and each again only after a while.
        let mut doubtful = [room.sweep(), room.sweep(), room.sweep()].concat();
        doubtful.sort();
        assert_eq!(doubtful, [2, 3, 4].map(key));
        tokio::time::advance(minutes(30)).await;
        room.sweep();
        assert!(!room.has(2) && !room.has(3) && room.has(4) && room.has(5));
        drop(listening);
        tokio::time::advance(minutes(1)).await;
        room.sweep();
        assert!(!room.has(5));
    }
}
