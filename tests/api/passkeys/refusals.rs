//! Every answer that is not the right one.

use serde_json::Value;
use serde_json::json;

use super::TARO;
use super::alone;
use super::asked;
use super::asked_alone;
use super::begin;
use super::confirm;
use super::owner;
use super::owner_with;
use super::second_factor;
use crate::support::BE;
use crate::support::BS;
use crate::support::Claims;
use crate::support::Passkey;
use crate::support::TestApp;
use crate::support::UP;
use crate::support::UV;
use crate::support::other_key;
use crate::support::rows;
use crate::support::test;

type Bend = (&'static str, fn(&mut Claims));

/// What holds of a registration as of a sign-in.
const ALWAYS: [Bend; 12] = [
    ("an origin that is not listed", |claims| claims.origin = "https://evil.example".to_owned()),
    ("another port", |claims| claims.origin = "http://localhost:1".to_owned()),
    ("another scheme", |claims| claims.origin = claims.origin.replace("http:", "https:")),
    ("a domain below", |claims| claims.origin = claims.origin.replace("localhost", "evil.localhost")),
    ("a page in a frame of another site", |claims| claims.cross_origin = true),
    ("another rp id", |claims| claims.rp_id = "evil.example".to_owned()),
    ("another type", |claims| claims.kind = "payment.get".to_owned()),
    ("another challenge", |claims| claims.challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    ("nobody present", |claims| claims.flags = UV),
    ("nobody verified", |claims| claims.flags = UP),
    ("backed up what cannot be", |claims| claims.flags = UP | UV | BS),
    ("another kind of credential", |claims| claims.credential_kind = "password".to_owned()),
];

/// What a sign-in can get wrong besides.
const SIGN_IN: [Bend; 6] = [
    ("the type of a registration", |claims| claims.kind = "webauthn.create".to_owned()),
    ("another owner", |claims| claims.user_handle = Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned())),
    ("an owner that is no handle", |claims| claims.user_handle = Some("AAAA".to_owned())),
    ("another key", |claims| claims.pair = Some(other_key())),
    ("another credential", |claims| claims.id = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    ("a passkey that can be backed up all at once", |claims| claims.flags = UP | UV | BE),
];

/// Everything that stands in the database but for failures and their audit rows, digested.
async fn written(app: &TestApp) -> Vec<(String, i64)> {
    let rows = rows(&app.app.db).await;
    rows.into_iter().filter(|(table, _)| !["audit_events", "failures"].contains(&table.as_str())).collect()
}

async fn passkey_state(app: &TestApp) -> Vec<(i64, Vec<u8>, Option<chrono::DateTime<chrono::Utc>>)> {
    let query = "SELECT p.sign_count, p.credential_sealed, f.last_used_at FROM passkey_factors p
                 JOIN factors f ON f.id = p.factor_id ORDER BY f.id";
    sqlx::query_as(query).fetch_all(&app.app.db).await.unwrap()
}

/// security.md 41 and 83: each is refused whole and written down, and nothing else changes but the count of failures.
#[test]
fn an_answer_that_is_wrong_anywhere_is_refused_and_changes_nothing() {
    test(async |app| {
        let mut taro = owner(app, TARO, 5).await;
        let (before, kept) = (written(app).await, passkey_state(app).await);
        for (what, bend) in ALWAYS.into_iter().chain(SIGN_IN) {
            let (flow, options) = asked(app, TARO, &taro.factor).await;
            let answer = taro.passkey.answer_with(&options, bend);
            assert_eq!(second_factor(app, &flow, &answer).await.body["code"], "invalid_credential", "{what}");
            let (token, options) = asked_alone(app).await;
            let answer = taro.passkey.answer_with(&options, bend);
            assert_eq!(alone(app, &token, &answer).await.body["code"], "invalid_credential", "{what}, alone");
        }
        assert_eq!((written(app).await, passkey_state(app).await), (before, kept));
        let failed = "SELECT count(*) FROM audit_events WHERE kind IN ('second_factor_failed', 'sign_in_failed')
                      AND detail ->> 'kind' = 'passkey'";
        let each = i64::try_from(2 * (ALWAYS.len() + SIGN_IN.len())).unwrap();
        assert_eq!(app.count(failed).await, each);
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        second_factor(app, &flow, &taro.passkey.answer(&options)).await.ok(201);
    });
}

/// security.md 41, for the making of a passkey.
#[test]
fn a_registration_that_is_wrong_anywhere_is_refused_and_makes_nothing() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let of_a_sign_in: Bend = ("the type of a sign-in", |claims| claims.kind = "webauthn.get".to_owned());
        let renamed: Bend = ("a name of another", |claims| claims.id = "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
        let mut tries = 0;
        let mut flow = flow;
        for (what, bend) in ALWAYS.into_iter().chain([of_a_sign_in, renamed]) {
            // Five tries a flow.
            if tries == 4 {
                (tries, flow) = (0, prove_again(app).await);
            }
            tries += 1;
            let (factor, options) = begin(app, &flow).await;
            let (_, credential) = Passkey::make(&options, &app.url, bend);
            let answer = confirm(app, &flow, &factor, &credential).await;
            assert_eq!(answer.body["code"], "invalid_credential", "{what}: {}", answer.body);
        }
        assert_eq!(app.count("SELECT count(*) FROM factors WHERE confirmed_at IS NOT NULL").await, 0);
        assert_eq!(app.count("SELECT count(*) FROM passkey_factors").await, 0);
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 0);
    });
}

/// A new flow that may enrol.
async fn prove_again(app: &TestApp) -> Value {
    app.advance(30);
    let flow = app.start_sign_in(TARO, crate::support::PASSWORD).await.ok(200);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": flow["identifiers"][0]["id"] });
    app.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "code": app.code_to(TARO).await });
    app.post("/v1/sign-ins/identifier", &body).await.ok(200)
}

/// security.md 41: a signature count that does not rise is that of a copy.
#[test]
fn a_count_that_does_not_rise_is_refused() {
    test(async |app| {
        let mut taro = owner(app, TARO, 10).await;
        for count in [0, 1, 10] {
            let (flow, options) = asked(app, TARO, &taro.factor).await;
            let answer = taro.passkey.answer_with(&options, |claims| claims.count = count);
            second_factor(app, &flow, &answer).await.refused(422, "invalid_credential");
        }
        taro.passkey.set_count(19);
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        second_factor(app, &flow, &taro.passkey.answer(&options)).await.ok(201);
        assert_eq!(app.count("SELECT sign_count FROM passkey_factors").await, 20);
        let (token, options) = asked_alone(app).await;
        let copy = taro.passkey.answer_with(&options, |claims| claims.count = 20);
        alone(app, &token, &copy).await.refused(422, "invalid_credential");
    });
}

/// security.md 41: of two answers with one count, given at once in two flows, one counts.
#[test]
fn of_two_copies_at_once_one_signs_in() {
    test(async |app| {
        let mut taro = owner(app, TARO, 10).await;
        let (one, ones) = asked_alone(app).await;
        let (other, others) = asked_alone(app).await;
        let first = taro.passkey.answer_with(&ones, |claims| claims.count = 11);
        let second = taro.passkey.answer_with(&others, |claims| claims.count = 11);
        let (a, b) = tokio::join!(alone(app, &one, &first), alone(app, &other, &second));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422]);
    });
}

/// security.md 41: a passkey of somebody else, as it is or under this one's name.
#[test]
fn somebody_elses_passkey_is_refused() {
    test(async |app| {
        let taro = owner(app, TARO, 0).await;
        let mut hana = owner(app, "hana@example.jp", 0).await;
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        second_factor(app, &flow, &hana.passkey.answer(&options)).await.refused(422, "invalid_credential");
        let id = taro.passkey.id();
        let under_his_name = hana.passkey.answer_with(&options, |claims| claims.id = id);
        second_factor(app, &flow, &under_his_name).await.refused(422, "invalid_credential");
        let body = json!({
            "sign_in_token": flow["sign_in_token"], "method": "passkey", "credential": under_his_name,
            "factor_id": hana.factor,
        });
        app.post("/v1/sign-ins/second-factor", &body).await.faults(&["/factor_id unknown_id"]);
        let (token, options) = asked_alone(app).await;
        let nameless = hana.passkey.answer_with(&options, |claims| claims.user_handle = None);
        alone(app, &token, &nameless).await.refused(422, "invalid_credential");
    });
}

/// security.md 42: a challenge is good once, for its own flow, and the next voids it.
#[test]
fn a_challenge_is_good_once_and_in_its_own_flow() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (flow, old) = asked(app, TARO, &taro.factor).await;
        let new = super::ask(app, &flow, &taro.factor).await.ok(200)["public_key"].clone();
        second_factor(app, &flow, &taro.passkey.answer(&old)).await.refused(422, "invalid_credential");
        let (other, options) = asked(app, TARO, &taro.factor).await;
        second_factor(app, &other, &taro.passkey.answer(&new)).await.refused(422, "invalid_credential");
        let (token, open) = asked_alone(app).await;
        let (another, others) = asked_alone(app).await;
        alone(app, &token, &taro.passkey.answer(&options)).await.refused(422, "invalid_credential");
        alone(app, &token, &taro.passkey.answer(&others)).await.refused(422, "invalid_credential");
        second_factor(app, &other, &taro.passkey.answer(&open)).await.refused(422, "invalid_credential");

        let used = taro.passkey.answer(&new);
        second_factor(app, &flow, &used).await.ok(201);
        second_factor(app, &flow, &used).await.refused(410, "sign_in_expired");
        second_factor(app, &other, &used).await.refused(422, "invalid_credential");
        let used = taro.passkey.answer(&others);
        alone(app, &another, &used).await.ok(201);
        alone(app, &another, &used).await.refused(410, "sign_in_expired");
        alone(app, &token, &used).await.refused(422, "invalid_credential");
        let unasked = app.start_sign_in(TARO, crate::support::PASSWORD).await.ok(200);
        second_factor(app, &unasked, &used).await.refused(422, "invalid_credential");
    });
}

/// security.md 42: ten minutes.
#[test]
fn a_challenge_is_good_for_ten_minutes() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        let (token, open) = asked_alone(app).await;
        app.advance(601);
        second_factor(app, &flow, &taro.passkey.answer(&options)).await.refused(410, "sign_in_expired");
        alone(app, &token, &taro.passkey.answer(&open)).await.refused(410, "sign_in_expired");
        let (token, open) = asked_alone(app).await;
        app.advance(590);
        alone(app, &token, &taro.passkey.answer(&open)).await.ok(201);
    });
}

/// A passkey that moves between devices goes on doing so.
#[test]
fn a_passkey_that_is_backed_up_stays_one() {
    test(async |app| {
        let mut taro = owner_with(app, TARO, |claims| claims.flags = UP | UV | BE).await;
        for flags in [UP | UV | BE | BS, UP | UV | BE] {
            let (flow, options) = asked(app, TARO, &taro.factor).await;
            let answer = taro.passkey.answer_with(&options, |claims| claims.flags = flags);
            second_factor(app, &flow, &answer).await.ok(201);
        }
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        let bound = taro.passkey.answer_with(&options, |claims| claims.flags = UP | UV);
        second_factor(app, &flow, &bound).await.refused(422, "invalid_credential");
    });
}

/// What is no credential at all is pointed at; what it holds besides is the browser's business, but it is strict JSON.
#[test]
fn what_is_no_credential_is_pointed_at() {
    test(async |app| {
        let mut taro = owner(app, TARO, 0).await;
        let (flow, options) = asked(app, TARO, &taro.factor).await;
        let right = taro.passkey.answer(&options);
        let without = |name: &str| {
            let mut credential = right.clone();
            credential["response"].as_object_mut().unwrap().remove(name);
            credential
        };
        let mut garbled = right.clone();
        garbled["response"]["signature"] = json!("not base64");
        for wrong in [json!({}), without("signature"), without("clientDataJSON"), without("authenticatorData"), garbled]
        {
            second_factor(app, &flow, &wrong).await.faults(&["/credential invalid_format"]);
        }
        let mut bare = json!({ "sign_in_token": flow["sign_in_token"], "method": "passkey" });
        app.post("/v1/sign-ins/second-factor", &bare).await.faults(&["/credential required"]);
        bare["code"] = json!("123456");
        app.post("/v1/sign-ins/second-factor", &bare).await.faults(&["/code not_supported"]);
        for other in [json!(12), json!("x"), json!([right]), json!(true), Value::Null] {
            let problem = second_factor(app, &flow, &other).await.refused(400, "malformed_request");
            assert_eq!(problem["errors"][0]["pointer"], "/credential");
            let problem = alone(app, &json!("pks_x"), &other).await.refused(400, "malformed_request");
            assert_eq!(problem["errors"][0]["pointer"], "/credential");
        }
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        let mut too_deep = right.clone();
        too_deep["clientExtensionResults"] = json!({ "x": deep });
        second_factor(app, &flow, &too_deep).await.refused(400, "malformed_request");
        let mut large = right.clone();
        large["padding"] = json!("x".repeat(17_000));
        second_factor(app, &flow, &large).await.refused(413, "body_too_large");
        let twice =
            json!({ "sign_in_token": flow["sign_in_token"], "method": "passkey", "credential": right }).to_string();
        let twice = twice.replacen("\"type\":", "\"type\":\"public-key\",\"type\":", 1);
        let request = app.request(reqwest::Method::POST, "/v1/sign-ins/second-factor");
        let answer = app.send(request.header("content-type", "application/json").body(twice)).await;
        answer.refused(400, "malformed_request");
        second_factor(app, &flow, &right).await.ok(201);
    });
}

/// The members of a confirmation fit its method and its enrolment.
#[test]
fn the_method_of_a_confirmation_says_what_counts() {
    test(async |app| {
        let flow = app.sign_up(TARO).await;
        let (factor, options) = begin(app, &flow).await;
        let (_, credential) = Passkey::make(&options, &app.url, |_| {});
        let body = |given: Value| {
            let mut body = given;
            (body["sign_in_token"], body["factor_id"]) = (flow["sign_in_token"].clone(), factor.clone());
            body
        };
        for (given, fault) in [
            (json!({ "method": "passkey" }), "/credential required"),
            (json!({ "method": "passkey", "credential": {} }), "/credential invalid_format"),
            (json!({ "method": "passkey", "credential": credential, "code": "123456" }), "/code not_supported"),
            (json!({ "method": "code", "credential": credential, "code": "123456" }), "/credential not_supported"),
        ] {
            app.post("/v1/sign-ins/enrolments/confirm", &body(given)).await.faults(&[fault]);
        }
        for method in ["passkey", "code"] {
            let number = body(json!({ "method": method, "credential": 12 }));
            app.post("/v1/sign-ins/enrolments/confirm", &number).await.refused(400, "malformed_request");
        }
        let code = json!({ "method": "code", "code": "123456" });
        app.post("/v1/sign-ins/enrolments/confirm", &body(code)).await.faults(&["/method not_supported"]);
        let totp = app.start_enrolment(&flow).await;
        confirm(app, &flow, &json!(totp), &credential).await.faults(&["/method not_supported"]);
        confirm(app, &flow, &factor, &credential).await.ok(201);
        app.message_to(TARO).await;
    });
}
