//! `src/sign_up`.

mod codes;
mod fields;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::test;

#[test]
fn a_person_signs_up_and_is_asked_for_a_second_factor() {
    test(async |app| {
        let flow = app.sign_up("taro@example.jp").await;
        assert_eq!(flow["next"], "enrol_second_factor");
        assert_eq!(flow["enrollable"], json!(["totp", "phone", "passkey"]));
    });
}

/// security.md 1 and 20: a taken address is answered like a free one; its owner gets a notice and no code.
#[test]
fn a_taken_address_is_answered_alike_and_its_owner_is_told() {
    test(async |app| {
        app.person("taro@example.jp").await;
        let body = json!({ "identifier": "Taro@Example.jp", "password": PASSWORD });
        let taken = app.post("/v1/sign-ups", &body).await;
        let free = app.post("/v1/sign-ups", &json!({ "identifier": "hana@example.jp", "password": PASSWORD })).await;
        app.code_to("hana@example.jp").await;
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((taken.status, names(&taken)), (free.status, names(&free)));
        let (taken, free) = (taken.ok(202), free.ok(202));
        assert_eq!(taken["delivery"]["hints"], free["delivery"]["hints"]);
        let notice = app.message_to("taro@example.jp").await;
        assert!(notice.get("code").is_none(), "{notice}");
        for left in [4, 3, 2, 1, 0] {
            let guess = json!({ "sign_up_token": taken["sign_up_token"], "code": "000000" });
            assert_eq!(
                app.post("/v1/sign-ups/verify", &guess).await.refused(422, "invalid_code")["attempts_left"],
                left
            );
        }
    });
}

/// security.md 4; of 50 uses of one code one makes the account.
#[test]
fn a_code_is_good_for_one_use_however_many_race() {
    test(async |app| {
        let token = app.start_sign_up("taro@example.jp").await;
        let body = json!({ "sign_up_token": token, "code": app.code_to("taro@example.jp").await });
        let answers = join_all((0..50).map(|_| app.post("/v1/sign-ups/verify", &body))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        Answer::all(&answers, &[200, 410, 429]);
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        app.post("/v1/sign-ups/verify", &body).await.refused(410, "sign_up_expired");
    });
}

/// Of two sign-ups of one address the first right code makes the account.
#[test]
fn the_second_sign_up_of_an_address_is_over_once_the_first_is_verified() {
    test(async |app| {
        let first = app.start_sign_up("taro@example.jp").await;
        let first_code = app.code_to("taro@example.jp").await;
        let second = app.start_sign_up("TARO@example.jp").await;
        let second_code = app.code_to("taro@example.jp").await;
        app.verify(&first, &first_code).await.ok(200);
        app.verify(&second, &second_code).await.refused(410, "sign_up_expired");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
    });
}

/// security.md 23: one mailbox, one account, in whatever forms and however many sign-ups race.
#[test]
fn racing_sign_ups_of_one_mailbox_make_one_account() {
    test(async |app| {
        let forms = ["taro@example.jp", "Taro@Example.JP", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", " taro@example.jp "];
        let mut racers = Vec::new();
        for form in forms.iter().cycle().take(50) {
            let token = app.start_sign_up(form).await;
            racers.push((token, app.code_to("taro@example.jp").await));
        }
        let answers = join_all(racers.iter().map(|(token, code)| app.verify(token, code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(410, "sign_up_expired");
        }
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 1);
    });
}

/// The password of a sign-up is that of the account, and nobody can take its place later.
#[test]
fn the_password_is_the_one_that_the_sign_up_began_with() {
    test(async |app| {
        app.sign_up("taro@example.jp").await;
        let body = json!({ "identifier": "taro@example.jp", "password": "another phrase entirely" });
        app.post("/v1/sign-ups", &body).await.ok(202);
        app.message_to("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", "another phrase entirely").await.refused(401, "invalid_credentials");
        app.start_sign_in("taro@example.jp", PASSWORD).await.ok(200);
    });
}

/// security.md 6 and 7: there is no account before the code came back.
#[test]
fn nothing_exists_before_the_code_came_back() {
    test(async |app| {
        let token = app.start_sign_up("taro@example.jp").await;
        app.message_to("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", PASSWORD).await.refused(401, "invalid_credentials");
        let enrolment = json!({ "sign_in_token": token, "kind": "totp" });
        app.post("/v1/sign-ins/enrolments", &enrolment).await.refused(410, "sign_in_expired");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
    });
}

/// The pages in front of the service learn what it offers.
#[test]
fn the_configuration_says_what_is_offered() {
    test(async |app| {
        let shown = app.get("/v1/configuration?client_id=first-party").await.ok(200);
        assert_eq!(shown["identifier_kinds"], json!(["email", "phone"]));
        assert_eq!(shown["channels"], json!(["email", "sms", "voice"]));
        let countries = shown["phone_countries"].as_array().unwrap();
        assert!(countries.len() > 200 && countries.contains(&json!("JP")), "{countries:?}");
        assert_eq!(shown["password"], json!({ "min_length": 8, "max_length": 128 }));
        assert_eq!(shown["factor_kinds"], json!(["totp", "phone", "passkey"]));
        assert_eq!(shown["code_length"], 6);
        app.get("/v1/configuration?client_id=nobody").await.faults(&["client_id unknown_client"]);
    });
}
