//! A stranger signs up with 10,000 numbers, each from a network of its own: that costs the budget of strangers and no more,
//! and the code of a person who has an account arrives all the while.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::clock::Stopwatch;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test_with;

const NUMBERS: usize = 10_000;
const AT_ONCE: usize = 20;
const TARO: &str = "+819012345678";
const SETTINGS: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];

async fn sign_up(app: &TestApp, nth: usize) -> u16 {
    let body = json!({ "identifier": format!("+8180{:04}{:04}", 1000 + nth % 8999, nth), "password": PASSWORD });
    let network = format!("10.{}.{}.7", nth / 250, nth % 250);
    app.send(app.request(Method::POST, "/v1/sign-ups").header("x-forwarded-for", network).json(&body)).await.status
}

/// Asks for the code of a second factor and waits for it.
async fn signs_in(app: &TestApp) {
    let flow = app.start_sign_in(TARO, PASSWORD).await.ok(200);
    let phone = flow["factors"].as_array().unwrap().iter().find(|factor| factor["kind"] == "phone").unwrap();
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": phone["id"], "channel": "sms" });
    app.post("/v1/sign-ins/codes", &body).await.ok(202);
    app.code_to(TARO).await;
}

async fn person(app: &TestApp) {
    let body = json!({ "identifier": TARO, "password": PASSWORD });
    let started = app.post("/v1/sign-ups", &body).await.ok(202);
    let flow = app.verify(started["sign_up_token"].as_str().unwrap(), &app.code_to(TARO).await).await.ok(200);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": TARO });
    let begun = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let factor = begun["enrolment"]["factor_id"].as_str().unwrap();
    app.confirm_enrolment(&flow, factor, &app.code_to(TARO).await).await.ok(201);
    app.message_to(TARO).await;
}

/// Runs the suite (security.md 9).
pub(crate) fn run() {
    test_with(SETTINGS, async |app| {
        person(app).await;
        let start = Stopwatch::start();
        let (mut sent, mut refused) = (0, 0);
        for round in 0..NUMBERS / AT_ONCE {
            for status in join_all((0..AT_ONCE).map(|nth| sign_up(app, round * AT_ONCE + nth))).await {
                match status {
                    202 => sent += 1,
                    429 => refused += 1,
                    other => panic!("{other}"),
                }
            }
            if round % 100 == 99 {
                signs_in(app).await;
            }
        }
        let secs = start.elapsed().as_secs_f64();
        println!("numbers: {NUMBERS} sign-ups in {secs:.0} s, each with another number from another network");
        println!("  messages sent: {sent}, refused: {refused}; a person's code arrived five times meanwhile");
        assert!(sent <= 1000, "a country's budget of a day was overdrawn");
        app.ignore_messages().await;
    });
}
