//! `src/sessions`: what a request began in a session that ends meanwhile.

use futures_util::future::join;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";

/// Sends a request that waits for the account, ends every session of it meanwhile, and answers what became of the request.
async fn ended_meanwhile(
    app: &TestApp,
    person: &Person<'_>,
    (method, path, body): (Method, &str, Option<&Value>),
) -> Answer {
    let account: uuid::Uuid = person.tokens["account_id"].as_str().unwrap().parse().unwrap();
    let mut reset = app.app.db.begin().await.unwrap();
    let lock = "SELECT id FROM accounts WHERE id = $1 FOR UPDATE";
    sqlx::query(lock).bind(account).execute(&mut *reset).await.unwrap();
    let ending = async {
        app.poll("a request that waits", async || {
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            (app.count(waiting).await == 1).then_some(())
        })
        .await;
        let end = "UPDATE sessions SET revoked_at = now(), revoked_reason = 'password_reset' WHERE account_id = $1";
        sqlx::query(end).bind(account).execute(&mut *reset).await.unwrap();
        reset.commit().await.unwrap();
    };
    join(app.with_token(&person.access(), method, path, body), ending).await.0
}

/// design.md §5.1: nothing of a session happens after what has ended it, however long its request was under way.
#[test]
fn a_session_that_ends_while_a_request_waits_does_nothing_more() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let mut refused = async |method: Method, path: &str, body: Value| {
            taro.tokens = taro.sign_in().await;
            let body = (!body.is_null()).then_some(&body);
            ended_meanwhile(app, &taro, (method, path, body)).await.refused(401, "session_revoked");
        };
        refused(Method::PATCH, "/v1/account", json!({ "display_name": "Thief" })).await;
        refused(Method::POST, "/v1/account/closure", Value::Null).await;
        refused(Method::POST, "/v1/account/recovery-codes", Value::Null).await;
        refused(Method::POST, "/v1/account/identifiers", json!({ "identifier": "thief@example.net" })).await;
        refused(Method::DELETE, "/v1/sessions?scope=all", Value::Null).await;
        refused(Method::POST, "/v1/account/factors", json!({ "kind": "totp" })).await;
        let change = json!({ "current_password": PASSWORD, "new_password": "tidal mango ledger vowel" });
        refused(Method::POST, "/v1/account/password", change).await;

        taro.tokens = taro.sign_in().await;
        let path = format!("/v1/sessions/{}", taro.tokens["session_id"].as_str().unwrap());
        let named = json!({ "label": "Thief" });
        ended_meanwhile(app, &taro, (Method::PATCH, &path, Some(&named))).await.refused(401, "session_revoked");

        taro.tokens = taro.sign_in().await;
        let added = taro.post("/v1/account/identifiers", &json!({ "identifier": "taro@example.com" })).await.ok(201);
        app.code_to("taro@example.com").await;
        let path = format!("/v1/account/identifiers/{}/resend", added["identifier"]["id"].as_str().unwrap());
        ended_meanwhile(app, &taro, (Method::POST, &path, None)).await.refused(401, "session_revoked");

        taro.tokens = taro.sign_in().await;
        let own = taro.get("/v1/account/identifiers").await.ok(200)["items"][0]["id"].clone();
        let path = format!("/v1/account/identifiers/{}", own.as_str().unwrap());
        ended_meanwhile(app, &taro, (Method::DELETE, &path, None)).await.refused(401, "session_revoked");

        taro.tokens = taro.sign_in().await;
        let begun = taro.post("/v1/account/factors", &json!({ "kind": "totp" })).await.ok(201);
        let path = format!("/v1/account/factors/{}/confirm", begun["factor_id"].as_str().unwrap());
        let code = app.totp(begun["factor_id"].as_str().unwrap()).await;
        let confirm = json!({ "method": "code", "code": code });
        ended_meanwhile(app, &taro, (Method::POST, &path, Some(&confirm))).await.refused(401, "session_revoked");

        taro.tokens = taro.sign_in().await;
        let path = format!("/v1/account/factors/{}", taro.factor);
        ended_meanwhile(app, &taro, (Method::DELETE, &path, None)).await.refused(401, "session_revoked");
        taro.tokens = taro.sign_in().await;
        let again = json!({ "method": "code", "password": PASSWORD, "code": app.totp(&taro.factor).await });
        ended_meanwhile(app, &taro, (Method::POST, "/v1/reauthentications", Some(&again)))
            .await
            .refused(401, "session_revoked");

        let hana = app.person("hana@example.jp").await;
        taro.tokens = taro.sign_in().await;
        let merge = json!({ "other_access_token": hana.access(), "dry_run": false });
        let merged = ended_meanwhile(app, &taro, (Method::POST, "/v1/account/merges", Some(&merge))).await;
        merged.refused(401, "session_revoked");
        taro.tokens = taro.sign_in().await;
        assert_eq!(taro.get("/v1/account").await.ok(200)["identifiers"].as_array().unwrap().len(), 1);
        app.ignore_messages().await;
    });
}
