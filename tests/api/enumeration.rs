//! Who has an account is nobody's business (design.md §5.7): whatever a stranger does, the same is done for an address
//! that has an account and for one that has none. Held by structure and not by the clock: the same statements, the same
//! rows, the same number of hashes, the same answer.
//!
//! The log of the server names each statement with the id of its request, and `/metrics` counts the hashes.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::Url;
use sekisho::clock::Clock;
use serde_json::Value;
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::PgPool;

use crate::processes::Surroundings;
use crate::support::Answer;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::rows;
use crate::support::until;

const WRONG: &str = "another horse battery";
/// A device token of the right form that nobody was given.
const NOBODYS_DEVICE: &str = "sdt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Everything about a request that could tell one address from another.
#[derive(Debug, PartialEq)]
struct Trace {
    status: u16,
    headers: Vec<String>,
    body: Value,
    /// In their order; what changes rows with how many.
    statements: Vec<String>,
    /// By how much each table grew.
    grown: BTreeMap<String, i64>,
    hashes: u64,
}

impl Trace {
    /// Without the seconds that are left, which real time takes away between one request and the next.
    fn without_wait(&mut self) {
        if let Some(problem) = self.body.as_object_mut() {
            problem.remove("retry_after");
        }
        self.headers.retain(|header| !header.starts_with("retry-after: ") && !header.starts_with("content-length: "));
    }
}

struct Watched {
    around: Surroundings,
    server: Process,
    db: PgPool,
    metrics: Url,
}

impl Watched {
    async fn start() -> Self {
        let around = Surroundings::migrated().await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut environment = around.with("log.filter", "warn,sekisho=info,sqlx=debug");
        environment.insert("metrics.listen", format!("127.0.0.1:{port}"));
        environment.insert("sign_in.failure_step_ms", "100".to_owned());
        let server = Process::serve(&environment).await;
        let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
        let metrics = format!("http://127.0.0.1:{port}/metrics").parse().unwrap();
        Self { around, server, db, metrics }
    }

    /// What a request does, and its answer.
    async fn trace(&self, path: &str, body: &Value) -> (Trace, Answer) {
        self.trace_of(self.server.post(path, body)).await
    }

    /// What a request does that somebody makes meanwhile, and its answer.
    async fn trace_of(&self, request: impl Future<Output = Answer>) -> (Trace, Answer) {
        let (before, hashes) = (rows(&self.db).await, self.hashes().await);
        let answer = request.await;
        let statements = self.statements_of(answer.header("x-request-id")).await;
        let grown = rows(&self.db).await.into_iter().map(|(table, count)| {
            let by = count - before[&table];
            (table, by)
        });
        let grown = grown.filter(|(_, by)| *by != 0).collect();
        let hashes = self.hashes().await - hashes;
        let (status, headers) = (answer.status, headers(&answer));
        (Trace { status, headers, body: unrandom(&answer.body), statements, grown, hashes }, answer)
    }

    /// How many hashes were run since the start.
    async fn hashes(&self) -> u64 {
        let text = reqwest::get(self.metrics.clone()).await.unwrap().text().await.unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("sekisho_hash_wait_seconds_count "));
        count.unwrap().parse().unwrap()
    }

    /// The statements of a request, once it is over.
    async fn statements_of(&self, request: &str) -> Vec<String> {
        until("the lines of a request", async || {
            let log = self.server.output();
            let lines = log.lines().filter(|line| line.contains(request));
            let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(lines.iter().all(|line| line["span"]["request_id"] == request), "{lines:?}");
            let over = lines.iter().any(|line| line["message"] == "answered");
            over.then(|| lines.iter().filter(|line| line["target"] == "sqlx::query").map(statement).collect())
        })
        .await
    }

    /// Signs up and verifies; answers the flow.
    async fn sign_up(&self, email: &str) -> Value {
        let body = json!({ "identifier": email, "password": PASSWORD });
        let token = self.server.post("/v1/sign-ups", &body).await.ok(202)["sign_up_token"].clone();
        let body = json!({ "sign_up_token": token, "code": self.around.mailbox.code_to(email).await });
        self.server.post("/v1/sign-ups/verify", &body).await.ok(200)
    }

    /// States that no endpoint brings an account into yet.
    async fn set(&self, email: &str, change: &str) {
        let change = format!("{change} = (SELECT account_id FROM identifiers WHERE lookup_key = $1)");
        let changed = sqlx::query(AssertSqlSafe(change)).bind(email).execute(&self.db).await.unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }
}

/// A statement as the log tells it. How many rows a look-up finds is what it is there for.
fn statement(line: &Value) -> String {
    let texts = ["db.statement", "summary"].map(|name| line[name].as_str().unwrap());
    let text =
        texts.into_iter().find(|text| !text.is_empty()).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.starts_with("SELECT") { text } else { format!("{text} -> {}", line["rows_affected"]) }
}

/// Names and values, but of what is different in every answer.
fn headers(answer: &Answer) -> Vec<String> {
    let changing = ["date", "x-request-id", "ratelimit"];
    let shown = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let value = if changing.contains(&name.as_str()) { "…" } else { value.to_str().unwrap() };
        format!("{name}: {value}")
    };
    let mut headers: Vec<_> = answer.headers.iter().map(shown).collect();
    headers.sort();
    headers
}

/// The body with the length of what is random.
fn unrandom(body: &Value) -> Value {
    let mut body = body.clone();
    for (name, value) in body.as_object_mut().into_iter().flatten() {
        if ["request_id", "sign_up_token", "password_reset_token", "recovery_token"].contains(&name.as_str()) {
            *value = json!(value.as_str().unwrap().len());
        }
        if ["opens_at", "expires_at"].contains(&name.as_str()) {
            *value = json!("…");
        }
    }
    body
}

#[track_caller]
fn alike(traces: &[(String, Trace)]) {
    for (what, trace) in traces {
        assert_eq!(trace, &traces[0].1, "{what} differs from {}", traces[0].0);
    }
}

/// security.md 20: unknown, wrong password, unverified, without a factor, without a password, suspended, closed: the
/// same work and the same answer, whatever was given for a password.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    let emails = ["t-known", "t-bare", "t-suspended", "t-closed"].map(|name| format!("{name}@example.jp"));
    for email in &emails {
        watched.sign_up(email).await;
    }
    watched.set(&emails[1], "UPDATE passwords SET hash_sealed = NULL WHERE account_id").await;
    watched.set(&emails[2], "UPDATE accounts SET status = 'suspended' WHERE id").await;
    watched.set(&emails[3], "UPDATE accounts SET status = 'closed' WHERE id").await;
    let unverified = "t-unverified@example.jp";
    watched.server.post("/v1/sign-ups", &json!({ "identifier": unverified, "password": PASSWORD })).await.ok(202);
    watched.around.mailbox.code_to(unverified).await;

    let endless = "x".repeat(4000);
    for (password, device) in
        [(WRONG, None), ("", None), (endless.as_str(), None), ("\u{7}", None), (WRONG, Some(NOBODYS_DEVICE))]
    {
        let mut traces = Vec::new();
        // A new address each round, so that each failure of it is its first, too.
        let unknown = format!("t-{}-{}@example.jp", password.len(), device.is_some());
        let addresses = [unknown.as_str(), unverified].into_iter().chain(emails.iter().map(String::as_str));
        for email in addresses {
            sqlx::query("DELETE FROM failures").execute(&watched.db).await.unwrap();
            let mut body = json!({ "identifier": email, "password": password });
            if let Some(device) = device {
                body["device_token"] = json!(device);
            }
            let (trace, answer) = watched.trace("/v1/sign-ins", &body).await;
            answer.refused(401, "invalid_credentials");
            traces.push((email.to_owned(), trace));
        }
        alike(&traces);
        let trace = &traces[0].1;
        assert_eq!(trace.hashes, 1, "{trace:#?}");
        assert_eq!(trace.grown, BTreeMap::from([("audit_events".to_owned(), 1), ("failures".to_owned(), 1)]));
        assert!(trace.statements.iter().any(|statement| statement.contains("FROM identifiers")), "{trace:#?}");
    }
    // The right password of whoever has one is another matter: it is what the look-up is for.
    let (right, _) = watched.trace("/v1/sign-ins", &json!({ "identifier": emails[0], "password": PASSWORD })).await;
    assert_eq!((right.status, right.hashes), (200, 1));
    watched.around.embedded.stop().await.unwrap();
}

/// security.md 1: free, taken, taken in another spelling, asked for before: the same rows and the same answer. Nobody
/// looks the address up while the caller waits, and the tries at its code count alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    watched.sign_up("taken@example.jp").await;
    let addresses = ["t-free@example.jp", "taken@example.jp", "TAKEN@example.jp", "t-free@example.jp"];
    let (mut traces, mut tokens) = (Vec::new(), Vec::new());
    for email in addresses {
        let body = json!({ "identifier": email, "password": "tidal mango ledger vowel" });
        let (mut trace, answer) = watched.trace("/v1/sign-ups", &body).await;
        // The hint repeats what was typed, in its own case.
        let hint = trace.body["delivery"]["destination_hint"].as_str().unwrap().to_lowercase();
        trace.body["delivery"]["destination_hint"] = json!(hint);
        traces.push((email.to_owned(), trace));
        tokens.push(answer.ok(202)["sign_up_token"].clone());
    }
    alike(&traces);
    let trace = &traces[0].1;
    assert_eq!(trace.hashes, 1, "{trace:#?}");
    let expected = ["audit_events", "outbox", "sign_ups"].map(|table| (table.to_owned(), 1));
    assert_eq!(trace.grown, BTreeMap::from(expected));
    assert!(!trace.statements.iter().any(|statement| statement.contains("identifiers")), "{trace:#?}");
    for (path, tries) in [("/v1/sign-ups/resend", 1), ("/v1/sign-ups/verify", 6)] {
        for number in 0..tries {
            let mut traces = Vec::new();
            for (email, token) in addresses.iter().zip(&tokens) {
                let mut body = json!({ "sign_up_token": token });
                if path.ends_with("verify") {
                    body["code"] = json!("not a code");
                }
                // Two spellings of one address have one count.
                sqlx::query("DELETE FROM failures").execute(&watched.db).await.unwrap();
                let (mut trace, answer) = watched.trace(path, &body).await;
                trace.without_wait();
                assert_eq!(trace.hashes, 0);
                assert_eq!(answer.status, if tries == 1 || number == 5 { 429 } else { 422 }, "{}", answer.body);
                traces.push(((*email).to_owned(), trace));
            }
            alike(&traces);
        }
    }
    watched.around.embedded.stop().await.unwrap();
}

/// security.md 1: from inside an account it is no other: whose an identifier is, nobody learns by adding it.
#[tokio::test(flavor = "multi_thread")]
async fn adding_an_identifier_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    watched.sign_up("taken@example.jp").await;
    let flow = watched.sign_up("t-person@example.jp").await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let enrolment = watched.server.post("/v1/sign-ins/enrolments", &body).await.ok(201)["enrolment"].clone();
    let app = Authenticator::new(enrolment["totp"]["secret"].as_str().unwrap());
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": enrolment["factor_id"], "method": "code",
        "code": app.code(Clock::system().now().timestamp() / 30),
    });
    let tokens = watched.server.post("/v1/sign-ins/enrolments/confirm", &body).await.ok(201);
    let token = tokens["access_token"].as_str().unwrap();
    let post = async |path: &str, body: Value| watched.server.with_token(token, Method::POST, path, Some(&body)).await;
    let (mut traces, mut ids) = (Vec::new(), Vec::new());
    // Of one length, since the answer repeats what was typed.
    for email in ["tfree@example.jp", "taken@example.jp"] {
        let body = json!({ "identifier": email });
        let (mut trace, answer) = watched.trace_of(post("/v1/account/identifiers", body)).await;
        for member in ["id", "value"] {
            trace.body["identifier"].as_object_mut().unwrap().remove(member);
        }
        ids.push((email, answer.ok(201)["identifier"]["id"].as_str().unwrap().to_owned()));
        traces.push((email.to_owned(), trace));
    }
    alike(&traces);
    let expected = ["outbox", "pending_identifiers"].map(|table| (table.to_owned(), 1));
    assert_eq!((traces[0].1.hashes, &traces[0].1.grown), (0, &BTreeMap::from(expected)));
    for (step, tries) in [("resend", 1), ("verify", 6)] {
        for _ in 0..tries {
            let mut traces = Vec::new();
            for (email, id) in &ids {
                let body = if step == "verify" { json!({ "code": "not a code" }) } else { json!({}) };
                let (mut trace, answer) =
                    watched.trace_of(post(&format!("/v1/account/identifiers/{id}/{step}"), body)).await;
                trace.without_wait();
                assert!([422, 429].contains(&answer.status), "{}", answer.body);
                traces.push(((*email).to_owned(), trace));
            }
            alike(&traces);
        }
    }
    watched.around.embedded.stop().await.unwrap();
}

/// security.md 1 and 20: a device token or a reminder by message is asked for alike, too.
#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_message_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    watched.sign_up("taken@example.jp").await;
    for (path, member, written) in [
        ("/v1/device-tokens", "identifier", ["device_requests", "outbox"].as_slice()),
        ("/v1/identifier-reminders", "contact", &["outbox"]),
    ] {
        let mut traces = Vec::new();
        for email in ["t-free@example.jp", "taken@example.jp", "TAKEN@example.jp"] {
            let body = Value::Object([(member.to_owned(), json!(email))].into_iter().collect());
            let (trace, answer) = watched.trace(path, &body).await;
            answer.ok(202);
            traces.push((email.to_owned(), trace));
        }
        alike(&traces);
        let trace = &traces[0].1;
        let expected = written.iter().map(|table| ((*table).to_owned(), 1)).collect();
        assert_eq!((trace.hashes, &trace.grown), (0, &expected));
        assert!(!trace.statements.iter().any(|statement| statement.contains("identifiers")), "{trace:#?}");
    }
    watched.around.embedded.stop().await.unwrap();
}

/// security.md 65: a reset for somebody, for nobody, in another spelling and asked for again: the same rows, the same
/// statements and the same answer; and wrong codes are refused alike until none is looked at any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    watched.sign_up("taken@example.jp").await;
    let addresses = ["t-free@example.jp", "taken@example.jp", "TAKEN@example.jp", "t-free@example.jp"];
    let (mut traces, mut tokens) = (Vec::new(), Vec::new());
    for email in addresses {
        let (mut trace, answer) = watched.trace("/v1/password-resets", &json!({ "identifier": email })).await;
        let hint = trace.body["delivery"]["destination_hint"].as_str().unwrap().to_lowercase();
        trace.body["delivery"]["destination_hint"] = json!(hint);
        traces.push((email.to_owned(), trace));
        tokens.push(answer.ok(202)["password_reset_token"].clone());
    }
    alike(&traces);
    let trace = &traces[0].1;
    let expected = ["audit_events", "outbox"].map(|table| (table.to_owned(), 1));
    assert_eq!((trace.hashes, &trace.grown), (0, &BTreeMap::from(expected)));
    assert!(!trace.statements.iter().any(|statement| statement.contains("identifiers")), "{trace:#?}");
    watched.around.mailbox.word_to("taken@example.jp", "Your").await;
    for number in 0..6 {
        sqlx::query("DELETE FROM failures").execute(&watched.db).await.unwrap();
        let mut traces = Vec::new();
        for (email, token) in addresses.iter().zip(&tokens).take(2) {
            let body = json!({
                "method": "code", "password_reset_token": token, "code": "not a code",
                "new_password": "tidal mango ledger vowel",
            });
            let (mut trace, answer) = watched.trace("/v1/password-resets/confirm", &body).await;
            trace.without_wait();
            assert_eq!((trace.hashes, answer.status), (0, if number == 5 { 429 } else { 422 }), "{}", answer.body);
            traces.push(((*email).to_owned(), trace));
        }
        alike(&traces);
    }
    watched.around.embedded.stop().await.unwrap();
}

/// security.md 20 and 40: a recovery of an address that nobody has is one like any other, from the first step to the last:
/// nothing is looked up while its beginner waits, it counts tries, waits, and its proofs are wrong with the same work.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_does_the_same_for_every_address() {
    let watched = Watched::start().await;
    watched.sign_up("taken@example.jp").await;
    let addresses = ["t-free@example.jp", "taken@example.jp", "TAKEN@example.jp"];
    let (mut traces, mut tokens, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for (number, identifier) in addresses.iter().enumerate() {
        let contact = format!("helper{number}@example.jp");
        let body = json!({ "identifier": identifier, "contact": contact, "lost": ["phone"] });
        let (trace, answer) = watched.trace("/v1/recoveries", &body).await;
        traces.push(((*identifier).to_owned(), trace));
        tokens.push(answer.ok(202)["recovery_token"].clone());
        codes.push(watched.around.mailbox.code_to(&contact).await);
    }
    alike(&traces);
    let trace = &traces[0].1;
    let expected = ["audit_events", "outbox", "recoveries"].map(|table| (table.to_owned(), 1));
    assert_eq!((trace.hashes, &trace.grown), (0, &BTreeMap::from(expected)));
    assert!(!trace.statements.iter().any(|statement| statement.contains("identifiers")), "{trace:#?}");

    let code = |member: &str, value: &str| (member.to_owned(), value.to_owned());
    let steps = [
        ("verify-contact", vec![code("code", "not a code")], 422, 0),
        ("verify-contact", vec![], 200, 0),
        ("inspect", vec![], 200, 0),
        ("proofs", vec![code("kind", "password"), code("value", WRONG)], 422, 1),
        ("proofs", vec![code("kind", "recovery_code"), code("value", "7K2M-9QXR-4TVB-H3ND")], 422, 1),
        ("proofs", vec![code("kind", "factor"), code("value", "123456")], 422, 0),
        ("proofs", vec![code("kind", "code"), code("value", "12345678")], 422, 0),
        ("codes", vec![code("destination", "other@example.jp")], 202, 0),
        ("complete", vec![code("new_password", "tidal mango ledger vowel")], 409, 0),
    ];
    for (step, members, status, hashes) in steps {
        sqlx::query("DELETE FROM failures").execute(&watched.db).await.unwrap();
        let mut traces = Vec::new();
        for ((identifier, token), right) in addresses.iter().zip(&tokens).zip(&codes) {
            let mut body = json!({ "recovery_token": token });
            for (name, value) in &members {
                body[name] = json!(value);
            }
            if step == "verify-contact" && members.is_empty() {
                body["code"] = json!(right);
            }
            // All are of one account or of none, whose failures are counted together.
            sqlx::query("DELETE FROM failures").execute(&watched.db).await.unwrap();
            let (mut trace, answer) = watched.trace(&format!("/v1/recoveries/{step}"), &body).await;
            trace.without_wait();
            // What the owner is told is no part of the request.
            trace.grown.remove("recovery_notices");
            trace.grown.remove("outbox");
            assert_eq!((answer.status, trace.hashes), (status, hashes), "{step}: {:#}", answer.body);
            traces.push(((*identifier).to_owned(), trace));
        }
        alike(&traces);
    }
    watched.around.embedded.stop().await.unwrap();
}
