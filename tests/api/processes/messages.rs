//! `sekisho messages`, and a kill between a provider's yes and our note of it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use sekisho::app::App;
use sekisho::clock::Clock;
use sekisho::config::Config;
use sekisho::config::Mode;
use sekisho::config::Settings;
use sekisho::server::Server;
use serde_json::json;

use super::stores::Surroundings;
use crate::support::Authenticator;
use crate::support::Environment;
use crate::support::Gateway;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::Reply;
use crate::support::fails;
use crate::support::told;
use crate::support::until;

/// With mail by a webhook.
async fn with_gateway() -> (Surroundings, Gateway, Environment) {
    let (around, gateway) = (Surroundings::migrated().await, Gateway::open().await);
    let mut environment = around.with("providers.gateway", &gateway.webhook());
    environment.remove("mail.smtp_url");
    environment.insert("mail.providers", "gateway".to_owned());
    (around, gateway, environment)
}

/// A server with as many mails as it sends at once under way, and the rest behind them: the gateway takes each at once, and
/// says so too late.
async fn with_mail_under_way(people: usize, gateway: &Gateway, environment: &mut Environment) -> Process {
    environment.insert("http.trusted_proxies", "127.0.0.1/32".to_owned());
    environment.insert("messages.timeout_ms", "15000".to_owned());
    let server = Process::serve(environment).await;
    gateway.will(Reply::Late(Duration::from_secs(14)));
    for n in 0..people {
        let body = json!({ "identifier": format!("p{n}@example.jp"), "password": PASSWORD });
        server.post("/v1/sign-ups", &body).await.ok(202);
    }
    gateway.wait_for(8).await;
    server
}

/// The code in the newest mail.
fn newest_code(gateway: &Gateway) -> String {
    let text = gateway.received().last().unwrap().json()["text"].as_str().unwrap().to_owned();
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

/// The README promises it: an operator sees what could not leave, without address or text, and has it tried again.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_a_dead_notice_and_has_it_tried_again() {
    let (around, gateway, environment) = with_gateway().await;
    let server = Process::serve(&environment).await;
    let started = server.post("/v1/sign-ups", &json!({ "identifier": "taro@example.jp", "password": PASSWORD })).await;
    gateway.wait_for(1).await;
    let body = json!({ "sign_up_token": started.ok(202)["sign_up_token"], "code": newest_code(&gateway) });
    let flow = server.post("/v1/sign-ups/verify", &body).await.ok(200);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let begun = server.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let app = Authenticator::new(begun["enrolment"]["totp"]["secret"].as_str().unwrap());
    gateway.will(Reply::Status(422, "{\"error\":\"taro@example.jp is unknown\"}"));
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": begun["enrolment"]["factor_id"], "method": "code",
        "code": app.code(Clock::system().now().timestamp() / 30),
    });
    server.post("/v1/sign-ins/enrolments/confirm", &body).await.ok(201);

    let messages = |arguments: &[&str]| told(&[&["messages"], arguments].concat(), &environment);
    let row = until("a dead letter", async || messages(&["list"]).lines().nth(1).map(str::to_owned)).await;
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(&words[1..4], ["factor_enrolled_notice", "email", "dead"], "{row}");
    assert!(row.ends_with("gateway: http 422"), "{row}");
    let id = words[0];
    let shown = messages(&["show", id]);
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["state", "dead"])), "{shown}");
    let all = messages(&["list", "--state", "all"]);
    assert_eq!(all.lines().count(), 3, "{all}");
    assert!(!(all + &shown).contains("taro"));

    gateway.will(Reply::Status(200, "{}"));
    assert_eq!(messages(&["retry", id]), "it is due now\n");
    until("a sent notice", async || messages(&["show", id]).contains("sent").then_some(())).await;
    assert_eq!(gateway.received().last().unwrap().json()["message_id"], id);
    let again = fails(&["messages", "retry", id], &environment);
    assert!(again.contains("nothing to do: it is in the state sent"), "{again}");
    let nobody = fails(&["messages", "show", "01932c5e-7a10-7000-8000-000000000001"], &environment);
    assert!(nobody.contains("there is no message"), "{nobody}");
    server.kill();
    around.embedded.stop().await.unwrap();
}

/// design.md §5.9: a kill between the provider's yes and our note loses nothing, and what leaves again does so under its
/// key, so that the provider can drop it. Only what was under way is repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_providers_yes_repeats_under_the_same_key() {
    const PEOPLE: usize = 20;
    let (around, gateway, mut environment) = with_gateway().await;
    let server = with_mail_under_way(PEOPLE, &gateway, &mut environment).await;
    server.kill();
    let under_way = gateway.received().len();
    gateway.will(Reply::Status(200, "{}"));

    // Another replica, a minute later: the claims of the first have run out.
    let settings = environment.iter().fold(Settings::default(), |all, (name, value)| all.with(name, value.as_str()));
    let config = Config::from_settings(Mode::Production, settings).map_err(|faults| faults.to_string()).ok().unwrap();
    let clock = Clock::system();
    clock.advance(Duration::from_mins(1));
    let app = Arc::new(App::new(config, clock).unwrap());
    let server = Server::start(app, vec![TcpListener::bind("127.0.0.1:0").unwrap()]).await.unwrap();
    let mut times = BTreeMap::new();
    until("every message", async || {
        times = BTreeMap::new();
        for request in gateway.received() {
            let body = request.json();
            assert_eq!(body["message_id"], request.headers["idempotency-key"]);
            *times.entry((body["to"].to_string(), body["message_id"].to_string())).or_insert(0) += 1;
        }
        (times.len() == PEOPLE && gateway.received().len() >= PEOPLE + under_way).then_some(())
    })
    .await;
    server.stop().await;
    // One key a person: a provider that drops what it has taken delivers each message once.
    let people: std::collections::BTreeSet<_> = times.keys().map(|(to, _)| to).collect();
    assert_eq!(people.len(), PEOPLE);
    assert!(times.values().all(|times| *times <= 2), "{times:?}");
    assert_eq!(times.values().filter(|times| **times == 2).count(), under_way);
    around.embedded.stop().await.unwrap();
}

/// Each answer of `retry` says what the message waits for.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_what_a_message_waits_for() {
    const PEOPLE: usize = 10;
    let (around, gateway, mut environment) = with_gateway().await;
    let server = with_mail_under_way(PEOPLE, &gateway, &mut environment).await;
    let queued = told(&["messages", "list", "--state", "queued"], &environment);
    let ids: Vec<&str> = queued.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids.len(), PEOPLE, "{queued}");
    // The newest first: it has not been its turn.
    let due = told(&["messages", "retry", ids[0]], &environment);
    assert!(due.contains("due already") && due.contains("as soon as a provider"), "{due}");
    let sending = fails(&["messages", "retry", ids[PEOPLE - 1]], &environment);
    assert!(sending.contains("being sent just now"), "{sending}");
    server.kill();
    around.embedded.stop().await.unwrap();
}
