//! From the wish for an identifier to its right code.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::HANA;
use super::OTHER;
use super::PATH;
use super::PHONE;
use super::TARO;
use super::add;
use super::add_proved;
use super::first_id;
use super::listed;
use super::prove;
use super::text;
use crate::support::PASSWORD;
use crate::support::test;
use crate::support::test_with;

/// security.md 26: the owner is told at the old identifier and at the new one.
#[test]
fn an_identifier_counts_once_its_code_came_back_and_the_owner_is_told_everywhere() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = add(&taro, "Taro@Example.org").await.ok(201);
        let (identifier, delivery) = (&begun["identifier"], &begun["delivery"]);
        assert_eq!((&identifier["kind"], &identifier["primary"]), (&json!("email"), &json!(false)));
        assert_eq!(
            (&identifier["value"], identifier.get("verified_at")),
            (&json!("Taro@example.org"), None),
            "{identifier}"
        );
        assert_eq!((&delivery["channel"], &delivery["expires_in"]), (&json!("email"), &json!(600)));
        let code = app.code_to(OTHER).await;
        app.start_sign_in(OTHER, PASSWORD).await.refused(401, "invalid_credentials");
        assert_eq!(listed(&taro).await.len(), 1, "what is not proved does not count");
        let proved = prove(&taro, &identifier["id"], &code).await.ok(200);
        assert_eq!((&proved["id"], &proved["primary"]), (&identifier["id"], &json!(false)));
        assert!(proved["verified_at"].is_string() && proved["deliverable"] == true, "{proved}");
        for address in [TARO, OTHER] {
            let notice = app.message_to(address).await;
            assert!(text(&notice["text"]).contains("T•••@example.org"), "{notice}");
        }
        app.start_sign_in(OTHER, PASSWORD).await.ok(200);
        assert_eq!(listed(&taro).await[0], proved);
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!(account["identifiers"].as_array().unwrap().len(), 2);
        assert_eq!(account["identifiers"][0]["value"], TARO, "the primary one first");
        prove(&taro, &identifier["id"], &code).await.refused(409, "already_verified");
        let resend = format!("{PATH}/{}/resend", text(&identifier["id"]));
        taro.post(&resend, &json!({})).await.refused(409, "already_verified");
        add(&taro, " TARO@EXAMPLE.ORG ").await.refused(409, "already_verified");
        add(&taro, TARO).await.refused(409, "already_verified");
    });
}

#[test]
fn a_number_is_added_by_sms_or_call() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let body = json!({ "identifier": "０９０ー１２３４ー５６７８", "country": "JP", "channel": "voice" });
        let begun = taro.post(PATH, &body).await.ok(201);
        assert_eq!((&begun["identifier"]["kind"], &begun["delivery"]["channel"]), (&json!("phone"), &json!("voice")));
        assert_eq!(begun["identifier"]["value"], PHONE);
        app.message_to(PHONE).await;
        app.advance(30);
        let resend = format!("{PATH}/{}/resend", text(&begun["identifier"]["id"]));
        taro.post(&resend, &json!({ "channel": "email" })).await.faults(&["/channel not_supported"]);
        assert_eq!(taro.post(&resend, &json!({})).await.ok(202)["channel"], "sms");
        prove(&taro, &begun["identifier"]["id"], &app.code_to(PHONE).await).await.ok(200);
        app.ignore_messages().await;
        app.start_sign_in(PHONE, PASSWORD).await.ok(200);
        for (identifier, fault) in [
            ("nobody", "/identifier invalid_email"),
            ("090-1234-5678", "/identifier country_code_required"),
            ("+81312345678", "/identifier phone_not_supported"),
            ("taro\r\n@example.jp", "/identifier invalid_characters"),
        ] {
            taro.post(PATH, &json!({ "identifier": identifier })).await.faults(&[fault]);
        }
        taro.post(PATH, &json!({ "identifier": OTHER, "channel": "sms" })).await.faults(&["/channel not_supported"]);
    });
}

/// security.md 1: whose an identifier is nobody learns by adding it; its owner is told, and there is no code.
#[test]
fn a_taken_identifier_is_answered_alike_and_its_owner_is_told() {
    test(async |app| {
        let (taro, _hana) = (app.person(TARO).await, app.person(HANA).await);
        let taken = add(&taro, "Hana@Example.jp").await;
        let free = add(&taro, OTHER).await;
        app.code_to(OTHER).await;
        let names = |answer: &crate::support::Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&taken), names(&free));
        let (taken, free) = (taken.ok(201), free.ok(201));
        let shape = |body: &Value| -> Vec<Vec<String>> {
            let members = |part: &Value| part.as_object().unwrap().keys().cloned().collect();
            vec![members(body), members(&body["identifier"]), members(&body["delivery"])]
        };
        assert_eq!(shape(&taken), shape(&free));
        assert_eq!(taken["delivery"]["hints"], free["delivery"]["hints"]);
        let notice = app.message_to(HANA).await;
        assert!(notice.get("code").is_none(), "{notice}");
        let resend = format!("{PATH}/{}/resend", text(&taken["identifier"]["id"]));
        taro.post(&resend, &json!({})).await.refused(429, "rate_limited");
        app.advance(30);
        taro.post(&resend, &json!({})).await.ok(202);
        assert!(app.message_to(HANA).await.get("code").is_none());
        for left in (0..5).rev() {
            let problem = prove(&taro, &taken["identifier"]["id"], "no code").await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left);
        }
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 2);
    });
}

/// security.md 31 and 33: a code is good for its identifier, its account, ten minutes, five tries and until the next one.
#[test]
fn a_code_is_bound_to_its_identifier_and_its_time() {
    test(async |app| {
        let (taro, hana) = (app.person(TARO).await, app.person(HANA).await);
        let first = add(&taro, OTHER).await.ok(201)["identifier"]["id"].clone();
        let code = app.code_to(OTHER).await;
        let second = add(&taro, "taro@example.net").await.ok(201)["identifier"]["id"].clone();
        let seconds = app.code_to("taro@example.net").await;
        if code != seconds {
            prove(&taro, &first, &seconds).await.refused(422, "invalid_code");
            prove(&taro, &second, &code).await.refused(422, "invalid_code");
        }
        prove(&hana, &first, &code).await.refused(404, "not_found");
        app.advance(30);
        let resend = format!("{PATH}/{}/resend", text(&first));
        hana.post(&resend, &json!({})).await.refused(404, "not_found");
        taro.post(&resend, &json!({})).await.ok(202);
        let newer = app.code_to(OTHER).await;
        if newer != code {
            let problem = prove(&taro, &first, &code).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], 4, "a new code comes with new tries");
        }
        for _ in 0..4 {
            prove(&taro, &first, "no code").await.refused(422, "invalid_code");
        }
        prove(&taro, &first, "no code").await;
        prove(&taro, &first, &newer).await.refused(429, "too_many_attempts");
        // Begun anew within the half minute it is the same wish, and too soon for another code.
        add(&taro, OTHER).await.refused(429, "rate_limited");
        app.advance(601);
        let mut taro = taro;
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        prove(&taro, &second, &seconds).await.refused(422, "invalid_code");
        taro.post(&resend, &json!({})).await.ok(202);
        prove(&taro, &first, &app.code_to(OTHER).await).await.ok(200);
        app.ignore_messages().await;
    });
}

#[test]
fn a_wish_is_over_after_a_day() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let begun = add(&taro, OTHER).await.ok(201);
        app.message_to(OTHER).await;
        app.advance(24 * 3600);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        prove(&taro, &begun["identifier"]["id"], "123456").await.refused(404, "not_found");
        sekisho::janitor::purge(&app.app).await.unwrap();
        assert_eq!(app.count("SELECT count(*) FROM pending_identifiers").await, 0);
    });
}

/// Many accounts may want one identifier; the first right code gets it, and the others are told so.
#[test]
fn of_racing_accounts_one_gets_the_identifier() {
    test(async |app| {
        let mut people = Vec::new();
        for n in 0..5 {
            let person = app.person(&format!("racer{n}@example.jp")).await;
            let begun = add(&person, OTHER).await.ok(201);
            let code = app.code_to(OTHER).await;
            people.push((person, begun["identifier"]["id"].clone(), code));
        }
        let answers = join_all(people.iter().map(|(person, id, code)| prove(person, id, code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "conflict");
        }
        assert_eq!(app.count("SELECT count(*) FROM identifiers WHERE lookup_key = 'taro@example.org'").await, 1);
        app.ignore_messages().await;
    });
}

/// A sign-up and an account that race for one address: whoever is second is told.
#[test]
fn a_sign_up_and_an_account_that_race_for_one_address_do_not_both_get_it() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = add(&taro, OTHER).await.ok(201);
        let code = app.code_to(OTHER).await;
        let token = app.start_sign_up(OTHER).await;
        let other = app.code_to(OTHER).await;
        let id = &begun["identifier"]["id"];
        let (added, signed_up) = tokio::join!(prove(&taro, id, &code), app.verify(&token, &other));
        match (added.status, signed_up.status) {
            (200, 410) => _ = signed_up.refused(410, "sign_up_expired"),
            (409, 200) => _ = added.refused(409, "conflict"),
            both => panic!("{both:?}"),
        }
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 2);
        app.ignore_messages().await;
    });
}

/// security.md 4: one code, one use, however many race.
#[test]
fn a_code_counts_once_however_many_race() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let begun = add(&taro, OTHER).await.ok(201);
        let (id, code) = (&begun["identifier"]["id"], app.code_to(OTHER).await);
        let answers = join_all((0..20).map(|_| prove(&taro, id, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        crate::support::Answer::all(&answers, &[200, 409, 422, 429]);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'identifier_added'").await, 1);
        app.ignore_messages().await;
    });
}

#[test]
fn an_account_has_ten_identifiers_at_most() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let mut open = Vec::new();
        for n in 0..10 {
            let address = format!("taro{n}@example.org");
            let begun = add(&taro, &address).await.ok(201);
            open.push((begun["identifier"]["id"].clone(), app.code_to(&address).await));
        }
        let answers = join_all(open.iter().map(|(id, code)| prove(&taro, id, code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 9);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.refused(409, "limit_reached");
        }
        add(&taro, OTHER).await.refused(409, "limit_reached");
        assert_eq!(listed(&taro).await.len(), 10);
        let page = taro.get(&format!("{PATH}?limit=4")).await.ok(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 4);
        assert!(page["next_cursor"].is_string());
        app.ignore_messages().await;
    });
}

/// security.md 26: the primary one is chosen in one step, and told everywhere.
#[test]
fn exactly_one_identifier_is_the_primary_one() {
    test(async |app| {
        let (taro, hana) = (app.person(TARO).await, app.person(HANA).await);
        let other = add_proved(app, &taro, OTHER).await;
        let third = add_proved(app, &taro, PHONE).await;
        let choose = async |id: &Value| {
            let path = format!("{PATH}/{}/primary", text(id));
            app.with_token(&taro.access(), Method::POST, &path, None).await
        };
        assert_eq!(choose(&other["id"]).await.ok(200)["primary"], true);
        for address in [TARO, OTHER] {
            assert!(text(&app.message_to(address).await["text"]).contains("t•••@example.org"));
        }
        app.message_to(PHONE).await;
        choose(&other["id"]).await.ok(200);
        let account = taro.get("/v1/account").await.ok(200);
        assert_eq!(account["identifiers"][0]["value"], OTHER);
        let first = first_id(&taro).await;
        let ids = [&first, &other["id"], &third["id"]];
        join_all((0..12).map(|n| choose(ids[n % 3]))).await.into_iter().for_each(|answer| _ = answer.ok(200));
        assert_eq!(listed(&taro).await.iter().filter(|own| own["primary"] == true).count(), 1);
        choose(&first_id(&hana).await).await.refused(404, "not_found");
        app.ignore_messages().await;
    });
}

/// security.md 37: an old session alone changes no identifier; proving one that was begun in time it may.
#[test]
fn an_old_session_changes_no_identifier() {
    test(async |app| {
        let mut taro = app.person(TARO).await;
        let other = add_proved(app, &taro, OTHER).await;
        app.advance(500);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        let begun = add(&taro, "taro@example.net").await.ok(201);
        let code = app.code_to("taro@example.net").await;
        app.advance(101);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        add(&taro, PHONE).await.refused(401, "insufficient_user_authentication");
        super::remove(&taro, &other["id"]).await.refused(401, "insufficient_user_authentication");
        let path = format!("{PATH}/{}/primary", text(&other["id"]));
        app.with_token(&taro.access(), Method::POST, &path, None)
            .await
            .refused(401, "insufficient_user_authentication");
        prove(&taro, &begun["identifier"]["id"], &code).await.ok(200);
        let fresh = taro.reauthenticate().await;
        app.with_token(&fresh, Method::POST, &path, None).await.ok(200);
        app.ignore_messages().await;
    });
}

/// security.md 32 and 83: begun again and again, the guesses of one account at one address add up, and each is written down.
/// They close neither its second factor nor the address: whoever has that adds it.
#[test]
fn guesses_at_one_address_add_up() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let (mut taro, mut hana) = (app.person(TARO).await, app.person(HANA).await);
        let mut judged = 0;
        for round in 0..21 {
            app.advance(if round % 7 == 0 { 3600 } else { 300 });
            taro.tokens = taro.sign_in().await;
            if round == 10 {
                // What is proved elsewhere takes no guess back.
                add_proved(app, &taro, "taro@example.net").await;
            }
            let begun = add(&taro, OTHER).await.ok(201);
            app.message_to(OTHER).await;
            for _ in 0..5 {
                judged += i64::from(prove(&taro, &begun["identifier"]["id"], "no code").await.status == 422);
            }
            super::remove(&taro, &begun["identifier"]["id"]).await.ok(202);
        }
        assert_eq!(judged, 100);
        let failed = "SELECT count(*) FROM audit_events WHERE kind = 'identifier_code_failed'";
        assert_eq!(app.count(failed).await, 100);
        taro.sign_in().await;
        hana.tokens = hana.sign_in().await;
        let begun = add(&hana, OTHER).await.ok(201);
        prove(&hana, &begun["identifier"]["id"], &app.code_to(OTHER).await).await.ok(200);
        app.ignore_messages().await;
    });
}

/// Nobody floods a mailbox, or guesses, from inside an account.
#[test]
fn adding_and_proving_are_limited() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let taro = app.person(TARO).await;
        for n in 0..20 {
            let answer = add(&taro, &format!("taro+{n}@example.org")).await;
            if n < 10 {
                answer.ok(201);
            } else {
                answer.refused(429, "message_limit_reached");
            }
        }
        add(&taro, OTHER).await.refused(429, "rate_limited");
        app.ignore_messages().await;
    });
}
