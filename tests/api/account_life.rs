//! `src/account_life`.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::test;

const CODES: &str = "/v1/account/recovery-codes";

/// Every endpoint of the account.
const ENDPOINTS: [(Method, &str); 4] =
    [(Method::GET, "/v1/account"), (Method::PATCH, "/v1/account"), (Method::GET, CODES), (Method::POST, CODES)];

#[test]
fn a_person_sees_their_account() {
    test(async |app| {
        let taro = app.person("Taro@Example.jp").await;
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!((&account["id"], &account["status"]), (&taro.tokens["account_id"], &json!("active")));
        assert_eq!(account["second_factor_kinds"], json!(["totp", "recovery_code"]));
        assert_eq!((&account["locale"], &account["time_zone"]), (&json!("en"), &json!("Asia/Tokyo")));
        assert!(account.get("display_name").is_none());
        for empty in ["roles", "pending_changes", "mergeable"] {
            assert_eq!(account[empty], json!([]), "{empty}");
        }
        let identifiers = account["identifiers"].as_array().unwrap();
        assert_eq!(identifiers.len(), 1);
        assert_eq!((&identifiers[0]["kind"], &identifiers[0]["primary"]), (&json!("email"), &json!(true)));
        assert!(identifiers[0]["value"].as_str().unwrap().eq_ignore_ascii_case("taro@example.jp"));
    });
}

#[test]
fn a_change_changes_what_it_names_and_keeps_the_rest() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({ "display_name": " 太郎 ", "time_zone": "Europe/London" });
        let changed = taro.patch("/v1/account", &body).await.ok(200);
        assert_eq!((&changed["display_name"], &changed["time_zone"]), (&json!("太郎"), &json!("Europe/London")));
        assert_eq!(taro.patch("/v1/account", &json!({})).await.ok(200), changed);
        let body = json!({ "locale": "en", "time_zone": "Asia/Tokyo" });
        taro.patch("/v1/account", &body).await.ok(200);
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!((&account["display_name"], &account["time_zone"]), (&json!("太郎"), &json!("Asia/Tokyo")));
        let nameless = taro.patch("/v1/account", &json!({ "display_name": "" })).await.ok(200);
        assert!(nameless.get("display_name").is_none(), "an empty name goes");
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'profile_changed'").await, 4);
    });
}

#[test]
fn a_change_that_is_faulty_changes_nothing() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let before = taro.get("/v1/account").await.ok(200);
        let body = json!({ "display_name": "太".repeat(101), "locale": "xx", "time_zone": "Asia/Edo" });
        let faults = ["/display_name too_long", "/locale unsupported_locale", "/time_zone unknown_time_zone"];
        taro.patch("/v1/account", &body).await.faults(&faults);
        for (body, fault) in [
            (json!({ "display_name": " ", "time_zone": "Europe/London" }), "/display_name required"),
            (json!({ "display_name": "ta\u{202E}ro" }), "/display_name invalid_characters"),
            (json!({ "locale": "EN" }), "/locale unsupported_locale"),
            (json!({ "locale": "" }), "/locale unsupported_locale"),
            (json!({ "time_zone": "" }), "/time_zone unknown_time_zone"),
            (json!({ "time_zone": "../../etc/passwd" }), "/time_zone unknown_time_zone"),
        ] {
            taro.patch("/v1/account", &body).await.faults(&[fault]);
        }
        taro.patch("/v1/account", &json!({ "display_name": null })).await.refused(400, "malformed_request");
        taro.patch("/v1/account", &json!({ "display_name": 5 })).await.refused(400, "malformed_request");
        assert_eq!(taro.get("/v1/account").await.ok(200), before);
    });
}

/// security.md 8: nobody makes themselves what they are not.
#[test]
fn members_that_are_not_the_owners_to_change_are_refused() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let before = taro.get("/v1/account").await.ok(200);
        for (member, value) in [
            ("role", json!("admin")),
            ("roles", json!(["admin"])),
            ("is_admin", json!(true)),
            ("email_verified", json!(true)),
            ("id", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            ("status", json!("active")),
            ("created_at", json!("2020-01-01T00:00:00Z")),
            ("identifiers", json!([])),
            ("second_factor_kinds", json!([])),
        ] {
            let body = Value::Object([(member.to_owned(), value)].into_iter().collect());
            taro.patch("/v1/account", &body).await.refused(400, "unsupported_field");
        }
        assert_eq!(taro.get("/v1/account").await.ok(200), before);
    });
}

#[test]
fn new_recovery_codes_void_the_old_ones_and_their_owner_is_told() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.recovery_code(&taro.start_sign_in().await, &taro.recovery_codes[0]).await.ok(201);
        app.message_to("taro@example.jp").await;
        assert_eq!(taro.get(CODES).await.ok(200), json!({ "remaining": 9 }));
        let shown = app.with_token(&taro.access(), Method::POST, CODES, None).await.ok(201);
        let notice = app.message_to("taro@example.jp").await;
        assert!(notice.get("code").is_none(), "{notice}");
        let new: BTreeSet<_> =
            shown["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        assert_eq!(new.len(), 10);
        assert!(taro.recovery_codes.iter().all(|old| !new.contains(old.as_str())));
        assert_eq!(taro.get(CODES).await.ok(200), json!({ "remaining": 10 }));
        let flow = taro.start_sign_in().await;
        for old in &taro.recovery_codes[..2] {
            app.recovery_code(&flow, old).await.refused(422, "invalid_code");
        }
        app.recovery_code(&flow, new.first().unwrap()).await.ok(201);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 37: ten minutes after the sign-in it takes a re-authentication.
#[test]
fn new_recovery_codes_need_a_recent_sign_in() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        app.advance(590);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        app.with_token(&taro.access(), Method::POST, CODES, None).await.ok(201);
        app.message_to("taro@example.jp").await;
        app.advance(12);
        let refused = app.with_token(&taro.access(), Method::POST, CODES, None).await;
        refused.refused(401, "insufficient_user_authentication");
        let fresh = taro.reauthenticate().await;
        app.with_token(&fresh, Method::POST, CODES, None).await.ok(201);
        app.message_to("taro@example.jp").await;
    });
}

/// However many renewals race, the account has ten codes, those of one answer.
#[test]
fn racing_renewals_leave_one_set_of_codes() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let token = taro.access();
        let answers = join_all((0..10).map(|_| app.with_token(&token, Method::POST, CODES, None))).await;
        let sets: Vec<Value> = answers.into_iter().map(|answer| answer.ok(201)).collect();
        assert_eq!(taro.get(CODES).await.ok(200), json!({ "remaining": 10 }));
        let mut opened = 0;
        for set in &sets {
            let code = set["recovery_codes"][0].as_str().unwrap();
            opened += u32::from(app.recovery_code(&taro.start_sign_in().await, code).await.status == 201);
        }
        assert_eq!(opened, 1);
        app.ignore_messages().await;
    });
}

/// security.md 50 and 59: only the access token of a living session, meant for this service, opens the account.
#[test]
fn the_account_opens_to_a_living_session_alone() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({ "refresh_token": taro.refresh_token(), "audience": "https://orders.example.com" });
        let narrowed = app.post("/v1/sessions/refresh", &body).await.ok(200);
        let other = taro.sign_in().await;
        let dead = other["access_token"].as_str().unwrap();
        app.post("/v1/sessions/sign-out", &json!({ "refresh_token": other["refresh_token"] })).await.ok(204);
        for (method, path) in ENDPOINTS {
            let body = (method == Method::PATCH).then(|| json!({}));
            let call = async |token: &str| app.with_token(token, method.clone(), path, body.as_ref()).await;
            call(narrowed["access_token"].as_str().unwrap()).await.refused(401, "access_token_invalid");
            call(dead).await.refused(401, "session_revoked");
            call(&taro.refresh_token()).await.refused(401, "access_token_invalid");
        }
        app.advance(306);
        for (method, path) in ENDPOINTS {
            let body = (method == Method::PATCH).then(|| json!({}));
            let answer = app.with_token(&taro.access(), method, path, body.as_ref()).await;
            answer.refused(401, "access_token_expired");
        }
    });
}
