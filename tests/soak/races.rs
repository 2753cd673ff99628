//! Every "once", raced: 50 requests at a time over two replicas, again and again.
//!
//! One of the fifty has the effect and is answered so; the others are refused. A refresh is the exception: all of them get
//! the one successor.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Client;
use reqwest::Method;
use sekisho::clock::Clock;
use serde_json::Value;
use serde_json::json;

use crate::stores::Surroundings;
use crate::support::Answer;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Process;

const ROUNDS: usize = 100;
const RACERS: usize = 50;

/// Two replicas and whoever calls them.
struct Scene {
    replicas: [Process; 2],
    around: Surroundings,
    client: Client,
}

impl Scene {
    /// Calls one of the replicas, from a network that nobody else is in.
    async fn call(&self, nth: usize, path: &str, body: &Value, token: Option<&str>) -> Answer {
        let [a, b, c] = sekisho::crypto::random_bytes();
        let request = self.client.request(Method::POST, format!("{}{path}", self.replicas[nth % 2].url));
        let request = request.header("x-forwarded-for", format!("10.{a}.{b}.{c}")).json(body);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        Answer::read(request.send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.call(0, path, body, None).await;
        assert!([200, 201, 202].contains(&answer.status), "{path}: {answer:?}");
        answer.body
    }

    async fn race(&self, path: &str, body: impl Fn(usize) -> Value, token: Option<&str>) -> Vec<Answer> {
        let bodies: Vec<_> = (0..RACERS).map(body).collect();
        join_all(bodies.iter().enumerate().map(|(nth, body)| self.call(nth, path, body, token))).await
    }

    /// The code of a mail that is not `old`.
    async fn code(&self, address: &str, old: &str) -> String {
        loop {
            let code = self.around.mailbox.code_to(address).await;
            if code != old {
                return code;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The one answer that tells of the effect; everybody else was refused.
fn only(what: &str, answers: Vec<Answer>) -> Value {
    let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status < 300);
    assert_eq!(won.len(), 1, "{what}: {won:?}");
    for answer in lost {
        assert!([409, 410, 422, 429, 503].contains(&answer.status), "{what}: {answer:?}");
    }
    won.remove(0).body
}

/// A verified sign-up; answers the flow that it leads to, and its code.
async fn sign_up(scene: &Scene, sign_in: &Value, address: &str) -> (Value, String) {
    let started = scene.post("/v1/sign-ups", sign_in).await;
    let code = scene.code(address, "").await;
    let body = json!({ "sign_up_token": started["sign_up_token"], "code": code });
    (only("sign-up code", scene.race("/v1/sign-ups/verify", |_| body.clone(), None).await), code)
}

fn password_of(address: &str) -> Value {
    json!({ "identifier": address, "password": PASSWORD })
}

/// Someone without a second factor proves an address.
async fn identifier(scene: &Scene, nth: usize) {
    let address = format!("hana{nth}@example.jp");
    let sign_in = password_of(&address);
    let (_, old) = sign_up(scene, &sign_in, &address).await;
    let flow = scene.post("/v1/sign-ins", &sign_in).await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": flow["identifiers"][0]["id"] });
    scene.post("/v1/sign-ins/identifier-codes", &body).await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "code": scene.code(&address, &old).await });
    only("identifier code", scene.race("/v1/sign-ins/identifier", |_| body.clone(), None).await);
}

/// Someone goes the whole path.
async fn path(scene: &Scene, nth: usize) {
    let address = format!("taro{nth}@example.jp");
    let sign_in = password_of(&address);
    let (flow, _) = sign_up(scene, &sign_in, &address).await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let begun = scene.post("/v1/sign-ins/enrolments", &body).await;
    let app = Authenticator::new(begun["enrolment"]["totp"]["secret"].as_str().unwrap());
    let step = Clock::system().now().timestamp() / 30;
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": begun["enrolment"]["factor_id"],
        "method": "code", "code": app.code(step),
    });
    let tokens = only("enrolment", scene.race("/v1/sign-ins/enrolments/confirm", |_| body.clone(), None).await);

    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let answers = scene.race("/v1/sessions/refresh", |_| body.clone(), None).await;
    let successors: BTreeSet<_> =
        answers.into_iter().map(|answer| answer.ok(200)["refresh_token"].as_str().unwrap().to_owned()).collect();
    assert_eq!(successors.len(), 1, "one successor");

    sign_ins(scene, &sign_in, &tokens, &app.code(step + 1)).await;

    let codes = &tokens["recovery_codes"];
    let body = json!({ "method": "recovery_code", "password": PASSWORD, "recovery_code": codes[1] });
    let access = tokens["access_token"].as_str().unwrap();
    only("re-authentication", scene.race("/v1/reauthentications", |_| body.clone(), Some(access)).await);

    scene.post("/v1/device-tokens", &json!({ "identifier": address })).await;
    let body = json!({ "token": scene.around.mailbox.word_to(&address, "sdr_").await });
    only("device token", scene.race("/v1/device-tokens/confirm", |_| body.clone(), None).await);

    scene.post("/v1/password-resets", &json!({ "identifier": address })).await;
    let token = scene.around.mailbox.word_to(&address, "rst_").await;
    let body = |nth: usize| json!({ "method": "link", "reset_token": token, "new_password": format!("tidal mango ledger vowel {nth}") });
    only("reset", scene.race("/v1/password-resets/confirm", body, None).await);
}

/// A code of an app and a recovery code, each in five flows at a time.
async fn sign_ins(scene: &Scene, sign_in: &Value, tokens: &Value, code: &str) {
    for (what, member) in [("code", json!(code)), ("recovery_code", tokens["recovery_codes"][0].clone())] {
        let mut flows = Vec::new();
        for _ in 0..5 {
            flows.push(scene.post("/v1/sign-ins", sign_in).await);
        }
        let body =
            |nth: usize| json!({ "sign_in_token": flows[nth % 5]["sign_in_token"], "method": what, what: member });
        only(what, scene.race("/v1/sign-ins/second-factor", body, None).await);
    }
}

async fn races() {
    let around = Surroundings::migrated().await;
    let mut environment = around.with("http.trusted_proxies", "127.0.0.1/32");
    environment.insert("pages.password_reset", "https://auth.example.com/reset".to_owned());
    let replicas = [Process::serve(&environment).await, Process::serve(&environment).await];
    let scene = Scene { replicas, around, client: Client::new() };
    for nth in 0..ROUNDS {
        identifier(&scene, nth).await;
        path(&scene, nth).await;
    }
    println!(
        "races: {ROUNDS} rounds of {RACERS} requests over two replicas, each won once: sign-up code, identifier code,"
    );
    println!(
        "  enrolment, code of an app, recovery code, re-authentication, device token, reset; a refresh has one successor"
    );
    for replica in scene.replicas {
        let output = replica.output();
        assert!(!output.contains("panicked"), "{output}");
        replica.kill();
    }
    scene.around.embedded.stop().await.unwrap();
}

/// Runs the suite.
pub(crate) fn run() {
    tokio::runtime::Runtime::new().unwrap().block_on(races());
}
