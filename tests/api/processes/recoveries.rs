//! A recovery from beginning to end, with a `kill -9` after each acknowledged step.

use serde_json::json;
use sqlx::Connection;
use sqlx::PgConnection;
use sqlx::PgPool;

use super::dev::enrol_in;
use super::dev::killed_and_started_again;
use super::dev::stores;
use super::stores::Surroundings;
use crate::imports::BCRYPT;
use crate::imports::Export;
use crate::imports::person;
use crate::support::Folder;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::fails;
use crate::support::told;

const EMAIL: &str = "taro@example.jp";
const CONTACT: &str = "helper@example.jp";
const NEW: &str = "tidal mango ledger vowel";

/// Lets the wait be over: the clock of a real server cannot be moved.
async fn skip_the_wait(folder: &Folder) {
    let password = std::fs::read_to_string(folder.path().join("postgres/password")).unwrap();
    let [port, _] = stores(folder.path());
    let url = format!("postgres://sekisho:{}@127.0.0.1:{port}/sekisho?sslmode=disable", password.trim());
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let skip = "UPDATE recoveries SET opens_at = opens_at - interval '72 hours', contact_due_at = contact_due_at - interval '72 hours'";
    sqlx::query(skip).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// security.md 87: whatever was acknowledged is there after a crash, and has its effect once.
#[tokio::test]
async fn no_acknowledged_step_of_a_recovery_is_lost_to_a_kill() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let sign_up = dev.post("/v1/sign-ups", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(202);
    let body = json!({ "sign_up_token": sign_up["sign_up_token"], "code": dev.code_to(EMAIL, "").await });
    let flow = dev.post("/v1/sign-ups/verify", &body).await.ok(200);
    let (tokens, factor) = enrol_in(&dev, &flow).await;
    let body = json!({ "identifier": EMAIL, "contact": CONTACT, "lost": ["password"] });
    let started = dev.post("/v1/recoveries", &body).await.ok(202);
    let token = &started["recovery_token"];
    let this = json!({ "recovery_token": token });

    let dev = killed_and_started_again(dev, &folder).await;
    let body = json!({ "recovery_token": token, "code": dev.code_to(CONTACT, "").await });
    assert_eq!(dev.post("/v1/recoveries/verify-contact", &body).await.ok(200)["state"], "waiting");

    let dev = killed_and_started_again(dev, &folder).await;
    dev.post("/v1/recoveries/verify-contact", &body).await.refused(409, "wrong_step");
    let body = json!({ "recovery_token": token, "kind": "recovery_code", "value": tokens["recovery_codes"][0] });
    assert_eq!(dev.post("/v1/recoveries/proofs", &body).await.ok(200)["proofs"], json!(["recovery_code"]));

    let dev = killed_and_started_again(dev, &folder).await;
    let stands = dev.post("/v1/recoveries/inspect", &this).await.ok(200);
    assert_eq!((&stands["state"], &stands["proofs"]), (&json!("waiting"), &json!(["recovery_code"])));
    let flow = dev.post("/v1/sign-ins", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(200);
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "method": "recovery_code", "recovery_code": tokens["recovery_codes"][0],
    });
    dev.post("/v1/sign-ins/second-factor", &body).await.refused(422, "invalid_code");
    let body = json!({ "recovery_token": token, "kind": "factor", "value": dev.totp(&factor).await });
    dev.post("/v1/recoveries/proofs", &body).await.ok(200);
    skip_the_wait(&folder).await;
    assert_eq!(dev.post("/v1/recoveries/inspect", &this).await.ok(200)["state"], "open");
    let body = json!({ "recovery_token": token, "new_password": NEW });
    assert_eq!(dev.post("/v1/recoveries/complete", &body).await.ok(200)["next"], "second_factor");

    let dev = killed_and_started_again(dev, &folder).await;
    dev.post("/v1/recoveries/complete", &body).await.refused(410, "recovery_token_invalid");
    assert_eq!(dev.post("/v1/recoveries/inspect", &this).await.ok(200)["state"], "completed");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    dev.post("/v1/sessions/refresh", &refresh).await.refused(401, "session_revoked");
    let old = json!({ "identifier": EMAIL, "password": PASSWORD });
    dev.post("/v1/sign-ins", &old).await.refused(401, "invalid_credentials");
    for identifier in [EMAIL, CONTACT] {
        let new = json!({ "identifier": identifier, "password": NEW });
        assert_eq!(dev.post("/v1/sign-ins", &new).await.ok(200)["next"], "second_factor", "{identifier}");
    }
}

/// The README promises it: those to decide stand apart, and the others say from when on they can be.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_those_of_one_state() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let export = Export::lines(&[person("1", "p0@example.jp", BCRYPT)]);
    told(&["accounts", "import", export.path.to_str().unwrap()], &around.environment);
    for n in 0..4 {
        let contact = format!("c{n}@example.jp");
        let body = json!({ "identifier": format!("p{n}@example.jp"), "contact": contact, "lost": ["password"] });
        let started = server.post("/v1/recoveries", &body).await.ok(202);
        let body = json!({
            "recovery_token": started["recovery_token"], "code": around.mailbox.code_to(&contact).await,
        });
        assert_eq!(server.post("/v1/recoveries/verify-contact", &body).await.ok(200)["state"], "waiting");
    }
    let list = |options: &[&str]| told(&[&["recoveries", "list"], options].concat(), &around.environment);
    let ids = |text: &str| -> Vec<String> {
        let rows = text.lines().skip(1).filter(|line| !line.starts_with("there are more"));
        rows.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let all = ids(&list(&[]));
    assert_eq!(all.len(), 4);
    assert_eq!(ids(&list(&["--state", "awaiting_operator"])), Vec::<String>::new());
    let refused = fails(&["recoveries", "approve", &all[0]], &around.environment);
    assert!(refused.contains("it waits: it can be approved from 20"), "{refused}");
    let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
    let over = "UPDATE recoveries SET opens_at = now() WHERE id::text = ANY($1)";
    sqlx::query(over).bind(&all[2..]).execute(&db).await.unwrap();
    assert_eq!(ids(&list(&["--state", "awaiting_operator"])), all[2..]);
    let first = list(&["--state", "awaiting_operator", "--limit", "1"]);
    assert_eq!(ids(&first), all[2..3]);
    assert!(first.ends_with(&format!("recoveries list --state awaiting_operator --after {}\n", all[2])), "{first}");
    let rest = list(&["--state", "awaiting_operator", "--limit", "1", "--after", &all[2]]);
    assert!(ids(&rest) == all[3..] && !rest.contains("there are more"), "{rest}");
    assert_eq!(ids(&list(&["--state", "waiting", "--limit", "2"])), all[..2]);
    around.embedded.stop().await.unwrap();
}
