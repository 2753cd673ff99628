//! `src/account_life`: the factors of an account in its owner's hands.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const PHONE: &str = "+819012345678";
const PATH: &str = "/v1/account/factors";

async fn listed(person: &Person<'_>) -> Vec<Value> {
    person.get(PATH).await.ok(200)["items"].as_array().unwrap().clone()
}

async fn confirm(person: &Person<'_>, factor: &Value, code: &str) -> Answer {
    let path = format!("{PATH}/{}/confirm", factor.as_str().unwrap());
    person.post(&path, &json!({ "method": "code", "code": code })).await
}

/// Adds a phone; answers its factor.
async fn add_phone(app: &TestApp, person: &Person<'_>, number: &str) -> Value {
    let begun = person.post(PATH, &json!({ "kind": "phone", "phone": number })).await.ok(201);
    let factor = confirm(person, &begun["factor_id"], &app.code_to(number).await).await.ok(200);
    app.message_to(&person.email).await;
    app.advance(30);
    factor
}

async fn remove(person: &Person<'_>, factor: &Value) -> Answer {
    person.delete(&format!("{PATH}/{}", factor.as_str().unwrap())).await
}

#[test]
fn factors_are_listed_newest_first_with_the_recovery_codes_as_one() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let phone = add_phone(app, &taro, PHONE).await;
        assert_eq!(
            (&phone["kind"], &phone["hint"], &phone["label"]),
            (&json!("phone"), &json!("•••5678"), &json!("Phone"))
        );
        let kinds: Vec<Value> = listed(&taro).await.iter().map(|factor| factor["kind"].clone()).collect();
        assert_eq!(kinds, ["phone", "recovery_code", "totp"]);
        let page = taro.get(&format!("{PATH}?limit=2")).await.ok(200);
        let next = taro.get(&format!("{PATH}?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await.ok(200);
        assert_eq!((page["items"].as_array().unwrap().len(), next["items"][0]["kind"].as_str()), (2, Some("totp")));
        let hana = app.person("hana@example.jp").await;
        assert_eq!(listed(&hana).await.len(), 2);
        assert!(!taro.get(PATH).await.ok(200).to_string().contains(PHONE), "the number is not shown whole");
    });
}

/// A second app can be added, and either of them signs in.
#[test]
fn another_app_is_added_and_confirmed_by_its_first_code() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = taro.post(PATH, &json!({ "kind": "totp", "label": "Tablet" })).await.ok(201);
        let new = Authenticator::new(begun["totp"]["secret"].as_str().unwrap());
        assert_eq!(listed(&taro).await.len(), 2, "what is not confirmed does not count");
        let code = new.code(app.next_step());
        let factor = confirm(&taro, &begun["factor_id"], &code).await.ok(200);
        assert_eq!(factor["label"], "Tablet");
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Tablet"));
        confirm(&taro, &begun["factor_id"], &code).await.refused(404, "not_found");
        let flow = taro.start_sign_in().await;
        assert_eq!(flow["factors"].as_array().unwrap().len(), 3);
        app.advance(30);
        let code = new.code(app.next_step());
        app.second_factor(&flow, &code).await.faults(&["/factor_id required"]);
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "code": code, "factor_id": factor["id"],
        });
        app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
        let kinds = taro.get("/v1/account").await.ok(200)["second_factor_kinds"].clone();
        assert_eq!(kinds, json!(["totp", "recovery_code"]), "each kind once");
    });
}

/// security.md 5: a number that was not proved is no factor of the account.
#[test]
fn a_phone_counts_once_its_code_came_back() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = taro.post(PATH, &json!({ "kind": "phone", "phone": PHONE })).await.ok(201);
        let (factor, old) = (&begun["factor_id"], app.code_to(PHONE).await);
        assert_eq!(listed(&taro).await.len(), 2);
        let flow = taro.start_sign_in().await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.faults(&["/factor_id unknown_id"]);
        let wrong = if old == "000000" { "000001" } else { "000000" };
        for left in (0..5).rev() {
            let problem = confirm(&taro, factor, wrong).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        confirm(&taro, factor, &old).await.refused(429, "too_many_attempts");
        let resend = format!("{PATH}/{}/resend", factor.as_str().unwrap());
        taro.post(&resend, &json!({ "channel": "voice" })).await.refused(429, "rate_limited");
        app.advance(30);
        taro.post(&resend, &json!({ "channel": "email" })).await.faults(&["/channel not_supported"]);
        assert_eq!(taro.post(&resend, &json!({ "channel": "voice" })).await.ok(202)["channel"], "voice");
        let hana = app.person("hana@example.jp").await;
        confirm(&hana, factor, &app.code_to(PHONE).await).await.refused(404, "not_found");
        app.advance(30);
        taro.post(&resend, &json!({ "channel": "sms" })).await.ok(202);
        let code = app.code_to(PHONE).await;
        confirm(&taro, factor, &code).await.ok(200);
        app.message_to(TARO).await;
        taro.post(&resend, &json!({ "channel": "sms" })).await.refused(404, "not_found");
        app.advance(30);
        let again = taro.post(PATH, &json!({ "kind": "phone", "phone": "+81 90 1234 5678" })).await;
        let fault = &again.refused(409, "conflict")["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/phone"), &json!("phone_is_factor")));
    });
}

/// One number is one factor, however many enrolments of it are open.
#[test]
fn of_two_enrolments_of_one_number_one_counts() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let mut open = Vec::new();
        for _ in 0..2 {
            let begun = taro.post(PATH, &json!({ "kind": "phone", "phone": PHONE })).await.ok(201);
            open.push((begun["factor_id"].clone(), app.code_to(PHONE).await));
            app.advance(30);
        }
        let answers = join_all(open.iter().map(|(factor, code)| confirm(&taro, factor, code))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        app.message_to(TARO).await;
    });
}

/// security.md 26 and 36: a removed factor is dead at once, the owner is told, and the last one stays.
#[test]
fn a_removed_factor_is_dead_at_once_and_the_last_one_stays() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let phone = add_phone(app, &taro, PHONE).await;
        let flow = taro.start_sign_in().await;
        let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": phone["id"], "channel": "sms" });
        app.post("/v1/sign-ins/codes", &body).await.ok(202);
        let code = app.code_to(PHONE).await;
        remove(&taro, &phone["id"]).await.ok(204);
        assert!(app.message_to(TARO).await["text"].as_str().unwrap().contains("Phone"));
        app.message_to(PHONE).await;
        let mut given = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": code });
        app.post("/v1/sign-ins/second-factor", &given).await.refused(422, "invalid_code");
        given["factor_id"] = phone["id"].clone();
        app.post("/v1/sign-ins/second-factor", &given).await.faults(&["/factor_id unknown_id"]);
        remove(&taro, &phone["id"]).await.refused(404, "not_found");
        remove(&taro, &json!(taro.factor)).await.refused(409, "last_second_factor");
        let codes = listed(&taro).await.into_iter().find(|factor| factor["kind"] == "recovery_code").unwrap();
        let told = remove(&taro, &codes["id"]).await.refused(409, "conflict");
        assert_eq!(told["reason"], "recovery_codes");
        assert!(told["detail"].as_str().unwrap().contains("new ones"), "{told}");
        let hana = app.person("hana@example.jp").await;
        remove(&hana, &json!(taro.factor)).await.refused(404, "not_found");
        assert_eq!(listed(&taro).await.len(), 2);
    });
}

/// Of the last two factors one stays, however the removals race.
#[test]
fn parallel_removals_leave_one() {
    test(async |app| {
        let taro = app.person(TARO).await;
        for _ in 0..5 {
            let phone = add_phone(app, &taro, PHONE).await;
            let apps = listed(&taro).await.into_iter().filter(|factor| factor["kind"] != "recovery_code");
            let ids: Vec<Value> = apps.map(|factor| factor["id"].clone()).collect();
            assert_eq!(ids.len(), 2);
            let answers = join_all(ids.iter().map(|id| remove(&taro, id))).await;
            let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409]);
            app.message_to(TARO).await;
            app.message_to(PHONE).await;
            assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 1);
            if answers[1].status == 204 && ids[1] == phone["id"] || answers[0].status == 204 && ids[0] == phone["id"] {
                continue;
            }
            break;
        }
    });
}

/// security.md 37: an old session alone neither adds nor removes a factor; naming one it may.
#[test]
fn an_old_session_changes_no_factor() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let phone = add_phone(app, &taro, PHONE).await;
        app.advance(601);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        taro.post(PATH, &json!({ "kind": "totp" })).await.refused(401, "insufficient_user_authentication");
        remove(&taro, &phone["id"]).await.refused(401, "insufficient_user_authentication");
        let path = format!("{PATH}/{}", phone["id"].as_str().unwrap());
        let renamed = taro.patch(&path, &json!({ "label": " 私の携帯 " })).await.ok(200);
        assert_eq!(renamed["label"], "私の携帯");
        let body = json!({
            "method": "code", "password": PASSWORD, "code": app.totp(&taro.factor).await, "factor_id": taro.factor,
        });
        let fresh = taro.post("/v1/reauthentications", &body).await.ok(200);
        let token = fresh["access_token"].as_str().unwrap();
        app.with_token(token, Method::DELETE, &path, None).await.ok(204);
        app.message_to(TARO).await;
        app.message_to(PHONE).await;
    });
}

#[test]
fn a_name_is_changed_by_its_owner_alone() {
    test(async |app| {
        let (taro, hana) = (app.person(TARO).await, app.person("hana@example.jp").await);
        let path = format!("{PATH}/{}", taro.factor);
        taro.patch(&path, &json!({ "label": " " })).await.faults(&["/label required"]);
        taro.patch(&path, &json!({ "label": "x".repeat(101) })).await.faults(&["/label too_long"]);
        hana.patch(&path, &json!({ "label": "mine" })).await.refused(404, "not_found");
        taro.patch(&format!("{PATH}/nonsense"), &json!({ "label": "x" })).await.refused(404, "not_found");
        let codes = listed(&taro).await.into_iter().find(|factor| factor["kind"] == "recovery_code").unwrap();
        let codes = format!("{PATH}/{}", codes["id"].as_str().unwrap());
        let told = taro.patch(&codes, &json!({ "label": "x" })).await.refused(409, "conflict");
        assert_eq!(told["reason"], "recovery_codes");
        assert_eq!(taro.patch(&path, &json!({ "label": "Work phone" })).await.ok(200)["label"], "Work phone");
        assert_eq!(listed(&taro).await[1]["label"], "Work phone");
    });
}

/// security.md 83: every change leaves one row that says what was changed, and from where.
#[test]
fn every_change_is_written_down() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let phone = add_phone(app, &taro, PHONE).await;
        taro.patch(&format!("{PATH}/{}", phone["id"].as_str().unwrap()), &json!({ "label": "x" })).await.ok(200);
        remove(&taro, &phone["id"]).await.ok(204);
        app.message_to(TARO).await;
        app.message_to(PHONE).await;
        for kind in ["factor_enrolled", "factor_renamed", "factor_removed"] {
            let query = "SELECT count(*) FROM audit_events WHERE kind = $1 AND account_id = $2 AND session_id = $3
                         AND detail->>'factor_id' = $4";
            let id = |value: &Value| uuid::Uuid::parse_str(value.as_str().unwrap()).unwrap();
            let rows = sqlx::query_scalar::<_, i64>(query)
                .bind(kind)
                .bind(id(&taro.tokens["account_id"]))
                .bind(id(&taro.tokens["session_id"]))
                .bind(phone["id"].as_str().unwrap())
                .fetch_one(&app.app.db);
            assert_eq!(rows.await.unwrap(), 1, "{kind}");
        }
    });
}
