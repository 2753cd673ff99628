//! Each provider by its own protocol, what its answers mean, and who comes next.

use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::Value;
use serde_json::json;

use super::code_in;
use crate::support::Gateway;
use crate::support::Received;
use crate::support::Reply;
use crate::support::TWILIO_TOKEN;
use crate::support::TestApp;
use crate::support::WEBHOOK_SECRET;
use crate::support::test_with;
use crate::support::within;

const NUMBER: &str = "+819012345678";
const QUICK: (&str, &str) = ("messages.timeout_ms", "400");

/// Runs a test whose short messages and calls go to two counterparts: a Twilio, then a webhook.
fn with_gateways(body: impl AsyncFnOnce(&TestApp, &Gateway, &Gateway)) {
    let (first, second) = within(async || (Gateway::open().await, Gateway::open().await));
    let settings = [
        ("providers.first", first.twilio()),
        ("providers.second", second.webhook()),
        ("sms.providers", "first,second".to_owned()),
        ("voice.providers", "first,second".to_owned()),
    ];
    let mut settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.push(QUICK);
    test_with(&settings, async |app| body(app, &first, &second).await);
}

async fn state(app: &TestApp) -> (String, Option<String>, Option<String>) {
    sqlx::query_as("SELECT state, provider, last_error FROM outbox ORDER BY id DESC LIMIT 1")
        .fetch_one(&app.app.db)
        .await
        .unwrap()
}

async fn wait_for_state(app: &TestApp, wanted: &str) -> (Option<String>, Option<String>) {
    app.poll(wanted, async || Some(state(app).await).filter(|(state, ..)| state == wanted)).await;
    let (_, provider, error) = state(app).await;
    (provider, error)
}

/// The first run of six digits.
fn key(request: &Received) -> &str {
    &request.headers["idempotency-key"]
}

#[test]
fn a_short_message_is_posted_as_twilio_reads_it() {
    with_gateways(async |app, twilio, _| {
        let token = app.start_sign_up(NUMBER).await;
        let [request] = twilio.wait_for(1).await.try_into().unwrap();
        assert_eq!(request.path, "/2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
        let basic = data_encoding::BASE64.encode(format!("AC1:{TWILIO_TOKEN}").as_bytes());
        assert_eq!(request.headers["authorization"], format!("Basic {basic}"));
        assert_eq!((request.field("To").as_str(), request.field("From").as_str()), (NUMBER, "+815012345678"));
        let code = code_in(&request.field("Body"));
        app.verify(&token, &code).await.ok(200);
        assert_eq!(wait_for_state(app, "sent").await.0.as_deref(), Some("first"));
        let same = "SELECT count(*) FROM outbox WHERE provider_reference = 'SM0123456789'";
        assert_eq!(app.count(same).await, 1);
    });
}

#[test]
fn a_webhook_gets_signed_json() {
    let gateway = within(async || Gateway::open().await);
    let url = gateway.webhook();
    let settings = [("providers.gateway", url.as_str()), ("sms.providers", "gateway")];
    test_with(&settings, async |app| {
        let token = app.start_sign_up(NUMBER).await;
        let request = gateway.wait_for(1).await.remove(0);
        assert_eq!(
            (request.path.as_str(), request.headers["content-type"].as_str()),
            ("/messages", "application/json")
        );
        let body = request.json();
        assert_eq!((&body["channel"], &body["to"], &body["language"]), (&json!("sms"), &json!(NUMBER), &json!("en")));
        assert_eq!(body["message_id"], key(&request));
        let (at, mac) = request.headers["sekisho-signature"].strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
        let signed = format!("{at}.{}", request.body);
        hmac::verify(&secret, signed.as_bytes(), &data_encoding::HEXLOWER.decode(mac.as_bytes()).unwrap()).unwrap();
        assert!((app.clock.now().timestamp() - at.parse::<i64>().unwrap()).abs() < 60);
        app.verify(&token, &code_in(body["text"].as_str().unwrap())).await.ok(200);
    });
}

/// A provider that surely did not take the message is followed by the next, at once.
#[test]
fn what_one_does_not_take_goes_to_the_next() {
    for status in [500, 503, 429, 401, 302] {
        with_gateways(async |app, first, second| {
            first.will(Reply::Status(status, "{}"));
            app.start_sign_up(NUMBER).await;
            let (tried, taken) = (first.wait_for(1).await.remove(0), second.wait_for(1).await.remove(0));
            assert_eq!(key(&tried), key(&taken), "{status}");
            assert_eq!(wait_for_state(app, "sent").await.0.as_deref(), Some("second"), "{status}");
        });
    }
}

#[test]
fn a_provider_where_nobody_listens_is_passed_by() {
    let gateway = within(async || Gateway::open().await);
    let (nobody, url) = ("twilio+http://AC1:x@127.0.0.1:1?from=+815012345678", gateway.webhook());
    let settings = [("providers.a", nobody), ("providers.b", url.as_str()), ("sms.providers", "a,b")];
    test_with(&settings, async |app| {
        app.start_sign_up(NUMBER).await;
        gateway.wait_for(1).await;
        assert_eq!(wait_for_state(app, "sent").await.0.as_deref(), Some("b"));
    });
}

/// security.md 86: no answer in time, or half of one, is no success; it is asked again under the same key, and no second
/// provider is let in meanwhile.
#[test]
fn what_may_have_been_taken_is_repeated_under_its_key() {
    for reply in [Reply::Late(Duration::from_secs(2)), Reply::Cut, Reply::Hang] {
        with_gateways(async |app, first, second| {
            first.will(reply.clone());
            app.start_sign_up(NUMBER).await;
            app.poll("a try", async || state(app).await.2).await;
            let (state, provider, error) = state(app).await;
            assert_eq!((state.as_str(), provider), ("queued", None), "{reply:?}");
            assert!(["first: timeout", "first: cut off"].contains(&error.unwrap().as_str()), "{reply:?}");
            first.will(Reply::Status(201, "{}"));
            app.advance(10);
            assert_eq!(wait_for_state(app, "sent").await.0.as_deref(), Some("first"), "{reply:?}");
            let keys: Vec<String> = first.received().iter().map(|request| key(request).to_owned()).collect();
            assert!(keys.iter().all(|other| *other == keys[0]), "{keys:?}");
            assert_eq!(second.received().len(), 0, "{reply:?}");
        });
    }
}

/// security.md 86 and 81: a message that everybody refuses for good is dead; a dead code is wiped, and the reason names
/// neither the number nor what a provider wrote.
#[test]
fn what_everybody_refuses_is_dead() {
    with_gateways(async |app, first, second| {
        first.will(Reply::Status(400, r#"{"code":21211,"message":"+819012345678 is no number"}"#));
        second.will(Reply::Status(422, r#"{"message":"+819012345678 is no number"}"#));
        let token = app.start_sign_up(NUMBER).await;
        let (provider, error) = wait_for_state(app, "dead").await;
        assert_eq!((provider, error.as_deref()), (None, Some("first: http 400 21211; second: http 422")));
        assert_eq!(app.count("SELECT count(payload_sealed) FROM outbox").await, 0);
        app.verify(&token, "000000").await.refused(422, "invalid_code");
        // It was the message's fault, not the provider's.
        assert_eq!(channels(app).await, json!(["email", "sms", "voice"]));
    });
}

async fn channels(app: &TestApp) -> Value {
    app.get("/v1/configuration").await.ok(200)["channels"].clone()
}
