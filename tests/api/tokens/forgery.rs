//! Tokens that somebody else made: signatures, headers, names of keys.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use super::Case;
use super::refuse;
use super::with;
use crate::support::test;

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// security.md 44.
#[test]
fn unsigned_tokens_are_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        for alg in ["none", "None", "nOnE", "NONE", ""] {
            let header = with(&case.header, "alg", &json!(alg));
            let message = unsigned(&header, &case.claims);
            let signature = case.token.rsplit('.').next().unwrap();
            refuse(app, &format!("{message}."), alg).await;
            refuse(app, &message, alg).await;
            refuse(app, &format!("{message}.{signature}"), alg).await;
            case.refuse_header("alg", json!(alg)).await;
        }
        refuse(app, &case.token[..=case.token.rfind('.').unwrap()], "no signature").await;
        let zeroes = format!("{}.{}", unsigned(&case.header, &case.claims), URL_SAFE_NO_PAD.encode([0; 64]));
        refuse(app, &zeroes, "r = s = 0 (CVE-2022-21449)").await;
    });
}

/// security.md 45: the public key is no HMAC key, in whatever form.
#[test]
fn a_public_key_does_not_sign() {
    test(async |app| {
        let case = Case::new(app).await;
        let jwk = app.get("/.well-known/jwks.json").await.ok(200)["keys"][0].clone();
        let [x, y] = ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap());
        let point = [&[4], x.as_slice(), &y].concat();
        // The fixed head of a P-256 SubjectPublicKeyInfo (RFC 5480 §2).
        let head =
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
        let der = [head.as_slice(), &point].concat();
        let base64 = STANDARD.encode(&der);
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &base64[..64], &base64[64..]);
        for alg in ["HS256", "HS384", "HS512", "ES256"] {
            let algorithm = match alg {
                "HS384" => hmac::HMAC_SHA384,
                "HS512" => hmac::HMAC_SHA512,
                _ => hmac::HMAC_SHA256,
            };
            let message = unsigned(&with(&case.header, "alg", &json!(alg)), &case.claims);
            for key in [pem.as_bytes(), pem.trim_end().as_bytes(), &der, &point, jwk.to_string().as_bytes(), b""] {
                let signature = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
                refuse(app, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)), alg).await;
            }
        }
    });
}

/// security.md 46 and 48: a header has its three members and no other, even when the signature is right.
#[test]
fn headers_that_bring_a_key_or_ask_for_more_are_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        let jwk = app.get("/.well-known/jwks.json").await.ok(200)["keys"][0].clone();
        // Nothing may ask this address: it would wait for ever.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", silent.local_addr().unwrap());
        for (name, value) in [
            ("jwk", jwk),
            ("jku", json!(url)),
            ("x5u", json!(url)),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AAAA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("alg", json!(null)),
            ("alg", json!("ES384")),
            ("alg", json!(["ES256"])),
        ] {
            case.refuse_header(name, value).await;
        }
        let both = with(&with(&case.header, "crit", &json!(["b64"])), "b64", &json!(false));
        refuse(app, &case.forge.sign(&both, &case.claims), "RFC 7797").await;
        silent.set_nonblocking(true).unwrap();
        assert!(silent.accept().is_err(), "somebody fetched a key");
        for text in ["", "{}", "[]", "null", "{", "\"x\"", "{\"alg\":\"ES256\"}"] {
            refuse(app, &case.forge.sign_text(text, &case.claims.to_string()), text).await;
        }
    });
}

/// security.md 46: an attacker's own key, brought along in every way that JOSE knows, with a server that would hand it
/// out. Nobody asks that server.
#[test]
fn a_key_that_a_token_brings_is_not_used() {
    test(async |app| {
        let case = Case::new(app).await;
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let theirs = "018f0000-0000-7000-8000-000000000000";
        let kids = [case.header["kid"].clone(), json!(theirs), json!(null)];
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        silent.set_nonblocking(true).unwrap();
        let url = format!("http://{}/jwks.json", silent.local_addr().unwrap());
        let jwk = |kid: &Value| json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y });
        for kid in &kids {
            for (name, value) in [
                ("jwk", jwk(kid)),
                ("jku", json!(url)),
                ("x5u", json!(url)),
                ("x5c", json!([STANDARD.encode(point)])),
                ("iss", json!(url)),
                ("typ", json!("at+jwt")),
            ] {
                let header = with(&with(&case.header, "kid", kid), name, &value);
                let mut claims = case.claims.clone();
                if name == "iss" {
                    // Discovery from the issuer of the token itself.
                    claims["iss"] = json!(url);
                }
                let message = unsigned(&header, &claims);
                let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
                refuse(app, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())), name).await;
            }
        }
        // Whoever meant to ask has had all these requests and one more to do it.
        app.get("/health/ready").await.ok(200);
        let asked = silent.accept().err().map(|error| error.kind());
        assert_eq!(asked, Some(std::io::ErrorKind::WouldBlock), "somebody fetched a key");
    });
}

/// security.md 47.
#[test]
fn a_kid_that_is_not_ours_is_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        let long = "k".repeat(64 * 1024);
        let upper = case.header["kid"].as_str().unwrap().to_uppercase();
        let other = case.claims["jti"].clone();
        for kid in [
            json!("../../dev/null"),
            json!("' or 1=1--"),
            json!(long),
            json!(upper),
            json!(1),
            json!(null),
            json!(""),
            json!([case.header["kid"]]),
            json!({}),
            other,
        ] {
            case.refuse_header("kid", kid).await;
        }
        refuse(app, &case.forge.sign_text("{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":null}", "{}"), "null").await;
    });
}
