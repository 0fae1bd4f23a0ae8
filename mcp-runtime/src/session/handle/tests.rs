use super::*;
use crate::session::{keys::tests::secret, testing::alice};

const SID: [u8; 16] = *b"sixteen bytes ok";
const NOW: u64 = 1_900_000_000;

fn handles(seed: u8, binding: &[u8]) -> Handles {
    Handles::new(&SigningKeys::new("k", secret(seed)).unwrap(), binding)
}

#[test]
fn a_handle_is_38_letters_that_survive_being_copied() {
    let handle = handles(1, b"store").mint(SID, None, NOW);
    assert_eq!(handle.len(), 38);
    assert!(handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    assert_eq!(handles(1, b"store").read(&handle, None), Some(Named { sid: SID, minted: NOW }));
}

#[test]
fn a_handle_with_any_bit_flipped_is_unknown() {
    let handles = handles(1, b"store");
    let handle = handles.mint(SID, None, NOW);
    for position in 0..handle.len() {
        for bit in 0..8 {
            let mut bytes = handle.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert_eq!(handles.read(&changed, None), None, "{changed}");
        }
    }
}

#[test]
fn a_handle_has_one_spelling() {
    let handles = handles(1, b"store");
    let handle = handles.mint(SID, None, NOW);
    // The last letter carries two bits of four: the other spellings of the same bytes are refused.
    let (front, last) = handle.split_at(37);
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in letters.chars().filter(|other| !last.contains(*other)) {
        assert_eq!(handles.read(&format!("{front}{other}"), None), None);
    }
    for changed in [String::new(), handle[1..].into(), format!("{handle}="), format!(" {handle}"), "A".repeat(38)] {
        assert_eq!(handles.read(&changed, None), None, "{changed:?}");
    }
}

// Proves: SEC-04.
#[test]
fn a_handle_is_its_principals_alone() {
    let handles = handles(1, b"store");
    let hers = handles.mint(SID, Some(&alice()), NOW);
    let nobodys = handles.mint(SID, None, NOW);
    assert!(handles.read(&hers, Some(&alice())).is_some());
    assert_eq!(handles.read(&hers, None), None);
    assert_eq!(handles.read(&nobodys, Some(&alice())), None);
    for other in [
        Principal { subject: "bob".into(), ..alice() },
        Principal { issuer: "https://other.example".into(), ..alice() },
        Principal { client: "client-2".into(), ..alice() },
    ] {
        assert_eq!(handles.read(&hers, Some(&other)), None, "{other:?}");
    }
}

#[test]
fn a_handle_of_another_key_or_store_is_unknown() {
    let handle = handles(1, b"store").mint(SID, None, NOW);
    assert_eq!(handles(2, b"store").read(&handle, None), None);
    assert_eq!(handles(1, b"other store").read(&handle, None), None);
}

#[test]
fn every_key_of_the_ring_reads() {
    let rotated = SigningKeys::new("new", secret(2)).unwrap().and_verify("old", secret(1)).unwrap();
    let handle = handles(1, b"store").mint(SID, None, NOW);
    assert!(Handles::new(&rotated, b"store").read(&handle, None).is_some());
}
