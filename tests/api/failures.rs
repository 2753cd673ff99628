//! `src/limits/failures.rs`: guessing ends, whoever guesses and from wherever.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::limits::Failing;
use sekisho::limits::Lane;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
const EMAIL: &str = "taro@example.jp";
const WRONG: &str = "another horse battery";

/// A password from a network of its own.
async fn password_from(app: &TestApp, network: usize, identifier: &str, password: &str) -> Answer {
    let from = format!("203.0.{}.{}", network / 200, network % 200 + 1);
    let body = json!({ "identifier": identifier, "password": password });
    app.send(app.request(Method::POST, "/v1/sign-ins").header("x-forwarded-for", from).json(&body)).await
}

async fn hundred_wrong_passwords(app: &TestApp, identifier: &str) {
    for network in 0..100 {
        password_from(app, network, identifier, WRONG).await.refused(401, "invalid_credentials");
    }
}

/// Without what differs from request to request.
fn same(mut problem: Value) -> Value {
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

/// security.md 20 and 21: the 101st wrong password is not judged, nor is the right one; the answer is the same for an
/// identifier that nobody has. A day later the lane is open.
#[test]
fn a_hundred_wrong_passwords_close_the_lane_alike_for_known_and_unknown() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        hundred_wrong_passwords(app, EMAIL).await;
        hundred_wrong_passwords(app, "nobody@example.jp").await;
        let known = password_from(app, 100, EMAIL, PASSWORD).await;
        let unknown = password_from(app, 101, "nobody@example.jp", PASSWORD).await;
        assert!((86_000..=86_400).contains(&known.header("retry-after").parse::<u64>().unwrap()));
        let (mut known, mut unknown) =
            (known.refused(429, "too_many_attempts"), unknown.refused(429, "too_many_attempts"));
        for problem in [&mut known, &mut unknown] {
            let wait = problem["retry_after"].as_u64().unwrap();
            assert!((86_000..=86_400).contains(&wait), "{wait}");
            problem["retry_after"] = 0.into();
        }
        assert_eq!(same(known), same(unknown));
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE count = 100 AND closed_until IS NOT NULL").await, 2);
        app.advance(86_400);
        taro.sign_in().await;
        app.ignore_messages().await;
    });
}

/// security.md 26: the owner hears of the tenth failure in a row and of the last, and of no other.
#[test]
fn the_owner_is_told_twice() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        hundred_wrong_passwords(app, EMAIL).await;
        let mut told = Vec::new();
        for _ in 0..2 {
            told.push(app.message_to(EMAIL).await["text"].as_str().unwrap().to_owned());
        }
        for count in [10, 100] {
            assert!(told.iter().any(|text| text.contains(&format!(", {count} wrong"))), "{told:#?}");
        }
    });
}

/// security.md 23: however the identifier is written, it is one count.
#[test]
fn every_spelling_of_an_identifier_is_one_count() {
    test_with(LIMITED, async |app| {
        for spellings in [
            [EMAIL, "TARO@Example.JP", "taro＠example.jp", "Taro@ｅｘａｍｐｌｅ.jp"],
            ["+819012345678", "+81 (0)90-1234-5678", "＋８１９０１２３４５６７８", "+81 90 1234 5678"],
        ] {
            app.person(spellings[0]).await;
            for network in 0..100 {
                password_from(app, network, spellings[network % 4], WRONG).await.refused(401, "invalid_credentials");
            }
            for (network, spelling) in spellings.into_iter().enumerate() {
                password_from(app, 100 + network, spelling, PASSWORD).await.refused(429, "too_many_attempts");
            }
            app.advance(3600);
        }
        app.ignore_messages().await;
    });
}

/// A row of failures ends with the right password; the next row begins at one.
#[test]
fn the_right_password_ends_the_row() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        for network in 0..99 {
            password_from(app, network, EMAIL, WRONG).await.refused(401, "invalid_credentials");
        }
        password_from(app, 99, EMAIL, PASSWORD).await.ok(200);
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE lane = 'password'").await, 0);
        password_from(app, 100, EMAIL, WRONG).await.refused(401, "invalid_credentials");
        app.ignore_messages().await;
    });
}

/// Parallel failures are all counted, and no more than a hundred are judged.
#[test]
fn racing_failures_are_all_counted() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        let answers = join_all((0..150).map(|network| password_from(app, network, EMAIL, WRONG))).await;
        let judged = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(judged, 100, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 50);
        app.ignore_messages().await;
    });
}

/// security.md 32: a new flow, and a new hour, forgive nothing: a hundred wrong codes in a row close the lane of codes.
#[test]
fn a_hundred_wrong_codes_close_the_lane_of_codes() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        for guess in 0..100 {
            if guess % 50 == 0 {
                app.advance(3600);
            }
            let flow = taro.start_sign_in().await;
            app.second_factor(&flow, "000000").await.refused(422, "invalid_code");
            app.advance(1);
        }
        app.advance(3600);
        let flow = taro.start_sign_in().await;
        let code = app.totp(&taro.factor).await;
        app.second_factor(&flow, &code).await.refused(429, "too_many_attempts");
        app.advance(86_400);
        taro.sign_in().await;
        app.ignore_messages().await;
    });
}

/// security.md 22: strangers who guess at the door keep nobody who is signed in from what needs the password.
#[test]
fn guesses_at_the_door_close_nothing_inside_a_session() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        hundred_wrong_passwords(app, EMAIL).await;
        password_from(app, 100, EMAIL, PASSWORD).await.refused(429, "too_many_attempts");
        let body = json!({ "method": "code", "password": PASSWORD, "code": app.totp(&taro.factor).await });
        taro.post("/v1/reauthentications", &body).await.ok(200);
        let body = json!({ "current_password": PASSWORD, "new_password": "tidal mango ledger vowel" });
        taro.post("/v1/account/password", &body).await.ok(204);
        app.ignore_messages().await;
    });
}

/// security.md 16 and 21: inside a session a hundred wrong passwords in a row are the end for a day, and for that session
/// alone: whoever stole it closes neither the door nor another session.
#[test]
fn guesses_inside_a_session_close_that_session_alone() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        let other = taro.sign_in().await;
        let session: uuid::Uuid = taro.tokens["session_id"].as_str().unwrap().parse().unwrap();
        let change = |current: &str| json!({ "current_password": current, "new_password": "tidal mango ledger vowel" });
        taro.post("/v1/account/password", &change(WRONG)).await.faults(&["/current_password wrong_password"]);
        // The limits of requests would make it a matter of days.
        for _ in 0..99 {
            let raised = app.app.failures.raise(Lane::Password, Failing::Session(session.into())).await;
            assert!(raised.is_ok());
        }
        taro.post("/v1/account/password", &change(PASSWORD)).await.refused(429, "too_many_attempts");
        let body = json!({ "method": "code", "password": PASSWORD, "code": app.totp(&taro.factor).await });
        taro.post("/v1/reauthentications", &body).await.refused(429, "too_many_attempts");
        app.start_sign_in(EMAIL, PASSWORD).await.ok(200);
        let access = other["access_token"].as_str().unwrap();
        app.with_token(access, Method::POST, "/v1/account/password", Some(&change(PASSWORD))).await.ok(204);
        app.ignore_messages().await;
    });
}

/// security.md 16: a wrong password of a re-authentication is a failure, and its code is not judged.
#[test]
fn a_wrong_password_of_a_reauthentication_counts() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        let body = json!({ "method": "code", "password": WRONG, "code": "000000" });
        taro.post("/v1/reauthentications", &body).await.faults(&["/password wrong_password"]);
        assert_eq!(app.count("SELECT count::bigint FROM failures WHERE lane = 'password'").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM failures WHERE lane = 'code' AND count > 0").await, 0);
    });
}

/// The counts name nobody.
#[test]
fn a_count_names_nobody() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        password_from(app, 0, EMAIL, WRONG).await.refused(401, "invalid_credentials");
        password_from(app, 1, "nobody@example.jp", WRONG).await.refused(401, "invalid_credentials");
        let rows: Vec<String> = sqlx::query_scalar("SELECT f::text || encode(f.key, 'escape') FROM failures f")
            .fetch_all(&app.app.db)
            .await
            .unwrap();
        assert_eq!(rows.len(), 2);
        let account = taro.tokens["account_id"].as_str().unwrap();
        for row in rows {
            for name in [account, &account.replace('-', ""), "taro", "nobody@"] {
                assert!(!row.contains(name), "{row}");
            }
        }
    });
}

/// What nobody raised for a month goes.
#[test]
fn forgotten_counts_are_purged() {
    test_with(LIMITED, async |app| {
        password_from(app, 0, "nobody@example.jp", WRONG).await.refused(401, "invalid_credentials");
        app.post("/v1/device-tokens", &json!({ "identifier": "nobody@example.jp" })).await.ok(202);
        app.advance(30 * 86_400 + 1);
        let purged = app.purge().await;
        assert_eq!((purged["failures"], purged["device_requests"]), (1, 1));
        assert_eq!(app.count("SELECT count(*) FROM failures").await, 0);
    });
}
