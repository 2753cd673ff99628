//! What is not reset, and how little is said about it.

use serde_json::Value;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use super::PHONE;
use super::other_than;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];

/// Without what is random in it.
fn shape(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("request_id");
        members.remove("password_reset_token");
    }
    answer
}

/// security.md 65: nobody, and somebody: the same answer, and the same refusals of codes until the end.
#[test]
fn who_has_an_account_is_not_told() {
    test(async |app| {
        app.person(EMAIL).await;
        let mut asked = Vec::new();
        for identifier in [EMAIL, "nobody@example.jp"] {
            let answer = app.post("/v1/password-resets", &json!({ "identifier": identifier })).await.ok(202);
            let hint = answer["delivery"]["destination_hint"].clone();
            asked.push((answer["password_reset_token"].as_str().unwrap().to_owned(), hint, shape(answer)));
        }
        let known_code = app.code_to(EMAIL).await;
        let mut first = asked[0].2.clone();
        first["delivery"]["destination_hint"] = asked[1].1.clone();
        assert_eq!(first, asked[1].2);
        for _ in 0..6 {
            let known = app.reset_by_code(&asked[0].0, other_than(&known_code), NEW).await;
            let unknown = app.reset_by_code(&asked[1].0, other_than(&known_code), NEW).await;
            assert_eq!((known.status, shape(known.body)), (unknown.status, shape(unknown.body)));
        }
        app.advance(601);
        for (token, ..) in &asked {
            app.reset_by_code(token, "12345678", NEW).await.refused(410, "reset_token_invalid");
        }
        assert_eq!(app.count("SELECT count(*) FROM development_inbox WHERE lookup_key LIKE 'nobody%'").await, 0);
    });
}

/// Not even every code there is opens a request that went to nobody.
#[test]
fn no_code_of_a_request_for_nobody_is_right() {
    test(async |app| {
        let asked = app.ask_for_reset("nobody@example.jp").await;
        app.poll("the worker", async || {
            let waiting = app.count("SELECT count(*) FROM outbox WHERE state = 'queued'").await;
            (waiting == 0).then_some(())
        })
        .await;
        assert_eq!(app.count("SELECT count(*) FROM outbox WHERE state = 'dropped'").await, 1);
        app.reset_by_code(&asked, "12345678", NEW).await.refused(422, "invalid_code");
        // The address becomes somebody's: the old request stays nobody's.
        app.person("nobody@example.jp").await;
        app.reset_by_code(&asked, "12345678", NEW).await.refused(422, "invalid_code");
    });
}

async fn sent(app: &TestApp) -> i64 {
    app.poll("the worker", async || {
        let waiting = app.count("SELECT count(*) FROM outbox WHERE state = 'queued'").await;
        (waiting == 0).then_some(())
    })
    .await;
    app.count("SELECT count(*) FROM outbox WHERE kind = 'password_reset' AND state = 'sent'").await
}

/// security.md 69: beyond its limit a recipient gets nothing more, and nobody is told; what was sent before stays good, and
/// the owner signs in as before.
#[test]
fn a_recipient_gets_so_many_messages_and_nobody_is_told_of_the_end() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let taro = app.person(EMAIL).await;
        let mut shapes = Vec::new();
        let mut newest = (String::new(), String::new());
        // Half of ten, for one network.
        for nth in 1..=20 {
            let answer = app.post("/v1/password-resets", &json!({ "identifier": EMAIL })).await.ok(202);
            if nth <= 5 {
                newest = (answer["password_reset_token"].as_str().unwrap().to_owned(), app.code_to(EMAIL).await);
            }
            shapes.push(shape(answer));
        }
        assert!(shapes.iter().all(|other| other == &shapes[0]));
        assert_eq!(sent(app).await, 5);
        // What was not sent leaves nothing behind.
        for rows in [
            "SELECT count(*) FROM outbox WHERE kind = 'password_reset'",
            "SELECT count(*) FROM audit_events WHERE kind = 'password_reset_requested'",
        ] {
            assert_eq!(app.count(rows).await, 5, "{rows}");
        }
        taro.sign_in().await;
        app.refresh(&taro.refresh_token()).await.ok(200);
        app.reset_by_code(&newest.0, &newest.1, NEW).await.ok(204);
        app.ignore_messages().await;
    });
}

/// security.md 69: requests and wrong codes of strangers close nothing, not even the code of the owner's next request.
#[test]
fn wrong_codes_of_resets_close_nothing() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        for _ in 0..21 {
            app.advance(720);
            let (_, asked, code) = app.reset_message(EMAIL).await;
            for _ in 0..5 {
                app.reset_by_code(&asked, other_than(&code), NEW).await.refused(422, "invalid_code");
            }
            app.reset_by_code(&asked, &code, NEW).await.refused(429, "too_many_attempts");
        }
        assert_eq!(app.count("SELECT count(*) FROM failures").await, 0);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'password_reset_failed'").await, 105);
        taro.sign_in().await;
        app.advance(720);
        let (_, asked, code) = app.reset_message(EMAIL).await;
        app.reset_by_code(&asked, &code, NEW).await.ok(204);
        app.message_to(EMAIL).await;
    });
}

/// security.md 65: of requests that were sent and of those that were not, for somebody and for nobody, every wrong code is
/// answered alike, however many there are.
#[test]
fn no_number_of_wrong_codes_tells_who_has_an_account() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        let mut told = Vec::new();
        for identifier in [EMAIL, "nobody@example.jp"] {
            let mut answers = Vec::new();
            for network in 1..=31 {
                let post = async |path: &str, body: &Value| {
                    let request = app.request(reqwest::Method::POST, path);
                    app.send(request.header("x-forwarded-for", format!("203.0.113.{network}")).json(body)).await
                };
                let asked = post("/v1/password-resets", &json!({ "identifier": identifier })).await.ok(202);
                let guess = json!({
                    "method": "code", "code": "no code", "new_password": NEW,
                    "password_reset_token": asked["password_reset_token"],
                });
                for _ in 0..5 {
                    answers.push(shape(post("/v1/password-resets/confirm", &guess).await.refused(422, "invalid_code")));
                }
            }
            told.push(answers);
        }
        assert_eq!(told[0], told[1]);
        app.ignore_messages().await;
    });
}

/// security.md 22: who was locked out by strangers comes back by a reset; the count of wrong second factors stays.
#[test]
fn a_reset_opens_the_lane_of_the_password_and_no_other() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, "000000").await.refused(422, "invalid_code");
        for network in 0..100 {
            let from = format!("203.0.113.{network}");
            let body = json!({ "identifier": EMAIL, "password": "another horse battery" });
            let request = app.request(reqwest::Method::POST, "/v1/sign-ins").header("x-forwarded-for", from);
            app.send(request.json(&body)).await.refused(401, "invalid_credentials");
        }
        app.ignore_messages().await;
        app.start_sign_in(EMAIL, PASSWORD).await.refused(429, "too_many_attempts");
        let (link, ..) = app.reset_message(EMAIL).await;
        app.reset_by_link(&link, NEW).await.ok(204);
        app.message_to(EMAIL).await;
        app.start_sign_in(EMAIL, NEW).await.ok(200);
        assert_eq!(app.count("SELECT count::bigint FROM failures WHERE lane = 'code'").await, 1);
    });
}

/// Adds an identifier and proves it. Everything that is said about it is read.
async fn add(app: &TestApp, person: &Person<'_>, identifier: &str) {
    let added = person.post("/v1/account/identifiers", &json!({ "identifier": identifier })).await.ok(201);
    let path = format!("/v1/account/identifiers/{}/verify", added["identifier"]["id"].as_str().unwrap());
    let code = app.code_to(identifier).await;
    person.post(&path, &json!({ "code": code })).await.ok(200);
    app.ignore_messages().await;
}

/// security.md 66: what is new to an account carries no reset for 72 hours, and its owner learns why; and a reset that was
/// sent before it came is void.
#[test]
fn a_new_identifier_carries_no_reset_for_three_days() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let (old, ..) = app.reset_message(EMAIL).await;
        add(app, &taro, "new@example.jp").await;
        app.reset_by_link(&old, NEW).await.refused(410, "reset_token_invalid");
        let asked = app.ask_for_reset("new@example.jp").await;
        let told = app.message_to("new@example.jp").await;
        assert!(told.get("code").is_none() && told.get("link").is_none(), "{told}");
        assert!(told["subject"].as_str().unwrap().contains("cannot be reset here yet"));
        app.reset_by_code(&asked, "12345678", NEW).await.refused(422, "invalid_code");
        app.advance(72 * 3600 + 1);
        let (link, ..) = app.reset_message("new@example.jp").await;
        app.reset_by_link(&link, NEW).await.ok(204);
        for address in [EMAIL, "new@example.jp"] {
            assert!(
                app.message_to(address).await["subject"].as_str().unwrap().contains("was reset"),
                "told everywhere"
            );
        }
    });
}

/// security.md 66: a reset ends with the identifier that it went to.
#[test]
fn a_reset_dies_with_the_identifier_that_it_went_to() {
    test(async |app| {
        app.person(EMAIL).await;
        let (link, asked, code) = app.reset_message(EMAIL).await;
        // No endpoint takes an identifier away at once.
        sqlx::query("UPDATE identifiers SET id = gen_random_uuid()").execute(&app.app.db).await.unwrap();
        app.inspect_reset(&link).await.refused(410, "reset_token_invalid");
        app.reset_by_link(&link, NEW).await.refused(410, "reset_token_invalid");
        app.reset_by_code(&asked, &code, NEW).await.refused(410, "reset_token_invalid");
    });
}

#[test]
fn a_suspended_account_gets_no_reset() {
    test(async |app| {
        app.person(EMAIL).await;
        let (link, ..) = app.reset_message(EMAIL).await;
        sqlx::query("UPDATE accounts SET status = 'suspended'").execute(&app.app.db).await.unwrap();
        app.reset_by_link(&link, NEW).await.refused(410, "reset_token_invalid");
        app.ask_for_reset(EMAIL).await;
        sent(app).await;
        assert_eq!(
            app.count("SELECT count(*) FROM outbox WHERE kind = 'password_reset' AND state = 'dropped'").await,
            1
        );
    });
}

#[test]
fn what_a_request_and_a_confirmation_may_say() {
    test(async |app| {
        for (body, fault) in [
            (json!({ "identifier": "no address" }), "/identifier invalid_email"),
            (json!({ "identifier": "090-1234-5678" }), "/identifier country_code_required"),
            (json!({ "identifier": "+81312345678" }), "/identifier phone_not_supported"),
            (json!({ "identifier": EMAIL, "client_id": "other" }), "/client_id unknown_client"),
            (json!({ "identifier": PHONE, "country": "Japan" }), "/country unknown_value"),
        ] {
            app.post("/v1/password-resets", &body).await.faults(&[fault]);
        }
        for (body, fault) in [
            (json!({ "method": "link" }), "/reset_token required"),
            (json!({ "method": "link", "reset_token": "rst_x", "code": "12345678" }), "/code not_supported"),
            (
                json!({ "method": "link", "reset_token": "rst_x", "password_reset_token": "prt_x" }),
                "/password_reset_token not_supported",
            ),
            (json!({ "method": "code", "code": "12345678" }), "/password_reset_token required"),
            (json!({ "method": "code", "password_reset_token": "prt_x" }), "/code required"),
            (
                json!({ "method": "code", "password_reset_token": "prt_x", "code": "1", "reset_token": "rst_x" }),
                "/reset_token not_supported",
            ),
            (json!({ "method": "mail" }), "/method unknown_value"),
        ] {
            let mut body = body;
            body["new_password"] = json!(NEW);
            app.post("/v1/password-resets/confirm", &body).await.faults(&[fault]);
        }
        app.post("/v1/password-resets/confirm", &json!({ "method": "link" })).await.faults(&["/new_password required"]);
        for token in ["", "rst_x", "prt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            app.inspect_reset(token).await.refused(410, "reset_token_invalid");
            app.reset_by_link(token, NEW).await.refused(410, "reset_token_invalid");
        }
        app.reset_by_code("rst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "12345678", NEW)
            .await
            .refused(410, "reset_token_invalid");
    });
}
