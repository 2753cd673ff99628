//! `src/limits`, as callers meet it.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::clock::Stopwatch;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const LIMITED: &[(&str, &str)] = &[("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
const EMAIL: &str = "taro@example.jp";

/// A sign-up that is refused after it was counted.
async fn sign_up(app: &TestApp, from: &str) -> Answer {
    let body = json!({ "identifier": "nobody", "password": PASSWORD });
    app.send(app.request(Method::POST, "/v1/sign-ups").header("x-forwarded-for", from).json(&body)).await
}

/// Asks until the limit answers; how often it was not that, and the refusal.
async fn until_limited(interval_ms: u128, quota: u128, mut ask: impl AsyncFnMut() -> Answer) -> Answer {
    let watch = Stopwatch::start();
    let mut admitted = 0;
    loop {
        let answer = ask().await;
        if answer.status == 429 {
            // Real time goes on meanwhile and gives some back.
            let most = quota + watch.elapsed().as_millis() / interval_ms + 1;
            assert!((quota..=most).contains(&admitted), "{admitted} of {quota} were admitted");
            return answer;
        }
        admitted += 1;
        assert!(admitted < 2 * quota, "nothing was refused");
    }
}

/// security.md 9
#[test]
fn a_network_signs_up_so_often_and_then_waits() {
    test_with(LIMITED, async |app| {
        let refused = until_limited(1000, 60, async || sign_up(app, "203.0.113.9").await).await;
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.header("ratelimit-policy"), "\"sign_up\";q=60;w=60");
        assert_eq!(refused.header("ratelimit"), "\"sign_up\";r=0;t=1");
        assert_eq!(refused.refused(429, "rate_limited")["retry_after"], 1);
        // Another network is not concerned, nor is another act of this one.
        sign_up(app, "203.0.113.10").await.refused(422, "invalid_fields");
        let check = app.request(Method::POST, "/v1/passwords/check").header("x-forwarded-for", "203.0.113.9");
        app.send(check.json(&json!({ "password": PASSWORD }))).await.ok(200);
        app.advance(1);
        sign_up(app, "203.0.113.9").await.refused(422, "invalid_fields");
        app.advance(60);
        until_limited(1000, 60, async || sign_up(app, "203.0.113.9").await).await;
    });
}

/// security.md 9: an IPv6 caller is the /64 that one home is given.
#[test]
fn a_home_with_ipv6_is_one_network() {
    test_with(LIMITED, async |app| {
        let mut host = 0;
        until_limited(1000, 60, async || {
            host += 1;
            sign_up(app, &format!("2001:db8:0:1::{host:x}")).await
        })
        .await;
        sign_up(app, "2001:db8:0:2::1").await.refused(422, "invalid_fields");
    });
}

/// security.md 9: who moves within a /56 or a /48 has the quota of a few homes, not of as many as there are.
#[test]
fn a_customer_with_many_prefixes_is_limited_too() {
    test_with(LIMITED, async |app| {
        let mut home = 0;
        let refused = until_limited(500, 120, async || {
            home += 1;
            sign_up(app, &format!("2001:db8:0:{:x}::1", home % 256)).await
        })
        .await;
        assert_eq!(refused.header("ratelimit-policy"), "\"sign_up\";q=60;w=60");
        let mut office = 0;
        until_limited(125, 480, async || {
            office += 1;
            sign_up(app, &format!("2001:db8:1:{:x}00::1", office % 256)).await
        })
        .await;
        sign_up(app, "2001:db8:2::1").await.refused(422, "invalid_fields");
    });
}

/// A /64 that asks too much takes nothing from its neighbours in the /56.
#[test]
fn what_one_home_is_refused_costs_its_neighbours_nothing() {
    test_with(LIMITED, async |app| {
        until_limited(1000, 60, async || sign_up(app, "2001:db8:0:1::1").await).await;
        let mut refused = 0;
        for _ in 0..200 {
            refused += i32::from(sign_up(app, "2001:db8:0:1::1").await.status == 429);
        }
        assert!(refused > 100, "time goes on under the test, and admits a few: {refused}");
        for _ in 0..50 {
            sign_up(app, "2001:db8:0:2::1").await.refused(422, "invalid_fields");
        }
    });
}

/// Every answer of a limited operation says what is left, the good ones too.
#[test]
fn every_answer_tells_the_limit() {
    test_with(LIMITED, async |app| {
        let check = async |from: &str| {
            let request = app.request(Method::POST, "/v1/passwords/check").header("x-forwarded-for", from);
            app.send(request.json(&json!({ "password": PASSWORD }))).await
        };
        for remaining in (230..240).rev() {
            let answer = check("203.0.113.9").await;
            assert_eq!(answer.header("ratelimit-policy"), "\"password_check\";q=240;w=60");
            let told = answer.header("ratelimit").to_owned();
            // Real time gives some back.
            let rest: u64 = told.split(';').nth(1).unwrap().trim_start_matches("r=").parse().unwrap();
            assert!((remaining..=239).contains(&rest), "{told}");
        }
        let refused = app.get("/v1/account").await;
        assert!(refused.header("ratelimit").starts_with("\"bearer\";r="), "{:?}", refused.headers);
        refused.refused(401, "access_token_missing");
        assert_eq!(app.get("/health/live").await.header("ratelimit"), "");
        let sign_up = app.start_sign_up("taro@example.jp").await;
        let early = app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": sign_up })).await;
        assert_eq!(early.header("ratelimit"), format!("\"resend\";r=0;t={}", early.header("retry-after")));
        early.refused(429, "rate_limited");
        app.ignore_messages().await;
    });
}

/// security.md 73: whatever is written around the path, a request that reaches a handler was counted.
#[test]
fn no_spelling_of_a_path_skips_the_count() {
    test_with(LIMITED, async |app| {
        until_limited(1000, 60, async || sign_up(app, "203.0.113.9").await).await;
        let body = json!({ "identifier": "nobody", "password": PASSWORD });
        for path in [
            "//v1/sign-ups",
            "/v1/sign-ups/",
            "/v1//sign-ups",
            "/v1/sign%2dups",
            "/V1/sign-ups",
            "/v1/./sign-ups",
            "/v1/sign-ups?",
        ] {
            let request = app.request(Method::POST, path).header("x-forwarded-for", "203.0.113.9").json(&body);
            let status = app.send(request).await.status;
            assert!([404, 429].contains(&status), "{path}: {status}");
        }
        let request = app.request(Method::GET, "/v1/sign-ups").header("x-http-method-override", "POST");
        app.send(request.header("x-forwarded-for", "203.0.113.9").json(&body)).await.refused(405, "method_not_allowed");
    });
}

/// security.md 72: headers that name another address are read from the trusted proxy alone, and only the configured one.
#[test]
fn no_header_makes_another_network() {
    for trusted in [false, true] {
        let settings = [("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
        test_with(&settings[..=usize::from(trusted)], async |app| {
            let mut host = 0;
            until_limited(1000, 60, async || {
                host += 1;
                let address = format!("203.0.113.{host}");
                let mut request = app.request(Method::POST, "/v1/sign-ups");
                for name in ["x-real-ip", "cf-connecting-ip", "true-client-ip", "x_forwarded_for", "x-client-ip"] {
                    request = request.header(name, &address);
                }
                request = request.header("forwarded", format!("for={address}"));
                if trusted {
                    request = request.header("x-forwarded-for", format!("{address}, rubbish"));
                } else {
                    request = request.header("x-forwarded-for", &address).header("x-forwarded-for", "\"");
                }
                app.send(request.json(&json!({ "identifier": "nobody", "password": PASSWORD }))).await
            })
            .await;
        });
    }
}

/// security.md 32: flows begun anew, from other networks, do not make the guesses of an account endless.
#[test]
fn an_account_takes_so_many_codes_an_hour_whatever_flow_and_network() {
    test_with(LIMITED, async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut guesses = 0;
        let refused = until_limited(60_000, 60, async || {
            guesses += 1;
            let flow = taro.start_sign_in().await;
            let guess = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": "000000" });
            let request = app.request(Method::POST, "/v1/sign-ins/second-factor");
            app.send(request.header("x-forwarded-for", format!("203.0.113.{guesses}")).json(&guess)).await
        })
        .await;
        assert_eq!(refused.header("ratelimit-policy"), "\"account_code\";q=60;w=3600");
        app.advance(3600);
        taro.sign_in().await;
        app.ignore_messages().await;
    });
}

/// security.md 72: an address that a caller writes down itself is not another network.
#[test]
fn a_forged_address_evades_nothing() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let mut host = 0;
        until_limited(1000, 60, async || {
            host += 1;
            sign_up(app, &format!("203.0.113.{host}")).await
        })
        .await;
    });
}

#[test]
fn however_many_race_no_more_than_the_quota_is_admitted() {
    test_with(LIMITED, async |app| {
        let watch = Stopwatch::start();
        let answers = join_all((0..200).map(|_| sign_up(app, "203.0.113.9"))).await;
        let admitted = answers.iter().filter(|answer| answer.status == 422).count() as u128;
        assert!((60..=61 + watch.elapsed().as_millis() / 1000).contains(&admitted), "{admitted}");
    });
}

/// Whoever stole an access token uses up nothing of the owner's other sessions, and no network gives them more.
#[test]
fn a_session_is_limited_whatever_its_network() {
    test_with(LIMITED, async |app| {
        let taro = app.person("taro@example.jp").await;
        let other = taro.sign_in().await;
        let other =
            async || app.with_token(other["access_token"].as_str().unwrap(), Method::GET, "/v1/account", None).await;
        let mut host = 0;
        let mut until_refused = async || {
            until_limited(200, 300, async || {
                host += 1;
                let from = format!("203.0.113.{}", host % 250);
                let request = app.request(Method::GET, "/v1/account").bearer_auth(taro.access());
                app.send(request.header("x-forwarded-for", from)).await
            })
            .await
        };
        let refused = until_refused().await;
        assert_eq!(refused.header("ratelimit-policy"), "\"account\";q=300;w=60");
        refused.refused(429, "rate_limited");
        other().await.ok(200);
        app.advance(60);
        taro.get("/v1/account").await.ok(200);
        // Nor when the session has ended.
        app.with_token(&taro.access(), Method::POST, "/v1/sessions/sign-out", None).await.ok(204);
        app.advance(60);
        until_refused().await.refused(429, "rate_limited");
        other().await.ok(200);
    });
}

/// Whoever stole an access token keeps the owner from no act that needs a re-authentication.
#[test]
fn a_session_proves_itself_again_so_often_and_then_waits() {
    test_with(LIMITED, async |app| {
        let person = app.person("taro@example.jp").await;
        let other = person.sign_in().await;
        let body = json!({ "method": "code" });
        let refused = until_limited(30_000, 20, async || person.post("/v1/reauthentications", &body).await).await;
        assert_eq!(refused.header("ratelimit-policy"), "\"reauthentication\";q=20;w=600");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        refused.refused(429, "rate_limited");
        let renewed = app.with_token(&person.access(), Method::POST, "/v1/account/recovery-codes", None).await;
        renewed.refused(429, "rate_limited");
        let access = other["access_token"].as_str().unwrap();
        app.with_token(access, Method::POST, "/v1/account/recovery-codes", None).await.ok(201);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 9: a mailbox cannot be flooded from many networks, or under other spellings.
#[test]
fn one_destination_gets_so_many_messages_whoever_asks() {
    test_with(LIMITED, async |app| {
        let mut host = 0;
        let refused = until_limited(360_000, 10, async || {
            host += 1;
            let address = if host % 2 == 0 { "taro@example.jp" } else { "TARO＠Example.jp" };
            let body = json!({ "identifier": address, "password": PASSWORD });
            let request =
                app.request(Method::POST, "/v1/sign-ups").header("x-forwarded-for", format!("203.0.113.{host}"));
            app.send(request.json(&body)).await
        })
        .await;
        assert_eq!(refused.header("ratelimit-policy"), "\"message\";q=10;w=3600");
        refused.refused(429, "message_limit_reached");
        app.start_sign_up("hana@example.jp").await;
        app.ignore_messages().await;
    });
}

async fn post_from(app: &TestApp, from: &str, path: &str, body: &Value) -> Answer {
    app.send(app.request(Method::POST, path).header("x-forwarded-for", from).json(body)).await
}

/// security.md 69: strangers who use up one kind of message use up nothing that an owner needs to get back in.
#[test]
fn reminders_use_up_no_way_back() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        for nth in 1..=12 {
            let body = json!({ "contact": EMAIL });
            let answer = post_from(app, &format!("203.0.113.{nth}"), "/v1/identifier-reminders", &body).await;
            // The sign-up was one.
            if nth <= 9 { drop(answer.ok(202)) } else { drop(answer.refused(429, "message_limit_reached")) }
        }
        app.ignore_messages().await;
        let (link, ..) = app.reset_message(EMAIL).await;
        app.inspect_reset(&link).await.ok(200);
        app.post("/v1/device-tokens", &json!({ "identifier": EMAIL })).await.ok(202);
        app.code_to(EMAIL).await;
        let recovery = json!({ "identifier": "hana@example.jp", "contact": EMAIL, "lost": ["phone"] });
        app.post("/v1/recoveries", &recovery).await.ok(202);
        app.code_to(EMAIL).await;
    });
}

/// security.md 69: of each way back into an account one network gets half, from wherever in its /48; others get the rest.
#[test]
fn one_network_uses_up_half_of_a_way_back() {
    test_with(LIMITED, async |app| {
        app.person(EMAIL).await;
        for nth in 1..=12 {
            let (from, body) = (format!("2001:db8:1:{nth:x}00::1"), json!({ "identifier": EMAIL }));
            post_from(app, &from, "/v1/password-resets", &body).await.ok(202);
            let answer = post_from(app, &from, "/v1/device-tokens", &body).await;
            if nth <= 5 {
                answer.ok(202);
            } else {
                assert_eq!(answer.header("ratelimit-policy"), "\"message_share\";q=5;w=3600");
                answer.refused(429, "message_limit_reached");
            }
        }
        let sent = "SELECT count(*) FROM outbox WHERE kind IN ('password_reset', 'device_token')";
        assert_eq!(app.count(sent).await, 10);
        app.ignore_messages().await;
        app.reset_message(EMAIL).await;
        app.post("/v1/device-tokens", &json!({ "identifier": EMAIL })).await.ok(202);
        app.code_to(EMAIL).await;
    });
}

/// security.md 69: whatever strangers ask for, and from however many networks, one mailbox gets forty messages at once.
#[test]
fn strangers_bring_a_mailbox_forty_messages_at_once() {
    test_with(LIMITED, async |app| {
        for nth in 1..=15 {
            let recovery = json!({ "identifier": format!("t{nth}@example.jp"), "contact": EMAIL, "lost": ["phone"] });
            for (path, body) in [
                ("/v1/password-resets", json!({ "identifier": EMAIL })),
                ("/v1/device-tokens", json!({ "identifier": EMAIL })),
                ("/v1/identifier-reminders", json!({ "contact": EMAIL })),
                ("/v1/recoveries", recovery),
            ] {
                let status = post_from(app, &format!("203.0.113.{nth}"), path, &body).await.status;
                let silent = path == "/v1/password-resets";
                assert_eq!(status, if nth <= 10 || silent { 202 } else { 429 }, "{path}");
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM outbox").await, 40);
        app.ignore_messages().await;
    });
}

/// A health check or a page of help is not worth a count.
#[test]
fn what_costs_nothing_is_not_limited() {
    test_with(LIMITED, async |app| {
        until_limited(1000, 60, async || sign_up(app, "127.0.0.1").await).await;
        for path in ["/health/live", "/health/ready", "/help/problems/rate_limited", "/.well-known/jwks.json"] {
            assert_eq!(app.get(path).await.status, 200, "{path}");
        }
    });
}

/// security.md 79 and 86: without Redis nothing fails open, nothing hangs, and what needs no Redis goes on.
#[test]
fn without_redis_flows_are_refused_and_limits_hold() {
    let mut flow = Value::Null;
    test(async |app| flow = app.sign_up("taro@example.jp").await);
    let settings = [("redis.url", "redis://127.0.0.1:1/"), ("limits.enabled", "true")];
    test_with(&settings, async |app| {
        let watch = Stopwatch::start();
        let ready = app.get("/health/ready").await.ok(200);
        assert_eq!(ready, json!({ "status": "degraded", "reasons": ["redis_unavailable"] }));
        app.get("/.well-known/jwks.json").await.ok(200);
        app.get("/health/live").await.ok(200);
        let answer = app.second_factor(&flow, "123456").await;
        assert_eq!(answer.header("retry-after"), "5");
        let problem = answer.refused(503, "dependency_unavailable").to_string();
        assert!(!problem.to_lowercase().contains("redis") && !problem.contains("127.0.0.1:1"), "{problem}");
        // A sign-up is in PostgreSQL; the flow that its code opens is not: the account is not made either.
        let token = app.start_sign_up("hana@example.jp").await;
        let body = json!({ "sign_up_token": token, "code": app.code_to("hana@example.jp").await });
        app.post("/v1/sign-ups/verify", &body).await.refused(503, "dependency_unavailable");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
        assert!(watch.elapsed().as_secs() < 10, "{:?}", watch.elapsed());
        until_limited(1000, 59, async || sign_up(app, "203.0.113.9").await).await.refused(429, "rate_limited");
    });
}
