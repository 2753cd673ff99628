//! What an answer looks like, and to whom.

use reqwest::Method;
use serde_json::Value;

use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;

async fn accepting(app: &TestApp, path: &str, accept: &str) -> Answer {
    app.send(app.request(Method::GET, path).header("accept", accept)).await
}

/// security.md 71 and 74
#[test]
fn a_representation_that_is_not_offered_is_406() {
    test(async |app| {
        for accept in ["*/*", "application/json", "application/*", "text/html, application/json;q=0.1", "rubbish", ""] {
            accepting(app, "/.well-known/jwks.json", accept).await.ok(200);
        }
        for accept in ["image/png", "application/xml", "application/json;q=0, application/problem+json;q=0"] {
            accepting(app, "/.well-known/jwks.json", accept).await.refused(406, "not_acceptable");
        }
        assert_eq!(accepting(app, "/.well-known/jwks.json", "text/html").await.status, 406);
        // What is not there is not offered in any form.
        accepting(app, "/nowhere", "image/png").await.refused(404, "not_found");
        // A page is offered here.
        assert_eq!(accepting(app, "/help/problems/not_found", "text/html").await.status, 200);
    });
}

/// security.md 71
#[test]
fn every_answer_says_what_it_is() {
    test(async |app| {
        for (path, status, kind) in [
            ("/.well-known/jwks.json", 200, "application/json"),
            ("/.well-known/openid-configuration", 200, "application/json"),
            ("/v1/configuration", 200, "application/json"),
            ("/health/ready", 200, "application/json"),
            ("/openapi.json", 200, "application/json"),
            ("/help/problems/not_found", 200, "text/html; charset=utf-8"),
            ("/docs", 200, "text/html; charset=utf-8"),
            ("/docs/swagger-ui.css", 200, "text/css"),
            ("/docs/swagger-ui-bundle.js", 200, "text/javascript"),
            ("/docs/start.js", 200, "text/javascript"),
            ("/docs/", 404, "application/problem+json"),
            ("/docs/index.html", 404, "application/problem+json"),
            ("/v1/account", 401, "application/problem+json"),
            ("/nowhere", 404, "application/problem+json"),
        ] {
            let answer = app.get(path).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{path}");
        }
    });
}

/// security.md 71: RFC 9457.
#[test]
fn a_problem_has_the_members_that_the_rfc_names() {
    test(async |app| {
        let answer = app.get("/v1/account").await;
        let id = answer.header("x-request-id").to_owned();
        let problem = answer.refused(401, "access_token_missing");
        assert_eq!(problem["type"], format!("{}/help/problems/access_token_missing", app.url));
        assert_eq!(problem["request_id"], id);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        let absent = ["errors", "hints", "retry_after", "attempts_left", "reason"];
        assert!(absent.iter().all(|name| problem.get(*name).is_none()), "{problem}");
    });
}

#[test]
fn a_browser_gets_the_problem_as_a_page() {
    test(async |app| {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (path, status) in
            [("/nowhere", 404), ("/v1/account", 401), ("/v1/sign-ups", 405), ("/v1/sessions?x=1", 400)]
        {
            let answer = accepting(app, path, browser).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, "text/html; charset=utf-8"), "{path}");
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header("x-request-id").len(), 36);
            let Value::String(page) = &answer.body else { panic!("not a page") };
            assert!(page.contains("/help/problems/") && page.contains(answer.header("x-request-id")), "{page}");
        }
        // The challenge is the same for people.
        assert!(accepting(app, "/v1/account", browser).await.header("www-authenticate").starts_with("Bearer "));
    });
}

/// What a caller writes comes back escaped, if at all.
#[test]
fn a_page_repeats_nothing_that_could_run() {
    test(async |app| {
        for path in ["/<script>alert(1)</script>", "/v1/sessions?<script>alert(1)</script>=1"] {
            let answer = accepting(app, path, "text/html").await;
            assert!(!answer.body.as_str().unwrap().contains("<script"), "{}", answer.body);
        }
    });
}

#[test]
fn the_language_is_negotiated_and_told() {
    test(async |app| {
        for wish in ["en", "en-GB, fr;q=0.5", "tlh", "*", "", "en;q=rubbish"] {
            let answer = app.send(app.request(Method::GET, "/nowhere").header("accept-language", wish)).await;
            assert_eq!(answer.header("content-language"), "en", "{wish}");
            assert!(answer.header("vary").contains("Accept-Language"));
            answer.refused(404, "not_found");
        }
    });
}
