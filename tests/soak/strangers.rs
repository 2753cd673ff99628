//! 10,000 failures of strangers, each from a network of its own, do not keep the owner's device out.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::clock::Stopwatch;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test_with;

const FAILURES: usize = 10_000;
const AT_ONCE: usize = 20;
const EMAIL: &str = "taro@example.jp";
const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];

async fn fail(app: &TestApp, nth: usize) -> u16 {
    let body = json!({ "identifier": EMAIL, "password": "another horse battery" });
    let network = format!("10.{}.{}.7", nth / 250, nth % 250);
    app.send(app.request(Method::POST, "/v1/sign-ins").header("x-forwarded-for", network).json(&body)).await.status
}

/// Runs the suite (security.md 22).
pub(crate) fn run() {
    test_with(LIMITED, async |app| {
        let taro = app.person(EMAIL).await;
        let start = Stopwatch::start();
        let mut judged = 0;
        for round in 0..FAILURES / AT_ONCE {
            for status in join_all((0..AT_ONCE).map(|nth| fail(app, round * AT_ONCE + nth))).await {
                assert!([401, 429].contains(&status), "{status}");
                judged += usize::from(status == 401);
            }
        }
        let secs = start.elapsed().as_secs_f64();
        let sign_in = json!({ "identifier": EMAIL, "password": PASSWORD });
        app.post("/v1/sign-ins", &sign_in).await.refused(429, "too_many_attempts");
        let sign_in = json!({ "identifier": EMAIL, "password": PASSWORD, "device_token": taro.tokens["device_token"] });
        let flow = app.post("/v1/sign-ins", &sign_in).await.ok(200);
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        println!("strangers: {FAILURES} failures in {secs:.0} s, each from another network");
        println!(
            "  passwords judged before the lane closed: {judged}; then the owner's known device signed in at once"
        );
        assert!(judged <= 100, "the lane did not close");
        app.ignore_messages().await;
    });
}
