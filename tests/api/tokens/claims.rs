//! Rightly signed tokens that say the wrong thing.

use serde_json::json;

use super::Case;
use super::open;
use super::refuse;
use super::with;
use crate::support::test;

const DAY: i64 = 24 * 60 * 60;

/// security.md 49 and 50: every claim is of its type, and `typ` is ours.
#[test]
fn claims_that_are_missing_or_of_another_type_are_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        let exp = case.claims["exp"].as_i64().unwrap();
        for name in ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "sid", "auth_time", "amr", "roles"] {
            case.refuse_claim(name, json!(null)).await;
            case.refuse_claim(name, json!({})).await;
        }
        for (name, value) in [
            ("exp", json!(exp.to_string())),
            ("exp", json!(1.5)),
            ("exp", json!(true)),
            ("nbf", json!(exp + DAY)),
            ("iat", json!(exp + DAY)),
            ("sub", json!("' or 1=1--")),
        ] {
            case.refuse_claim(name, value).await;
        }
        let huge = case.claims.to_string().replace(&format!("\"exp\":{exp}"), "\"exp\":1e400");
        assert!(huge.contains("1e400"));
        refuse(app, &case.forge.sign_text(&case.header.to_string(), &huge), "1e400").await;
        for typ in ["JWT", "at+JWT", "application/at+jwt", "rt+jwt", ""] {
            case.refuse_header("typ", json!(typ)).await;
        }
        case.refuse_header("typ", json!(null)).await;
    });
}

/// security.md 51: issuer and audience are compared whole.
#[test]
fn a_token_of_another_issuer_or_for_another_service_is_refused() {
    test(async |app| {
        let case = Case::new(app).await;
        let url = app.url.as_str();
        for iss in ["", "https://evil.example", &format!("{url}/"), &format!("{url}.evil.example"), &url.to_uppercase()]
        {
            case.refuse_claim("iss", json!(iss)).await;
        }
        for aud in [
            json!([]),
            json!(url),
            json!(["https://orders.example.com"]),
            json!([format!("{url}/")]),
            json!([&url[..url.len() - 1]]),
            json!([format!("{url} https://evil.example")]),
        ] {
            case.refuse_claim("aud", aud).await;
        }
        let more = with(&case.claims, "aud", &json!(["https://x.example", url]));
        open(app, &case.forge.sign(&case.header, &more)).await.ok(200);
    });
}

/// A right signature does not make a session: it must be there, alive, and of this account.
#[test]
fn a_token_without_its_session_opens_nothing() {
    test(async |app| {
        let case = Case::new(app).await;
        let hana = app.person("hana@example.jp").await;
        for (name, value) in [
            ("sid", case.claims["jti"].clone()),
            ("sid", hana.tokens["session_id"].clone()),
            ("sub", case.claims["jti"].clone()),
            ("sub", hana.tokens["account_id"].clone()),
        ] {
            let token = case.forge.sign(&case.header, &with(&case.claims, name, &value));
            open(app, &token).await.refused(401, "session_revoked");
        }
    });
}

/// security.md 49: by our clock, with a leeway of five seconds and no more.
#[test]
fn a_token_expires_five_seconds_after_its_time() {
    test(async |app| {
        let case = Case::new(app).await;
        let now = app.clock.now().timestamp();
        for (exp, good) in [(now - 3, true), (now - 6, false), (now - DAY, false)] {
            let answer = open(app, &case.forge.sign(&case.header, &with(&case.claims, "exp", &json!(exp)))).await;
            if good {
                answer.ok(200);
            } else {
                answer.refused(401, "access_token_expired");
            }
        }
        app.advance(303);
        open(app, &case.token).await.ok(200);
        app.advance(3);
        open(app, &case.token).await.refused(401, "access_token_expired");
    });
}
