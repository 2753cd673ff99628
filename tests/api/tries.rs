//! `src/flows/tries.rs`: what a try costs when nobody could look at it, or when its effect failed.

use serde_json::Value;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::support::Answer;
use crate::support::Passkey;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true")];
const TARO: &str = "taro@example.jp";
const OTHER: &str = "taro@example.org";
const PHONE: &str = "+819012345678";

/// Does something as often while nothing can be written to a table: each time a failure of ours.
async fn while_broken(app: &TestApp, (table, times): (&str, u8), act: impl AsyncFn() -> Answer) {
    let sql = async |text: String| _ = sqlx::raw_sql(AssertSqlSafe(text)).execute(&app.app.db).await.unwrap();
    sql(format!(
        "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
         CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION broken();"
    ))
    .await;
    for _ in 0..times {
        let answer = act().await;
        assert!(answer.status >= 500, "{}: {:#}", answer.status, answer.body);
    }
    sql(format!("DROP TRIGGER broken ON {table}")).await;
}

async fn failures(app: &TestApp) -> i64 {
    app.count("SELECT coalesce(sum(count), 0)::bigint FROM failures WHERE lane = 'code'").await
}

/// An identifier that waits for its code: how to prove it, and the code.
async fn wanted(app: &TestApp, person: &Person<'_>) -> (String, Value) {
    let begun = person.post("/v1/account/identifiers", &json!({ "identifier": OTHER })).await.ok(201);
    let path = format!("/v1/account/identifiers/{}/verify", begun["identifier"]["id"].as_str().unwrap());
    (path, json!({ "code": app.code_to(OTHER).await }))
}

/// A claim of a number: its token with a code.
async fn claimed(app: &TestApp) -> impl Fn(&str) -> Value {
    let begun = app.post("/v1/identifier-claims", &json!({ "identifier": PHONE })).await.ok(202);
    move |code| json!({ "claim_token": begun["claim_token"], "code": code })
}

const CLAIM: &str = "/v1/identifier-claims/confirm";

#[test]
fn a_try_at_an_identifier_that_was_not_counted_as_a_failure_was_none() {
    test_with(LIMITED, async |app| {
        let taro = app.person(TARO).await;
        let (path, right) = wanted(app, &taro).await;
        while_broken(app, ("failures", 10), async || taro.post(&path, &right).await).await;
        taro.post(&path, &right).await.ok(200);
        app.ignore_messages().await;
    });
}

/// Of two right answers at once one has an effect, and only that one ends the row.
#[test]
fn a_right_code_of_an_identifier_forgives_once_it_had_its_effect() {
    test_with(LIMITED, async |app| {
        let taro = app.person(TARO).await;
        let (path, right) = wanted(app, &taro).await;
        taro.post(&path, &json!({ "code": "no code" })).await.refused(422, "invalid_code");
        while_broken(app, ("audit_events", 1), async || taro.post(&path, &right).await).await;
        assert_eq!(failures(app).await, 1);
        taro.post(&path, &right).await.ok(200);
        assert_eq!(failures(app).await, 0);
        app.ignore_messages().await;
    });
}

#[test]
fn a_try_at_a_claim_that_was_not_counted_as_a_failure_was_none() {
    test_with(LIMITED, async |app| {
        let with = claimed(app).await;
        let right = with(&app.code_to(PHONE).await);
        while_broken(app, ("failures", 10), async || app.post(CLAIM, &right).await).await;
        app.post(CLAIM, &right).await.ok(200);
    });
}

#[test]
fn a_right_code_of_a_claim_forgives_once_it_had_its_effect() {
    test_with(LIMITED, async |app| {
        let with = claimed(app).await;
        let right = with(&app.code_to(PHONE).await);
        app.post(CLAIM, &with("no code")).await.refused(422, "invalid_code");
        while_broken(app, ("consumed_flows", 1), async || app.post(CLAIM, &right).await).await;
        assert_eq!(failures(app).await, 1);
        app.post(CLAIM, &right).await.ok(200);
        assert_eq!(failures(app).await, 0);
    });
}

#[test]
fn a_first_code_of_a_factor_that_had_no_effect_cost_no_try() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = taro.post("/v1/account/factors", &json!({ "kind": "phone", "phone": PHONE })).await.ok(201);
        let path = format!("/v1/account/factors/{}/confirm", begun["factor_id"].as_str().unwrap());
        let right = json!({ "method": "code", "code": app.code_to(PHONE).await });
        while_broken(app, ("audit_events", 10), async || taro.post(&path, &right).await).await;
        taro.post(&path, &right).await.ok(200);
        app.ignore_messages().await;
    });
}

#[test]
fn a_passkey_that_could_not_sign_in_cost_no_try() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = taro.post("/v1/account/factors", &json!({ "kind": "passkey" })).await.ok(201);
        let path = format!("/v1/account/factors/{}/confirm", begun["factor_id"].as_str().unwrap());
        let (mut passkey, credential) = Passkey::make(&begun["passkey"], &app.url, |claims| claims.count = 0);
        taro.post(&path, &json!({ "method": "passkey", "credential": credential })).await.ok(200);
        app.ignore_messages().await;
        let asked = app.post("/v1/passkey-sign-ins/options", &json!({})).await.ok(200);
        let credential = passkey.answer(&asked["public_key"]);
        let right = json!({ "flow_token": asked["flow_token"], "credential": credential });
        while_broken(app, ("audit_events", 10), async || app.post("/v1/passkey-sign-ins", &right).await).await;
        app.post("/v1/passkey-sign-ins", &right).await.ok(201);
    });
}

/// api.md: a body that does not go with its method is pointed at, and is no try.
#[test]
fn a_confirmation_by_another_method_is_no_try() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begin = async |kind: &str| {
            let begun = taro.post("/v1/account/factors", &json!({ "kind": kind })).await.ok(201);
            format!("/v1/account/factors/{}/confirm", begun["factor_id"].as_str().unwrap())
        };
        let (passkey, totp) = (begin("passkey").await, begin("totp").await);
        let credential = json!({ "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {
            "clientDataJSON": "AAAA", "attestationObject": "AAAA" } });
        for _ in 0..6 {
            let given = json!({ "method": "code", "code": "123456" });
            taro.post(&passkey, &given).await.faults(&["/method not_supported"]);
            let given = json!({ "method": "passkey", "credential": credential });
            taro.post(&totp, &given).await.faults(&["/method not_supported"]);
        }
        let wrong = taro.post(&totp, &json!({ "method": "code", "code": "000000" })).await;
        assert_eq!(wrong.refused(422, "invalid_code")["attempts_left"], 4);
    });
}
