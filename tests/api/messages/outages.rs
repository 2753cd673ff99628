//! Providers that break: what still leaves, what is offered, and what happens when they are back.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::code_in;
use crate::support::Answer;
use crate::support::Gateway;
use crate::support::Mailbox;
use crate::support::PASSWORD;
use crate::support::Reply;
use crate::support::TestApp;
use crate::support::test_with;
use crate::support::within;

const NUMBER: &str = "+819012345678";
const SENT: &str = "SELECT count(*) FROM outbox WHERE state = 'sent' AND provider = 'tokyo'";
const BROKEN: Reply = Reply::Status(503, "");

/// Lets an SMS provider fail three times. The code of this sign-up waits in the outbox; answers its token.
async fn break_sms(app: &TestApp, gateway: &Gateway) -> String {
    gateway.will(BROKEN);
    let before = gateway.received().len();
    let token = app.start_sign_up(NUMBER).await;
    for tries in 1..=3 {
        gateway.wait_for(before + usize::try_from(tries).unwrap()).await;
        // A claim holds for half a minute; a failure that was noted is due again in seconds.
        app.poll("a note of it", async || {
            let noted =
                sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox WHERE attempts >= $1 AND due_at < $2");
            let soon = app.clock.now() + chrono::TimeDelta::seconds(15);
            (noted.bind(tries).bind(soon).fetch_one(&app.app.db).await.unwrap() == 1).then_some(())
        })
        .await;
        app.advance(5);
    }
    app.poll("a broken channel", async || (!channels(app).await.contains(&json!("sms"))).then_some(())).await;
    token
}

async fn channels(app: &TestApp) -> Vec<Value> {
    app.get("/v1/configuration").await.ok(200)["channels"].as_array().unwrap().clone()
}

fn with_sms(settings: &[(&str, &str)], body: impl AsyncFnOnce(&TestApp, &Gateway)) {
    let gateway = within(async || Gateway::open().await);
    let url = gateway.twilio();
    let mut all = vec![("providers.tokyo", url.as_str()), ("sms.providers", "tokyo")];
    all.extend_from_slice(settings);
    test_with(&all, async |app| body(app, &gateway).await);
}

/// Enrols a phone in a flow by a code in the development inbox; answers the factor's id.
async fn enrol_phone(app: &TestApp, flow: &Value) -> String {
    let token = &flow["sign_in_token"];
    let asked = json!({ "sign_in_token": token, "kind": "phone", "phone": NUMBER, "channel": "voice" });
    let begun = app.post("/v1/sign-ins/enrolments", &asked).await.ok(201);
    let factor = begun["enrolment"]["factor_id"].as_str().unwrap().to_owned();
    let code = app.code_to(NUMBER).await;
    app.confirm_enrolment(flow, &factor, &code).await.ok(201);
    factor
}

/// api.md: a broken channel disappears from what is offered, asking for it is 503 with the time of the next trial, and
/// what waited leaves when it is back.
#[test]
fn a_broken_channel_is_not_offered_and_comes_back() {
    with_sms(&[], async |app, gateway| {
        let flow = app.sign_up("taro@example.jp").await;
        let factor = enrol_phone(app, &flow).await;
        app.ignore_messages().await;
        let token = break_sms(app, gateway).await;
        assert_eq!(channels(app).await, ["email", "voice"]);
        let flow = app.start_sign_in("taro@example.jp", PASSWORD).await.ok(200);
        assert_eq!(flow["factors"][0]["channels"], json!(["voice"]));
        let ask = async |channel: &str| {
            let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "channel": channel });
            app.post("/v1/sign-ins/codes", &body).await
        };
        let refused = |answer: Answer| {
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=30).contains(&wait), "{wait}");
            assert_eq!(answer.refused(503, "channel_unavailable")["retry_after"], wait);
        };
        refused(ask("sms").await);
        let resend = json!({ "sign_up_token": token, "channel": "sms" });
        refused(app.post("/v1/sign-ups/resend", &resend).await);
        ask("voice").await.ok(202);
        app.code_to(NUMBER).await;

        // The pause is over: one message goes first, and fails; the next pause is longer.
        let before = gateway.received().len();
        app.advance(30);
        gateway.wait_for(before + 1).await;
        app.poll("a longer pause", async || (channels(app).await.len() == 2).then_some(())).await;
        app.advance(31);
        assert_eq!(channels(app).await.len(), 2);

        gateway.will(Reply::Status(201, "{}"));
        app.advance(29);
        app.poll("the code that waited", async || (app.count(SENT).await == 1).then_some(())).await;
        assert_eq!(channels(app).await, ["email", "sms", "voice"]);
        ask("sms").await.ok(202);
        app.poll("the code by SMS", async || (app.count(SENT).await == 2).then_some(())).await;
    });
}

/// A mailbox that is full says nothing against the server: mail for everybody else leaves.
#[test]
fn a_full_mailbox_breaks_no_channel() {
    let mailbox = within(async || Mailbox::open().await);
    mailbox.fill("taro@example.jp");
    let settings = [("mail.smtp_url", mailbox.url.as_str()), ("mail.from", "Example <no-reply@example.com>")];
    test_with(&settings, async |app| {
        app.start_sign_up("taro@example.jp").await;
        for tries in 1..=5 {
            app.poll("a note of it", async || {
                let noted =
                    "SELECT count(*) FROM outbox WHERE attempts >= $1 AND last_error LIKE '%: smtp 452' AND due_at < $2";
                let soon = app.clock.now() + chrono::TimeDelta::seconds(100);
                let noted = sqlx::query_scalar::<_, i64>(noted).bind(tries).bind(soon);
                (noted.fetch_one(&app.app.db).await.unwrap() == 1).then_some(())
            })
            .await;
            app.advance(100);
        }
        assert!(channels(app).await.contains(&json!("email")));
        app.start_sign_up("hana@example.jp").await;
        mailbox.code_to("hana@example.jp").await;
        // Nobody asked again, and the code is worthless by now.
        app.advance(601);
    });
}

/// Somebody waits for a code, nobody for a notice.
#[test]
fn codes_leave_before_notices_that_have_waited_longer() {
    with_sms(&[], async |app, gateway| {
        let hana = "+819012345670";
        let started = app.start_sign_up(hana).await;
        let code = code_in(&gateway.wait_for(1).await[0].field("Body"));
        let flow = app.verify(&started, &code).await.ok(200);
        let factor = app.start_enrolment(&flow).await;
        let tokens = app.confirm_enrolment(&flow, &factor, &app.totp(&factor).await).await.ok(201);
        gateway.wait_for(2).await;

        break_sms(app, gateway).await;
        let change = json!({ "current_password": PASSWORD, "new_password": "another horse, better battery" });
        let access = tokens["access_token"].as_str().unwrap();
        app.with_token(access, Method::POST, "/v1/account/password", Some(&change)).await.ok(204);
        let before = gateway.received().len();
        gateway.will(Reply::Status(201, "{}"));
        app.advance(30);
        let left = gateway.wait_for(before + 2).await;
        assert_eq!((&*left[before].field("To"), &*left[before + 1].field("To")), (NUMBER, hana));
    });
}

/// Where nobody chose a channel, the message waits for the one that leads there: it is not redirected.
#[test]
fn a_message_for_which_nobody_chose_waits() {
    with_sms(&[], async |app, gateway| {
        break_sms(app, gateway).await;
        let other = "+819012345679";
        let body = json!({ "identifier": other, "password": PASSWORD });
        let started = app.post("/v1/sign-ups", &body).await.ok(202);
        assert_eq!(started["delivery"]["channel"], "sms");
        gateway.will(Reply::Status(201, "{}"));
        app.advance(30);
        app.poll("both codes", async || (app.count(SENT).await == 2).then_some(())).await;
        assert!(gateway.received().iter().any(|request| request.field("To") == other));
    });
}

/// What could not leave before it expired is wiped also while its channel is broken.
#[test]
fn what_expires_in_an_outage_is_wiped() {
    with_sms(&[], async |app, gateway| {
        break_sms(app, gateway).await;
        gateway.will(Reply::Hang);
        app.advance(601);
        app.poll("a wiped code", async || {
            (app.count("SELECT count(*) FROM outbox WHERE state = 'dropped' AND payload_sealed IS NULL").await == 1)
                .then_some(())
        })
        .await;
    });
}

#[test]
fn an_outage_shows_in_the_metrics() {
    with_sms(&[("metrics.listen", "127.0.0.1:0")], async |app, gateway| {
        break_sms(app, gateway).await;
        let metrics = async || {
            let answer = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap();
            answer.text().await.unwrap()
        };
        let text = metrics().await;
        for line in [
            "sekisho_messages_total{channel=\"sms\",provider=\"tokyo\",outcome=\"failed\"} 3",
            "sekisho_provider_broken{channel=\"sms\",provider=\"tokyo\"} 1.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains(NUMBER), "{text}");
        gateway.will(Reply::Status(201, "{}"));
        app.advance(30);
        let line = "sekisho_provider_broken{channel=\"sms\",provider=\"tokyo\"} 0.0";
        app.poll("a provider that works", async || metrics().await.contains(line).then_some(())).await;
    });
}

/// What people do, in which a mail server has no part.
async fn be_served(app: &TestApp, people: &str) {
    for n in 0..15 {
        app.start_sign_up(&format!("{people}-{n}@example.jp")).await;
        app.get("/v1/configuration").await.ok(200);
        app.start_sign_in("nobody@example.jp", "not the password").await.refused(401, "invalid_credentials");
    }
}

/// With a mail server that hangs for ten minutes every endpoint answers within its deadline, calls and short messages leave, and afterwards every mail arrives that is still of use.
#[test]
fn a_mail_server_that_hangs_holds_nothing_up() {
    let mailbox = within(async || Mailbox::open().await);
    let settings = [
        ("mail.smtp_url", mailbox.url.as_str()),
        ("mail.from", "Example <no-reply@example.com>"),
        ("messages.timeout_ms", "500"),
    ];
    test_with(&settings, async |app| {
        be_served(app, "before").await;
        for n in 0..15 {
            mailbox.code_to(&format!("before-{n}@example.jp")).await;
        }
        mailbox.hang(true);
        be_served(app, "during").await;
        app.start_sign_up(NUMBER).await;
        app.code_to(NUMBER).await;
        app.poll("a broken channel", async || (!channels(app).await.contains(&json!("email"))).then_some(())).await;
        for _ in 0..9 {
            app.advance(60);
            app.poll("a trial", async || (!channels(app).await.contains(&json!("email"))).then_some(())).await;
        }
        let late: Vec<String> = (0..30).map(|n| format!("late-{n}@example.jp")).collect();
        for address in &late {
            app.start_sign_up(address).await;
        }
        app.advance(59);
        mailbox.hang(false);
        // A trial that began before may fail after it; then a minute passes.
        app.poll("mail that leaves", async || {
            if !channels(app).await.contains(&json!("email")) {
                app.advance(1);
            }
            (mailbox.count(&late[0]) == 1).then_some(())
        })
        .await;
        for address in &late {
            mailbox.code_to(address).await;
            assert_eq!(mailbox.count(address), 1, "{address}");
        }
        let lost = "SELECT count(*) FROM outbox WHERE state = 'dead'";
        assert_eq!(app.count(lost).await, 0);
    });
}
