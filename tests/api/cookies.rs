//! Refresh tokens in cookies, for pages: security.md 76.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

const NAME: &str = "__Host-sekisho_refresh";

/// A sign-in that asks for a cookie, from a page of this origin.
async fn sign_in(app: &TestApp, person: &Person<'_>, origin: Option<&str>) -> Answer {
    let flow = person.start_sign_in().await;
    let code = app.totp(&person.factor).await;
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "method": "code", "code": code, "token_delivery": "cookie",
    });
    let request = app.request(Method::POST, "/v1/sign-ins/second-factor").json(&body);
    app.send(if let Some(origin) = origin { request.header("origin", origin) } else { request }).await
}

/// A request with a cookie, as the browser sends it for a page of this origin.
async fn with_cookie(app: &TestApp, path: &str, cookie: &str, origin: Option<&str>, body: &Value) -> Answer {
    let request = app.request(Method::POST, path).header("cookie", format!("{NAME}={cookie}")).json(body);
    app.send(if let Some(origin) = origin { request.header("origin", origin) } else { request }).await
}

/// The cookie of an answer, its value and its attributes.
fn cookie(answer: &Answer) -> (String, Vec<String>) {
    let mut cookies = answer.headers.get_all("set-cookie").iter();
    let (Some(cookie), None) = (cookies.next(), cookies.next()) else { panic!("{:?}", answer.headers) };
    let mut parts = cookie.to_str().unwrap().split("; ").map(str::to_owned);
    let value = parts.next().unwrap().strip_prefix(&format!("{NAME}=")).unwrap().to_owned();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort_unstable();
    (value, attributes)
}

/// security.md 76: `__Host-`, `Secure`, `HttpOnly`, `SameSite=Strict`; nothing of it in the body.
#[test]
fn a_page_gets_its_refresh_token_as_a_cookie_alone() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let answer = sign_in(app, &taro, Some(&app.url)).await;
        let (value, attributes) = cookie(&answer);
        let max_age = format!("Max-Age={}", answer.body["refresh_expires_in"]);
        assert_eq!(attributes, ["HttpOnly", &max_age, "Path=/", "SameSite=Strict", "Secure"]);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), app.url);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        let tokens = answer.ok(201);
        assert!(tokens.get("refresh_token").is_none(), "{tokens}");

        let answer = with_cookie(app, "/v1/sessions/refresh", &value, Some(&app.url), &json!({})).await;
        let (next, attributes) = cookie(&answer);
        assert_ne!(next, value);
        assert!(attributes.contains(&"HttpOnly".to_owned()));
        let new = answer.ok(200);
        assert!(new.get("refresh_token").is_none(), "{new}");
        assert_eq!(new["session_id"], tokens["session_id"]);
        app.with_token(new["access_token"].as_str().unwrap(), Method::GET, "/v1/account", None).await.ok(200);
    });
}

#[test]
fn an_enrolment_can_end_in_a_cookie_too() {
    test(async |app| {
        let flow = app.sign_up("taro@example.jp").await;
        let factor = app.start_enrolment(&flow).await;
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "code",
            "code": app.totp(&factor).await, "token_delivery": "cookie",
        });
        let request = || app.request(Method::POST, "/v1/sign-ins/enrolments/confirm").json(&body);
        app.send(request().header("origin", "https://evil.example")).await.refused(403, "origin_not_allowed");
        let answer = app.send(request().header("origin", &app.url)).await;
        assert!(cookie(&answer).0.starts_with("srt_"));
        let tokens = answer.ok(201);
        assert!(tokens.get("refresh_token").is_none() && tokens["recovery_codes"].is_array());
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 76: browsers add cookies to anyone's requests, so only listed pages may use them.
#[test]
fn a_cookie_counts_from_listed_pages_only() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let (value, _) = cookie(&sign_in(app, &taro, Some(&app.url)).await);
        let (upper, slash) = (app.url.to_uppercase(), format!("{}/", app.url));
        let prefixed = format!("{}0", app.url);
        let other_port = "http://localhost:1";
        let strangers = [
            None,
            Some("null"),
            Some("https://evil.example"),
            Some(""),
            Some(&*upper),
            Some(&*slash),
            Some(&*prefixed),
            Some(other_port),
        ];
        for origin in strangers {
            for path in ["/v1/sessions/refresh", "/v1/sessions/sign-out"] {
                let answer = with_cookie(app, path, &value, origin, &json!({})).await;
                assert_eq!(answer.header("access-control-allow-origin"), "", "{origin:?}");
                assert_eq!(answer.header("set-cookie"), "", "{origin:?}");
                answer.refused(403, "origin_not_allowed");
            }
            sign_in(app, &taro, origin).await.refused(403, "origin_not_allowed");
        }
        let twice = app.request(Method::POST, "/v1/sessions/refresh").header("cookie", format!("{NAME}={value}"));
        let twice = twice.header("origin", &app.url).header("origin", "https://evil.example");
        app.send(twice).await.refused(403, "origin_not_allowed");
        with_cookie(app, "/v1/sessions/refresh", &value, Some(&app.url), &json!({})).await.ok(200);
    });
}

/// Which of the two would count, the caller could not know.
#[test]
fn a_cookie_together_with_a_token_in_the_body_is_refused() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let (value, _) = cookie(&sign_in(app, &taro, Some(&app.url)).await);
        let body = json!({ "refresh_token": taro.refresh_token() });
        for path in ["/v1/sessions/refresh", "/v1/sessions/sign-out"] {
            let problem = with_cookie(app, path, &value, Some(&app.url), &body).await.refused(400, "malformed_request");
            assert_eq!(problem["errors"][0]["pointer"], "/refresh_token");
        }
        app.refresh(&taro.refresh_token()).await.ok(200);
        with_cookie(app, "/v1/sessions/refresh", &value, Some(&app.url), &json!({})).await.ok(200);
    });
}

#[test]
fn signing_out_takes_the_cookie_away() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let answer = sign_in(app, &taro, Some(&app.url)).await;
        let (value, _) = cookie(&answer);
        let tokens = answer.ok(201);
        for _ in 0..2 {
            let answer = with_cookie(app, "/v1/sessions/sign-out", &value, Some(&app.url), &json!({})).await;
            let (cleared, attributes) = cookie(&answer);
            assert_eq!(cleared, "");
            assert_eq!(attributes, ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Strict", "Secure"]);
            answer.ok(204);
        }
        let access = tokens["access_token"].as_str().unwrap();
        app.with_token(access, Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
        let refresh = with_cookie(app, "/v1/sessions/refresh", &value, Some(&app.url), &json!({})).await;
        refresh.refused(401, "session_revoked");
    });
}

/// An empty or damaged cookie is no token, and a token that came in a body never turns into a cookie.
#[test]
fn cookies_and_bodies_stay_apart() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let refresh = "/v1/sessions/refresh";
        with_cookie(app, refresh, "", Some(&app.url), &json!({})).await.refused(401, "refresh_token_invalid");
        with_cookie(app, refresh, "srt_x", Some(&app.url), &json!({})).await.refused(401, "refresh_token_invalid");
        let answer = app.refresh(&taro.refresh_token()).await;
        assert_eq!(answer.header("set-cookie"), "");
        answer.ok(200);
        let flow = taro.start_sign_in().await;
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "code", "code": "000000", "token_delivery": "header",
        });
        app.post("/v1/sign-ins/second-factor", &body).await.faults(&["/token_delivery unknown_value"]);
    });
}
