use proptest::prelude::*;

use super::*;
use crate::{
    auth::Principal,
    session::{keys::tests::secret, principal_tag, testing::alice},
};

const HOUR: Duration = Duration::from_secs(3600);
const REQUEST: &[&[u8]] = &[b"tools/call", b"book", b"{\"to\":\"Rome\"}"];

fn keys(seed: u8) -> SigningKeys {
    SigningKeys::new(&format!("k{seed}"), secret(seed)).unwrap()
}

fn seals() -> Seals {
    Seals::new(&keys(1), "notebook", b"store")
}

fn state(seals: &Seals) -> String {
    seals.seal("request-state", REQUEST, b"the answer is Rome", HOUR).unwrap()
}

fn open(seals: &Seals, text: &str) -> Option<Vec<u8>> {
    seals.open("request-state", REQUEST, text)
}

#[test]
fn what_was_sealed_comes_back_and_can_not_be_read() {
    let text = state(&seals());
    assert_eq!(open(&seals(), &text).as_deref(), Some(&b"the answer is Rome"[..]));
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    let bytes = BASE64.decode(&text).unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"Rome"));
    assert_ne!(state(&seals()), text, "two seals of the same are never the same");
}

// Proves: MR-04.
#[test]
fn abuse_i3_a_state_with_any_bit_flipped_is_refused() {
    let seals = seals();
    let text = state(&seals);
    let bytes = BASE64.decode(&text).unwrap();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << bit;
            assert_eq!(open(&seals, &BASE64.encode(changed)), None, "byte {position}, bit {bit}");
        }
    }
    for position in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone().into_bytes();
            changed[position] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert_eq!(open(&seals, &changed), None, "{changed}");
        }
    }
}

#[test]
fn abuse_i3_a_state_that_is_cut_or_grown_is_refused() {
    let seals = seals();
    let text = state(&seals);
    let bytes = BASE64.decode(&text).unwrap();
    for cut in 0..bytes.len() {
        assert_eq!(open(&seals, &BASE64.encode(&bytes[..cut])), None);
        assert_eq!(open(&seals, &BASE64.encode(&bytes[cut + 1..])), None);
    }
    for cut in 0..text.len() {
        assert_eq!(open(&seals, &text[..cut]), None);
    }
    assert_eq!(open(&seals, &BASE64.encode([&*bytes, &[0]].concat())), None);
}

#[test]
fn abuse_i3_a_state_has_one_spelling() {
    let seals = seals();
    // Payloads of three lengths, so that the last letter carries no, two and four bits to spare.
    for payload in [&b"a"[..], b"ab", b"abc"] {
        let text = seals.seal("request-state", REQUEST, payload, HOUR).unwrap();
        let (front, last) = text.split_at(text.len() - 1);
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for other in letters.chars().filter(|other| !last.contains(*other)) {
            assert_eq!(open(&seals, &format!("{front}{other}")), None);
        }
        for changed in [format!("{text}="), format!("{text}=="), format!(" {text}"), format!("{text}\n")] {
            assert_eq!(open(&seals, &changed), None, "{changed:?}");
        }
        let standard = base64::prelude::BASE64_STANDARD_NO_PAD.encode(BASE64.decode(&text).unwrap());
        assert!(standard == text || open(&seals, &standard).is_none());
    }
}

// Proves: MR-05, P-12.
#[test]
fn abuse_i3_a_state_is_of_its_tool_arguments_and_principal_alone() {
    let seals = seals();
    let (hers, nobodys) = (principal_tag(Some(&alice())), principal_tag(None));
    let bob = principal_tag(Some(&Principal { subject: "bob".into(), ..alice() }));
    let text = seals.seal("request-state", &[b"book", b"{}", &hers], b"x", HOUR).unwrap();
    assert!(seals.open("request-state", &[b"book", b"{}", &hers], &text).is_some());
    let others: [&[&[u8]]; 9] = [
        &[b"cancel", b"{}", &hers],
        &[b"book", b"[]", &hers],
        &[b"book", b"{}", &bob],
        &[b"book", b"{}", &nobodys],
        &[b"book", b"{}"],
        &[b"book", b"{}", &hers, b""],
        &[b"", b"book", b"{}", &hers],
        &[b"book{", b"}", &hers],
        &[],
    ];
    for other in others {
        assert_eq!(seals.open("request-state", other, &text), None, "{other:?}");
    }
}

#[test]
fn abuse_i3_a_state_of_another_server_store_or_purpose_is_refused() {
    let text = state(&seals());
    assert_eq!(open(&Seals::new(&keys(1), "other", b"store"), &text), None, "another audience");
    assert_eq!(open(&Seals::new(&keys(1), "notebook", b"other"), &text), None, "another store");
    assert_eq!(open(&Seals::new(&keys(2), "notebook", b"store"), &text), None, "another key");
    for purpose in ["cursor", "", "request-stat", "request-state "] {
        assert_eq!(seals().open(purpose, REQUEST, &text), None, "{purpose}");
    }
}

// Proves: MR-05, P-12.
#[test]
fn abuse_i3_a_state_counts_for_its_time() {
    let seals = seals();
    let text = seals.seal("request-state", REQUEST, b"x", Duration::from_secs(600)).unwrap();
    // A few seconds from each edge, because the clock goes on while this runs.
    clock::jump(590);
    assert!(open(&seals, &text).is_some());
    clock::jump(20);
    assert_eq!(open(&seals, &text), None, "it has expired");
    clock::jump(-610 - 50);
    assert!(open(&seals, &text).is_some(), "the clocks of two instances may differ by a minute");
    clock::jump(-20);
    assert_eq!(open(&seals, &text), None, "it was sealed in the future");
    clock::jump(680);
    let never = seals.seal("request-state", REQUEST, b"x", Duration::ZERO).unwrap();
    assert_eq!(open(&seals, &never), None);
    let ever = seals.seal("request-state", REQUEST, b"x", Duration::MAX).unwrap();
    assert!(open(&seals, &ever).is_some());
}

// Proves: MR-12.
#[test]
fn abuse_i3_a_state_outlives_a_rotation_and_not_the_key_that_is_removed() {
    let ring = |first: u8, second: u8| {
        let ring = keys(first).and_verify(&format!("k{second}"), secret(second)).unwrap();
        Seals::new(&ring, "notebook", b"store")
    };
    let alone = |seed| Seals::new(&keys(seed), "notebook", b"store");
    // As instances change one after another, each next step must open what the one before and its own made.
    let steps = [alone(1), ring(1, 2), ring(2, 1), alone(2)];
    for pair in steps.windows(2).take(2) {
        for (from, to) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
            assert!(open(&pair[to], &state(&pair[from])).is_some());
        }
    }
    assert!(open(&steps[3], &state(&steps[2])).is_some());
    assert_eq!(open(&steps[3], &state(&steps[1])), None, "the key that sealed it is gone");
    assert_eq!(open(&steps[3], &state(&steps[0])), None);
}

// Proves: MR-12.
#[test]
fn abuse_i3_a_megabyte_is_refused_and_not_made() {
    let seals = seals();
    assert_eq!(open(&seals, &"A".repeat(1 << 20)), None);
    assert_eq!(open(&seals, &"AQ".repeat(LONGEST / 2)), None, "it is as long as may be, and nothing");
    assert_eq!(seals.seal("request-state", REQUEST, &vec![0; 1 << 20], HOUR), None);
    let most = LONGEST / 4 * 3 - 1 - SALT - TIMES - TAG;
    let text = seals.seal("request-state", REQUEST, &vec![7; most], HOUR).unwrap();
    assert_eq!(text.len(), LONGEST);
    assert_eq!(open(&seals, &text), Some(vec![7; most]));
    assert_eq!(seals.seal("request-state", REQUEST, &vec![7; most + 1], HOUR), None);
}

// Proves: PC-07.
#[test]
fn abuse_g19_a_cursor_is_of_its_list_and_principal_alone() {
    let seals = seals();
    let (hers, nobodys) = (principal_tag(Some(&alice())), principal_tag(None));
    let cursor = seals.seal("cursor of tools", &[&hers], b"50", HOUR).unwrap();
    assert_eq!(seals.open("cursor of tools", &[&hers], &cursor).as_deref(), Some(&b"50"[..]));
    assert_eq!(seals.open("cursor of prompts", &[&hers], &cursor), None, "another list");
    assert_eq!(seals.open("cursor of tools", &[&nobodys], &cursor), None, "another user");
    for forged in ["", "50", "NTA", "AQAAAAAAAAAAAAAAAAAAAAAA", "ü", "\0", &state(&seals)] {
        assert_eq!(seals.open("cursor of tools", &[&hers], forged), None, "{forged:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_sealed_is_opened_in_its_own_context_alone(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        context in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
        other in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
    ) {
        let seals = seals();
        let borrowed: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
        let text = seals.seal("p", &borrowed, &payload, HOUR).unwrap();
        prop_assert_eq!(seals.open("p", &borrowed, &text), Some(payload.clone()));
        let borrowed: Vec<&[u8]> = other.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(seals.open("p", &borrowed, &text).is_some(), context == other);
    }

    #[test]
    fn no_other_text_is_opened(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let seals = seals();
        prop_assert_eq!(open(&seals, &text), None);
        prop_assert_eq!(open(&seals, &BASE64.encode([&[FORMAT], &*bytes].concat())), None);
    }
}
