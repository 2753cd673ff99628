//! `src/sessions`: no more than a hundred of one account, and the end of all of them.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::passwords::NEW;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::count_statements;
use crate::support::test;

const LIVING: &str = "SELECT count(*) FROM sessions WHERE revoked_at IS NULL";
const TOO_MANY: &str =
    "SELECT count(*) FROM audit_events WHERE kind = 'session_ended' AND detail ->> 'reason' = 'too_many'";

/// Copies of the newest session, used now.
async fn copy(app: &TestApp, count: i32) {
    let copies = "INSERT INTO sessions (id, account_id, client_id, amr, secret_hash, rotated_at, created_at, auth_time, last_used_at,
             idle_expires_at, expires_at, ip, user_agent)
         SELECT gen_random_uuid(), account_id, client_id, amr, secret_hash, rotated_at, created_at, auth_time, $2,
             idle_expires_at, expires_at, ip, user_agent
         FROM (SELECT * FROM sessions ORDER BY id DESC LIMIT 1) AS newest, generate_series(1, $1)";
    sqlx::query(copies).bind(count).bind(app.clock.now()).execute(&app.app.db).await.unwrap();
}

async fn account(app: &TestApp, tokens: &Value) -> Answer {
    app.with_token(tokens["access_token"].as_str().unwrap(), Method::GET, "/v1/account", None).await
}

/// The hundred-and-first ends the one that was used longest ago, whenever that was opened.
#[test]
fn one_session_too_many_ends_the_one_that_was_used_longest_ago() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let tablet = taro.sign_in().await;
        app.advance(60);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        copy(app, 98).await;
        account(app, &tablet).await.ok(200);
        taro.sign_in().await;
        account(app, &tablet).await.refused(401, "session_revoked");
        app.refresh(tablet["refresh_token"].as_str().unwrap()).await.refused(401, "session_revoked");
        account(app, &taro.tokens).await.ok(200);
        assert_eq!((app.count(LIVING).await, app.count(TOO_MANY).await), (100, 1));
    });
}

#[test]
fn what_has_run_out_makes_room_first() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        copy(app, 99).await;
        let expired = "UPDATE sessions SET idle_expires_at = $1, last_used_at = $1
                       WHERE id = (SELECT id FROM sessions ORDER BY last_used_at DESC LIMIT 1)";
        sqlx::query(expired).bind(app.clock.now()).execute(&app.app.db).await.unwrap();
        app.advance(1);
        taro.sign_in().await;
        account(app, &taro.tokens).await.ok(200);
        let ended = "SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL AND idle_expires_at <= revoked_at";
        assert_eq!((app.count(LIVING).await, app.count(ended).await), (100, 1));
    });
}

/// All of them end with as much as one would.
#[test]
fn a_reset_ends_a_hundred_sessions_in_one_statement() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        copy(app, 99).await;
        let (token, ..) = app.reset_message(&taro.email).await;
        count_statements(&app.app.db, "sessions", "UPDATE OF revoked_at").await;
        count_statements(&app.app.db, "audit_events", "INSERT").await;
        app.reset_by_link(&token, NEW).await.ok(204);
        app.message_to(&taro.email).await;
        account(app, &taro.tokens).await.refused(401, "session_revoked");
        let ended = "SELECT count(DISTINCT session_id) FROM audit_events WHERE kind = 'session_ended'
                     AND account_id IS NOT NULL AND detail ->> 'reason' = 'password_reset'";
        assert_eq!((app.count(LIVING).await, app.count(ended).await), (0, 100));
        let sessions = app.count("SELECT count(*) FROM statements WHERE on_table = 'sessions'").await;
        let events = app.count("SELECT count(*) FROM statements WHERE on_table = 'audit_events'").await;
        assert_eq!((sessions, events), (1, 2), "the reset has an event of its own");
    });
}

/// So do all when their owner ends them, but for the one in which that was asked for.
#[test]
fn the_others_end_together() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        copy(app, 99).await;
        count_statements(&app.app.db, "audit_events", "INSERT").await;
        taro.delete("/v1/sessions?scope=others").await.ok(204);
        assert_eq!((app.count(LIVING).await, app.count("SELECT count(*) FROM statements").await), (1, 1));
        let page = taro.get("/v1/account/events?limit=100").await.ok(200);
        let ended = page["items"].as_array().unwrap().iter().filter(|event| event["kind"] == json!("session_ended"));
        assert_eq!(ended.count(), 99);
    });
}
