//! `src/tokens`: what an access token must be to open anything, and where validators find the keys.

mod claims;
mod forgery;
mod key_ring;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Forge;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::header;
use crate::support::test;
use crate::support::test_with;

async fn open(app: &TestApp, token: &str) -> Answer {
    app.with_token(token, Method::GET, "/v1/account", None).await
}

async fn refuse(app: &TestApp, token: &str, why: &str) {
    let answer = open(app, token).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("access_token_invalid")), "{why}");
    assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{:?}", answer.headers);
}

/// A good token, its parts, and the means to change them.
struct Case<'a> {
    app: &'a TestApp,
    forge: Forge,
    token: String,
    header: Value,
    claims: Value,
}

impl<'a> Case<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let token = app.person("taro@example.jp").await.access();
        let case = Self { app, forge: Forge::of(app).await, header: header(&token), claims: claims(&token), token };
        open(app, &case.forge.sign(&case.header, &case.claims)).await.ok(200);
        case
    }

    /// Another header over the good claims, rightly signed, is refused. Null takes the member away.
    async fn refuse_header(&self, name: &str, value: Value) {
        let header = with(&self.header, name, &value);
        refuse(self.app, &self.forge.sign(&header, &self.claims), &header.to_string()).await;
    }

    /// Other claims under the good header, rightly signed, are refused. Null takes the member away.
    async fn refuse_claim(&self, name: &str, value: Value) {
        let claims = with(&self.claims, name, &value);
        refuse(self.app, &self.forge.sign(&self.header, &claims), &claims.to_string()).await;
    }
}

fn with(object: &Value, name: &str, value: &Value) -> Value {
    let mut changed = object.clone();
    if value.is_null() {
        changed.as_object_mut().unwrap().remove(name);
    } else {
        changed[name] = value.clone();
    }
    changed
}

async fn kids(app: &TestApp) -> Vec<String> {
    let jwks = app.get("/.well-known/jwks.json").await.ok(200);
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// security.md 55: RFC 9068 §2.2 and what the contract adds.
#[test]
fn a_token_says_who_signed_in_how_and_for_whom() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let (header, claims) = (header(&taro.access()), claims(&taro.access()));
        let kid = kids(app).await.remove(0);
        assert_eq!(header, json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }));
        assert_eq!(claims["iss"], app.url);
        assert_eq!(claims["aud"], json!([app.url, "https://orders.example.com", "https://books.example.com"]));
        assert_eq!((&claims["sub"], &claims["sid"]), (&taro.tokens["account_id"], &taro.tokens["session_id"]));
        assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("first-party"), &json!("account")));
        assert_eq!((&claims["acr"], &claims["roles"]), (&json!("aal2"), &json!([])));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let [auth_time, iat] = ["auth_time", "iat"].map(|name| claims[name].as_i64().unwrap());
        let now = app.clock.now().timestamp();
        assert!(now - 60 <= auth_time && auth_time <= iat && iat <= now, "{auth_time} {iat} {now}");
        assert!(claims["jti"].as_str().unwrap().len() >= 22, "{claims}");
        assert!(claims.get("nbf").is_none());
        assert_ne!(
            claims["jti"],
            crate::support::claims(taro.sign_in().await["access_token"].as_str().unwrap())["jti"]
        );
    });
}

/// security.md 52 and 53: one spelling of a token, the one that was given out.
#[test]
fn other_spellings_of_a_good_token_are_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        let token = &case.token;
        let parts: Vec<_> = token.split('.').collect();
        let [h, p, s] = parts.as_slice() else { panic!("{token}") };
        for bad in [
            format!(" {token}"),
            format!("{h}. {p}.{s}"),
            format!("{h}.{p} .{s}"),
            format!("{token}="),
            format!("{token}=="),
            format!("{h}=.{p}.{s}"),
            format!("{token}."),
            format!("{token}.{s}"),
            format!(".{token}"),
            format!("{h}.{p}"),
            format!("{h}..{s}"),
            format!("{h}{p}{s}"),
            format!("{token},{token}"),
            json!({ "protected": h, "payload": p, "signature": s }).to_string(),
            format!("\"{token}\""),
            ".".to_owned(),
            "..".to_owned(),
            ".".repeat(8192),
            "A".repeat(60 * 1024),
            format!("{}.", "A".repeat(8000)),
        ] {
            refuse(app, &bad, &bad).await;
        }
        // 64 bytes are 86 characters, of whose last one two bits count.
        let (rest, last) = token.split_at(token.len() - 1);
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
        for other in alphabet.filter(|other| !last.starts_with(*other)) {
            refuse(app, &format!("{rest}{other}"), "another last character").await;
        }
        open(app, token).await.ok(200);
    });
}

/// security.md 52: what does not fit is not read to its end.
#[test]
fn a_mebibyte_of_dots_is_cut_short() {
    test(async |app| {
        let request = app.request(Method::GET, "/v1/account").bearer_auth(".".repeat(1 << 20));
        if let Ok(response) = request.send().await {
            assert!(response.status().is_client_error(), "{response:?}");
        }
        app.get("/health/ready").await.ok(200);
    });
}

/// RFC 8725 §3.11: stacks that refuse `at+jwt` can have `JWT`; then that alone is taken.
#[test]
fn the_type_of_tokens_can_be_configured() {
    test_with(&[("tokens.typ", "JWT")], async |app| {
        let case = Case::new(app).await;
        assert_eq!(case.header["typ"], "JWT");
        case.refuse_header("typ", json!("at+jwt")).await;
    });
}

/// security.md 54: public members alone, and cacheable.
#[test]
fn validators_find_public_keys_from_the_issuer_alone() {
    test(async |app| {
        let documents = ["openid-configuration", "oauth-authorization-server"];
        for document in documents {
            let answer = app.get(&format!("/.well-known/{document}")).await;
            assert_eq!(answer.header("cache-control"), "public, max-age=300, stale-if-error=86400");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let metadata = answer.ok(200);
            assert_eq!(metadata["issuer"], app.url);
            assert_eq!(metadata["jwks_uri"], format!("{}/.well-known/jwks.json", app.url));
            assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["ES256"]));
            assert!(metadata.get("authorization_endpoint").is_none());
        }
        let answer = app.get("/.well-known/jwks.json").await;
        assert_eq!(answer.header("cache-control"), "public, max-age=300, stale-if-error=86400");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let jwks = answer.ok(200);
        let [key] = jwks["keys"].as_array().unwrap().as_slice() else { panic!("{jwks}") };
        let members: BTreeSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["alg", "crv", "kid", "kty", "use", "x", "y"]));
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
        );
    });
}
