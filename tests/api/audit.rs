//! `src/audit`. What must stand nowhere is looked for in `secrets/mod.rs`.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

/// What was recorded for the request of an answer: kinds in their order, and that each row says who and from where.
async fn recorded(app: &TestApp, answer: &Answer, account: Option<Uuid>) -> Vec<String> {
    let request: Uuid = answer.header("x-request-id").parse().unwrap();
    let rows = sqlx::query_as::<_, (String, Option<Uuid>, String, String, i64)>(
        "SELECT kind, account_id, host(ip), user_agent, extract(epoch FROM at)::bigint FROM audit_events
         WHERE request_id = $1 ORDER BY id",
    );
    let rows = rows.bind(request).fetch_all(&app.app.db).await.unwrap();
    for (kind, owner, ip, agent, at) in &rows {
        assert_eq!((*owner, ip.as_str(), agent.as_str()), (account, "127.0.0.1", "audited"), "{kind}");
        assert!((-1..120).contains(&(app.clock.now().timestamp() - at)), "{kind}: {at}");
    }
    rows.into_iter().map(|(kind, ..)| kind).collect()
}

async fn post(app: &TestApp, token: Option<&str>, path: &str, body: Value) -> Answer {
    let request = app.request(Method::POST, path).header("user-agent", "audited").json(&body);
    let answer = app.send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await;
    assert!(answer.status < 500, "{}", answer.body);
    answer
}

/// What an event of a request says of the factor.
async fn detail(app: &TestApp, answer: &Answer, kind: &str) -> Value {
    let request: Uuid = answer.header("x-request-id").parse().unwrap();
    let row = sqlx::query_scalar("SELECT detail FROM audit_events WHERE request_id = $1 AND kind = $2");
    row.bind(request).bind(kind).fetch_one(&app.app.db).await.unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// security.md 83
#[test]
fn every_act_leaves_one_row_with_who_and_from_where() {
    test(async |app| {
        let email = "taro@example.jp";
        let started = post(app, None, "/v1/sign-ups", json!({ "identifier": email, "password": PASSWORD })).await;
        assert_eq!(recorded(app, &started, None).await, ["sign_up_started"]);
        let code = app.code_to(email).await;
        let body = json!({ "sign_up_token": started.body["sign_up_token"], "code": code });
        let verified = post(app, None, "/v1/sign-ups/verify", body).await;
        let flow = &verified.body;
        let factor = app.start_enrolment(flow).await;
        let code = app.totp(&factor).await;
        let body =
            json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "code", "code": code });
        let enrolled = post(app, None, "/v1/sign-ins/enrolments/confirm", body).await;
        let account = Some(text(&enrolled.body["account_id"]).parse().unwrap());
        assert_eq!(recorded(app, &verified, account).await, ["account_created"]);
        let mut kinds = recorded(app, &enrolled, account).await;
        kinds.sort();
        assert_eq!(kinds, ["factor_enrolled", "signed_in"]);

        let wrong =
            post(app, None, "/v1/sign-ins", json!({ "identifier": email, "password": "not the password" })).await;
        assert_eq!(recorded(app, &wrong, account).await, ["sign_in_failed"]);
        let unknown =
            post(app, None, "/v1/sign-ins", json!({ "identifier": "x@example.jp", "password": PASSWORD })).await;
        assert_eq!(recorded(app, &unknown, None).await, ["sign_in_failed"]);
        let right = post(app, None, "/v1/sign-ins", json!({ "identifier": email, "password": PASSWORD })).await;
        assert_eq!(recorded(app, &right, account).await, ["password_verified"]);
        let second = async |member: &str, method: &str, code: &str| {
            let body = json!({ "sign_in_token": right.body["sign_in_token"], "method": method, member: code });
            post(app, None, "/v1/sign-ins/second-factor", body).await
        };
        let missed = second("code", "code", "000000").await;
        assert_eq!(recorded(app, &missed, account).await, ["second_factor_failed"]);
        assert_eq!(detail(app, &missed, "second_factor_failed").await, json!({ "kind": "totp" }));
        let recovery = text(&enrolled.body["recovery_codes"][0]);
        let opened = second("recovery_code", "recovery_code", recovery).await;
        let mut kinds = recorded(app, &opened, account).await;
        kinds.sort();
        assert_eq!(kinds, ["recovery_code_used", "signed_in"]);
        assert_eq!(detail(app, &opened, "signed_in").await["amr"], json!(["pwd", "otp", "mfa"]));
        app.ignore_messages().await;
    });
}

/// security.md 83, for what a person does inside.
#[test]
fn every_act_of_a_session_leaves_one_row() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let account: Option<Uuid> = Some(text(&person.tokens["account_id"]).parse().unwrap());
        let access = person.access();
        let token = Some(access.as_str());
        let refreshed =
            post(app, None, "/v1/sessions/refresh", json!({ "refresh_token": person.refresh_token() })).await;
        assert_eq!(recorded(app, &refreshed, account).await, Vec::<String>::new());
        let proof = |password: &str, code: &str| json!({ "method": "code", "password": password, "code": code });
        let wrong = post(app, token, "/v1/reauthentications", proof("not the password", "000000")).await;
        assert_eq!(recorded(app, &wrong, account).await, ["reauthentication_failed"]);
        assert_eq!(detail(app, &wrong, "reauthentication_failed").await, json!({ "kind": "password" }));
        let proved = post(app, token, "/v1/reauthentications", proof(PASSWORD, &app.totp(&person.factor).await)).await;
        assert_eq!(recorded(app, &proved, account).await, ["reauthenticated"]);
        assert_eq!(detail(app, &proved, "reauthenticated").await, json!({ "amr": ["pwd", "otp", "mfa"] }));
        let renewed = post(app, token, "/v1/account/recovery-codes", json!({})).await;
        assert_eq!(recorded(app, &renewed, account).await, ["recovery_codes_replaced"]);
        let patch = app.request(Method::PATCH, "/v1/account").bearer_auth(&access).header("user-agent", "audited");
        let changed = app.send(patch.json(&json!({ "display_name": "Taro" }))).await;
        assert_eq!(recorded(app, &changed, account).await, ["profile_changed"]);
        let change = |current: &str| json!({ "current_password": current, "new_password": "tidal mango ledger vowel" });
        let wrong = post(app, token, "/v1/account/password", change("not the password")).await;
        assert_eq!(recorded(app, &wrong, account).await, ["password_change_failed"]);
        let replaced = post(app, token, "/v1/account/password", change(PASSWORD)).await;
        assert_eq!(recorded(app, &replaced, account).await, ["password_changed"]);
        let ended = post(app, token, "/v1/sessions/sign-out", json!({})).await;
        assert_eq!(ended.status, 204);
        assert_eq!(recorded(app, &ended, account).await, ["session_ended"]);
        app.ignore_messages().await;
    });
}

/// security.md 83: a reset names its identifier and the way that it took, and every session that it ended.
#[test]
fn every_step_of_a_reset_leaves_one_row() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let account: Option<Uuid> = Some(text(&person.tokens["account_id"]).parse().unwrap());
        let asked = post(app, None, "/v1/password-resets", json!({ "identifier": "taro@example.jp" })).await;
        assert_eq!(recorded(app, &asked, None).await, ["password_reset_requested"]);
        let code = app.code_to("taro@example.jp").await;
        let token = &asked.body["password_reset_token"];
        let body = |code: &str| json!({ "method": "code", "password_reset_token": token, "code": code, "new_password": "tidal mango ledger vowel" });
        let wrong =
            post(app, None, "/v1/password-resets/confirm", body(if code == "00000000" { "1" } else { "00000000" }))
                .await;
        assert_eq!(recorded(app, &wrong, account).await, ["password_reset_failed"]);
        let done = post(app, None, "/v1/password-resets/confirm", body(&code)).await;
        assert_eq!(done.status, 204);
        let mut kinds = recorded(app, &done, account).await;
        kinds.sort();
        assert_eq!(kinds, ["password_reset", "session_ended"]);
        assert_eq!(detail(app, &done, "session_ended").await, json!({ "reason": "password_reset" }));
        assert_eq!(detail(app, &done, "password_reset").await["method"], "code");
        app.ignore_messages().await;
    });
}
