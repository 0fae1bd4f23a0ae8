use serde::Deserialize;

use super::*;
use crate::session::testing::{Counter, Notes};

const NOTES: Part<Notes> = part::<Notes>();
const COUNTER: Part<Counter> = part::<Counter>();

fn drafted<S: SessionState>(part: PartType, value: S) -> PartSlot {
    PartSlot(Held::Draft { value: Box::new(value), part, revision: 0 })
}

#[test]
fn a_slot_gives_what_was_put_in() {
    let card = NOTES.writes();
    assert!(card.writes && !NOTES.reads().writes);
    let snapshot = (card.part.fresh)();
    let mut slot = PartSlot(Held::Draft { value: (card.part.draft)(&*snapshot), part: card.part, revision: 0 });
    NOTES.write(&mut slot).notes.push("one".into());
    assert_eq!(NOTES.read(&slot).notes, ["one"]);
    let slot = PartSlot(Held::Snapshot(snapshot));
    assert!(NOTES.read(&slot).notes.is_empty(), "a draft is a copy");
}

#[test]
fn bytes_and_typed_blobs_hold_the_same() {
    let part = COUNTER.writes().part;
    let counter = || -> Box<dyn Any + Send + Sync> { Box::new(Counter { count: 41 }) };
    let typed = (part.blob)(counter(), Form::Typed).unwrap();
    let bytes = (part.blob)(counter(), Form::Bytes).unwrap();
    assert_eq!(typed.bytes(), br#"3 {"count":41}"#);
    assert_eq!(typed.bytes(), bytes.bytes());
    assert_eq!(typed.len(), bytes.len());
    for blob in [typed, bytes] {
        let slot = PartSlot(Held::Snapshot((part.decode)(blob).unwrap()));
        assert_eq!(COUNTER.read(&slot).count, 41);
    }
}

#[test]
fn a_typed_blob_is_not_copied_on_the_way_back() {
    let part = NOTES.writes().part;
    let blob = (part.blob)(Box::new(Notes { notes: vec!["one".into()] }), Form::Typed).unwrap();
    let (first, second) = ((part.decode)(blob.clone()).unwrap(), (part.decode)(blob).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn another_version_or_another_form_does_not_decode() {
    let decode = |bytes: &[u8]| (COUNTER.reads().part.decode)(Blob::from_bytes(bytes.to_vec()));
    assert!(decode(br#"3 {"count":1}"#).is_ok());
    let why = decode(br#"2 {"count":1}"#).unwrap_err().to_string();
    assert!(why.contains("version 2") && why.contains("version 3"), "{why}");
    for bytes in [&b""[..], b"3", b"{}", b"x {}", br#"3 {"count":"1"}"#, b"3 {} {}", b" {}", b"\xff {}"] {
        assert!(decode(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn another_type_of_the_same_key_does_not_decode() {
    let blob = (NOTES.reads().part.blob)(Box::<Notes>::default(), Form::Typed).unwrap();
    assert!((COUNTER.reads().part.decode)(blob).is_err());
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

impl SessionState for Nested {
    const KEY: &'static str = "Nested";
    fn draft(&self) -> Self {
        self.clone()
    }
}

#[test]
fn what_nests_too_deep_to_be_read_back_is_not_encoded() {
    let part = part::<Nested>().writes().part;
    let nest = |levels| (1..levels).fold(Nested::default(), |inner, _| Nested(vec![inner]));
    for form in [Form::Typed, Form::Bytes] {
        let blob = (part.blob)(Box::new(nest(120)), form).unwrap();
        assert!((part.decode)(Blob::from_bytes(blob.bytes())).is_ok());
        assert!((part.blob)(Box::new(nest(121)), form).is_err());
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Keyed(std::collections::HashMap<Vec<u8>, u8>);

impl SessionState for Keyed {
    const KEY: &'static str = "Keyed";
    fn draft(&self) -> Self {
        self.clone()
    }
}

#[test]
fn what_is_no_json_is_not_encoded() {
    let part = part::<Keyed>().writes().part;
    let value = || Box::new(Keyed([(vec![1], 1)].into()));
    assert!((part.blob)(value(), Form::Typed).is_err());
    assert!((part.blob)(value(), Form::Bytes).is_err());
}

#[test]
fn keys_that_no_store_takes_are_no_keys() {
    assert!(is_key("db.Notes"));
    assert!(!is_key(""));
    assert!(!is_key("a\0b"));
    assert!(is_key(&"x".repeat(128)));
    assert!(!is_key(&"x".repeat(129)));
}

#[test]
#[should_panic = "the slot given for session state `Notes` is not its own"]
fn a_table_that_mixes_slots_up_is_told_which() {
    let _ = NOTES.read(&drafted(COUNTER.writes().part, Counter::default()));
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Measured {
    value: f64,
    spread: Option<f32>,
}

impl SessionState for Measured {
    const KEY: &'static str = "Measured";
    fn draft(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_float_that_could_not_be_read_back_is_not_encoded() {
    let part = part::<Measured>().writes().part;
    for form in [Form::Typed, Form::Bytes] {
        let blob = (part.blob)(Box::new(Measured { value: f64::MAX, spread: Some(f32::MIN) }), form).unwrap();
        assert!((part.decode)(Blob::from_bytes(blob.bytes())).is_ok());
        for value in [f64::NAN, f64::MAX * 2.0, f64::NEG_INFINITY] {
            assert!((part.blob)(Box::new(Measured { value, spread: None }), form).is_err(), "{value}");
        }
        // An option would read `null` back, as another value than was written.
        assert!((part.blob)(Box::new(Measured { value: 0.0, spread: Some(f32::NAN) }), form).is_err());
    }
}
