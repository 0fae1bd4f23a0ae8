use serde_json::json;

use super::*;
use crate::session::{keys::tests::secret, testing::alice};

const SID: [u8; 16] = *b"sixteen bytes ok";
const NOW: u64 = 1_900_000_000;
const TIMES: (u64, u64) = (NOW, NOW + 1800);

fn ring(seed: u8) -> SigningKeys {
    SigningKeys::new("k1", secret(seed)).unwrap()
}

fn tokens(seed: u8) -> Tokens {
    Tokens::new(&ring(seed), "notebook", b"store")
}

fn capabilities(value: Value) -> ClientCapabilities {
    serde_json::from_value(value).unwrap()
}

fn usual() -> ClientCapabilities {
    capabilities(json!({"elicitation": {}, "roots": {"listChanged": true}, "sampling": {}}))
}

fn mint(tokens: &Tokens) -> String {
    tokens.mint(SID, Version::V2025_11_25, &usual(), None, None, TIMES).unwrap()
}

/// A token of ours with this header and payload, signed as ours are.
fn forge(tokens: &Tokens, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    let signature = match &tokens.keys[0].signer {
        Signer::Mac(mac) => hmac::sign(mac, signed.as_bytes()).as_ref().to_vec(),
        Signer::Ed25519(key) => key.sign(signed.as_bytes()).unwrap(),
    };
    format!("{signed}.{}", BASE64.encode(signature))
}

const HEADER: &str = r#"{"alg":"HS256","kid":"k1","typ":"mcp-session+jwt"}"#;

fn payload() -> Value {
    json!({"aud": "notebook", "sid": BASE64.encode(SID), "v": "2025-11-25", "caps": {}, "iat": NOW, "exp": NOW + 1800})
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

// Proves: S-02.
#[test]
fn a_token_gives_back_what_it_was_minted_of() {
    let tokens = tokens(1);
    let client = Implementation { name: "inspector".into(), version: "0.1".into(), title: Some("Inspector".into()) };
    let token = tokens.mint(SID, Version::V2025_06_18, &usual(), Some(&client), Some(&alice()), TIMES).unwrap();
    let facts = tokens.verify(&token, Some(&alice()), NOW).unwrap();
    assert_eq!(
        (facts.sid, facts.version, facts.issued, facts.expires),
        (SID, Version::V2025_06_18, NOW, NOW + 1800 + 60)
    );
    assert_eq!(*facts.capabilities, usual());
    let kept = facts.client.unwrap();
    assert_eq!((&*kept.name, &*kept.version, &kept.title), ("inspector", "0.1", &None));
    assert!(token.len() < 512, "{} bytes", token.len());
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
}

#[test]
fn a_token_has_this_exact_form() {
    let token = mint(&tokens(1));
    let [header, claims, signature] = parts(&token);
    assert_eq!(BASE64.decode(header).unwrap(), HEADER.as_bytes());
    let claims: Value = serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap();
    let mut expected = payload();
    expected["caps"] = serde_json::to_value(usual()).unwrap();
    assert_eq!(claims, expected);
    assert_eq!(BASE64.decode(signature).unwrap().len(), 32);
}

#[test]
fn the_test_forger_is_good_enough_to_be_believed() {
    // Without this, every refusal below could have another reason.
    let tokens = tokens(1);
    let forged = forge(&tokens, HEADER, &payload().to_string());
    assert!(tokens.verify(&forged, None, NOW).is_some());
}

#[test]
fn abuse_e3_a_token_with_any_bit_flipped_is_unknown() {
    let tokens = tokens(1);
    let token = mint(&tokens);
    for position in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(tokens.verify(&changed, None, NOW).is_none(), "{changed}");
        }
    }
}

#[test]
fn a_token_has_one_spelling() {
    let tokens = tokens(1);
    let token = mint(&tokens);
    let [header, claims, signature] = parts(&token);
    let last = signature.chars().last().unwrap();
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        let changed = format!("{header}.{claims}.{}{other}", &signature[..42]);
        assert_eq!(tokens.verify(&changed, None, NOW).is_some(), other == last, "{other}");
    }
    for changed in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}\n"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}=.{signature}"),
    ] {
        assert!(tokens.verify(&changed, None, NOW).is_none(), "{changed}");
    }
}

#[test]
fn abuse_e8_other_numbers_of_parts_are_unknown() {
    let tokens = tokens(1);
    let token = mint(&tokens);
    let [header, claims, signature] = parts(&token);
    for changed in [
        String::new(),
        ".".into(),
        "..".into(),
        "....".into(),
        header.into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}.{claims}.{signature}"),
        format!("{header}.{token}.{signature}"),
    ] {
        assert!(tokens.verify(&changed, None, NOW).is_none(), "{changed}");
    }
}

#[test]
fn abuse_e4_e5_e7_the_algorithm_is_the_keys_and_never_the_headers() {
    let tokens = tokens(1);
    let claims = payload().to_string();
    let mut headers: Vec<String> = ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "EdDSA", "hs256", ""]
        .iter()
        .map(|algorithm| format!(r#"{{"alg":"{algorithm}","kid":"k1","typ":"mcp-session+jwt"}}"#))
        .collect();
    for member in [
        r#""jku":"http://127.0.0.1:1/keys""#,
        r#""x5u":"http://127.0.0.1:1/cert""#,
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""cty":"JWT""#,
    ] {
        headers.push(format!(r#"{{"alg":"HS256","kid":"k1","typ":"mcp-session+jwt",{member}}}"#));
    }
    headers.extend(
        [
            r#"{"alg":"HS256","kid":"k1","typ":"JWT"}"#,
            r#"{"alg":"HS256","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"mcp-session+jwt"}"#,
            r#"{"alg":"HS256","kid":"k2","typ":"mcp-session+jwt"}"#,
            r#"{"kid":"k1","alg":"HS256","typ":"mcp-session+jwt"}"#,
            r#"{"alg":"HS256", "kid":"k1","typ":"mcp-session+jwt"}"#,
            r#"{"alg":"HS256","kid":"../../k1","typ":"mcp-session+jwt"}"#,
            "{}",
            "null",
            "",
        ]
        .map(String::from),
    );
    for header in headers {
        let signed = forge(&tokens, &header, &claims);
        assert!(tokens.verify(&signed, None, NOW).is_none(), "{header}");
        let [header_part, claims_part, _] = parts(&signed);
        assert!(tokens.verify(&format!("{header_part}.{claims_part}."), None, NOW).is_none(), "{header}");
    }
}

#[test]
fn abuse_e11_signatures_of_other_keys_purposes_servers_and_stores_are_unknown() {
    let token = mint(&tokens(1));
    assert!(tokens(1).verify(&token, None, NOW).is_some());
    assert!(tokens(2).verify(&token, None, NOW).is_none(), "another key under the same id");
    assert!(Tokens::new(&ring(1), "notebook", b"another store").verify(&token, None, NOW).is_none());
    assert!(Tokens::new(&ring(1), "notebook", b"").verify(&token, None, NOW).is_none());
    assert!(Tokens::new(&ring(1), "calculator", b"store").verify(&token, None, NOW).is_none());
    // Signed with the subkey of handles, and with the root itself.
    let [header, claims, _] = parts(&token);
    let signed = format!("{header}.{claims}");
    for key in [ring(1).ring()[0].derive("handle", b"store"), hmac::Key::new(hmac::HMAC_SHA256, &secret(1))] {
        let changed = format!("{signed}.{}", BASE64.encode(hmac::sign(&key, signed.as_bytes())));
        assert!(tokens(1).verify(&changed, None, NOW).is_none());
    }
}

#[test]
fn a_shortened_signature_is_unknown() {
    let tokens = tokens(1);
    let token = mint(&tokens);
    let [header, claims, signature] = parts(&token);
    let whole = BASE64.decode(signature).unwrap();
    for length in 0..32 {
        let changed = format!("{header}.{claims}.{}", BASE64.encode(&whole[..length]));
        assert!(tokens.verify(&changed, None, NOW).is_none(), "{length}");
    }
}

#[test]
fn abuse_e9_claims_of_any_other_form_are_unknown_even_when_signed() {
    let tokens = tokens(1);
    let verify = |payload: &str| tokens.verify(&forge(&tokens, HEADER, payload), None, NOW).is_some();
    for name in ["aud", "sid", "v", "caps", "iat", "exp"] {
        let mut missing = payload();
        missing.as_object_mut().unwrap().remove(name);
        assert!(!verify(&missing.to_string()), "without {name}");
    }
    let odd_times = ["\"1900000100\"", "1900000100.0", "1.9e9", "1e300", "-1", "[1900000100]", "null", "true", "{}"];
    for time in odd_times.into_iter().chain(["99999999999999999999", "18446744073709551616"]) {
        for name in ["iat", "exp"] {
            let mut changed = payload();
            changed[name] = json!("TIME");
            assert!(!verify(&changed.to_string().replace("\"TIME\"", time)), "{name} {time}");
        }
    }
    for (name, value) in [
        ("aud", json!(["notebook"])),
        ("aud", json!("Notebook")),
        ("sid", json!("")),
        ("sid", json!(BASE64.encode([1; 15]))),
        ("sid", json!(BASE64.encode([1; 17]))),
        ("sid", json!("not base64!")),
        ("v", json!("2026-07-28")),
        ("v", json!("2025-11-26")),
        ("v", json!(20_251_125)),
        ("caps", json!([])),
        ("caps", json!("{}")),
        ("ci", json!("inspector")),
        ("p", json!("")),
        ("p", json!(BASE64.encode([0; 16]))),
        ("nbf", json!(NOW + 100)),
        ("sub", json!("alice")),
        ("admin", json!(true)),
    ] {
        let mut changed = payload();
        changed[name] = value;
        assert!(!verify(&changed.to_string()), "{changed}");
    }
    let twice = payload().to_string().replacen('{', r#"{"exp":1,"#, 1);
    assert!(!verify(&twice), "a claim given twice");
    for payload in
        ["", "null", "[]", "{}", "\u{0}", &format!("{}{}", payload(), payload()), &format!("{} x", payload())]
    {
        assert!(!verify(payload), "{payload}");
    }
}

#[test]
fn abuse_e9_e21_a_token_lives_from_a_minute_before_it_was_issued_until_a_minute_after_it_ends() {
    let tokens = tokens(1);
    let token = mint(&tokens);
    for (now, lives) in [
        (0, false),
        (NOW - 61, false),
        (NOW - 60, true),
        (NOW, true),
        (NOW + 1800 + 59, true),
        (NOW + 1800 + 60, false),
        (u64::MAX, false),
    ] {
        assert_eq!(tokens.verify(&token, None, now).is_some(), lives, "{now}");
    }
    let mut endless = payload();
    endless["exp"] = json!(u64::MAX);
    assert!(tokens.verify(&forge(&tokens, HEADER, &endless.to_string()), None, u64::MAX - 1).is_some());
}

#[test]
fn abuse_e12_e13_a_token_is_its_principals_alone() {
    let tokens = tokens(1);
    let hers = tokens.mint(SID, Version::V2025_11_25, &usual(), None, Some(&alice()), TIMES).unwrap();
    let nobodys = mint(&tokens);
    assert!(tokens.verify(&hers, Some(&alice()), NOW).is_some());
    assert!(tokens.verify(&hers, None, NOW).is_none());
    assert!(tokens.verify(&nobodys, Some(&alice()), NOW).is_none());
    for other in [
        Principal { subject: "bob".into(), ..alice() },
        Principal { issuer: "https://other.example".into(), ..alice() },
        Principal { client: "client-2".into(), ..alice() },
        // The same letters, cut elsewhere.
        Principal::new("https://issuer.exampleclient-1", "alice", ""),
        Principal::new("https://issuer.example", "client-1alice", ""),
    ] {
        assert!(tokens.verify(&hers, Some(&other), NOW).is_none(), "{other:?}");
    }
    assert!(!hers.contains(&BASE64.encode("alice")), "the token does not name her");
}

#[test]
fn abuse_e20_keys_rotate_without_losing_a_session() {
    let old = || SigningKeys::new("old", secret(1)).unwrap();
    let new = || SigningKeys::new("new", secret(2)).unwrap();
    let stages =
        [old(), old().and_verify("new", secret(2)).unwrap(), new().and_verify("old", secret(1)).unwrap(), new()];
    let stages = stages.map(|keys| Tokens::new(&keys, "notebook", b"store"));
    let minted = stages.each_ref().map(mint);
    // Each stage takes what itself, the one before and the one after it mint; the last has left the old key behind.
    for (stage, tokens) in stages.iter().enumerate() {
        for (made_in, token) in minted.iter().enumerate() {
            let (reads_old, made_by_old) = (stage < 3, made_in < 2);
            let (reads_new, made_by_new) = (stage > 0, made_in >= 2);
            let expected = (reads_old && made_by_old) || (reads_new && made_by_new);
            assert_eq!(tokens.verify(token, None, NOW).is_some(), expected, "stage {stage}, minted in {made_in}");
        }
    }
}

#[test]
fn what_is_too_long_is_left_out_until_the_token_fits() {
    let tokens = tokens(1);
    let client = Implementation { name: "inspector".into(), version: "0.1".into(), title: None };
    let verified = |capabilities: &ClientCapabilities, client: &Implementation| {
        let token = tokens.mint(SID, Version::V2025_11_25, capabilities, Some(client), None, TIMES).unwrap();
        assert!(token.len() <= LONGEST_MINTED);
        tokens.verify(&token, None, NOW).unwrap()
    };
    let talkative = Implementation { name: "x".repeat(200), ..client.clone() };
    let facts = verified(&usual(), &talkative);
    assert!(facts.client.is_none());
    assert_eq!(*facts.capabilities, usual());

    // Growing capabilities first push the client out, and are trimmed only when they don't fit alone.
    let brimful = |filler| capabilities(json!({"elicitation": {}, "experimental": {"x": "y".repeat(filler)}}));
    let mut stages: Vec<_> = (1100..1400)
        .map(|filler| {
            let facts = verified(&brimful(filler), &client);
            (facts.client.is_some(), *facts.capabilities == brimful(filler))
        })
        .collect();
    stages.dedup();
    assert_eq!(stages, [(true, true), (false, true), (false, false)]);

    let huge = json!({
        "elicitation": {"form": {}}, "sampling": {"x": "y".repeat(9000)}, "roots": "no object",
        "experimental": {"x": "y".repeat(9000)},
    });
    let facts = verified(&capabilities(huge), &client);
    assert_eq!(*facts.capabilities, capabilities(json!({"elicitation": {"form": {}}, "sampling": {}})));
}

#[test]
fn a_server_name_that_fits_no_token_is_told_and_not_truncated() {
    let tokens = Tokens::new(&ring(1), &"n".repeat(3000), b"");
    assert!(tokens.mint(SID, Version::V2025_11_25, &usual(), None, None, TIMES).is_none());
}

#[test]
fn a_token_of_more_than_four_kibibytes_is_not_read() {
    let tokens = tokens(1);
    let sized = |filler: usize| {
        let mut claims = payload();
        claims["caps"] = json!({"experimental": {"x": "y".repeat(filler)}});
        forge(&tokens, HEADER, &claims.to_string())
    };
    let (fits, too_long) = (sized(2700), sized(2900));
    assert!(fits.len() <= LONGEST_READ && too_long.len() > LONGEST_READ, "{} {}", fits.len(), too_long.len());
    assert!(tokens.verify(&fits, None, NOW).is_some());
    assert!(tokens.verify(&too_long, None, NOW).is_none());
}

#[test]
fn names_that_need_escapes_survive() {
    let tokens = Tokens::new(&ring(1), "note\"book\\\n\u{1F4D3}", b"");
    let client = Implementation { name: "a\"b\u{7}".into(), version: "\u{e9}".into(), title: None };
    let token = tokens.mint(SID, Version::V2025_11_25, &usual(), Some(&client), None, TIMES).unwrap();
    assert_eq!(*tokens.verify(&token, None, NOW).unwrap().client.unwrap(), client);
}

#[test]
fn equal_capabilities_are_kept_once_and_strange_ones_not_for_ever() {
    let tokens = tokens(1);
    let read = |capabilities: &ClientCapabilities| {
        let token = tokens.mint(SID, Version::V2025_11_25, capabilities, None, None, TIMES).unwrap();
        tokens.verify(&token, None, NOW).unwrap().capabilities
    };
    assert!(Arc::ptr_eq(&read(&usual()), &read(&usual())));
    for number in 0..1000 {
        read(&capabilities(json!({"experimental": {"x": number}})));
    }
    assert!(tokens.capabilities.0.lock().unwrap().len() <= Shared::<ClientCapabilities>::MOST);
    assert!(Arc::ptr_eq(&read(&usual()), &read(&usual())));
}

/// Tokens of one key of Ed25519, and its public key.
fn edwards(seed: u8) -> (Tokens, [u8; 32]) {
    let keys = SigningKeys::ed25519("k1", secret(seed)).unwrap();
    let public = *keys.all()[0].ed25519().map(Ed25519::public).unwrap();
    (Tokens::new(&keys, "notebook", b"store"), public)
}

#[test]
fn a_token_of_ed25519_can_be_checked_by_whoever_reads_the_public_keys() {
    let keys = SigningKeys::ed25519("k1", secret(1)).unwrap().and_verify("k0", secret(2)).unwrap();
    let published = keys.public_keys();
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(1), "a secret key is not published: {published}");
    let key = &published["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["kid"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("k1"))
    );
    let token = mint(&Tokens::new(&keys, "notebook", b""));
    let [header, claims, signature] = parts(&token);
    let checked = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ED25519,
        BASE64.decode(key["x"].as_str().unwrap()).unwrap(),
    )
    .verify(format!("{header}.{claims}").as_bytes(), &BASE64.decode(signature).unwrap());
    assert!(checked.is_ok());
    assert_eq!(BASE64.decode(header).unwrap(), br#"{"alg":"EdDSA","kid":"k1","typ":"mcp-session+jwt"}"#);
}

#[test]
fn abuse_e5_a_public_key_is_no_secret_and_no_algorithm_stands_for_another() {
    let (tokens, public) = edwards(1);
    let good = mint(&tokens);
    assert!(tokens.verify(&good, None, NOW).is_some());
    let [_, claims, signature] = parts(&good);
    for algorithm in ["HS256", "none", "ES256", "Ed25519", "eddsa"] {
        let header = BASE64.encode(format!(r#"{{"alg":"{algorithm}","kid":"k1","typ":"mcp-session+jwt"}}"#));
        let signed = format!("{header}.{claims}");
        // What the public key, or the seed, would make of it as the secret of a MAC.
        for secret in [&public, &secret(1)] {
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            assert!(tokens.verify(&format!("{signed}.{}", BASE64.encode(mac)), None, NOW).is_none(), "{algorithm}");
        }
        assert!(tokens.verify(&format!("{signed}.{signature}"), None, NOW).is_none(), "{algorithm}");
        assert!(tokens.verify(&format!("{signed}."), None, NOW).is_none(), "{algorithm}");
    }
    let [header, ..] = parts(&good);
    let signed = format!("{header}.{claims}");
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), signed.as_bytes());
    assert!(tokens.verify(&format!("{signed}.{}", BASE64.encode(mac)), None, NOW).is_none());
    // The other way round: a signature of the right seed under a key that makes MACs.
    let macs = self::tokens(1);
    assert!(macs.verify(&good, None, NOW).is_none());
    assert!(macs.verify(&forge(&tokens, HEADER, &payload().to_string()), None, NOW).is_none());
    assert!(tokens.verify(&mint(&macs), None, NOW).is_none());
}

#[test]
fn abuse_e3_e11_a_token_of_ed25519_is_refused_when_changed_and_elsewhere() {
    let (tokens, _) = edwards(1);
    let good = mint(&tokens);
    for position in (0..good.len()).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[position] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(tokens.verify(&changed, None, NOW).is_none(), "at {position}");
        }
    }
    let keys = || SigningKeys::ed25519("k1", secret(1)).unwrap();
    assert!(Tokens::new(&keys(), "notebook", b"store").verify(&good, None, NOW).is_some());
    for (server, store) in [("notebook", &b"other"[..]), ("notebook", b""), ("calculator", b"store")] {
        assert!(Tokens::new(&keys(), server, store).verify(&good, None, NOW).is_none(), "{server}");
    }
    assert!(edwards(2).0.verify(&good, None, NOW).is_none());
    // A signed token that says nothing of its store is of none.
    let header = r#"{"alg":"EdDSA","kid":"k1","typ":"mcp-session+jwt"}"#;
    assert!(tokens.verify(&forge(&tokens, header, &payload().to_string()), None, NOW).is_none());
}
