//! `src/metrics.rs` and `src/scrape.rs`: what operators see, and what they must not see.

use crate::support::TestApp;
use crate::support::test_with;

const SCRAPED: &[(&str, &str)] = &[("metrics.listen", "127.0.0.1:0"), ("limits.enabled", "true")];

/// Every metric, as the text names its family.
const NAMES: [&str; 19] = [
    "build info",
    "clock_skew_seconds gauge",
    "db_pool_wait_seconds histogram",
    "factor_checks counter",
    "hash_queue_depth gauge",
    "hash_refused counter",
    "hash_wait_seconds histogram",
    "http_request_seconds histogram",
    "http_requests counter",
    "limit_decisions counter",
    "limit_fallback gauge",
    "messages counter",
    "outbox_oldest_seconds gauge",
    "password_changes counter",
    "provider_broken gauge",
    "redis_up gauge",
    "refreshes counter",
    "sign_ins counter",
    "signing_key_age_seconds gauge",
];

async fn scrape(app: &TestApp) -> String {
    let answer = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    answer.text().await.unwrap()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
}

/// design.md §5.16: every metric is there and counts what happened.
#[test]
fn what_happens_is_counted_by_name() {
    test_with(SCRAPED, async |app| {
        let taro = app.person("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", "not the password").await.refused(401, "invalid_credentials");
        taro.sign_in().await;
        let flow = taro.start_sign_in().await;
        app.recovery_code(&flow, &taro.recovery_codes[0]).await.ok(201);
        app.refresh(&taro.refresh_token()).await.ok(200);
        app.refresh("srt_nonsense").await.refused(401, "refresh_token_invalid");
        app.reset_by_link("rst_nonsense", "tidal mango ledger vowel").await.refused(410, "reset_token_invalid");
        app.ignore_messages().await;
        let text = scrape(app).await;
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE sekisho_"));
        let mut types: Vec<_> = types.collect();
        types.sort_unstable();
        assert_eq!(types, NAMES);
        for line in [
            concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "factor_checks_total{kind=\"recovery_code\",outcome=\"right\"} 1",
            "factor_checks_total{kind=\"totp\",outcome=\"right\"} 1",
            "http_requests_total{route=\"/v1/sign-ups\",method=\"POST\",status=\"202\"} 1",
            "limit_decisions_total{policy=\"sign_up\",outcome=\"admitted\"} 1",
            "limit_fallback 0.0",
            "messages_total{channel=\"email\",provider=\"inbox\",outcome=\"sent\"} 3",
            "hash_refused_total 0",
            "password_changes_total{way=\"link\",outcome=\"reset_token_invalid\"} 1",
            "redis_up 1.0",
            "refreshes_total{outcome=\"ok\"} 1",
            "refreshes_total{outcome=\"refresh_token_invalid\"} 1",
            "sign_ins_total{step=\"enrolment\",outcome=\"ok\"} 1",
            "sign_ins_total{step=\"password\",outcome=\"invalid_credentials\"} 1",
            "sign_ins_total{step=\"password\",outcome=\"ok\"} 2",
            "sign_ins_total{step=\"second_factor\",outcome=\"ok\"} 2",
        ] {
            has(&text, &format!("sekisho_{line}"));
        }
        assert!(!text.contains("sekisho_hash_wait_seconds_count 0\n"));
        assert!(!text.contains("sekisho_db_pool_wait_seconds_count 0\n"));
    });
}

/// security.md 81: no person and no secret in a label, and strangers cannot make labels.
#[test]
fn a_scrape_names_nobody_and_stays_small() {
    test_with(SCRAPED, async |app| {
        let taro = app.person("taro@example.jp").await;
        let sessions = app.with_token(&taro.access(), reqwest::Method::GET, "/v1/sessions", None).await.ok(200);
        let session = sessions["items"][0]["id"].as_str().unwrap().to_owned();
        taro.delete(&format!("/v1/sessions/{session}")).await.ok(204);
        for n in 0..50 {
            let method = reqwest::Method::from_bytes(format!("BREW{n}").as_bytes()).unwrap();
            app.send(app.request(method, &format!("/stranger/{n}"))).await;
            app.get(&format!("/v1/sessions/{n}")).await;
        }
        let text = scrape(app).await;
        let secrets = [taro.access(), taro.refresh_token(), session, taro.factor.clone(), "stranger".to_owned()];
        for secret in secrets.iter().chain(&taro.recovery_codes) {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
        assert!(!text.contains('@') && !text.contains("BREW") && !text.contains("127.0.0.1"), "{text}");
        has(&text, "sekisho_http_requests_total{route=\"none\",method=\"other\",status=\"404\"} 50");
        has(&text, "sekisho_http_requests_total{route=\"/v1/sessions/{id}\",method=\"DELETE\",status=\"204\"} 1");
        assert!(text.lines().count() < 250, "{text}");
    });
}

/// The metrics are not among the endpoints, and a development server has none unless it is asked for.
#[test]
fn metrics_have_a_listener_of_their_own() {
    test_with(&[], async |app| {
        assert!(app.metrics.is_none());
        app.get("/metrics").await.refused(404, "not_found");
    });
    test_with(SCRAPED, async |app| {
        app.get("/metrics").await.refused(404, "not_found");
        let other = format!("http://{}/health/live", app.metrics.unwrap());
        assert_eq!(reqwest::get(other).await.unwrap().status(), 404);
    });
}
