//! `src/reminders`: which address did I use?

use serde_json::Value;
use serde_json::json;

use crate::imports::BCRYPT;
use crate::imports::bring;
use crate::imports::person;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::test;
use crate::support::test_with;

const TARO: &str = "taro@example.jp";
const OTHER: &str = "yamada@example.org";
const PHONE: &str = "+819012345678";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn remind(app: &TestApp, contact: &str) -> Answer {
    app.post("/v1/identifier-reminders", &json!({ "contact": contact })).await
}

/// An account with two identifiers, and the phone as a factor.
async fn several(app: &TestApp) {
    let taro = app.person(TARO).await;
    let begun = taro.post("/v1/account/identifiers", &json!({ "identifier": OTHER })).await.ok(201);
    let path = format!("/v1/account/identifiers/{}/verify", text(&begun["identifier"]["id"]));
    taro.post(&path, &json!({ "code": app.code_to(OTHER).await })).await.ok(200);
    let begun = taro.post("/v1/account/factors", &json!({ "kind": "phone", "phone": PHONE })).await.ok(201);
    let path = format!("/v1/account/factors/{}/confirm", text(&begun["factor_id"]));
    taro.post(&path, &json!({ "method": "code", "code": app.code_to(PHONE).await })).await.ok(200);
    app.ignore_messages().await;
}

#[test]
fn a_contact_learns_what_its_account_signs_in_with() {
    test(async |app| {
        several(app).await;
        for contact in [TARO, OTHER, "Taro@EXAMPLE.jp"] {
            assert_eq!(remind(app, contact).await.ok(202), Value::Null);
            let message = app.message_to(&contact.to_lowercase()).await;
            let words = text(&message["text"]);
            assert!(words.contains("t•••@example.jp") && words.contains("y•••@example.org"), "{message}");
            assert!(!words.contains(TARO) && !words.contains(OTHER) && message.get("code").is_none(), "{message}");
        }
        // A phone that is a factor is a contact, too.
        remind(app, PHONE).await.ok(202);
        let message = app.message_to(PHONE).await;
        assert!(text(&message["text"]).contains("t•••@example.jp, y•••@example.org"), "{message}");
        assert!(text(&message["text"]).encode_utf16().count() <= 70, "{message}");
    });
}

#[test]
fn an_owner_is_greeted_by_name_and_sees_the_time_of_their_zone() {
    test(async |app| {
        let taro = app.person(TARO).await;
        let profile = json!({ "display_name": "Yamada Taro", "time_zone": "Asia/Tokyo" });
        taro.patch("/v1/account", &profile).await.ok(200);
        remind(app, TARO).await.ok(202);
        let message = app.message_to(TARO).await;
        let words = text(&message["text"]);
        assert!(words.starts_with("Hello Yamada Taro,") && words.contains("(Asia/Tokyo)"), "{message}");
    });
}

/// What came with an import and nobody has proved may be a stranger's: it is not shown.
#[test]
fn what_was_never_proved_is_not_shown() {
    test(async |app| {
        let mut line = person("1", TARO, BCRYPT);
        line["identifiers"].as_array_mut().unwrap().push(json!({ "kind": "email", "value": OTHER }));
        bring(app, &[line]).await;
        remind(app, TARO).await.ok(202);
        let message = app.message_to(TARO).await;
        let words = text(&message["text"]);
        assert!(words.contains("t•••@example.jp") && !words.contains("y•••"), "{message}");
    });
}

/// "No account" would send them to sign up, and the account that came over would be nobody's for ever.
#[test]
fn an_imported_address_that_was_never_proved_is_told_to_sign_in() {
    test(async |app| {
        let identifiers = json!([{ "kind": "email", "value": TARO }, { "kind": "phone", "value": PHONE }]);
        bring(app, &[json!({ "external_id": "1", "password_hash": BCRYPT, "identifiers": identifiers })]).await;
        remind(app, TARO).await.ok(202);
        let message = app.message_to(TARO).await;
        let words = text(&message["text"]);
        assert!(words.contains("password that you had") && !words.contains("no account"), "{message}");
        assert!(!words.contains("•••"), "{message}");
        remind(app, PHONE).await.ok(202);
    });
}

/// Somebody who uses the wrong address gets a clear answer there; strangers' phones stay silent.
#[test]
fn an_address_without_an_account_is_told_so_and_a_number_is_not() {
    test(async |app| {
        several(app).await;
        let nobody = "nobody@example.jp";
        remind(app, nobody).await.ok(202);
        let message = app.message_to(nobody).await;
        assert!(text(&message["text"]).contains("no account"), "{message}");
        assert!(!text(&message["text"]).contains("•••"), "{message}");
        remind(app, "+819087654321").await.ok(202);
        // A number that was never proved is nobody's.
        app.start_sign_up("+819011112222").await;
        app.code_to("+819011112222").await;
        remind(app, "+819011112222").await.ok(202);
    });
}

/// security.md 1 and 20: known or not, the answer is the same and the same is written.
#[test]
fn a_reminder_is_asked_for_alike() {
    test(async |app| {
        several(app).await;
        let mut answers = Vec::new();
        for contact in [TARO, "nobody@example.jp", PHONE, "+819087654321"] {
            let before = app.count("SELECT count(*) FROM outbox").await;
            let answer = remind(app, contact).await;
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            answers.push((answer.status, answer.body, names, app.count("SELECT count(*) FROM outbox").await - before));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0] && answer.3 == 1), "{answers:?}");
        app.ignore_messages().await;
    });
}

#[test]
fn a_contact_is_read_as_people_write_it() {
    test(async |app| {
        for (contact, fault) in [
            ("taro", "/contact invalid_email"),
            ("", "/contact invalid_email"),
            ("090-1234-5678", "/contact country_code_required"),
        ] {
            remind(app, contact).await.faults(&[fault]);
        }
        let body = json!({ "contact": "090-1234-5678", "country": "JP" });
        app.post("/v1/identifier-reminders", &body).await.ok(202);
    });
}

/// Nobody floods a mailbox with reminders.
#[test]
fn reminders_to_one_mailbox_are_limited() {
    test_with(&[("limits.enabled", "true")], async |app| {
        for n in 0..12 {
            let answer = remind(app, &format!("taro+{n}@example.jp")).await;
            if n < 10 {
                answer.ok(202);
            } else {
                answer.refused(429, "message_limit_reached");
            }
        }
        app.ignore_messages().await;
    });
}
