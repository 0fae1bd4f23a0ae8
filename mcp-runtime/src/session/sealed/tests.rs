use super::*;
use crate::session::{SigningKeys, keys::tests::secret};

const SESSION: SessionKey = SessionKey([6; 17]);
const ALICE: Option<Tag> = Some([1; 16]);
const HOUR: Duration = Duration::from_secs(3600);

fn key(kid: &str, byte: u8) -> SigningKeys {
    SigningKeys::new(kid, secret(byte)).unwrap()
}

fn seals() -> Seals {
    Seals::new(&key("k1", 1), "server", b"")
}

fn value(key: &'static str, bytes: &[u8]) -> Write {
    Write { key, expected: 0, value: Blob::from_bytes(bytes.to_vec()) }
}

fn carried() -> Carried {
    Carried::default().with(vec![value("notes", b"0 [\"milk\"]"), value("empty", b"")]).unwrap()
}

fn data() -> BTreeMap<String, String> {
    BTreeMap::from([("title".to_owned(), "a title".to_owned()), (String::new(), "\0".to_owned())])
}

fn sealed() -> String {
    seal(&seals(), (SESSION, ALICE), &data(), &carried(), HOUR).unwrap()
}

#[test]
fn what_was_sealed_comes_back() {
    assert_eq!(open(&seals(), (SESSION, ALICE), &sealed()), Some((data(), carried())));
    let nothing = seal(&seals(), (SESSION, None), &BTreeMap::new(), &Carried::default(), HOUR).unwrap();
    assert_eq!(open(&seals(), (SESSION, None), &nothing), Some((BTreeMap::new(), Carried::default())));
}

#[test]
fn a_seal_is_of_one_session_one_owner_one_server_and_one_ring() {
    let text = sealed();
    assert_eq!(open(&seals(), (SessionKey([7; 17]), ALICE), &text), None);
    assert_eq!(open(&seals(), (SESSION, Some([2; 16])), &text), None);
    assert_eq!(open(&seals(), (SESSION, None), &text), None);
    assert_eq!(open(&Seals::new(&key("k1", 1), "another", b""), (SESSION, ALICE), &text), None);
    assert_eq!(open(&Seals::new(&key("k1", 2), "server", b""), (SESSION, ALICE), &text), None);
    let later = Seals::new(&key("k2", 2).and_verify("k1", secret(1)).unwrap(), "server", b"");
    assert!(open(&later, (SESSION, ALICE), &text).is_some(), "an old key opens as long as it is in the ring");
    let request_state = seals().seal("request-state", &[&SESSION.0, &[1; 16]], b"\0\0\0\x02{}", HOUR).unwrap();
    assert_eq!(open(&seals(), (SESSION, ALICE), &request_state), None, "what was sealed for something else is none");
}

#[test]
fn a_seal_counts_for_its_time() {
    let text = sealed();
    crate::session::clock::jump(3599);
    assert!(open(&seals(), (SESSION, ALICE), &text).is_some());
    crate::session::clock::jump(1);
    assert_eq!(open(&seals(), (SESSION, ALICE), &text), None);
}

#[test]
fn state_that_is_too_large_does_not_travel() {
    let most = vec![b'x'; LARGEST - "notes".len()];
    let full = Carried::default().with(vec![value("notes", &most)]).unwrap();
    assert!(
        open(&seals(), (SESSION, ALICE), &seal(&seals(), (SESSION, ALICE), &data(), &full, HOUR).unwrap()).is_some()
    );
    assert_eq!(full.clone().with(vec![value("a", b"")]), Err(LARGEST + 1), "all parts count, with their names");
    assert_eq!(full.with(vec![value("notes", b"0 []"), value("a", b"0 []")]).unwrap().0.len(), 2);
}

#[test]
fn what_is_cut_off_is_nothing() {
    let mut payload = Vec::new();
    write(&mut payload, b"{}").unwrap();
    write(&mut payload, b"notes").unwrap();
    write(&mut payload, b"0 []").unwrap();
    for length in 0..payload.len() {
        let text = seals().seal(PURPOSE, &[&SESSION.0, &[1; 16]], &payload[..length], HOUR).unwrap();
        // After the first field there may be nothing more.
        assert_eq!(open(&seals(), (SESSION, ALICE), &text).is_some(), length == 6, "{length}");
    }
}
