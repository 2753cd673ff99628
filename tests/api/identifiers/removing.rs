//! Removing an identifier: it takes three days, and can be stopped.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::DAYS_3;
use super::HANA;
use super::OTHER;
use super::PATH;
use super::PHONE;
use super::TARO;
use super::add;
use super::add_proved;
use super::carry_out;
use super::first_id;
use super::listed;
use super::prove;
use super::remove;
use super::text;
use crate::support::PASSWORD;
use crate::support::test;
use crate::support::test_with;

/// security.md 26: told at once at every identifier, in effect after three days, told again.
#[test]
fn a_removed_identifier_works_for_three_days_more() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let (first, other) = (first_id(&taro).await, add_proved(app, &taro, OTHER).await);
        let begun = remove(&taro, &first).await.ok(202);
        let leaves = app.message_to(TARO).await;
        let token = text(&leaves["code"]);
        assert!(token.starts_with("cct_"));
        assert_eq!(leaves["link"], format!("{}/cancel-change#{token}", app.url), "a page of the configuration");
        let notice = app.message_to(OTHER).await;
        assert!(text(&notice["text"]).contains("t•••@example.jp") && notice.get("code").is_none(), "{notice}");
        let account = taro.get("/v1/account").await.ok(200);
        let change = &account["pending_changes"][0];
        assert_eq!((&change["kind"], &change["identifier_id"]), (&json!("identifier_removal"), &first));
        assert_eq!(change["effective_at"], begun["effective_at"]);
        assert_eq!(remove(&taro, &first).await.ok(202), begun, "asking again changes nothing");
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
        let path = format!("{PATH}/{}/primary", text(&first));
        assert_eq!(app.with_token(&taro.access(), Method::POST, &path, None).await.ok(200)["primary"], true);
        app.advance(DAYS_3 - 60);
        assert_eq!(carry_out(app).await, 0);
        app.start_sign_in(TARO, PASSWORD).await.ok(200);
        app.advance(60);
        assert_eq!(carry_out(app).await, 1);
        assert_eq!(carry_out(app).await, 0);
        for address in [TARO, OTHER] {
            assert!(text(&app.message_to(address).await["text"]).contains("t•••@example.jp"));
        }
        app.start_sign_in(TARO, PASSWORD).await.refused(401, "invalid_credentials");
        let flow = app.start_sign_in(OTHER, PASSWORD).await.ok(200);
        let tokens = app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        let account = app.with_token(text(&tokens["access_token"]), Method::GET, "/v1/account", None).await.ok(200);
        assert_eq!(account["pending_changes"], json!([]));
        let left = account["identifiers"].as_array().unwrap();
        assert_eq!((left.len(), &left[0]["id"], &left[0]["primary"]), (1, &other["id"], &json!(true)));
        // Free for whoever has it now, and nothing of the old account comes with it.
        let flow = app.sign_up(TARO).await;
        assert_eq!(flow["next"], "enrol_second_factor");
    });
}

/// An account keeps one, and one that is leaving does not count.
#[test]
fn the_last_identifier_stays() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let first = first_id(&taro).await;
        remove(&taro, &first).await.refused(409, "last_identifier");
        let other = add_proved(app, &taro, OTHER).await;
        remove(&taro, &other["id"]).await.ok(202);
        remove(&taro, &first).await.refused(409, "last_identifier");
        let path = format!("{PATH}/{}/primary", text(&other["id"]));
        let chosen = app.with_token(&taro.access(), Method::POST, &path, None).await.refused(409, "conflict");
        let added = add(&taro, OTHER).await.refused(409, "already_verified");
        for refused in [chosen, added] {
            assert_eq!(refused["reason"], "leaving");
            assert!(text(&refused["detail"]).contains("about to leave"), "{refused}");
        }
        assert!(add(&taro, TARO).await.refused(409, "already_verified").get("reason").is_none());
        app.ignore_messages().await;
    });
}

#[test]
fn parallel_removals_leave_one() {
    test(async |app| {
        let taro = app.person(TARO).await;
        add_proved(app, &taro, OTHER).await;
        add_proved(app, &taro, PHONE).await;
        let ids: Vec<Value> = listed(&taro).await.iter().map(|own| own["id"].clone()).collect();
        let answers = join_all(ids.iter().map(|id| remove(&taro, id))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 202, 409]);
        app.advance(DAYS_3);
        assert_eq!(carry_out(app).await, 2);
        assert_eq!(app.count("SELECT count(*) FROM identifiers WHERE is_primary").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 1);
        app.ignore_messages().await;
    });
}

/// However many replicas look, a removal is carried out once.
#[test]
fn a_removal_is_carried_out_once() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let other = add_proved(app, &taro, OTHER).await;
        remove(&taro, &other["id"]).await.ok(202);
        app.advance(DAYS_3);
        let replica = app.replica();
        let both = tokio::join!(sekisho::janitor::carry_out(&app.app), sekisho::janitor::carry_out(&replica));
        assert_eq!(both.0.unwrap() + both.1.unwrap(), 1);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'identifier_removed'").await, 1);
        app.ignore_messages().await;
    });
}

/// What was never proved goes at once, and its code with it.
#[test]
fn a_wish_is_withdrawn_at_once() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = add(&taro, OTHER).await.ok(201);
        let (id, code) = (&begun["identifier"]["id"], app.code_to(OTHER).await);
        remove(&taro, id).await.ok(202);
        prove(&taro, id, &code).await.refused(404, "not_found");
        remove(&taro, id).await.refused(404, "not_found");
    });
}

/// security.md 63: other people's identifiers are not there, proved or not.
#[test]
fn other_peoples_identifiers_are_not_there() {
    test(async |app| {
        let (taro, hana) = (app.person(TARO).await, app.person(HANA).await);
        let begun = add(&taro, OTHER).await.ok(201);
        app.message_to(OTHER).await;
        for id in [&begun["identifier"]["id"], &first_id(&taro).await, &json!("nonsense")] {
            remove(&hana, id).await.refused(404, "not_found");
            prove(&hana, id, "123456").await.refused(404, "not_found");
            hana.post(&format!("{PATH}/{}/resend", text(id)), &json!({})).await.refused(404, "not_found");
            let path = format!("{PATH}/{}/primary", text(id));
            app.with_token(&hana.access(), Method::POST, &path, None).await.refused(404, "not_found");
        }
        let listed = hana.get(PATH).await.ok(200).to_string();
        assert!(!listed.contains("taro"), "{listed}");
    });
}

/// An SMS has no room for words beside a token, so a phone gets two.
#[test]
fn a_number_is_told_in_words_and_gets_its_token() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let phone = add_proved(app, &taro, PHONE).await;
        app.advance(DAYS_3);
        taro.tokens = taro.sign_in().await;
        remove(&taro, &phone["id"]).await.ok(202);
        app.message_to(TARO).await;
        let both = [app.message_to(PHONE).await, app.message_to(PHONE).await];
        let tokens = both.iter().filter(|message| message["code"].as_str().is_some_and(|it| it.starts_with("cct_")));
        assert_eq!(tokens.count(), 1, "{both:?}");
        let words = "Sekisho: this number leaves your account in 72 h. Stop it: next SMS.";
        assert!(both.iter().any(|message| message["text"] == words), "{both:?}");
    });
}

/// security.md 83: each change leaves a row that says what was changed.
#[test]
fn every_change_is_written_down() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let other = add_proved(app, &taro, OTHER).await;
        let path = format!("{PATH}/{}/primary", text(&other["id"]));
        app.with_token(&taro.access(), Method::POST, &path, None).await.ok(200);
        remove(&taro, &other["id"]).await.ok(202);
        app.advance(DAYS_3);
        carry_out(app).await;
        for kind in ["identifier_added", "primary_identifier_changed", "identifier_removal_begun", "identifier_removed"]
        {
            let query = "SELECT count(*) FROM audit_events WHERE kind = $1 AND account_id = $2
                         AND detail->>'identifier_id' = $3";
            let account: uuid::Uuid = text(&taro.tokens["account_id"]).parse().unwrap();
            let rows = sqlx::query_scalar::<_, i64>(query).bind(kind).bind(account).bind(text(&other["id"]));
            assert_eq!(rows.fetch_one(&app.app.db).await.unwrap(), 1, "{kind}");
        }
        app.ignore_messages().await;
    });
}

/// A change that cannot be carried out now keeps no other waiting, and is carried out later.
#[test]
fn what_cannot_be_carried_out_hinders_nothing_else() {
    test(async |app| {
        let (taro, hana) = (app.person(TARO).await, app.person("hana@example.jp").await);
        for (person, other) in [(&taro, "taro@example.com"), (&hana, "hana@example.com")] {
            let added = add_proved(app, person, other).await;
            remove(person, &added["id"]).await.ok(202);
        }
        app.ignore_messages().await;
        app.advance(72 * 3600);
        let mut busy = app.app.db.begin().await.unwrap();
        let account: uuid::Uuid = taro.tokens["account_id"].as_str().unwrap().parse().unwrap();
        let lock = "SELECT id FROM accounts WHERE id = $1 FOR UPDATE";
        sqlx::query(lock).bind(account).execute(&mut *busy).await.unwrap();
        assert_eq!(carry_out(app).await, 1, "hers");
        busy.rollback().await.unwrap();
        assert_eq!(carry_out(app).await, 1, "his");
        app.ignore_messages().await;
    });
}

/// Removing is a sensitive act, and limited like the others.
#[test]
fn removing_is_limited() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let taro = app.person(TARO).await;
        let nobodys = json!("01a2157b-a1e9-70a4-b796-9f6aded6d0c2");
        let quota = sekisho::limits::Policy::Reauthentication.quota().requests;
        for _ in 0..quota {
            remove(&taro, &nobodys).await.refused(404, "not_found");
        }
        remove(&taro, &nobodys).await.refused(429, "rate_limited");
    });
}
