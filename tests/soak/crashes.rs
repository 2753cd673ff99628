//! Kill -9 at random moments of the main path, then a look at what is left.
//!
//! In each life of the server, several people sign up, enrol, refresh and sign out, each as far as the server lives.
//! What was acknowledged is noted. At the end a fresh server must know all of it, and the database must hold nothing
//! half-made: every effect came whole or not at all, whether or not its answer arrived.

use std::time::Duration;

use reqwest::Client;
use sekisho::clock::Clock;
use serde_json::Value;
use serde_json::json;
use sqlx::PgPool;

use crate::stores::Surroundings;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Process;

const LIVES: usize = 50;
const PEOPLE: usize = 6;

/// How far a person came, by what was acknowledged.
#[derive(Default)]
struct Person {
    address: String,
    started: bool,
    verified: bool,
    /// The newest tokens.
    tokens: Option<Value>,
    signed_out: bool,
    /// The step that the enrolment has used.
    step: i64,
}

/// Up to two seconds.
fn delay() -> Duration {
    Duration::from_millis(u64::from(u16::from_be_bytes(sekisho::crypto::random_bytes())) * 2000 / 65_536)
}

/// Posts, each time from another network, so that no limit is in the way. `None` when nobody answers any more, or only
/// half, or has no time.
async fn post(client: &Client, url: &str, path: &str, body: Value) -> Option<Value> {
    let [a, b, c] = sekisho::crypto::random_bytes();
    let request = client.post(format!("{url}{path}")).header("x-forwarded-for", format!("10.{a}.{b}.{c}"));
    let answer = request.json(&body).send().await.ok()?;
    let status = answer.status();
    if status == 503 {
        return None;
    }
    let text = answer.text().await.ok()?;
    assert!(status.is_success(), "{path}: {status} {text}");
    Some(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).ok()? })
}

/// Goes the path until the server is gone; `None` then.
async fn walk(client: &Client, url: &str, around: &Surroundings, person: &mut Person) -> Option<()> {
    let body = json!({ "identifier": person.address, "password": PASSWORD });
    let started = post(client, url, "/v1/sign-ups", body).await?;
    person.started = true;
    // The mail may be waiting for the next life of the server.
    let code = tokio::time::timeout(Duration::from_secs(3), around.mailbox.code_to(&person.address)).await.ok()?;
    let body = json!({ "sign_up_token": started["sign_up_token"], "code": code });
    let flow = post(client, url, "/v1/sign-ups/verify", body).await?;
    person.verified = true;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let begun = post(client, url, "/v1/sign-ins/enrolments", body).await?;
    let app = Authenticator::new(begun["enrolment"]["totp"]["secret"].as_str().unwrap());
    let step = Clock::system().now().timestamp() / 30;
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": begun["enrolment"]["factor_id"],
        "method": "code", "code": app.code(step),
    });
    person.tokens = Some(post(client, url, "/v1/sign-ins/enrolments/confirm", body).await?);
    person.step = step;
    for _ in 0..3 {
        let body = json!({ "refresh_token": person.tokens.as_ref()?["refresh_token"] });
        person.tokens = Some(post(client, url, "/v1/sessions/refresh", body).await?);
    }
    let body = json!({ "refresh_token": person.tokens.as_ref()?["refresh_token"] });
    post(client, url, "/v1/sessions/sign-out", body).await?;
    person.signed_out = true;
    Some(())
}

/// One life: people walk until it ends. Answers them.
async fn live(server: Process, around: &Surroundings) -> Vec<Person> {
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let url = server.url.clone();
    let crowd = (0..PEOPLE).map(async |_| {
        let mut people = Vec::new();
        loop {
            let address = format!("p-{}@example.jp", u64::from_be_bytes(sekisho::crypto::random_bytes()));
            let mut person = Person { address, ..Person::default() };
            let done = walk(&client, &url, around, &mut person).await;
            people.push(person);
            if done.is_none() {
                return people;
            }
        }
    });
    let crowd = futures_util::future::join_all(crowd);
    let end = async {
        tokio::time::sleep(delay()).await;
        let output = server.output();
        assert!(!output.contains("panicked"), "{output}");
        server.kill();
    };
    tokio::join!(crowd, end).0.into_iter().flatten().collect()
}

async fn count(db: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}

/// What must not be there, whatever was killed when.
const HALVES: [(&str, &str); 8] = [
    (
        "accounts without password or identifier",
        "SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT FROM passwords p WHERE p.account_id = a.id)
         OR NOT EXISTS (SELECT FROM identifiers i WHERE i.account_id = a.id AND i.is_primary)",
    ),
    (
        "accounts of which nothing was written down",
        "SELECT count(*) FROM accounts a WHERE NOT EXISTS
         (SELECT FROM audit_events e WHERE e.account_id = a.id AND e.kind = 'account_created')",
    ),
    (
        "sign-ups that were used without an account",
        "SELECT count(*) FROM sign_ups s WHERE s.consumed_at IS NOT NULL AND NOT EXISTS
         (SELECT FROM identifiers i WHERE i.lookup_key = s.lookup_key)",
    ),
    (
        "sessions of an account without a factor",
        "SELECT count(*) FROM sessions s WHERE NOT EXISTS
         (SELECT FROM factors f WHERE f.account_id = s.account_id AND f.confirmed_at IS NOT NULL)",
    ),
    (
        "confirmed factors without used step, recovery codes, session or notice",
        "SELECT count(*) FROM factors f JOIN totp_factors t ON t.factor_id = f.id WHERE f.confirmed_at IS NOT NULL AND (
           t.last_step = 0
           OR 10 <> (SELECT count(*) FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id WHERE s.account_id = f.account_id)
           OR NOT EXISTS (SELECT FROM sessions s WHERE s.account_id = f.account_id)
           OR NOT EXISTS (SELECT FROM audit_events e WHERE e.account_id = f.account_id AND e.kind = 'factor_enrolled'))",
    ),
    (
        "accounts with two confirmed factors",
        "SELECT count(*) FROM (SELECT FROM factors WHERE confirmed_at IS NOT NULL GROUP BY account_id HAVING count(*) > 1) two",
    ),
    ("sessions beyond the flows that were used up", "SELECT greatest(0, (SELECT count(*) FROM sessions) - (SELECT count(*) FROM consumed_flows))"),
    ("messages that are over and not wiped", "SELECT count(*) FROM outbox WHERE state <> 'queued' AND payload_sealed IS NOT NULL"),
];

/// What was acknowledged is there.
async fn check(server: &Process, db: &PgPool, person: &Person) {
    let address = &person.address;
    if person.started {
        let rows = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sign_ups WHERE lookup_key = $1");
        assert_eq!(rows.bind(address).fetch_one(db).await.unwrap(), 1, "the sign-up of {address}");
    }
    if person.verified {
        let rows = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM identifiers WHERE lookup_key = $1");
        assert_eq!(rows.bind(address).fetch_one(db).await.unwrap(), 1, "the account of {address}");
    }
    let Some(tokens) = &person.tokens else { return };
    let last = sqlx::query_scalar::<_, i64>(
        "SELECT t.last_step FROM totp_factors t JOIN factors f ON f.id = t.factor_id JOIN identifiers i ON i.account_id = f.account_id
         WHERE i.lookup_key = $1 AND f.confirmed_at IS NOT NULL",
    );
    assert!(last.bind(address).fetch_one(db).await.unwrap() >= person.step, "the used code of {address}");
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let answer = server.post("/v1/sessions/refresh", &body).await;
    // A sign-out whose answer was lost may have happened.
    let fits = if person.signed_out { answer.status == 401 } else { [200, 401].contains(&answer.status) };
    assert!(fits && answer.body["code"] != "refresh_token_reused", "the session of {address}: {answer:?}");
}

async fn crashes() {
    let around = Surroundings::migrated().await;
    let environment = around.with("http.trusted_proxies", "127.0.0.1/32");
    let mut people = Vec::new();
    for _ in 0..LIVES {
        people.extend(live(Process::serve(&environment).await, &around).await);
    }
    let server = Process::serve(&environment).await;
    let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
    for (what, sql) in HALVES {
        assert_eq!(count(&db, sql).await, 0, "{what}");
    }
    for person in &people {
        check(&server, &db, person).await;
    }
    let of = |which: fn(&Person) -> bool| people.iter().filter(|person| which(person)).count();
    let enrolled = of(|person| person.tokens.is_some());
    println!("crashes: {LIVES} kills at random moments, {} people", people.len());
    println!(
        "  acknowledged and found again: {} sign-ups, {} accounts, {enrolled} factors and sessions, {} sign-outs",
        of(|person| person.started),
        of(|person| person.verified),
        of(|person| person.signed_out)
    );
    println!("  half-made rows: 0 of {} kinds looked for", HALVES.len());
    assert!(enrolled > 0, "nobody came far enough");
    db.close().await;
    server.kill();
    around.embedded.stop().await.unwrap();
}

/// Runs the suite (security.md 87).
pub(crate) fn run() {
    tokio::runtime::Runtime::new().unwrap().block_on(crashes());
}
