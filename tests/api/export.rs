//! `src/account_life`: everything that is held about a person, as one document.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::imports::BCRYPT;
use crate::imports::bring;
use crate::recovery::CONTACT;
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

        let added =
            taro.post("/v1/account/factors", &json!({ "kind": "phone", "phone": "+819012345678" })).await.ok(201);
        let confirm = json!({ "method": "code", "code": app.code_to("+819012345678").await });
        let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
        taro.post(&path, &confirm).await.ok(200);
        taro.post("/v1/account/identifiers", &json!({ "identifier": "taro@example.com" })).await.ok(201);
        app.ignore_messages().await;

        let export = taro.get(EXPORT).await.ok(200);
        assert_eq!(export["unproved_identifiers"][0]["value"], "taro@example.com");
        assert_eq!((&export["id"], &export["status"]), (&taro.tokens["account_id"], &json!("active")));
        assert_eq!((&export["display_name"], &export["locale"]), (&json!("Taro"), &json!("en")));
        assert_eq!(export["identifiers"], taro.get("/v1/account").await.ok(200)["identifiers"]);
        let ids = |factors: &Value| factors.as_array().unwrap().iter().map(|own| own["id"].clone()).collect::<Vec<_>>();
        let factors = taro.get("/v1/account/factors").await.ok(200);
        assert_eq!(ids(&export["factors"]).len(), ids(&factors["items"]).len());
        assert!(ids(&export["factors"]).iter().all(|own| ids(&factors["items"]).contains(own)));
        let numbers: Vec<_> =
            export["factors"].as_array().unwrap().iter().filter_map(|own| own.get("number")).collect();
        assert_eq!(numbers, ["+819012345678"], "the whole number, not a hint of it");
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

/// Recoveries are in it whoever began them, without what a stranger typed; what was imported is, and when it all closes.
#[test]
fn an_export_tells_of_recoveries_and_of_where_the_account_came_from() {
    test(async |app| {
        bring(
            app,
            &[json!({ "external_id": "crm-7", "password_hash": BCRYPT, "legacy_login": "taro77",
            "identifiers": [{ "kind": "email", "value": "taro@example.jp", "verified_at": "2020-01-01T00:00:00Z" }] })],
        )
        .await;
        let flow = app.start_sign_in("taro77", PASSWORD).await.ok(200);
        let id = &flow["identifiers"][0]["id"];
        let send = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": id });
        app.post("/v1/sign-ins/identifier-codes", &send).await.ok(202);
        let code = app.code_to("taro@example.jp").await;
        let prove = json!({ "sign_in_token": flow["sign_in_token"], "code": code });
        let flow = app.post("/v1/sign-ins/identifier", &prove).await.ok(200);
        let factor = app.start_enrolment(&flow).await;
        let tokens = app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        let export = async || app.with_token(tokens["access_token"].as_str().unwrap(), Method::GET, EXPORT, None).await;

        app.recovery("taro@example.jp", &["phone"]).await;
        let held = export().await.ok(200);
        assert_eq!(held["external_id"], "crm-7");
        assert!(held["password_changed_at"].is_string() && held["must_change_password"] == false, "{held:#}");
        let recovery = &held["recoveries"][0];
        assert_eq!((&recovery["state"], &recovery["lost"]), (&json!("waiting"), &json!(["phone"])));
        assert!(recovery["opens_at"].is_string() && !held.to_string().contains(CONTACT), "{held:#}");
        assert!(held.get("closes_at").is_none() && held.get("events_next_cursor").is_none());
        app.ignore_notices().await;
    });
}

/// However often strangers fail at an account, what they did is in the document, or where it says.
#[test]
fn an_export_says_where_the_events_go_on() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let more = "INSERT INTO audit_events (id, at, kind, account_id, request_id, ip, user_agent)
             SELECT gen_random_uuid(), now(), 'sign_in_failed', $1, gen_random_uuid(), '192.0.2.7', '' FROM generate_series(1, 10050)";
        let account: uuid::Uuid = taro.tokens["account_id"].as_str().unwrap().parse().unwrap();
        sqlx::query(more).bind(account).execute(&app.app.db).await.unwrap();
        let total = app.count("SELECT count(*) FROM audit_events WHERE account_id IS NOT NULL").await + 1;
        let export = taro.get(EXPORT).await.ok(200);
        let (shown, mut left) = (export["events"].as_array().unwrap().len(), 0);
        assert_eq!(shown, 10_000);
        let mut next = export["events_next_cursor"].clone();
        while let Some(cursor) = next.as_str() {
            let page = taro.get(&format!("/v1/account/events?limit=100&cursor={cursor}")).await.ok(200);
            left += page["items"].as_array().unwrap().len();
            next = page["next_cursor"].clone();
        }
        assert_eq!(shown + left, usize::try_from(total).unwrap());
    });
}

/// Whatever belongs to an account is in the document, or not in it for a reason.
#[test]
fn every_table_of_accounts_is_in_the_export_or_left_out_for_a_reason() {
    const SHOWN: [&str; 8] = [
        "audit_events",
        "devices",
        "factors",
        "identifiers",
        "pending_changes",
        "pending_identifiers",
        "recoveries",
        "sessions",
    ];
    const OF_WHICH_A_TIME_OR_A_COUNT_IS_SHOWN: [&str; 2] = ["passwords", "recovery_code_sets"];
    // Random handles of passkeys, digests of tokens and when they were sent; and a name that nobody who is signed in has.
    const LEFT_OUT: [&str; 4] = ["cancel_tokens", "legacy_logins", "passkey_users", "recovery_notices"];
    test(async |app| {
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT table_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'account_id' ORDER BY 1",
        )
        .fetch_all(&app.app.db)
        .await
        .unwrap();
        let mut known = [SHOWN.as_slice(), &OF_WHICH_A_TIME_OR_A_COUNT_IS_SHOWN, &LEFT_OUT].concat();
        known.sort_unstable();
        assert_eq!(found, known);
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
