//! `src/account_life`: everything that is held about a person, as one document.

use reqwest::Method;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::test;

const EXPORT: &str = "/v1/account/export";

#[test]
fn an_export_holds_everything_about_its_owner() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        taro.patch("/v1/account", &json!({ "display_name": "Taro" })).await.ok(200);
        let tablet = taro.sign_in().await;
        app.post("/v1/sessions/sign-out", &json!({ "refresh_token": tablet["refresh_token"] })).await.ok(204);

        taro.post("/v1/account/identifiers", &json!({ "identifier": "taro@example.com" })).await.ok(201);
        app.ignore_messages().await;

        let export = taro.get(EXPORT).await.ok(200);
        assert_eq!(export["unproved_identifiers"][0]["value"], "taro@example.com");
        assert_eq!((&export["id"], &export["status"]), (&taro.tokens["account_id"], &json!("active")));
        assert_eq!((&export["display_name"], &export["locale"]), (&json!("Taro"), &json!("en")));
        assert_eq!(export["identifiers"], taro.get("/v1/account").await.ok(200)["identifiers"]);
        let factors = taro.get("/v1/account/factors").await.ok(200);
        for factor in export["factors"].as_array().unwrap() {
            assert!(factors["items"].as_array().unwrap().contains(factor), "{factor}");
        }
        assert_eq!(export["recovery_codes_left"], 10);
        let sessions = export["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), 2, "the ended one too");
        assert_eq!(sessions.iter().filter(|session| session.get("ended_at").is_some()).count(), 1);
        assert_eq!(export["devices"].as_array().unwrap().len(), 2);
        let events = export["events"].as_array().unwrap();
        assert_eq!(events[0]["kind"], "data_exported");
        assert!(events.iter().any(|event| event["kind"] == "account_created"));
        let text = export.to_string();
        assert!(!text.contains("hana") && !text.contains(hana.tokens["account_id"].as_str().unwrap()));
    });
}

/// security.md 81: what opens anything is not in it.
#[test]
fn an_export_holds_no_secret() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let text = taro.get(EXPORT).await.ok(200).to_string();
        let tokens = ["refresh_token", "access_token", "device_token"].map(|name| taro.tokens[name].as_str().unwrap());
        for secret in tokens.into_iter().chain([PASSWORD]).chain(taro.recovery_codes.iter().map(String::as_str)) {
            assert!(!text.contains(secret), "{secret}");
        }
        for word in ["argon2", "secret", "hash", "sealed", "digest", "salt"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    });
}

/// security.md 37: an old session alone exports nothing.
#[test]
fn an_export_needs_a_recent_sign_in_also_of_a_closing_account() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        app.advance(601);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        taro.get(EXPORT).await.refused(401, "insufficient_user_authentication");
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'data_exported'").await, 0);
        let fresh = taro.reauthenticate().await;
        app.with_token(&fresh, Method::GET, EXPORT, None).await.ok(200);
        app.with_token(&fresh, Method::POST, "/v1/account/closure", None).await.ok(202);
        app.message_to("taro@example.jp").await;
        taro.get(EXPORT).await.refused(401, "insufficient_user_authentication");
        let closing = taro.sign_in().await;
        let token = closing["access_token"].as_str().unwrap();
        let export = app.with_token(token, Method::GET, EXPORT, None).await.ok(200);
        assert_eq!(export["status"], "closing");
        app.get(EXPORT).await.refused(401, "access_token_missing");
    });
}
