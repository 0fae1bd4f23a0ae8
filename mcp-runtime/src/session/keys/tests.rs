use super::*;

/// A drawn key, other than that of another seed.
pub(in crate::session) fn secret(seed: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[seed]).as_ref());
    bytes
}

fn refusal(list: &str) -> String {
    SigningKeys::parse(list).unwrap_err().to_string()
}

fn kids(keys: &SigningKeys) -> Vec<&str> {
    keys.ring().iter().map(RootKey::kid).collect()
}

#[test]
fn keys_are_read_in_either_alphabet_with_or_without_padding() {
    // Bytes whose base64 holds both letters in which the alphabets differ.
    let mut key = secret(1);
    key[..3].copy_from_slice(&[0xfb, 0xff, 0xbf]);
    let standard = base64::prelude::BASE64_STANDARD.encode(key);
    let safe = base64::prelude::BASE64_URL_SAFE.encode(key);
    assert_ne!(standard, safe);
    let expected = SigningKeys::new("k1", key).unwrap();
    for text in [&standard, &safe, standard.trim_end_matches('='), safe.trim_end_matches('=')] {
        let keys = SigningKeys::parse(&format!("k1:{text}")).unwrap();
        assert_eq!(keys.ring()[0].fingerprint, expected.ring()[0].fingerprint, "{text}");
    }
}

#[test]
fn the_order_of_the_list_is_the_order_of_the_ring() {
    let encode = |seed| base64::prelude::BASE64_STANDARD.encode(secret(seed));
    let keys = SigningKeys::parse(&format!(" new:{} , old:{},", encode(1), encode(2))).unwrap();
    assert_eq!(kids(&keys), ["new", "old"]);
    let keys = SigningKeys::new("new", secret(1)).unwrap().and_verify("old", secret(2)).unwrap();
    assert_eq!(kids(&keys), ["new", "old"]);
}

#[test]
fn an_operator_reads_what_to_do_instead() {
    assert!(refusal("").contains("openssl rand -base64 32"));
    assert!(refusal(" , ").contains("there is no key"));
    assert!(refusal("justakey").contains("write `kid:base64`"));
    assert!(refusal("k1:not base64!").contains("`k1` is not base64"));
    assert!(refusal("k1:c2hvcnQ=").contains("has 5 bytes, at least 32 are needed"));
    let unset = SigningKeys::from_env("MCP_KEYS_THAT_NOBODY_SETS").unwrap_err().to_string();
    assert!(unset.contains("MCP_KEYS_THAT_NOBODY_SETS is not set") && unset.contains("openssl rand"), "{unset}");
}

#[test]
fn a_key_mistaken_for_an_id_is_not_printed() {
    let key = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(secret(9));
    let told = refusal(&format!("{key}:{key}"));
    assert!(!told.contains(&key[..12]), "{told}");
}

#[test]
fn bad_ids_are_refused() {
    for kid in ["", "nine-char", "a b", "a.b", "ü", "a\"b", "a\nb"] {
        assert!(SigningKeys::new(kid, secret(1)).is_err(), "{kid:?}");
    }
    for kid in ["a", "A-z_0189"] {
        assert!(SigningKeys::new(kid, secret(1)).is_ok(), "{kid:?}");
    }
}

#[test]
fn the_same_id_or_the_same_key_twice_is_refused() {
    let one = || SigningKeys::new("k1", secret(1)).unwrap();
    assert!(one().and_verify("k1", secret(2)).unwrap_err().to_string().contains("the id `k1`"));
    assert!(one().and_verify("k2", secret(1)).unwrap_err().to_string().contains("`k1` and `k2` are the same"));
}

#[test]
fn keys_that_anyone_can_guess_are_refused() {
    let running: Vec<u8> = (0..32).collect();
    let down: Vec<u8> = (0..40).rev().collect();
    let guessable: [&[u8]; 10] = [
        &[0; 32],
        &[0xab; 64],
        &running,
        &down,
        b"0123456789abcdef0123456789abcdef",
        b"aB3$xY7!aB3$xY7!aB3$xY7!aB3$xY7!aB3$",
        b"a-string-secret-at-least-256-bits-long",
        b"please-CHANGEME-before-going-live-ok?",
        b"your-256-bit-secret-goes-right-here-now",
        b"1212121212343434343412121212123434343434",
    ];
    for key in guessable {
        let told = SigningKeys::from_secret(key).unwrap_err().to_string();
        assert!(told.contains("guess"), "{told}");
    }
}

#[test]
fn drawn_keys_are_never_taken_for_guessable_ones() {
    for seed in 0..=255 {
        assert!(!is_guessable(&secret(seed)));
        let hexadecimal: String = secret(seed).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!is_guessable(hexadecimal.as_bytes()));
    }
}

#[test]
fn one_raw_secret_has_an_id_of_its_own() {
    let keys = SigningKeys::from_secret(secret(1)).unwrap();
    assert_eq!(kids(&keys)[0].len(), 8);
    assert_eq!(kids(&keys), kids(&SigningKeys::from_secret(secret(1)).unwrap()));
    assert_ne!(kids(&keys), kids(&SigningKeys::from_secret(secret(2)).unwrap()));
    assert!(SigningKeys::from_secret("too short").is_err());
    assert!(SigningKeys::from_secret("").is_err());
}

#[test]
fn purposes_and_stores_have_different_subkeys() {
    let keys = SigningKeys::new("k1", secret(1)).unwrap();
    let sign = |purpose, binding: &[u8]| hmac::sign(&keys.ring()[0].derive(purpose, binding), b"x").as_ref().to_vec();
    let all = [sign("session", &[]), sign("handle", &[]), sign("session", &[1; 16]), sign("session", &[2; 16])];
    for (position, one) in all.iter().enumerate() {
        assert!(all[position + 1..].iter().all(|other| other != one));
    }
    assert_eq!(sign("session", &[1; 16]), sign("session", &[1; 16]));
}

#[test]
fn a_ring_shows_its_ids_and_never_its_keys() {
    let keys = SigningKeys::new("k1", *b"Zq8#kLm2@vN5xR7!wT9$yU1%pO3^iA6&").unwrap();
    assert_eq!(format!("{keys:?}"), r#"["k1"]"#);
}

#[test]
fn keys_of_ed25519_are_read_and_the_public_ones_make_nothing() {
    let encode = |bytes: &[u8]| base64::prelude::BASE64_STANDARD.encode(bytes);
    let pair = SigningKeys::ed25519("e1", secret(1)).unwrap();
    let public = encode(pair.all()[0].ed25519().map(Ed25519::public).unwrap());
    let list = format!("e1:ed25519:{}, k1:{}, p1 : ed25519-public : {public}", encode(&secret(1)), encode(&secret(2)));
    assert!(SigningKeys::parse(&list).unwrap_err().to_string().contains("`e1` and `p1` are the same"));
    let list = format!("k1:{},p1:ed25519-public:{public}", encode(&secret(2)));
    let keys = SigningKeys::parse(&list).unwrap();
    assert_eq!(kids(&keys), ["k1"]);
    assert_eq!(keys.all().iter().map(RootKey::kid).collect::<Vec<_>>(), ["k1", "p1"]);
    assert!(refusal(&format!("p1:ed25519-public:{public}")).contains("the first key mints"));
    assert!(refusal(&format!("k1:rsa:{public}")).contains("`kid:ed25519:base64`"));
    assert!(
        refusal(&format!("k1:ed25519:{}", encode(&[secret(1), secret(2)].concat())))
            .contains("a seed of Ed25519 has 32")
    );
    assert!(refusal("k1:ed25519:c2hvcnQ=").contains("at least 32"));
}

#[test]
fn a_ring_is_told_apart_by_a_fingerprint_that_says_nothing_of_the_keys() {
    let ring = |seed| SigningKeys::new("k1", secret(seed)).unwrap().and_verify("k0", secret(9)).unwrap();
    let shown = ring(1).fingerprint();
    assert_eq!(shown, ring(1).fingerprint());
    assert_ne!(shown, ring(2).fingerprint());
    let digits = shown.strip_prefix("k1:").and_then(|rest| rest.split_once(" k0:")).unwrap();
    assert!(digits.0.len() == 8 && digits.1.len() == 8, "{shown}");
    assert_eq!(SigningKeys::random().fingerprint(), "random");
}
