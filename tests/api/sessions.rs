//! `src/sessions`: a person's list of sessions, and the ways to end one.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const ENDED: &str = "SELECT count(*) FROM audit_events WHERE kind = 'session_ended'";
const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

fn path(tokens: &Value) -> String {
    format!("/v1/sessions/{}", tokens["session_id"].as_str().unwrap())
}

fn ids(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().iter().map(|session| session["id"].clone()).collect()
}

async fn account(app: &TestApp, tokens: &Value) -> Answer {
    app.with_token(access(tokens), Method::GET, "/v1/account", None).await
}

async fn sign_out(app: &TestApp, body: &Value) -> Answer {
    app.post("/v1/sessions/sign-out", body).await
}

async fn listed(person: &Person<'_>) -> Vec<Value> {
    ids(&person.get("/v1/sessions").await.ok(200))
}

/// security.md 63: newest first, one's own only.
#[test]
fn people_see_their_own_sessions_alone() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let tablet = taro.sign_in().await;
        let page = taro.get("/v1/sessions").await.ok(200);
        assert_eq!(ids(&page), [tablet["session_id"].clone(), taro.tokens["session_id"].clone()]);
        assert!(page.get("next_cursor").is_none());
        let [newest, oldest] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
        assert_eq!((&newest["current"], &oldest["current"]), (&json!(false), &json!(true)));
        assert_eq!(newest["amr"], json!(["pwd", "otp", "mfa"]));
        assert!(newest.get("label").is_none(), "absent, never null");
        assert!(newest["ip"].as_str().unwrap().parse::<std::net::IpAddr>().unwrap().is_loopback());
        assert!(newest["created_at"].as_str() <= newest["last_used_at"].as_str());
        assert_eq!(listed(&hana).await, [hana.tokens["session_id"].clone()]);
    });
}

#[test]
fn a_list_comes_in_pages() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        for _ in 0..4 {
            taro.tokens = taro.sign_in().await;
        }
        let all = listed(&taro).await;
        let mut seen = Vec::new();
        let mut query = "?limit=2".to_owned();
        for expected in [2, 2, 1] {
            let page = taro.get(&format!("/v1/sessions{query}")).await.ok(200);
            assert_eq!(ids(&page).len(), expected);
            seen.extend(ids(&page));
            match page["next_cursor"].as_str() {
                Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
                None => assert_eq!(expected, 1),
            }
        }
        assert_eq!(seen, all);
    });
}

/// api.md §0: a cursor is authenticated, and of its own list.
#[test]
fn a_cursor_that_is_damaged_or_not_ones_own_is_refused() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        taro.tokens = taro.sign_in().await;
        let hana = app.person("hana@example.jp").await;
        hana.sign_in().await;
        let mine = taro.get("/v1/sessions?limit=1").await.ok(200)["next_cursor"].as_str().unwrap().to_owned();
        let hers = hana.get("/v1/sessions?limit=1").await.ok(200)["next_cursor"].as_str().unwrap().to_owned();
        let inbox = app.get("/dev/inbox?limit=1").await.ok(200)["next_cursor"].as_str().unwrap().to_owned();
        for cursor in [&hers, &inbox, &mine[1..], &format!("{mine}A"), &mine.to_lowercase(), "", "*", "%F0%9F%90%B1"] {
            taro.get(&format!("/v1/sessions?cursor={cursor}")).await.refused(400, "invalid_cursor");
        }
        taro.get(&format!("/v1/sessions?cursor={mine}")).await.ok(200);
    });
}

/// api.md §0: out of range is refused, never clamped; the fault names the parameter.
#[test]
fn a_limit_out_of_range_is_refused() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        for limit in ["0", "101", "-1", "99999999999999999999"] {
            let answer = taro.get(&format!("/v1/sessions?limit={limit}")).await;
            assert_eq!(answer.body["errors"][0]["parameter"], "limit");
            assert!(answer.body["errors"][0].get("pointer").is_none());
            answer.faults(&["limit out_of_range"]);
        }
        taro.get("/v1/sessions?limit=x").await.faults(&["limit invalid_format"]);
        taro.get("/v1/sessions?limit=100").await.ok(200);
        taro.get("/v1/sessions?page=2").await.refused(400, "unsupported_field");
        taro.get("/v1/sessions?limit=1&limit=2").await.refused(400, "malformed_request");
    });
}

#[test]
fn a_session_can_be_named_at_sign_in_and_later() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let body = json!({ "identifier": taro.email, "password": crate::support::PASSWORD, "session_label": "Phone" });
        let flow = app.post("/v1/sign-ins", &body).await.ok(200);
        let phone = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        assert_eq!(taro.get("/v1/sessions").await.ok(200)["items"][0]["label"], "Phone");
        let named = taro.patch(&path(&phone), &json!({ "label": " 居間のタブレット " })).await.ok(200);
        assert_eq!((&named["label"], &named["id"]), (&json!("居間のタブレット"), &phone["session_id"]));
        assert_eq!(taro.get("/v1/sessions").await.ok(200)["items"][0], named);
        taro.patch(&path(&phone), &json!({ "label": "" })).await.faults(&["/label required"]);
        taro.patch(&path(&phone), &json!({})).await.faults(&["/label required"]);
        taro.patch(&path(&phone), &json!({ "label": "x".repeat(101) })).await.faults(&["/label too_long"]);
        taro.patch(&path(&phone), &json!({ "label": "x".repeat(100) })).await.ok(200);
        taro.patch(&path(&phone), &json!({ "label": "x", "current": true })).await.refused(400, "unsupported_field");
    });
}

/// security.md 59 and 63: an ended session is over at once, for every one of its tokens.
#[test]
fn ending_a_session_ends_its_tokens_at_once() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let tablet = taro.sign_in().await;
        assert!(taro.delete(&path(&tablet)).await.ok(204).is_null());
        account(app, &tablet).await.refused(401, "session_revoked");
        app.refresh(tablet["refresh_token"].as_str().unwrap()).await.refused(401, "session_revoked");
        taro.delete(&path(&tablet)).await.refused(404, "not_found");
        taro.patch(&path(&tablet), &json!({ "label": "x" })).await.refused(404, "not_found");
        assert_eq!(listed(&taro).await, [taro.tokens["session_id"].clone()]);
        taro.delete(&path(&taro.tokens)).await.ok(204);
        account(app, &taro.tokens).await.refused(401, "session_revoked");
    });
}

/// security.md 63: another's id is as good as none.
#[test]
fn sessions_of_others_cannot_be_told_from_none() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        for id in [path(&hana.tokens), format!("/v1/sessions/{NOBODYS}"), "/v1/sessions/1".to_owned()] {
            taro.delete(&id).await.refused(404, "not_found");
            taro.patch(&id, &json!({ "label": "x" })).await.refused(404, "not_found");
        }
        account(app, &hana.tokens).await.ok(200);
        assert!(hana.get("/v1/sessions").await.ok(200)["items"][0].get("label").is_none());
    });
}

#[test]
fn the_others_or_all_sessions_can_be_ended_together() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let (tablet, phone) = (taro.sign_in().await, taro.sign_in().await);
        for query in ["", "?scope=", "?scope=some", "?scope=ALL"] {
            let problem = taro.delete(&format!("/v1/sessions{query}")).await.refused(422, "invalid_fields");
            assert_eq!(problem["errors"][0]["parameter"], "scope");
        }
        account(app, &tablet).await.ok(200);
        taro.delete("/v1/sessions?scope=others").await.ok(204);
        account(app, &taro.tokens).await.ok(200);
        account(app, &tablet).await.refused(401, "session_revoked");
        account(app, &phone).await.refused(401, "session_revoked");
        taro.sign_in().await;
        taro.delete("/v1/sessions?scope=all").await.ok(204);
        account(app, &taro.tokens).await.refused(401, "session_revoked");
        assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 1, "Hana's");
        assert_eq!(app.count(ENDED).await, 4);
        account(app, &hana.tokens).await.ok(200);
    });
}

#[test]
fn a_session_that_ran_out_is_not_listed() {
    test_with(&[("client.idle_lifetime_secs", "3600")], async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let first = path(&taro.tokens);
        app.advance(3600);
        taro.tokens = taro.sign_in().await;
        assert_eq!(listed(&taro).await, [taro.tokens["session_id"].clone()]);
        taro.delete(&first).await.refused(404, "not_found");
    });
}

/// security.md 59: by refresh token or by access token, both are dead at once.
#[test]
fn signing_out_ends_the_session_of_the_token_shown() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let tablet = taro.sign_in().await;
        let token = json!({ "refresh_token": tablet["refresh_token"] });
        assert!(sign_out(app, &token).await.ok(204).is_null());
        account(app, &tablet).await.refused(401, "session_revoked");
        app.post("/v1/sessions/refresh", &token).await.refused(401, "session_revoked");
        account(app, &taro.tokens).await.ok(200);

        app.with_token(&taro.access(), Method::POST, "/v1/sessions/sign-out", None).await.ok(204);
        account(app, &taro.tokens).await.refused(401, "session_revoked");
        app.refresh(&taro.refresh_token()).await.refused(401, "session_revoked");
        assert_eq!(app.count(ENDED).await, 2);
    });
}

/// api.md §0: whoever wants to be signed out is; only a request that shows nothing is refused.
#[test]
fn a_dead_refresh_token_signs_out_too_and_no_token_does_not() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let token = json!({ "refresh_token": taro.refresh_token() });
        for _ in 0..2 {
            sign_out(app, &token).await.ok(204);
        }
        sign_out(app, &json!({ "refresh_token": "srt_nonsense" })).await.ok(204);
        assert_eq!(app.count(ENDED).await, 1);
        sign_out(app, &json!({})).await.refused(401, "access_token_missing");
        app.send(app.request(Method::POST, "/v1/sessions/sign-out")).await.refused(401, "access_token_missing");
        let path = "/v1/sessions/sign-out";
        app.with_token(&taro.access(), Method::POST, path, None).await.refused(401, "session_revoked");
        app.with_token("x.y.z", Method::POST, path, None).await.refused(401, "access_token_invalid");
    });
}

/// A refresh token of an older generation belongs to its owner still: showing it to sign out accuses nobody.
#[test]
fn an_older_refresh_token_signs_out_as_well() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let second = app.refresh(&taro.refresh_token()).await.ok(200);
        let third = app.refresh(second["refresh_token"].as_str().unwrap()).await.ok(200);
        sign_out(app, &json!({ "refresh_token": taro.refresh_token() })).await.ok(204);
        account(app, &third).await.refused(401, "session_revoked");
    });
}

#[test]
fn of_fifty_ends_of_one_session_one_counts() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let tablet = taro.sign_in().await;
        let tablet = path(&tablet);
        let answers = join_all((0..50).map(|_| taro.delete(&tablet))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.status == 404).count(), 49);
        let token = json!({ "refresh_token": taro.refresh_token() });
        let answers = join_all((0..50).map(|_| sign_out(app, &token))).await;
        assert!(answers.iter().all(|answer| answer.status == 204));
        assert_eq!(app.count(ENDED).await, 2);
    });
}

/// Every endpoint of a person asks for an access token in the one header that carries it.
#[test]
fn without_an_access_token_nothing_opens() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let one = path(&taro.tokens);
        for (method, path) in [
            (Method::GET, "/v1/sessions"),
            (Method::PATCH, one.as_str()),
            (Method::DELETE, one.as_str()),
            (Method::DELETE, "/v1/sessions?scope=all"),
        ] {
            let bare = app.request(method.clone(), path).json(&json!({ "label": "x" }));
            app.send(bare).await.refused(401, "access_token_missing");
            let basic = app.request(method.clone(), path).basic_auth("taro", Some("x")).json(&json!({ "label": "x" }));
            app.send(basic).await.refused(401, "access_token_missing");
            let bad = app.request(method.clone(), path).bearer_auth("x").json(&json!({ "label": "x" }));
            app.send(bad).await.refused(401, "access_token_invalid");
            let twice = app.request(method, path).bearer_auth(taro.access()).bearer_auth(taro.access());
            app.send(twice.json(&json!({ "label": "x" }))).await.refused(401, "access_token_invalid");
        }
        let query = format!("/v1/sessions?access_token={}", taro.access());
        app.get(&query).await.refused(400, "unsupported_field");
        account(app, &taro.tokens).await.ok(200);
    });
}
