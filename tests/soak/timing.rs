//! No sign-up, refused sign-in, reset, reminder or recovery tells by its time whether an address has an account.
//!
//! 500 interleaved samples of each, the hash of production, and no step of time that would hide a difference
//! (`sign_in.failure_step_ms` is zero here). The medians differ by at most 5 %.

use std::time::Duration;

use sekisho::clock::Stopwatch;
use sekisho::crypto::random_bytes;
use serde_json::Value;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test_with;

/// Where whoever begins a recovery can be reached.
const CONTACT: &str = "helper@example.com";
const SAMPLES: usize = 500;
/// Failures of one account, below the number that its owner is told of.
const EACH: usize = 9;
const SETTINGS: &[(&str, &str)] = &[("password.memory_kib", "19456"), ("password.passes", "2")];

async fn timed(app: &TestApp, path: &str, body: &Value, status: u16) -> Duration {
    let start = Stopwatch::start();
    let answer = app.post(path, body).await;
    let took = start.elapsed();
    assert_eq!(answer.status, status, "{answer:?}");
    took
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// The least that an answer of this server takes here: a statement in its database.
async fn round_trip(app: &TestApp) -> f64 {
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        let start = Stopwatch::start();
        app.count("SELECT 1::bigint").await;
        times.push(start.elapsed());
    }
    median(&mut times)
}

async fn compare(app: &TestApp, what: &str, (path, body, status): (&str, fn(&str) -> Value, u16)) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    // What a message costs to send falls on those who come next, so chance decides who does.
    let mut turns = [true, false].repeat(SAMPLES);
    turns.sort_by_cached_key(|_| random_bytes::<8>());
    for is_known in turns {
        let (times, whose) = if is_known { (&mut known, "known") } else { (&mut unknown, what) };
        let account = times.len() / EACH;
        times.push(timed(app, path, &body(&format!("{whose}{account}@example.jp")), status).await);
    }
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    let apart = 100.0 * (known - unknown).abs() / known.min(unknown);
    println!(
        "  {what:<8} median {known:.2} ms for a known address, {unknown:.2} ms for an unknown one: {apart:.1} % apart"
    );
    assert!(apart <= 5.0, "the time of a {what} tells who has an account");
}

/// Runs the suite (security.md 1, 20 and 65).
pub(crate) fn run() {
    test_with(SETTINGS, async |app| {
        println!("timing: {SAMPLES} interleaved samples of each, argon2id m=19456 t=2 p=1");
        println!("  one statement in the database takes {:.2} ms", round_trip(app).await);
        for account in 0..SAMPLES.div_ceil(EACH) {
            let address = format!("known{account}@example.jp");
            let body = json!({ "identifier": address, "password": PASSWORD });
            let started = app.post("/v1/sign-ups", &body).await.ok(202);
            let body = json!({ "sign_up_token": started["sign_up_token"], "code": app.code_to(&address).await });
            app.post("/v1/sign-ups/verify", &body).await.ok(200);
        }
        let sign_in = |address: &str| json!({ "identifier": address, "password": "another horse battery" });
        compare(app, "sign-in", ("/v1/sign-ins", sign_in, 401)).await;
        let sign_up = |address: &str| json!({ "identifier": address, "password": PASSWORD });
        compare(app, "sign-up", ("/v1/sign-ups", sign_up, 202)).await;
        compare(app, "reset", ("/v1/password-resets", |address| json!({ "identifier": address }), 202)).await;
        compare(app, "reminder", ("/v1/identifier-reminders", |address| json!({ "contact": address }), 202)).await;
        let recovery = |address: &str| json!({ "identifier": address, "contact": CONTACT, "lost": ["phone"] });
        compare(app, "recovery", ("/v1/recoveries", recovery, 202)).await;
        app.ignore_messages().await;
    });
}
