//! `src/development`: what only `sekisho dev` serves.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("/dev/inbox{query}")).await.ok(200);
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_inbox_shows_a_message_as_its_recipient_would_get_it() {
    test(async |app| {
        app.start_sign_up("Taro@example.jp").await;
        let item = app.message_to("taro@example.jp").await;
        assert_eq!(
            (&item["channel"], &item["to"], &item["locale"]),
            (&json!("email"), &json!("Taro@example.jp"), &json!("en"))
        );
        let code = item["code"].as_str().unwrap();
        assert!(code.len() == 6 && item["text"].as_str().unwrap().contains(code), "{item}");
        assert!(item.get("link").is_none(), "{item}");
        assert!(item["at"].as_str().unwrap().ends_with('Z'));
    });
}

#[test]
fn the_inbox_is_read_by_recipient_channel_and_time_in_pages() {
    test(async |app| {
        for name in ["a", "b", "c"] {
            app.start_sign_up(&format!("{name}@example.jp")).await;
            app.message_to(&format!("{name}@example.jp")).await;
        }
        app.advance(60);
        app.start_sign_up("d@example.jp").await;
        let newest = app.message_to("d@example.jp").await;
        let all = ids(app, "").await;
        assert_eq!((all.len(), &all[0]), (4, &newest["id"].as_str().unwrap().to_owned()));
        for form in ["d@example.jp", "D@Example.JP", "%20d@example.jp%20", "%EF%BD%84%EF%BC%A0example.jp"] {
            assert_eq!(ids(app, &format!("?to={form}")).await, all[..1], "{form}");
        }
        assert_eq!(ids(app, "?to=nobody@example.jp").await, Vec::<String>::new());
        assert_eq!(ids(app, "?channel=email").await, all);
        assert_eq!(ids(app, "?channel=sms").await, Vec::<String>::new());
        let since = newest["at"].as_str().unwrap().replace('+', "%2B");
        assert_eq!(ids(app, &format!("?since={since}")).await, all[..1]);

        let mut paged = Vec::new();
        let mut query = "?limit=3".to_owned();
        loop {
            let page = app.get(&format!("/dev/inbox{query}")).await.ok(200);
            paged.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=3&cursor={next}");
        }
        assert_eq!(paged, all);
    });
}

#[test]
fn the_inbox_refuses_what_it_does_not_understand() {
    test(async |app| {
        app.get("/dev/inbox?to=nobody").await.faults(&["to invalid_format"]);
        app.get("/dev/inbox?channel=fax").await.faults(&["channel unknown_value"]);
        app.get("/dev/inbox?since=yesterday").await.faults(&["since invalid_format"]);
        app.get("/dev/inbox?limit=0").await.faults(&["limit out_of_range"]);
        app.get("/dev/inbox?limit=101").await.faults(&["limit out_of_range"]);
        app.get("/dev/inbox?cursor=x").await.refused(400, "invalid_cursor");
        app.get("/dev/inbox?from=x").await.refused(400, "unsupported_field");
        app.send(app.request(Method::DELETE, "/dev/inbox?limit=1")).await.refused(400, "unsupported_field");
    });
}

#[test]
fn messages_are_thrown_away_one_recipient_or_all() {
    test(async |app| {
        for name in ["a", "b"] {
            app.start_sign_up(&format!("{name}@example.jp")).await;
            app.message_to(&format!("{name}@example.jp")).await;
        }
        let delete = async |query: &str| app.send(app.request(Method::DELETE, &format!("/dev/inbox{query}"))).await;
        assert_eq!(delete("?to=A@example.jp").await.ok(204), Value::Null);
        assert_eq!(ids(app, "?to=a@example.jp").await.len(), 0);
        assert_eq!(ids(app, "").await.len(), 1);
        delete("").await.ok(204);
        assert_eq!(ids(app, "").await.len(), 0);
    });
}

#[test]
fn a_browser_gets_the_inbox_as_a_page() {
    test(async |app| {
        let page = async |accept: &str| {
            let request = app.request(Method::GET, "/dev/inbox").header("accept", accept);
            let answer = app.send(request).await;
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
            answer.ok(200).as_str().unwrap().to_owned()
        };
        assert!(page("text/html").await.contains("<h1>"));
        app.start_sign_up("o'neil@example.jp").await;
        let code = app.code_to("o'neil@example.jp").await;
        let shown = page("text/html,*/*;q=0.8").await;
        assert!(shown.contains(&code) && shown.contains("o&#39;neil@example.jp"), "{shown}");
    });
}

/// security.md 28 as a tester meets it: every code is good once, so the next one is of the next step.
#[test]
fn the_authenticator_app_shows_the_first_code_that_is_not_used_up() {
    test(async |app| {
        let flow = app.sign_up("taro@example.jp").await;
        let factor = app.start_enrolment(&flow).await;
        let path = format!("/dev/totp/{factor}");
        let pending = app.get(&path).await.ok(200);
        assert_eq!(app.get(&path).await.ok(200)["code"], pending["code"], "looking uses nothing up");
        assert!((1..=60).contains(&pending["expires_in"].as_u64().unwrap()), "{pending}");
        app.confirm_enrolment(&flow, &factor, pending["code"].as_str().unwrap()).await.ok(201);
        app.ignore_messages().await;

        let sign_in = async |code: &Value| {
            let flow = app.start_sign_in("taro@example.jp", crate::support::PASSWORD).await.ok(200);
            app.second_factor(&flow, code.as_str().unwrap()).await
        };
        let next = app.get(&path).await.ok(200)["code"].clone();
        assert_ne!(next, pending["code"]);
        sign_in(&next).await.ok(201);
        let used_up = app.get(&path).await;
        let wait: u64 = used_up.header("retry-after").parse().unwrap();
        let problem = used_up.refused(409, "conflict");
        assert_eq!(problem["retry_after"], wait);
        assert!((1..=30).contains(&wait), "{wait}");
        app.advance(wait);
        sign_in(&app.get(&path).await.ok(200)["code"]).await.ok(201);
        app.ignore_messages().await;
    });
}

#[test]
fn a_factor_that_is_not_there_shows_no_code() {
    test(async |app| {
        app.get("/dev/totp/01932c5e-7a10-7000-8000-000000000001").await.refused(404, "not_found");
        app.get("/dev/totp/mine").await.refused(404, "not_found");
        app.get("/dev/totp").await.refused(404, "not_found");
    });
}

async fn as_host(app: &TestApp, host: &str, path: &str) -> Answer {
    app.send(app.request(Method::GET, path).header("host", host)).await
}

/// A name that an attacker lets point at 127.0.0.1 (DNS rebinding) reaches nothing.
#[test]
fn only_this_machine_is_served() {
    test(async |app| {
        for host in ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8080"] {
            as_host(app, host, "/dev/inbox").await.ok(200);
        }
        let evil = [
            "evil.example",
            "evil.example:80",
            "localhost.evil.example",
            "evil.example:localhost",
            "127.0.0.1.evil.example",
        ];
        for host in evil.into_iter().chain(["192.168.0.2", "[::2]", "localhost@evil.example"]) {
            for path in ["/dev/inbox", "/v1/configuration", "/.well-known/jwks.json", "/docs"] {
                let answer = as_host(app, host, path).await;
                assert!((400..500).contains(&answer.status), "{host} {path}: {}", answer.status);
            }
        }
    });
}

/// The other half of the rule, that `sekisho serve` does not mount them, is a matter of the document: what is not
/// in it has no route.
#[test]
fn production_does_not_know_these_paths() {
    let document = sekisho::server::document(sekisho::config::Mode::Production, "https://auth.example.com").unwrap();
    assert!(document.value()["paths"].as_object().unwrap().keys().all(|path| !path.starts_with("/dev")));
}
