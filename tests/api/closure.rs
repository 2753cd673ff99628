//! `src/account_life`, `src/accounts`: closing an account, keeping it after all, and its end.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::clock::Clock;
use sekisho::janitor;
use serde_json::Value;
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::claims;
use crate::support::test;

const CLOSURE: &str = "/v1/account/closure";
const DAY: u64 = 86_400;
/// What stays open while an account is closing.
const OPEN: [&str; 3] = ["keep_account", "export_account", "sign_out"];

async fn close(person: &Person<'_>) -> Value {
    person.post(CLOSURE, &json!({})).await.ok(202)
}

fn id(person: &Person<'_>) -> Uuid {
    person.tokens["account_id"].as_str().unwrap().parse().unwrap()
}

/// Calls every operation that takes an access token, but for what stays open; answers how many.
async fn everything_else_is_refused(app: &TestApp, token: &str) -> usize {
    let document = app.get("/openapi.json").await.ok(200);
    let mut called = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let locked = operation["security"].as_array().unwrap().iter().any(|way| way.get("bearer").is_some());
            if !locked || OPEN.contains(&operation["operationId"].as_str().unwrap()) {
                continue;
            }
            let path = path.replace("{id}", "01932c5e-7a10-7000-8000-000000000001");
            let query = if operation["operationId"] == "end_sessions" { "?scope=all" } else { "" };
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = Some(body).filter(|body| body.is_object());
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = app.with_token(token, method, &format!("{path}{query}"), body).await;
            assert_eq!(answer.status, 403, "{path}: {:#}", answer.body);
            answer.refused(403, "account_closed");
            called += 1;
        }
    }
    called
}

/// security.md 60: every token is dead, but that the session which closed it can keep, export and sign out.
#[test]
fn a_closing_account_opens_to_three_things_alone() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let tablet = taro.sign_in().await;
        let closing = close(&taro).await;
        let closes_at: chrono::DateTime<chrono::Utc> = closing["closes_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((closes_at - app.clock.now() + chrono::TimeDelta::minutes(1)).num_days(), 30);
        assert!(app.message_to("taro@example.jp").await["text"].as_str().unwrap().contains("(Asia/Tokyo)"));

        let other = tablet["access_token"].as_str().unwrap();
        app.with_token(other, Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
        app.with_token(other, Method::DELETE, CLOSURE, None).await.refused(401, "session_revoked");
        app.refresh(tablet["refresh_token"].as_str().unwrap()).await.refused(401, "session_revoked");
        assert!(everything_else_is_refused(app, &taro.access()).await > 15);
        app.refresh(&taro.refresh_token()).await.refused(403, "account_closed");
        taro.post(CLOSURE, &json!({})).await.refused(403, "account_closed");

        taro.get("/v1/account/export").await.ok(200);
        app.with_token(&taro.access(), Method::POST, "/v1/sessions/sign-out", None).await.ok(204);
        taro.delete(CLOSURE).await.refused(401, "session_revoked");
        assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 0);
    });
}

/// Whoever thinks better of it signs in and keeps the account; what a closing account is given is for this service alone.
#[test]
fn an_account_can_be_kept_for_thirty_days() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        close(&taro).await;
        app.message_to("taro@example.jp").await;
        app.advance(29 * DAY + 23 * 3600);
        taro.tokens = taro.sign_in().await;
        assert_eq!(taro.tokens["account_status"], "closing");
        assert!(taro.tokens["account_closes_at"].is_string());
        assert_eq!(claims(&taro.access())["aud"], json!([app.url]));
        assert!(everything_else_is_refused(app, &taro.access()).await > 15);
        app.refresh(&taro.refresh_token()).await.refused(403, "account_closed");

        assert!(taro.delete(CLOSURE).await.ok(204).is_null());
        app.message_to("taro@example.jp").await;
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!(account["status"], "active");
        let refreshed = app.refresh(&taro.refresh_token()).await.ok(200);
        assert_eq!(refreshed["account_status"], "active");
        assert!(refreshed.get("account_closes_at").is_none());
        assert_eq!(claims(refreshed["access_token"].as_str().unwrap())["aud"].as_array().unwrap().len(), 3);
        let told = taro.delete(CLOSURE).await.refused(404, "not_found");
        assert_eq!(told["reason"], "not_closing");
        assert!(told["detail"].as_str().unwrap().contains("not closing"), "{told}");
        app.advance(2 * DAY);
        assert_eq!(app.purge().await["closed_accounts"], 0);
        taro.sign_in().await;
        let kinds = "SELECT count(*) FROM audit_events WHERE kind IN ('closure_requested', 'closure_cancelled')";
        assert_eq!(app.count(kinds).await, 2);
    });
}

/// security.md 37: an old session alone closes nothing.
#[test]
fn a_closure_needs_a_recent_sign_in() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        app.advance(601);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        taro.post(CLOSURE, &json!({})).await.refused(401, "insufficient_user_authentication");
        taro.get("/v1/account").await.ok(200);
        let fresh = taro.reauthenticate().await;
        app.with_token(&fresh, Method::POST, CLOSURE, None).await.ok(202);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 20 and 60: after its time a closed account is told to whoever knows the password; once it is purged it is
/// as if it had never been.
#[test]
fn a_closed_account_is_gone_when_its_time_has_come() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        close(&taro).await;
        app.message_to("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", "another phrase").await.refused(401, "invalid_credentials");
        app.advance(30 * DAY - 60);
        taro.tokens = taro.sign_in().await;
        app.advance(61);
        app.start_sign_in("taro@example.jp", "another phrase").await.refused(401, "invalid_credentials");
        app.start_sign_in("taro@example.jp", PASSWORD).await.refused(403, "account_closed");
        for (method, path) in [(Method::GET, "/v1/account"), (Method::DELETE, CLOSURE), (Method::POST, CLOSURE)] {
            app.with_token(&taro.access(), method, path, None).await.refused(403, "account_closed");
        }
        app.refresh(&taro.refresh_token()).await.refused(403, "account_closed");

        assert_eq!(app.purge().await["closed_accounts"], 1);
        app.start_sign_in("taro@example.jp", PASSWORD).await.refused(401, "invalid_credentials");
        taro.delete(CLOSURE).await.refused(401, "session_revoked");
        app.refresh(&taro.refresh_token()).await.refused(401, "refresh_token_invalid");
        assert_eq!(app.purge().await["closed_accounts"], 0);
    });
}

/// Ids remain, in the list of what is gone and in the audit log; nothing that names a person does.
#[test]
fn of_a_purged_account_ids_remain() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        taro.patch("/v1/account", &json!({ "display_name": "Tarotaro" })).await.ok(200);
        taro.sign_in().await;
        taro.post("/v1/account/factors", &json!({ "kind": "totp" })).await.ok(201);
        app.start_sign_in("taro@example.jp", "another phrase").await.refused(401, "invalid_credentials");
        close(&taro).await;
        app.ignore_messages().await;
        app.advance(30 * DAY);
        let purged = app.purge().await;
        assert_eq!((purged["closed_accounts"], purged["erased_accounts"]), (1, 1));

        let tables = "SELECT table_name::text FROM information_schema.columns
                      WHERE table_schema = 'public' AND column_name = 'account_id'";
        for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&app.app.db).await.unwrap() {
            let rows = AssertSqlSafe(format!("SELECT t::text FROM {table} t WHERE account_id = $1"));
            let rows = sqlx::query_scalar::<_, String>(rows).bind(id(&taro)).fetch_all(&app.app.db).await.unwrap();
            assert_eq!(rows.is_empty(), table != "audit_events", "{table}");
            assert!(rows.iter().all(|row| !row.contains("127.0.0.1") && !row.contains("Tarotaro")), "{rows:?}");
        }
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'account_purged'").await, 1);
        let named = "SELECT count(*) FROM audit_events WHERE ip IS NOT NULL AND user_agent IS NOT NULL";
        assert!(app.count(named).await > 0, "Hana's");
        hana.sign_in().await;
    });
}

#[test]
fn whoever_signs_up_with_the_identifier_of_a_purged_account_inherits_nothing() {
    test(async |app| {
        let old = app.person("taro@example.jp").await;
        old.patch("/v1/account", &json!({ "display_name": "Old Taro" })).await.ok(200);
        close(&old).await;
        app.ignore_messages().await;
        app.advance(30 * DAY);
        app.purge().await;
        let new = app.person("taro@example.jp").await;
        assert_ne!(id(&old), id(&new));
        let account = new.get("/v1/account").await.ok(200);
        assert!(account.get("display_name").is_none());
        assert_eq!(account["identifiers"].as_array().unwrap().len(), 1);
        assert_eq!(new.get("/v1/sessions").await.ok(200)["items"].as_array().unwrap().len(), 1);
        let events = new.get("/v1/account/events").await.ok(200);
        assert!(events["items"].as_array().unwrap().iter().all(|event| event["kind"] != "closure_requested"));
        let flow = new.start_sign_in().await;
        app.recovery_code(&flow, &old.recovery_codes[0]).await.refused(422, "invalid_code");
        let text = new.get("/v1/account/export").await.ok(200).to_string();
        assert!(!text.contains(&id(&old).to_string()) && !text.contains("Old Taro"));
    });
}

#[test]
fn the_owner_is_reminded_once_before_the_end() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        close(&taro).await;
        app.message_to("taro@example.jp").await;
        app.advance(26 * DAY);
        assert_eq!(app.purge().await["closure_reminders"], 0);
        app.advance(DAY + 1);
        assert_eq!(app.purge().await["closure_reminders"], 1);
        let reminder = app.message_to("taro@example.jp").await;
        assert!(reminder["subject"].as_str().unwrap().contains("soon"), "{reminder}");
        assert_eq!(app.purge().await["closure_reminders"], 0);
    });
}

#[test]
fn of_many_closures_that_race_one_counts() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({});
        let answers = join_all((0..20).map(|_| taro.post(CLOSURE, &body))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.status == 403).count(), 19);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'closure_requested'").await, 1);
        app.message_to("taro@example.jp").await;
        let answers = join_all((0..20).map(|_| taro.delete(CLOSURE))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'closure_cancelled'").await, 1);
        app.message_to("taro@example.jp").await;
    });
}

/// A replica whose clock is ahead purges while the owner keeps the account: one of both has an effect, wholly.
#[test]
fn of_keeping_and_purging_that_race_exactly_one_has_an_effect() {
    test(async |app| {
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(app.person(&format!("taro{number}@example.jp")).await);
            close(&people[number]).await;
        }
        app.advance(30 * DAY - 240);
        for person in &mut people {
            person.tokens = person.sign_in().await;
        }
        let ahead = Clock::system();
        ahead.advance((app.clock.now() - ahead.now()).to_std().unwrap() + std::time::Duration::from_secs(400));
        let replica = app.replica_by(&ahead);
        let (kept, _) = tokio::join!(join_all(people.iter().map(|person| person.delete(CLOSURE))), async {
            janitor::purge(&replica).await.unwrap()
        });
        let mut lost = 0;
        for (person, kept) in people.iter().zip(kept) {
            let account = person.get("/v1/account").await;
            if kept.status == 204 {
                assert_eq!(account.ok(200)["identifiers"].as_array().unwrap().len(), 1);
            } else {
                assert!([401, 403, 404].contains(&kept.status), "{:#}", kept.body);
                account.refused(401, "session_revoked");
                lost += 1;
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM closed_accounts").await, lost);
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 6 - lost);
        app.ignore_messages().await;
    });
}
