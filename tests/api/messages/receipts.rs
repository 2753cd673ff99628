//! `src/provider_events`: receipts, and the second half of calls.

use aws_lc_rs::hmac;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Gateway;
use crate::support::Received;
use crate::support::Reply;
use crate::support::TWILIO_TOKEN;
use crate::support::TestApp;
use crate::support::WEBHOOK_SECRET;
use crate::support::test_with;
use crate::support::within;

const NUMBER: &str = "+819012345678";

/// Short messages and calls by a Twilio, mail by a webhook.
fn with_providers(body: impl AsyncFnOnce(&TestApp, &Gateway, &Gateway)) {
    let (twilio, webhook) = within(async || (Gateway::open().await, Gateway::open().await));
    let urls = (twilio.twilio(), webhook.webhook());
    let settings = [
        ("providers.tokyo", urls.0.as_str()),
        ("providers.gateway", &urls.1),
        ("sms.providers", "tokyo"),
        ("voice.providers", "tokyo"),
        ("mail.providers", "gateway"),
        ("mail.from", "Example <no-reply@example.com>"),
        ("metrics.listen", "127.0.0.1:0"),
    ];
    test_with(&settings, async |app| body(app, &twilio, &webhook).await);
}

fn mac(algorithm: hmac::Algorithm, secret: &str, parts: &[&str]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), parts.concat().as_bytes()).as_ref().to_vec()
}

/// What a Twilio posts to a URL that it was given; the fields in the order of their names.
async fn twilio_posts(app: &TestApp, url: &str, fields: &[(&str, &str)], token: &str) -> Answer {
    let parts: Vec<&str> =
        std::iter::once(url).chain(fields.iter().flat_map(|(name, value)| [*name, *value])).collect();
    let signature = data_encoding::BASE64.encode(&mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token, &parts));
    let form: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", value.replace('+', "%2B"))).collect();
    let path = url.strip_prefix(&app.url).unwrap();
    let request = app.request(reqwest::Method::POST, path).header("x-twilio-signature", signature);
    app.send(request.header("content-type", "application/x-www-form-urlencoded").body(form.join("&"))).await
}

async fn webhook_posts(app: &TestApp, path: &str, body: &Value, (secret, age_secs): (&str, i64)) -> Answer {
    let (at, body) = ((app.clock.now().timestamp() - age_secs).to_string(), body.to_string());
    let signature = data_encoding::HEXLOWER.encode(&mac(hmac::HMAC_SHA256, secret, &[&at, ".", &body]));
    let request =
        app.request(reqwest::Method::POST, path).header("sekisho-signature", format!("t={at},v1={signature}"));
    app.send(request.header("content-type", "application/json").body(body)).await
}

/// State, delivery and last error of the one message.
async fn row(app: &TestApp) -> (String, Option<String>, Option<String>) {
    sqlx::query_as("SELECT state, delivery, last_error FROM outbox").fetch_one(&app.app.db).await.unwrap()
}

async fn sent_sms(app: &TestApp, twilio: &Gateway) -> Received {
    app.start_sign_up(NUMBER).await;
    let request = twilio.wait_for(1).await.remove(0);
    app.poll("a sent message", async || (row(app).await.0 == "sent").then_some(())).await;
    request
}

/// The first final receipt counts, repeated as it may be; it must be signed over our public URL.
#[test]
fn a_receipt_of_twilio_is_written_once() {
    with_providers(async |app, twilio, _| {
        let callback = sent_sms(app, twilio).await.field("StatusCallback");
        assert!(callback.starts_with(&format!("{}/v1/provider-events/tokyo?message=", app.url)), "{callback}");
        let fields = |status: &'static str| [("ErrorCode", "30005"), ("MessageStatus", status), ("To", NUMBER)];
        for wrong in ["another-token", ""] {
            twilio_posts(app, &callback, &fields("delivered"), wrong).await.refused(403, "forbidden");
        }
        let elsewhere = callback.replace("tokyo", "gateway");
        twilio_posts(app, &elsewhere, &fields("delivered"), TWILIO_TOKEN).await.refused(403, "forbidden");
        twilio_posts(app, &callback, &fields("sent"), TWILIO_TOKEN).await.ok(204);
        assert_eq!(row(app).await.1, None, "still under way");
        for (status, seen) in
            [("undelivered", "undelivered"), ("undelivered", "undelivered"), ("delivered", "undelivered")]
        {
            twilio_posts(app, &callback, &fields(status), TWILIO_TOKEN).await.ok(204);
            assert_eq!(row(app).await, ("sent".to_owned(), Some(seen.to_owned()), Some("30005".to_owned())));
        }
        let metrics =
            reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        let line = "sekisho_messages_total{channel=\"sms\",provider=\"tokyo\",outcome=\"undelivered\"} 1";
        assert!(metrics.lines().any(|found| found == line), "{metrics}");
    });
}

#[test]
fn a_receipt_of_a_webhook_is_signed_fresh_and_strict() {
    with_providers(async |app, _, webhook| {
        app.start_sign_up("taro@example.jp").await;
        let message = webhook.wait_for(1).await.remove(0).json()["message_id"].clone();
        app.poll("a sent message", async || (row(app).await.0 == "sent").then_some(())).await;
        let path = "/v1/provider-events/gateway";
        let receipt = json!({ "message_id": message, "status": "undelivered", "reason": "taro@example.jp is unknown" });
        for wrong in [("another-secret-of-a-webhook", 0), (WEBHOOK_SECRET, 400), (WEBHOOK_SECRET, -400)] {
            webhook_posts(app, path, &receipt, wrong).await.refused(403, "forbidden");
        }
        app.post(path, &receipt).await.refused(403, "forbidden");
        let right = (WEBHOOK_SECRET, 10);
        webhook_posts(app, "/v1/provider-events/nobody", &receipt, right).await.refused(404, "not_found");
        webhook_posts(app, "/v1/provider-events/inbox", &receipt, right).await.refused(404, "not_found");
        let nonsense = json!({ "message_id": message, "status": "delivered", "colour": "red" });
        webhook_posts(app, path, &nonsense, right).await.refused(400, "unsupported_field");
        webhook_posts(app, path, &json!({ "message_id": message }), right).await.faults(&["/status required"]);
        let unknown = json!({ "message_id": "01932c5e-7a10-7000-8000-000000000001", "status": "delivered" });
        webhook_posts(app, path, &unknown, right).await.ok(204);
        assert_eq!(row(app).await.1, None);
        webhook_posts(app, path, &receipt, right).await.ok(204);
        // What a provider writes is kept as a word or not at all.
        assert_eq!(row(app).await, ("sent".to_owned(), Some("undelivered".to_owned()), None));
    });
}

/// A provider's yes that got lost on its way is made good by its receipt: nothing leaves twice.
#[test]
fn a_receipt_ends_a_message_of_which_nobody_knew_whether_it_left() {
    with_providers(async |app, twilio, _| {
        twilio.will(Reply::Cut);
        app.start_sign_up(NUMBER).await;
        let callback = twilio.wait_for(1).await.remove(0).field("StatusCallback");
        app.poll("a try", async || row(app).await.2).await;
        twilio_posts(app, &callback, &[("MessageStatus", "delivered")], TWILIO_TOKEN).await.ok(204);
        app.advance(30);
        let (state, delivery, _) = row(app).await;
        assert_eq!((state.as_str(), delivery.as_deref()), ("sent", Some("delivered")));
        assert_eq!(app.count("SELECT count(payload_sealed) FROM outbox").await, 0);
        assert_eq!(twilio.received().len(), 1);
    });
}

/// design.md §5.9: a call says its code after a key was pressed, digits one by one, three times, and not once it has
/// expired.
#[test]
fn a_call_says_its_code_after_a_key_was_pressed() {
    with_providers(async |app, twilio, _| {
        let token = app.start_sign_up(NUMBER).await;
        twilio.wait_for(1).await;
        app.advance(30);
        app.post("/v1/sign-ups/resend", &json!({ "sign_up_token": token, "channel": "voice" })).await.ok(202);
        let first = twilio.wait_for(2).await.remove(1).field("Twiml");
        assert!(first.contains("Press any key") && !first.contains("Your code is"), "{first}");
        let (_, action) = first.split_once("action=\"").unwrap();
        let action = action.split('"').next().unwrap().replace("&amp;", "&");
        let pressed = [("CallStatus", "in-progress"), ("Digits", "1")];
        twilio_posts(app, &action, &pressed, "another-token").await.refused(403, "forbidden");
        let answer = twilio_posts(app, &action, &pressed, TWILIO_TOKEN).await;
        assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        let said = answer.ok(200).as_str().unwrap().to_owned();
        let (_, code) = said.split_once("Your code is: ").unwrap();
        let digits = code.split('.').next().unwrap();
        assert_eq!(said.matches(digits).count(), 3, "{said}");
        let changed = action.replace("script=A", "script=B");
        twilio_posts(app, &changed, &pressed, TWILIO_TOKEN).await.refused(422, "invalid_fields");
        app.verify(&token, &digits.replace(", ", "")).await.ok(200);
        app.advance(600);
        let late = twilio_posts(app, &action, &pressed, TWILIO_TOKEN).await.ok(200);
        assert!(!late.as_str().unwrap().contains("Your code"), "{late}");
    });
}
