//! Accounts that are gone, or that nobody can sign in to any more, and the file that once brought them.

use reqwest::Method;
use sekisho::imports;
use sekisho::janitor;
use serde_json::Value;
use serde_json::json;

use super::BCRYPT;
use super::DRY;
use super::Export;
use super::ONCE;
use super::bring;
use super::caller;
use super::counts;
use super::import;
use super::person;
use super::sign_in::enrol;
use super::sign_in::prove;
use super::told;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

const TARO: &str = "taro@example.jp";
const HANA: &str = "hana@example.jp";
const DAY: u64 = 86_400;

/// The access token of a first sign-in.
async fn first_sign_in(app: &TestApp, email: &str) -> String {
    let flow = app.start_sign_in(email, PASSWORD).await.ok(200);
    let tokens = enrol(app, &prove(app, &flow, 0, email).await).await;
    app.ignore_messages().await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// What an export holds; how many accounts it has, and how many it leaves out without an identifier and as closing.
async fn export(app: &TestApp) -> (Vec<Value>, [u64; 3]) {
    let mut file = Vec::new();
    let exported = imports::export(&app.app, &caller(&app.app), &mut file).await.unwrap();
    let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    (lines, [exported.written, exported.without_identifier, exported.inactive])
}

/// Deleted is deleted: neither the file that brought somebody nor an export of them brings them back.
#[test]
fn a_person_who_was_deleted_stays_away() {
    test(async |app| {
        let line = person("1", TARO, BCRYPT);
        bring(app, std::slice::from_ref(&line)).await;
        let taro = first_sign_in(app, TARO).await;
        let hana = app.person(HANA).await;
        let (exported, counted) = export(app).await;
        assert_eq!(counted, [2, 0, 0]);
        for token in [&taro, &hana.access()] {
            app.with_token(token, Method::POST, "/v1/account/closure", Some(&json!({}))).await.ok(202);
        }
        assert_eq!(export(app).await.1, [0, 0, 2], "who is closing does not go along");
        app.ignore_messages().await;
        app.advance(30 * DAY);
        assert_eq!(app.purge().await["closed_accounts"], 2);
        app.ignore_messages().await;

        for (lines, expected) in [(vec![line], 1), (exported, 2)] {
            for options in [DRY, ONCE] {
                let again = import(&app.app, &Export::lines(&lines), options).await.unwrap();
                assert_eq!(again.counts, counts(0, expected, 0, 0), "{lines:?}");
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
        app.start_sign_in(TARO, PASSWORD).await.refused(401, "invalid_credentials");
        let kept: Vec<String> =
            sqlx::query_scalar("SELECT c::text FROM closed_accounts c").fetch_all(&app.app.db).await.unwrap();
        assert!(kept.iter().all(|row| !row.contains("example.jp")), "{kept:?}");
    });
}

/// An account that went into another one was imported as well.
#[test]
fn an_account_that_was_merged_is_not_imported_again() {
    test(async |app| {
        let lines = [person("1", TARO, BCRYPT), person("2", HANA, BCRYPT)];
        bring(app, &lines).await;
        let (taro, hana) = (first_sign_in(app, TARO).await, first_sign_in(app, HANA).await);
        let body = json!({ "other_access_token": hana, "dry_run": false });
        app.with_token(&taro, Method::POST, "/v1/account/merges", Some(&body)).await.ok(202);
        app.advance(3 * DAY);
        assert_eq!(janitor::carry_out(&app.app).await.unwrap(), 1);
        let again = import(&app.app, &Export::lines(&lines), ONCE).await.unwrap();
        assert_eq!((again.counts, told(&again.findings)), (counts(0, 2, 0, 0), Vec::new()));
        app.ignore_messages().await;
    });
}

/// Whoever proves the only address of an imported account has it; that account is told of, and does not stop an export.
#[test]
fn an_account_that_lost_its_last_identifier_is_found() {
    test(async |app| {
        let line =
            json!({ "external_id": "1", "password_hash": BCRYPT, "identifiers": [{ "kind": "email", "value": TARO }] });
        let lines = std::slice::from_ref(&line);
        bring(app, lines).await;
        let again = import(&app.app, &Export::lines(lines), ONCE).await.unwrap();
        assert_eq!(again.counts, counts(0, 1, 0, 0), "it signs in still");
        let id: uuid::Uuid = sqlx::query_scalar("SELECT id FROM accounts").fetch_one(&app.app.db).await.unwrap();
        app.sign_up(TARO).await;
        let reason = format!("1 parked /identifiers: others have proved all that account {id} had");
        for options in [DRY, ONCE] {
            let again = import(&app.app, &Export::lines(lines), options).await.unwrap();
            assert_eq!((again.counts, told(&again.findings)), (counts(0, 0, 1, 0), vec![reason.clone()]));
        }
        let (exported, counted) = export(app).await;
        assert_eq!(counted, [1, 1, 0]);
        assert_eq!(exported[0]["identifiers"][0]["value"], TARO);
    });
}
