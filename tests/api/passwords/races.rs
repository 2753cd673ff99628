//! What happens once happens once, and what a reset ends has ended.

use futures_util::future::join;
use futures_util::future::join_all;
use serde_json::json;

use super::EMAIL;
use super::NEW;
use super::other_than;
use crate::support::PASSWORD;
use crate::support::test;

/// security.md 66 and 67
#[test]
fn a_token_sets_one_password_however_many_race() {
    test(async |app| {
        app.person(EMAIL).await;
        let (link, asked, code) = app.reset_message(EMAIL).await;
        let passwords: Vec<String> = (0..50).map(|n| format!("{NEW} {n}")).collect();
        let answers = join_all(passwords.iter().enumerate().map(|(n, new)| {
            let (link, asked, code) = (&link, &asked, &code);
            async move {
                if n % 10 == 0 { app.reset_by_code(asked, code, new).await } else { app.reset_by_link(link, new).await }
            }
        }))
        .await;
        let won: Vec<usize> = (0..50).filter(|n| answers[*n].status == 204).collect();
        assert_eq!(won.len(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 204) {
            assert!([410, 429].contains(&answer.status), "{}", answer.body);
        }
        assert_eq!(app.count("SELECT version FROM passwords").await, 2);
        app.start_sign_in(EMAIL, &passwords[won[0]]).await.ok(200);
        app.message_to(EMAIL).await;
    });
}

/// Five tries are five, however many come at once.
#[test]
fn of_many_wrong_codes_at_once_five_are_judged() {
    test(async |app| {
        app.person(EMAIL).await;
        let (_, asked, code) = app.reset_message(EMAIL).await;
        let wrong = other_than(&code);
        let answers = join_all((0..30).map(|_| app.reset_by_code(&asked, wrong, NEW))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 5);
        assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 25);
    });
}

/// Two changes with the same current password: one counts.
#[test]
fn of_two_changes_at_once_one_counts() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let bodies = [NEW, "another tidal mango vowel"]
            .map(|new| json!({ "current_password": PASSWORD, "new_password": new, "sign_out": "others" }));
        let (one, other) =
            join(taro.post("/v1/account/password", &bodies[0]), taro.post("/v1/account/password", &bodies[1])).await;
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 422]);
        assert_eq!(app.count("SELECT version FROM passwords").await, 2);
        app.message_to(EMAIL).await;
    });
}

/// security.md 19: a sign-in that completes while the password is reset, and a refresh: no session of before survives,
/// whichever came first.
#[test]
fn no_session_of_before_survives_a_reset() {
    test(async |app| {
        let taro = app.person(EMAIL).await;
        let mut password = PASSWORD.to_owned();
        for round in 0..200 {
            let flow = app.start_sign_in(EMAIL, &password).await.ok(200);
            let code = app.totp(&taro.factor).await;
            let tokens = app.second_factor(&flow, &code).await.ok(201);
            let refresh = tokens["refresh_token"].as_str().unwrap();
            let late = app.start_sign_in(EMAIL, &password).await.ok(200);
            let late_code = app.totp(&taro.factor).await;
            let asked = app.ask_for_reset(EMAIL).await;
            let sent = app.code_to(EMAIL).await;
            password = format!("{NEW} {round}");
            let reset = app.reset_by_code(&asked, &sent, &password);
            let raced = join_all((0..3).map(|_| app.refresh(refresh)));
            let (done, (refreshed, signed_in)) = join(reset, join(raced, app.second_factor(&late, &late_code))).await;
            done.ok(204);
            assert!([201, 410].contains(&signed_in.status), "{}", signed_in.body);
            for answer in &refreshed {
                assert!([200, 401].contains(&answer.status), "{}", answer.body);
            }
            assert_eq!(app.count("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await, 0, "round {round}");
            let newest = refreshed.iter().find_map(|answer| answer.body["refresh_token"].as_str());
            app.refresh(newest.unwrap_or(refresh)).await.refused(401, "session_revoked");
            app.message_to(EMAIL).await;
        }
    });
}
