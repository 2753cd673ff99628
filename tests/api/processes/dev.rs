//! `sekisho dev`: the whole path, with a `kill -9` after each acknowledged write.

use std::fs;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::imports::BCRYPT;
use crate::imports::Export;
use crate::imports::person;
use crate::support::Environment;
use crate::support::Folder;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::fails;
use crate::support::run;
use crate::support::told;
use crate::support::until;

const EMAIL: &str = "taro@example.jp";

/// Kills it and starts another on the same data and port, so that the issuer stays.
pub async fn killed_and_started_again(dev: Process, folder: &Folder) -> Process {
    let port = dev.port();
    dev.kill();
    Process::dev(folder.path(), port).await
}

async fn sign_in(dev: &Process) -> Value {
    dev.post("/v1/sign-ins", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(200)
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

/// From a verified account without a factor to its first session, as whoever lost the flow of the sign-up.
async fn enrol(dev: &Process, seen: &str) -> (Value, String) {
    let flow = sign_in(dev).await;
    assert_eq!(flow["next"], "verify_identifier", "the account is there, and still asks for a factor");
    let body = json!({ "sign_in_token": flow["sign_in_token"], "identifier_id": flow["identifiers"][0]["id"] });
    dev.post("/v1/sign-ins/identifier-codes", &body).await.ok(202);
    let code = dev.code_to(EMAIL, seen).await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "code": code });
    let flow = dev.post("/v1/sign-ins/identifier", &body).await.ok(200);
    enrol_in(dev, &flow).await
}

/// Enrols an authenticator app in a flow; answers the tokens and its id.
pub async fn enrol_in(dev: &Process, flow: &Value) -> (Value, String) {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let started = dev.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let factor = started["enrolment"]["factor_id"].as_str().unwrap().to_owned();
    let body = json!({
        "sign_in_token": started["sign_in_token"], "factor_id": factor, "method": "code", "code": dev.totp(&factor).await,
    });
    (dev.post("/v1/sign-ins/enrolments/confirm", &body).await.ok(201), factor)
}

/// security.md 87: whatever was acknowledged is there after a crash.
#[tokio::test]
async fn no_acknowledged_write_is_lost_to_a_kill() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let sign_up = dev.post("/v1/sign-ups", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(202);

    let dev = killed_and_started_again(dev, &folder).await;
    let code = dev.code_to(EMAIL, "").await;
    let body = json!({ "sign_up_token": sign_up["sign_up_token"], "code": code });
    dev.post("/v1/sign-ups/verify", &body).await.ok(200);

    let dev = killed_and_started_again(dev, &folder).await;
    dev.post("/v1/sign-ups/verify", &body).await.refused(410, "sign_up_expired");
    let (first, factor) = enrol(&dev, &code).await;

    let dev = killed_and_started_again(dev, &folder).await;
    assert_eq!(sign_in(&dev).await["next"], "second_factor");
    let refresh = |token: &Value| json!({ "refresh_token": token });
    let second = dev.post("/v1/sessions/refresh", &refresh(&first["refresh_token"])).await.ok(200);
    let third = dev.post("/v1/sessions/refresh", &refresh(&second["refresh_token"])).await.ok(200);

    let dev = killed_and_started_again(dev, &folder).await;
    dev.with_token(access(&third), Method::GET, "/v1/account", None).await.ok(200);
    let reused = dev.post("/v1/sessions/refresh", &refresh(&first["refresh_token"])).await;
    reused.refused(401, "refresh_token_reused");

    let dev = killed_and_started_again(dev, &folder).await;
    dev.with_token(access(&third), Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
    let flow = sign_in(&dev).await;
    let code = dev.totp(&factor).await;
    let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": code });
    let tokens = dev.post("/v1/sign-ins/second-factor", &body).await.ok(201);

    let dev = killed_and_started_again(dev, &folder).await;
    let body = json!({ "sign_in_token": sign_in(&dev).await["sign_in_token"], "method": "code", "code": code });
    dev.post("/v1/sign-ins/second-factor", &body).await.refused(422, "invalid_code");
    let name = json!({ "display_name": "太郎" });
    dev.with_token(access(&tokens), Method::PATCH, "/v1/account", Some(&name)).await.ok(200);

    let dev = killed_and_started_again(dev, &folder).await;
    let account = dev.with_token(access(&tokens), Method::GET, "/v1/account", None).await.ok(200);
    assert_eq!(account["display_name"], "太郎");
    dev.post("/v1/sessions/sign-out", &refresh(&tokens["refresh_token"])).await.ok(204);

    let dev = killed_and_started_again(dev, &folder).await;
    dev.with_token(access(&tokens), Method::GET, "/v1/account", None).await.refused(401, "session_revoked");
    stops_in_order(dev, &folder).await;
}

/// src/sessions, n > g: a failover that lost the last second must not turn every phone into a thief.
#[tokio::test]
async fn a_database_that_lost_its_last_second_accuses_nobody() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let sign_up = dev.post("/v1/sign-ups", &json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(202);
    let body = json!({ "sign_up_token": sign_up["sign_up_token"], "code": dev.code_to(EMAIL, "").await });
    let flow = dev.post("/v1/sign-ups/verify", &body).await.ok(200);
    let (mut tokens, _) = enrol_in(&dev, &flow).await;
    dev.signal("INT");
    assert!(dev.ended().await.success());
    let (data, copy) = (folder.path().join("postgres/data"), folder.path().join("copy"));
    assert!(Command::new("cp").arg("-a").args([&data, &copy]).status().unwrap().success());

    let dev = Process::dev(folder.path(), 0).await;
    let refresh = async |dev: &Process, tokens: &Value| {
        dev.post("/v1/sessions/refresh", &json!({ "refresh_token": tokens["refresh_token"] })).await.ok(200)
    };
    for _ in 0..3 {
        tokens = refresh(&dev, &tokens).await;
    }
    dev.signal("INT");
    assert!(dev.ended().await.success());
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&copy, &data).unwrap();

    let dev = Process::dev(folder.path(), 0).await;
    let next = refresh(&dev, &tokens).await;
    assert_eq!(refresh(&dev, &tokens).await["refresh_token"], next["refresh_token"]);
    let last = refresh(&dev, &next).await;
    dev.with_token(access(&last), Method::GET, "/v1/account", None).await.ok(200);
}

/// Ctrl-C: it ends well, and both stores have ended with it.
async fn stops_in_order(dev: Process, folder: &Folder) {
    let stores = stores(folder.path());
    for port in stores {
        TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
    dev.signal("INT");
    assert!(dev.ended().await.success());
    for port in stores {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "something is left on port {port}");
    }
    assert!(!folder.path().join("postgres/data/postmaster.pid").exists());
}

/// The ports of PostgreSQL and Redis.
pub fn stores(folder: &Path) -> [u16; 2] {
    let postmaster = fs::read_to_string(folder.join("postgres/data/postmaster.pid")).unwrap();
    let redis = fs::read_to_string(folder.join("redis/redis.conf")).unwrap();
    let redis = redis.lines().find_map(|line| line.strip_prefix("port ")).unwrap();
    [postmaster.lines().nth(3).unwrap(), redis].map(|port| port.trim().parse().unwrap())
}

/// src/cli/dev: no configuration; URLs that work, again after Ctrl-C; one process a folder.
#[tokio::test]
async fn dev_tells_where_everything_is_and_starts_again() {
    let folder = Folder::new();
    let first = Process::dev(folder.path(), 0).await;
    let told = first.output();
    let url = format!("http://localhost:{}", first.port());
    for path in ["", "/docs", "/dev/inbox"] {
        assert!(told.lines().any(|line| line.trim_end().ends_with(&format!("{url}{path}"))), "{told}");
    }
    assert_eq!(first.get("/.well-known/openid-configuration").await.ok(200)["issuer"], url);
    first.get("/health/ready").await.ok(200);
    first.get("/dev/inbox").await.ok(200);
    assert!([200, 301, 302, 303, 307].contains(&first.get("/docs").await.status));
    let key = fs::metadata(folder.path().join("master.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);

    let in_use = fails(&["dev", "--port", "0", "--data", folder.path().to_str().unwrap()], &Environment::new());
    assert_eq!(in_use.lines().count(), 1, "{in_use}");
    let keys = first.get("/.well-known/jwks.json").await.ok(200);
    let port = first.port();
    stops_in_order(first, &folder).await;

    let second = Process::dev(folder.path(), port).await;
    assert_eq!(second.get("/.well-known/jwks.json").await.ok(200), keys, "the keys are kept");
    second.signal("TERM");
    assert!(second.ended().await.success());
}

/// The README promises it: operators' commands act beside `dev`, and never on other stores than its own.
#[tokio::test(flavor = "multi_thread")]
async fn operators_commands_act_beside_dev() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let data = folder.path().to_str().unwrap();
    let settings = fs::metadata(folder.path().join("settings.json")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&settings.permissions()) & 0o777, 0o600);
    let beside = |arguments: &[&str]| told(&[arguments, &["--dev", data]].concat(), &Environment::new());
    let people = Export::lines(&[person("1", EMAIL, BCRYPT)]);
    assert_eq!(
        beside(&["accounts", "import", people.path.to_str().unwrap()]),
        "1 imported, 0 skipped, 0 parked, 0 refused\n"
    );
    assert_eq!(sign_in(&dev).await["next"], "verify_identifier");
    let exported = people.folder.path().join("exported.ndjson");
    assert_eq!(
        beside(&["accounts", "export", exported.to_str().unwrap()]),
        "1 exported; left out: 0 without an identifier, 0 that are not active\n"
    );
    assert!(beside(&["limits", "show", EMAIL]).contains("password"));
    assert!(beside(&["janitor", "--once"]).contains("closed_accounts"));
    for list in [&["recoveries", "list"][..], &["messages", "list"]] {
        assert_eq!(beside(list).lines().count(), 1, "{list:?}");
    }
    assert_eq!(beside(&["keys", "list"]).lines().count(), 2);

    let outside = Environment::from([("database.url", "postgres://sekisho:hunter2@db/sekisho".to_owned())]);
    let refusal = fails(&["keys", "list", "--dev", data], &outside);
    assert!(refusal.contains("`database.url`") && !refusal.contains("hunter2"), "{refusal}");
    assert!(fails(&["keys", "list", "--dev", "/nowhere"], &Environment::new()).contains("/nowhere/settings.json"));
    for arguments in
        [&["serve", "--dev", data][..], &["migrate", "--dev", data], &["keys", "list", "--dev", data, "--config", data]]
    {
        assert_eq!(run(arguments, &Environment::new()).status.code(), Some(2), "{arguments:?}");
    }
    // The stores of the next start are at other ports.
    let dev = killed_and_started_again(dev, &folder).await;
    assert_eq!(beside(&["keys", "list"]).lines().count(), 2);
    stops_in_order(dev, &folder).await;
}

/// Whatever ends it ends its stores.
#[tokio::test]
async fn a_killed_dev_leaves_no_store_behind() {
    let folder = Folder::new();
    let dev = Process::dev(folder.path(), 0).await;
    let stores = stores(folder.path());
    dev.kill();
    for port in stores {
        let gone = async || TcpStream::connect(("127.0.0.1", port)).is_err().then_some(());
        until("the end of a store", gone).await;
    }
}

#[test]
fn a_busy_port_is_told_in_one_line_before_anything_is_made() {
    let folder = Folder::new();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let told = fails(&["dev", "--port", &port, "--data", folder.path().to_str().unwrap()], &Environment::new());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(&port) && told.contains("--port"), "{told}");
    assert!(!folder.path().exists());
}

/// src/cli/dev: no real database is ever served with an inbox open beside it.
#[test]
fn dev_refuses_stores_from_outside() {
    let folder = Folder::new();
    for name in ["database.url", "database.direct_url", "redis.url"] {
        let outside = Environment::from([(name, "postgres://sekisho:hunter2@db/sekisho".to_owned())]);
        let told = fails(&["dev", "--port", "0", "--data", folder.path().to_str().unwrap()], &outside);
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains(name) && !told.contains("hunter2"), "{told}");
        assert!(!folder.path().exists());
    }
}
