//! The suite against our bus, its bounds, and a bus that breaks a law.

use super::*;
use crate::store::{
    BusLimits, MemoryBus, StoreError, StoreFuture,
    conformance::{Fault, FaultyStore, tests::faults},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_bus_obeys_the_laws() {
    check_bus(Arc::new(MemoryBus::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disturbed_memory_bus_obeys_the_laws() {
    check_bus(Arc::new(FaultyStore::new(MemoryBus::new(), faults()))).await;
}

#[tokio::test]
async fn a_message_is_not_published_twice_by_a_fault() {
    let bus = FaultyStore::new(MemoryBus::new(), [Fault::Twice]);
    let topic = inbox();
    bus.publish(topic, "once".into()).await.unwrap();
    assert_eq!(bus.read_after(topic, 0, 9).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn the_memory_bus_is_bounded() {
    let limits = BusLimits { messages: 5, message_bytes: 10, ..BusLimits::default() };
    let bus = Arc::new(MemoryBus::new().with_limits(limits));
    check_bus_bounds(bus.clone(), 5).await;
    let refused = bus.publish(inbox(), Bytes::from_static(&[0; 11])).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes: 11, limit: 10 })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_memory_bus_forgets_what_nobody_can_want_any_more() {
    let bus = MemoryBus::new();
    let (gone, live) = (inbox(), inbox());
    bus.publish(gone, "old".into()).await.unwrap();
    bus.publish(Topic::Everyone, "old".into()).await.unwrap();
    sleep(BusLimits::default().lifetime * 2).await;
    bus.publish(live, "new".into()).await.unwrap();
    assert_eq!(bus.position(gone).await.unwrap(), 0);
    assert_eq!(bus.read_after(live, 0, 9).await.unwrap().messages.len(), 1);
    bus.publish(Topic::Everyone, "new".into()).await.unwrap();
    let heard = bus.read_after(Topic::Everyone, 1, 9).await.unwrap();
    assert_eq!(
        heard,
        Heard { messages: vec![(2, "new".into())], gap: false },
        "who has read the old one misses nothing"
    );
}

/// A bus where readers take from each other.
struct Broken(MemoryBus);

impl Bus for Broken {
    fn publish(&self, _: Topic, message: Bytes) -> StoreFuture<'_, ()> {
        self.0.publish(Topic::Everyone, message)
    }

    fn position(&self, _: Topic) -> StoreFuture<'_, Sequence> {
        self.0.position(Topic::Everyone)
    }

    fn read_after(&self, _: Topic, after: Sequence, limit: usize) -> StoreFuture<'_, Heard> {
        self.0.read_after(Topic::Everyone, after, limit)
    }

    fn changed(&self, _: Topic, after: Sequence) -> StoreFuture<'_, ()> {
        self.0.changed(Topic::Everyone, after)
    }
}

#[tokio::test]
#[should_panic = "a topic without messages must begin at 0"]
async fn a_bus_that_mixes_topics_is_found() {
    let bus = Arc::new(Broken(MemoryBus::new()));
    bus.publish(inbox(), "x".into()).await.unwrap();
    check_bus(bus).await;
}
