use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;

use super::AccessGrant;
use super::AccessTokenError;
use super::VerifiedAccess;
use super::model;
use super::model::Terms;
use crate::crypto;
use crate::crypto::KeyRing;
use crate::crypto::SigningKey;
use crate::ids::KeyId;

const ISSUER: &str = "https://auth.example.com";
const NOW: i64 = 1_800_000_000;

/// A ring of one key, and that key in hand, so that a test can sign whatever it likes.
struct Forge {
    ring: KeyRing,
    pair: EcdsaKeyPair,
    kid: String,
}

impl Forge {
    fn new() -> Self {
        let pkcs8 = SigningKey::generate_pkcs8().unwrap();
        let id: KeyId = crypto::new_id(at(0));
        let ring = KeyRing::default();
        ring.replace(vec![SigningKey::from_pkcs8(id, at(0), &pkcs8).unwrap()], TimeDelta::minutes(6));
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        Self { ring, pair, kid: id.to_string() }
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid})
    }

    fn issue(&self, audience: Option<&str>) -> String {
        let grant = AccessGrant {
            account: crypto::new_id(at(0)),
            session: crypto::new_id(at(0)),
            client_id: "first-party",
            auth_time: at(-60),
            amr: &["pwd".to_owned(), "otp".to_owned(), "mfa".to_owned()],
            roles: &[],
            audience,
        };
        model::sign(&terms(), &self.ring.signing(at(0)).unwrap(), &grant, at(0)).unwrap()
    }

    /// Signs any header over any payload, as texts.
    fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn check(&self, token: &str, secs: i64) -> Result<VerifiedAccess, AccessTokenError> {
        model::check(&terms(), &self.ring, token, at(secs))
    }

    fn refuse(&self, token: &str, why: &str) {
        assert_eq!(self.check(token, 0), Err(AccessTokenError::Invalid), "{why}");
    }

    /// Checks the claims of a good token after one of them was set, or taken away by null.
    fn with_claim(&self, name: &str, value: Value) -> Result<VerifiedAccess, AccessTokenError> {
        let mut claims = self.claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        self.check(&self.sign(&self.header().to_string(), &claims.to_string()), 0)
    }

    fn claims(&self) -> Value {
        let token = self.issue(None);
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }
}

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(NOW + secs, 0).unwrap()
}

fn terms() -> Terms<'static> {
    static AUDIENCES: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| vec!["https://api.example.com".to_owned()]);
    Terms { issuer: ISSUER, typ: "at+jwt", audiences: &AUDIENCES, lifetime_secs: 300 }
}

#[test]
fn a_token_says_what_the_contract_says() {
    // security.md 55
    let forge = Forge::new();
    let token = forge.issue(None);
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header, forge.header());
    let claims = forge.claims();
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, model::CLAIM_NAMES);
    assert_eq!(claims["aud"], json!([ISSUER, "https://api.example.com"]));
    assert_eq!((&claims["scope"], &claims["acr"], &claims["roles"]), (&json!("account"), &json!("aal2"), &json!([])));
    assert_eq!(
        (&claims["iat"], &claims["exp"], &claims["auth_time"]),
        (&json!(NOW), &json!(NOW + 300), &json!(NOW - 60))
    );
    let access = forge.check(&token, 0).unwrap();
    assert_eq!((access.client_id.as_str(), access.auth_time), ("first-party", at(-60)));
    assert_eq!(access.amr, ["pwd", "otp", "mfa"]);
}

#[test]
fn a_token_for_one_service_does_not_open_this_one() {
    // security.md 51
    let forge = Forge::new();
    forge.refuse(&forge.issue(Some("https://api.example.com")), "narrowed");
    for aud in
        [json!(null), json!([]), json!(ISSUER), json!([format!("{ISSUER}.evil.example")]), json!(["https://auth"])]
    {
        assert_eq!(forge.with_claim("aud", aud.clone()), Err(AccessTokenError::Invalid), "{aud}");
    }
    assert!(forge.with_claim("aud", json!(["x", ISSUER])).is_ok());
}

#[test]
fn the_algorithm_is_the_keys_own() {
    // security.md 44, 45
    let forge = Forge::new();
    let payload = forge.claims().to_string();
    for alg in ["none", "None", "nOnE", "HS256", "ES384", "RS256", "EdDSA", "es256", ""] {
        let mut header = forge.header();
        header["alg"] = json!(alg);
        forge.refuse(&forge.sign(&header.to_string(), &payload), alg);
    }
    let token = forge.issue(None);
    forge.refuse(&token[..=token.rfind('.').unwrap()], "empty signature");
    forge.refuse(&Forge::new().issue(None), "another key");
}

#[test]
fn a_header_has_its_three_members_and_no_other() {
    // security.md 46, 48, 50
    let forge = Forge::new();
    let payload = forge.claims().to_string();
    for (name, value) in [
        ("jwk", json!({"kty": "EC"})),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
        ("crit", json!(["bork"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("typ", json!("JWT")),
        ("typ", json!("refresh+jwt")),
        ("typ", json!(null)),
    ] {
        let mut header = forge.header();
        header[name] = value.clone();
        forge.refuse(&forge.sign(&header.to_string(), &payload), &format!("{name}: {value}"));
    }
    for name in ["typ", "alg", "kid"] {
        let mut header = forge.header();
        header.as_object_mut().unwrap().remove(name);
        forge.refuse(&forge.sign(&header.to_string(), &payload), name);
    }
    let repeated = format!("{{\"alg\":\"none\",{}", &forge.header().to_string()[1..]);
    forge.refuse(&forge.sign(&repeated, &payload), "repeated alg");
}

#[test]
fn a_kid_is_looked_up_and_nothing_more() {
    // security.md 47
    let forge = Forge::new();
    let payload = forge.claims().to_string();
    let upper = json!(forge.kid.to_uppercase().replace('-', ""));
    for kid in [json!("../../dev/null"), json!("' or 1=1--"), json!(1), json!(null), json!([forge.kid]), upper] {
        let mut header = forge.header();
        header["kid"] = kid.clone();
        forge.refuse(&forge.sign(&header.to_string(), &payload), &kid.to_string());
    }
    let mut header = forge.header();
    header["kid"] = json!("x".repeat(64 * 1024));
    forge.refuse(&forge.sign(&header.to_string(), &payload), "64 KiB");
}

#[test]
fn times_are_whole_numbers_judged_by_our_clock() {
    // security.md 49
    let forge = Forge::new();
    let token = forge.issue(None);
    assert!(forge.check(&token, 304).is_ok(), "inside the leeway");
    assert_eq!(forge.check(&token, 306), Err(AccessTokenError::Expired));
    assert!(forge.check(&token, -5).is_ok(), "a replica whose clock is behind");
    assert_eq!(forge.check(&token, -6), Err(AccessTokenError::Invalid));
    for (name, value) in [
        ("exp", json!(null)),
        ("exp", json!((NOW + 300).to_string())),
        ("exp", json!(1.8e9 + 300.5)),
        ("exp", json!([NOW])),
        ("exp", json!(i64::MAX)),
        ("iat", json!(null)),
        ("iat", json!(NOW + 86_400)),
        ("iat", json!(i64::MIN)),
        ("nbf", json!(NOW + 60)),
        ("nbf", json!("soon")),
        ("auth_time", json!(null)),
    ] {
        assert_eq!(forge.with_claim(name, value.clone()), Err(AccessTokenError::Invalid), "{name}: {value}");
    }
    assert!(forge.with_claim("nbf", json!(NOW)).is_ok());
    assert_eq!(forge.with_claim("exp", json!(NOW - 6)), Err(AccessTokenError::Expired));
    let huge = forge.claims().to_string().replace(&(NOW + 300).to_string(), "1e400");
    forge.refuse(&forge.sign(&forge.header().to_string(), &huge), "1e400");
}

#[test]
fn every_claim_is_needed_and_none_may_come_twice() {
    // security.md 50, 55
    let forge = Forge::new();
    for name in ["iss", "sub", "client_id", "jti", "sid", "amr", "roles"] {
        assert_eq!(forge.with_claim(name, json!(null)), Err(AccessTokenError::Invalid), "{name}");
        assert_eq!(forge.with_claim(name, json!(7)), Err(AccessTokenError::Invalid), "{name}");
    }
    for iss in [json!("https://auth.example.com/"), json!("HTTPS://AUTH.EXAMPLE.COM"), json!([ISSUER])] {
        assert_eq!(forge.with_claim("iss", iss.clone()), Err(AccessTokenError::Invalid), "{iss}");
    }
    let repeated = format!("{{\"sub\":\"{}\",{}", forge.kid, &forge.claims().to_string()[1..]);
    forge.refuse(&forge.sign(&forge.header().to_string(), &repeated), "repeated sub");
    assert!(forge.with_claim("new_claim", json!(1)).is_ok(), "a younger version may say more");
}

#[test]
fn only_the_compact_form_in_canonical_base64url_is_read() {
    // security.md 52, 53
    let forge = Forge::new();
    let token = forge.issue(None);
    let parts: Vec<_> = token.split('.').collect();
    let json_form = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string();
    for (bad, why) in [
        (format!(" {token}"), "leading space"),
        (format!("{token}\n"), "trailing line"),
        (format!("{token}="), "padding"),
        (format!("{token}=="), "padding"),
        (format!("{token}."), "four parts"),
        (format!("{}.{}", parts[0], parts[1]), "two parts"),
        (token.replace('.', ""), "one part"),
        (token.replacen('.', " .", 1), "inner space"),
        (json_form, "JSON serialisation"),
        (".".repeat(1 << 20), "dots"),
        ("é.é.é".to_owned(), "not ASCII"),
        (String::new(), "nothing"),
    ] {
        forge.refuse(&bad, why);
    }
    let (rest, last) = token.split_at(token.len() - 1);
    for other in ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).filter(|c| !last.starts_with(*c)) {
        forge.refuse(&format!("{rest}{other}"), "another last character");
    }
}
