//! Phone numbers as identifiers: `src/accounts/model/phone.rs` has every form, here is that the service takes them.

use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const NUMBER: &str = "+819012345678";

async fn sign_up(app: &TestApp, typed: &str, country: Option<&str>) -> Answer {
    ask(app, "/v1/sign-ups", typed, country).await
}

async fn ask(app: &TestApp, path: &str, typed: &str, country: Option<&str>) -> Answer {
    let mut body = json!({ "identifier": typed, "password": PASSWORD });
    if let Some(country) = country {
        body["country"] = json!(country);
    }
    app.post(path, &body).await
}

/// security.md 23: every form of a number is one account.
#[test]
fn a_number_signs_up_and_in_however_it_is_typed() {
    test(async |app| {
        let started = sign_up(app, "０９０ー１２３４ー５６７８", Some("JP")).await.ok(202);
        let delivery = &started["delivery"];
        assert_eq!((&delivery["channel"], &delivery["destination_hint"]), (&json!("sms"), &json!("•••5678")));
        assert_eq!(delivery["hints"], json!(["carrier_filter", "already_registered"]));
        let message = app.message_to(NUMBER).await;
        assert_eq!((&message["channel"], &message["to"]), (&json!("sms"), &json!(NUMBER)));
        let code = message["code"].as_str().unwrap();
        assert!(message["text"].as_str().unwrap().ends_with(&format!("\n\n@localhost #{code}")), "{message}");
        let flow = app.verify(started["sign_up_token"].as_str().unwrap(), code).await.ok(200);
        assert_eq!(flow["next"], "enrol_second_factor");
        let factor = app.start_enrolment(&flow).await;
        let tokens = app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        assert_eq!(app.message_to(NUMBER).await["channel"], "sms", "the owner is told where there is no mailbox");
        let token = tokens["access_token"].as_str().unwrap();
        let account = app.with_token(token, reqwest::Method::GET, "/v1/account", None).await.ok(200);
        let own = &account["identifiers"][0];
        assert_eq!((&own["kind"], &own["value"]), (&json!("phone"), &json!(NUMBER)));
        for (typed, country) in [
            (NUMBER, None),
            ("+81 (0)90-1234-5678", None),
            ("＋８１ ９０ １２３４ ５６７８", None),
            ("090-1234-5678", Some("JP")),
            ("+81 90 1234 5678", Some("US")),
        ] {
            let flow = ask(app, "/v1/sign-ins", typed, country).await.ok(200);
            assert_eq!(flow["next"], "second_factor", "{typed}");
        }
    });
}

#[test]
fn a_number_that_cannot_be_reached_is_refused_with_its_reason() {
    test(async |app| {
        for (typed, country, fault) in [
            ("090-1234-5678", None, "/identifier country_code_required"),
            ("819012345678", None, "/identifier country_code_required"),
            ("+8190123", None, "/identifier invalid_phone"),
            ("090-1234", Some("JP"), "/identifier invalid_phone"),
            ("+999123456789", None, "/identifier invalid_phone"),
            ("+81 3-1234-5678", None, "/identifier phone_not_supported"),
            ("0120-123-456", Some("JP"), "/identifier phone_not_supported"),
            ("+81 90 1234 5678 ext. 1", None, "/identifier invalid_email"),
            ("090-1234-5678", Some("JPN"), "/country unknown_value"),
            ("090-1234-5678", Some("Japan"), "/country unknown_value"),
            ("taro@example.jp", Some("XX"), "/country unknown_value"),
        ] {
            for path in ["/v1/sign-ups", "/v1/sign-ins"] {
                ask(app, path, typed, country).await.faults(&[fault]);
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM sign_ups").await, 0);
    });
}

/// security.md 1: a taken number looks like a free one; its owner is told, and gets no code.
#[test]
fn a_taken_number_is_answered_alike_and_its_owner_is_told() {
    test(async |app| {
        let free = sign_up(app, NUMBER, None).await.ok(202);
        let code = app.code_to(NUMBER).await;
        app.verify(free["sign_up_token"].as_str().unwrap(), &code).await.ok(200);
        let taken = sign_up(app, "090 1234 5678", Some("JP")).await.ok(202);
        assert_eq!(taken["delivery"], free["delivery"]);
        let notice = app.message_to(NUMBER).await;
        assert!(notice.get("code").is_none() && notice["channel"] == "sms", "{notice}");
    });
}

/// A code goes to the number that it proves, by another way only when that is asked for; the one before is void.
#[test]
fn a_code_can_be_had_by_a_call_to_the_same_number() {
    test(async |app| {
        let started = sign_up(app, NUMBER, None).await.ok(202);
        let token = started["sign_up_token"].as_str().unwrap();
        let old = app.code_to(NUMBER).await;
        let by = async |channel: &str| {
            app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token, "channel": channel })).await
        };
        by("voice").await.refused(429, "rate_limited");
        app.advance(30);
        by("email").await.faults(&["/channel not_supported"]);
        let delivery = by("voice").await.ok(202);
        assert_eq!((&delivery["channel"], &delivery["destination_hint"]), (&json!("voice"), &json!("•••5678")));
        let call = app.message_to(NUMBER).await;
        assert_eq!(call["channel"], "voice");
        let new = call["code"].as_str().unwrap().to_owned();
        let digits: Vec<String> = new.chars().map(String::from).collect();
        assert_eq!(call["text"].as_str().unwrap().matches(&digits.join(", ")).count(), 3, "{call}");
        if new != old {
            app.verify(token, &old).await.refused(422, "invalid_code");
        }
        app.verify(token, &new).await.ok(200);
    });
}

#[test]
fn a_mailbox_gets_no_text_message() {
    test(async |app| {
        let token = app.start_sign_up("taro@example.jp").await;
        app.advance(30);
        for channel in ["sms", "voice"] {
            let body = json!({ "sign_up_token": token, "channel": channel });
            app.post("/v1/sign-ups/resend", &body).await.faults(&["/channel not_supported"]);
        }
        app.ignore_messages().await;
    });
}

/// Who came by phone and has no factor yet proves the number again, by either way.
#[test]
fn a_number_is_proved_again_before_a_factor_is_enrolled() {
    test(async |app| {
        app.sign_up(NUMBER).await;
        let flow = ask(app, "/v1/sign-ins", NUMBER, None).await.ok(200);
        assert_eq!(flow["next"], "verify_identifier");
        let own = &flow["identifiers"][0];
        assert_eq!((&own["kind"], &own["hint"]), (&json!("phone"), &json!("•••5678")));
        let mut body =
            json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": own["id"], "channel": "email" });
        app.post("/v1/sign-ins/identifier-codes", &body).await.faults(&["/channel not_supported"]);
        body["channel"] = json!("voice");
        let sent = app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
        assert_eq!(sent["delivery"]["channel"], "voice");
        let proof = json!({ "sign_in_token": flow["sign_in_token"], "code": app.code_to(NUMBER).await });
        assert_eq!(app.post("/v1/sign-ins/identifier", &proof).await.ok(200)["next"], "enrol_second_factor");
    });
}

/// Who has no account there is not told so by the list of countries.
#[test]
fn only_the_countries_of_the_list_can_sign_up() {
    test_with(&[("phone.countries", "JP,GB")], async |app| {
        let shown = app.get("/v1/configuration").await.ok(200);
        assert_eq!(shown["phone_countries"], json!(["GB", "JP"]));
        for (typed, country) in [("+1 415 555 2671", None), ("(415) 555-2671", Some("US"))] {
            sign_up(app, typed, country).await.faults(&["/identifier phone_not_supported"]);
            ask(app, "/v1/sign-ins", typed, country).await.refused(401, "invalid_credentials");
            let mut body = json!({ "identifier": typed });
            body.as_object_mut().unwrap().extend(country.map(|country| ("country".to_owned(), json!(country))));
            app.post("/v1/device-tokens", &body).await.faults(&["/identifier phone_not_supported"]);
        }
        sign_up(app, NUMBER, None).await.ok(202);
        sign_up(app, "+44 7400 123456", None).await.ok(202);
        app.ignore_messages().await;
    });
}

/// The hint at the country comes for a number that does not name it, and for no other.
#[test]
fn a_wrong_password_beside_a_national_number_hints_at_the_country() {
    test(async |app| {
        for (typed, country, first) in [(NUMBER, None, "saved_password"), ("090-1234-5678", Some("JP"), "country_code")]
        {
            let problem = ask(app, "/v1/sign-ins", typed, country).await.refused(401, "invalid_credentials");
            let hints = problem["hints"].as_array().unwrap();
            assert_eq!(hints[0]["code"], first, "{typed}");
            assert!(hints.iter().all(|hint| !hint["text"].as_str().unwrap().is_empty()));
        }
    });
}
