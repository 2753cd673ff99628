//! `src/changes`: stopping a change with the token of its message.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::DAYS_3;
use super::OTHER;
use super::PHONE;
use super::TARO;
use super::add_proved;
use super::cancel;
use super::carry_out;
use super::first_id;
use super::remove;
use super::text;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::test;

/// A thief in the account has added a mailbox of their own and removes the owner's; answers the token that the owner got.
async fn stolen(app: &TestApp, taro: &Person<'_>) -> String {
    let first = first_id(taro).await;
    add_proved(app, taro, OTHER).await;
    remove(taro, &first).await.ok(202);
    app.message_to(OTHER).await;
    text(&app.message_to(TARO).await["code"]).to_owned()
}

#[test]
fn a_cancelled_change_ends_every_session_and_voids_the_password() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let other = taro.sign_in().await;
        let flow = taro.start_sign_in().await;
        let token = stolen(app, &taro).await;
        cancel(app, &token).await.ok(204);
        for address in [TARO, OTHER] {
            let notice = app.message_to(address).await;
            assert!(text(&notice["text"]).contains("Reset") && notice.get("code").is_none(), "{notice}");
        }
        taro.get("/v1/account").await.refused(401, "session_revoked");
        app.refresh(&taro.refresh_token()).await.refused(401, "session_revoked");
        app.refresh(text(&other["refresh_token"])).await.refused(401, "session_revoked");
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.refused(410, "sign_in_expired");
        app.start_sign_in(TARO, PASSWORD).await.refused(401, "invalid_credentials");
        cancel(app, &token).await.refused(410, "cancel_token_invalid");
        app.advance(DAYS_3);
        assert_eq!(carry_out(app).await, 0, "nothing leaves");
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 2);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'change_cancelled'").await, 1);
    });
}

/// The walk of an owner whom a thief wanted to lock out: stop it, reset the password, sign in with the old factor.
#[test]
fn an_owner_comes_back_after_a_cancellation() {
    test(async |app| {
        let taro = app.person(TARO).await;
        cancel(app, &stolen(app, &taro).await).await.ok(204);
        app.ignore_messages().await;
        let body = json!({ "identifier": TARO });
        let begun = app.post("/v1/password-resets", &body).await.ok(202);
        let confirm = json!({
            "method": "code", "password_reset_token": begun["password_reset_token"], "code": app.code_to(TARO).await,
            "new_password": "tidal mango ledger vowel",
        });
        app.post("/v1/password-resets/confirm", &confirm).await.ok(204);
        let flow = app.start_sign_in(TARO, "tidal mango ledger vowel").await.ok(200);
        app.second_factor(&flow, &app.totp(&taro.factor).await).await.ok(201);
        app.ignore_messages().await;
    });
}

/// A token works once, however many show it.
#[test]
fn of_racing_cancellations_one_counts() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let token = stolen(app, &taro).await;
        let answers = join_all((0..30).map(|_| cancel(app, &token))).await;
        let (won, lost): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|answer| answer.status == 204);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.refused(410, "cancel_token_invalid");
        }
        for address in [TARO, OTHER] {
            app.message_to(address).await;
        }
    });
}

/// At its time a change is carried out or was cancelled, never both and never neither.
#[test]
fn a_cancellation_and_the_janitor_that_race_do_not_both_win() {
    for early in [true, false] {
        test(async |app| {
            let taro = app.person(TARO).await;
            let token = stolen(app, &taro).await;
            app.advance(if early { DAYS_3 - 60 } else { DAYS_3 });
            let (cancelled, carried) = tokio::join!(cancel(app, &token), carry_out(app));
            assert_eq!((cancelled.status, carried), if early { (204, 0) } else { (410, 1) });
            let left = app.count("SELECT count(*) FROM identifiers").await;
            assert_eq!(left, if early { 2 } else { 1 });
            app.ignore_messages().await;
        });
    }
}

/// Whether or not the janitor has been there: what is due cannot be stopped any more.
#[test]
fn a_token_is_void_once_the_time_has_come() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let token = stolen(app, &taro).await;
        app.advance(DAYS_3);
        cancel(app, &token).await.refused(410, "cancel_token_invalid");
        carry_out(app).await;
        cancel(app, &token).await.refused(410, "cancel_token_invalid");
        app.ignore_messages().await;
    });
}

/// security.md 61: one answer for every token that is none.
#[test]
fn damaged_tokens_cancel_nothing() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let token = stolen(app, &taro).await;
        let damaged = [
            String::new(),
            "cct_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            format!(" {token}"),
            format!("sup_{}", &token[4..]),
            format!("cct_{}", "A".repeat(43)),
            taro.refresh_token(),
        ];
        for token in damaged {
            cancel(app, &token).await.refused(410, "cancel_token_invalid");
        }
        app.request(Method::GET, "/v1/account/changes/cancel").send().await.unwrap();
        let waiting = taro.get("/v1/account").await.ok(200)["pending_changes"].clone();
        assert_eq!(waiting.as_array().map(Vec::len), Some(1), "{waiting}");
        app.post("/v1/account/changes/cancel", &json!({})).await.faults(&["/cancel_token required"]);
    });
}

/// A token is 256 random bits; the database has its digest alone.
#[test]
fn the_database_does_not_know_the_token() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let token = stolen(app, &taro).await;
        assert!(token.len() >= 4 + 43, "{token}");
        let row: String =
            sqlx::query_scalar("SELECT t::text FROM cancel_tokens t").fetch_one(&app.app.db).await.unwrap();
        assert!(!row.contains(&token[4..]), "{row}");
    });
}

/// After a cancellation a new removal is a new change with a token of its own.
#[test]
fn a_change_can_be_begun_again() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let other = add_proved(app, &taro, OTHER).await;
        app.advance(DAYS_3);
        taro.tokens = taro.sign_in().await;
        remove(&taro, &other["id"]).await.ok(202);
        app.message_to(TARO).await;
        let old = text(&app.message_to(OTHER).await["code"]).to_owned();
        app.advance(DAYS_3);
        carry_out(app).await;
        app.ignore_messages().await;
        taro.tokens = taro.sign_in().await;
        let again = add_proved(app, &taro, OTHER).await;
        assert_ne!(again["id"], other["id"]);
        app.advance(DAYS_3);
        taro.tokens = taro.sign_in().await;
        remove(&taro, &again["id"]).await.ok(202);
        cancel(app, &old).await.refused(410, "cancel_token_invalid");
        app.message_to(TARO).await;
        let new: Value = app.message_to(OTHER).await["code"].clone();
        cancel(app, text(&new)).await.ok(204);
        app.ignore_messages().await;
    });
}

/// What nothing could carry out cannot wait.
#[test]
fn a_change_is_of_a_kind_that_there_is() {
    test(async |app| {
        let _taro = app.person(TARO).await;
        let insert = "INSERT INTO pending_changes (id, account_id, kind, subject_id, created_at, effective_at)
                      SELECT gen_random_uuid(), id, 'account_sale', id, now(), now() FROM accounts";
        let refused = sqlx::query(insert).execute(&app.app.db).await.unwrap_err();
        let refused = refused.as_database_error().and_then(|error| error.constraint());
        assert_eq!(refused, Some("pending_changes_kind"));
    });
}

/// A mailbox that a thief added minutes ago does not stop its own removal, and does not lock the owner out; one that has been
/// there for three days does.
#[test]
fn what_was_added_lately_does_not_stop_its_own_removal() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let (new, phone) = (add_proved(app, &taro, OTHER).await, add_proved(app, &taro, PHONE).await);
        for leaving in [&new, &phone] {
            remove(&taro, &leaving["id"]).await.ok(202);
            for address in [TARO, OTHER, PHONE] {
                let notice = app.message_to(address).await;
                assert!(notice.get("code").is_none() && notice.get("link").is_none(), "{notice}");
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM cancel_tokens").await, 0);
        app.advance(DAYS_3);
        assert_eq!(carry_out(app).await, 2);
        app.ignore_messages().await;

        taro.tokens = taro.sign_in().await;
        let again = add_proved(app, &taro, OTHER).await;
        app.advance(DAYS_3);
        taro.tokens = taro.sign_in().await;
        remove(&taro, &again["id"]).await.ok(202);
        app.message_to(TARO).await;
        let token = app.message_to(OTHER).await["code"].clone();
        cancel(app, text(&token)).await.ok(204);
        app.ignore_messages().await;
    });
}
