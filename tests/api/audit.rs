//! `src/audit`, and what must stand nowhere (security.md 34, 81, 83).

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;

use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test;

/// What was recorded for the request of an answer: kinds in their order, and that each row says who and from where.
async fn recorded(app: &TestApp, answer: &Answer, account: Option<Uuid>) -> Vec<String> {
    let request: Uuid = answer.header("x-request-id").parse().unwrap();
    let rows = sqlx::query_as::<_, (String, Option<Uuid>, String, String)>(
        "SELECT kind, account_id, host(ip), user_agent FROM audit_events WHERE request_id = $1 ORDER BY id",
    );
    let rows = rows.bind(request).fetch_all(&app.app.db).await.unwrap();
    for (kind, owner, ip, agent) in &rows {
        assert_eq!((*owner, ip.as_str(), agent.as_str()), (account, "127.0.0.1", "audited"), "{kind}");
    }
    rows.into_iter().map(|(kind, ..)| kind).collect()
}

async fn post(app: &TestApp, token: Option<&str>, path: &str, body: Value) -> Answer {
    let request = app.request(Method::POST, path).header("user-agent", "audited").json(&body);
    let answer = app.send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await;
    assert!(answer.status < 500, "{}", answer.body);
    answer
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// security.md 83
#[test]
fn every_act_leaves_one_row_with_who_and_from_where() {
    test(async |app| {
        let email = "taro@example.jp";
        let started = post(app, None, "/v1/sign-ups", json!({ "identifier": email, "password": PASSWORD })).await;
        assert_eq!(recorded(app, &started, None).await, ["sign_up_started"]);
        let code = app.code_to(email).await;
        let body = json!({ "sign_up_token": started.body["sign_up_token"], "code": code });
        let verified = post(app, None, "/v1/sign-ups/verify", body).await;
        let flow = &verified.body;
        let factor = app.start_enrolment(flow).await;
        let code = app.totp(&factor).await;
        let body =
            json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "code", "code": code });
        let enrolled = post(app, None, "/v1/sign-ins/enrolments/confirm", body).await;
        let account = Some(text(&enrolled.body["account_id"]).parse().unwrap());
        assert_eq!(recorded(app, &verified, account).await, ["account_created"]);
        let mut kinds = recorded(app, &enrolled, account).await;
        kinds.sort();
        assert_eq!(kinds, ["factor_enrolled", "signed_in"]);

        let wrong =
            post(app, None, "/v1/sign-ins", json!({ "identifier": email, "password": "not the password" })).await;
        assert_eq!(recorded(app, &wrong, account).await, ["sign_in_failed"]);
        let unknown =
            post(app, None, "/v1/sign-ins", json!({ "identifier": "x@example.jp", "password": PASSWORD })).await;
        assert_eq!(recorded(app, &unknown, None).await, ["sign_in_failed"]);
        let right = post(app, None, "/v1/sign-ins", json!({ "identifier": email, "password": PASSWORD })).await;
        assert_eq!(recorded(app, &right, account).await, ["password_verified"]);
        let second = async |member: &str, method: &str, code: &str| {
            let body = json!({ "sign_in_token": right.body["sign_in_token"], "method": method, member: code });
            post(app, None, "/v1/sign-ins/second-factor", body).await
        };
        let missed = second("code", "code", "000000").await;
        assert_eq!(recorded(app, &missed, account).await, ["second_factor_failed"]);
        let recovery = text(&enrolled.body["recovery_codes"][0]);
        let opened = second("recovery_code", "recovery_code", recovery).await;
        let mut kinds = recorded(app, &opened, account).await;
        kinds.sort();
        assert_eq!(kinds, ["recovery_code_used", "signed_in"]);
        app.ignore_messages().await;
    });
}

/// security.md 83, for what a person does inside.
#[test]
fn every_act_of_a_session_leaves_one_row() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let account: Option<Uuid> = Some(text(&person.tokens["account_id"]).parse().unwrap());
        let access = person.access();
        let token = Some(access.as_str());
        let refreshed =
            post(app, None, "/v1/sessions/refresh", json!({ "refresh_token": person.refresh_token() })).await;
        assert_eq!(recorded(app, &refreshed, account).await, Vec::<String>::new());
        let proof = |password: &str, code: &str| json!({ "method": "code", "password": password, "code": code });
        let wrong = post(app, token, "/v1/reauthentications", proof("not the password", "000000")).await;
        assert_eq!(recorded(app, &wrong, account).await, ["reauthentication_failed"]);
        let proved = post(app, token, "/v1/reauthentications", proof(PASSWORD, &app.totp(&person.factor).await)).await;
        assert_eq!(recorded(app, &proved, account).await, ["reauthenticated"]);
        let renewed = post(app, token, "/v1/account/recovery-codes", json!({})).await;
        assert_eq!(recorded(app, &renewed, account).await, ["recovery_codes_replaced"]);
        let patch = app.request(Method::PATCH, "/v1/account").bearer_auth(&access).header("user-agent", "audited");
        let changed = app.send(patch.json(&json!({ "display_name": "Taro" }))).await;
        assert_eq!(recorded(app, &changed, account).await, ["profile_changed"]);
        let ended = post(app, token, "/v1/sessions/sign-out", json!({})).await;
        assert_eq!(ended.status, 204);
        assert_eq!(recorded(app, &ended, account).await, ["session_ended"]);
        app.ignore_messages().await;
    });
}

/// The log of the whole run, since a subscriber is for the whole process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Every table as text, but the development inbox, which is there to be read.
async fn tables(app: &TestApp) -> String {
    let names = sqlx::query_scalar::<_, String>(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'development_inbox'",
    );
    let mut dump = String::new();
    for name in names.fetch_all(&app.app.db).await.unwrap() {
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(format!("SELECT t::text FROM {name} t")));
        let rows = rows.fetch_all(&app.app.db).await.unwrap();
        dump.extend(rows.into_iter().map(|row| format!("{name}: {row}\n")));
    }
    dump
}

/// Every key and value of this test in Redis.
async fn redis(app: &TestApp) -> String {
    let mut connection = app.app.redis.connection();
    let pattern = app.app.redis.key("*", "*").replace(['{', '}'], "");
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
    let mut dump = String::new();
    for key in keys {
        let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap();
        dump = format!("{dump}{key}: {}\n", String::from_utf8_lossy(&value));
    }
    dump
}

/// Whether a secret stands in a text: words of their own, so that six digits of a time are not taken for a code.
fn stands_in(dump: &str, secret: &str) -> bool {
    dump.match_indices(secret).any(|(at, _)| {
        let before = dump[..at].chars().next_back();
        let after = dump[at + secret.len()..].chars().next();
        secret.len() > 8
            || !before.is_some_and(|c| c.is_alphanumeric() || c == '.') && !after.is_some_and(char::is_alphanumeric)
    })
}

/// A life with everything that must not be kept; answers the secrets in it.
async fn a_life(app: &TestApp) -> Vec<String> {
    let email = "planted@example.jp";
    let password = "planted cormorant password";
    let mut secrets = vec![password.to_owned(), "planted wrong password".to_owned()];
    let started = app.post("/v1/sign-ups", &json!({ "identifier": email, "password": password })).await.ok(202);
    let code = app.code_to(email).await;
    let body = json!({ "sign_up_token": started["sign_up_token"], "code": code });
    let flow = app.post("/v1/sign-ups/verify", &body).await.ok(200);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let enrolment = app.post("/v1/sign-ins/enrolments", &body).await.ok(201)["enrolment"].clone();
    let factor = text(&enrolment["factor_id"]);
    let first = app.totp(factor).await;
    let tokens = app.confirm_enrolment(&flow, factor, &first).await.ok(201);
    app.start_sign_in(email, "planted wrong password").await.refused(401, "invalid_credentials");
    app.start_sign_in("planted wrong password", password).await.refused(422, "invalid_fields");
    let again = app.start_sign_in(email, password).await.ok(200);
    let second = app.totp(factor).await;
    app.second_factor(&again, "246802").await.refused(422, "invalid_code");
    let opened = app.second_factor(&again, &second).await.ok(201);
    let refreshed = app.refresh(text(&opened["refresh_token"])).await.ok(200);
    app.with_token("planted.access.token", Method::GET, "/v1/account?planted=query", None).await;
    app.with_token(text(&refreshed["access_token"]), Method::GET, "/v1/account", None).await.ok(200);
    app.refresh(text(&tokens["refresh_token"])).await.ok(200);
    secrets.extend([
        code,
        first,
        second,
        "246802".to_owned(),
        "planted.access.token".to_owned(),
        "planted=query".to_owned(),
    ]);
    secrets.push(text(&enrolment["totp"]["secret"]).to_owned());
    let sets = [&tokens, &opened, &refreshed].into_iter().flat_map(|set| [&set["access_token"], &set["refresh_token"]]);
    let flows = [&started["sign_up_token"], &flow["sign_in_token"], &again["sign_in_token"]];
    secrets.extend(sets.chain(flows).map(|token| text(token).to_owned()));
    let codes = tokens["recovery_codes"].as_array().unwrap();
    secrets.extend(codes.iter().flat_map(|code| [text(code).to_owned(), text(code).replace('-', "")]));
    app.ignore_messages().await;
    secrets
}

/// The forms in which a secret could stand in a dump: as it is, or as the bytes of a `bytea`.
fn forms(secret: &str) -> Vec<String> {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let mut forms = vec![secret.to_owned()];
    if secret.len() > 8 {
        forms.push(hex(secret.as_bytes()));
        forms.extend(data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).ok().map(|bytes| hex(&bytes)));
        let token = secret.split_once('_').map_or(secret, |(_, token)| token);
        forms.extend(data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).ok().map(|bytes| hex(&bytes)));
    }
    forms
}

/// security.md 34 and 81: known secrets are looked for in every table, in Redis and in the log.
#[test]
fn no_secret_stands_in_a_table_in_redis_or_in_the_log() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().json().with_writer(log.clone());
    let filter = EnvFilter::new("info,sekisho=trace,sqlx=warn");
    lines.with_env_filter(filter).try_init().unwrap();
    test(async |app| {
        let secrets = a_life(app).await;
        let (tables, redis) = (tables(app).await, redis(app).await);
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(tables.contains("audit_events: ") && redis.contains(": ") && log.contains("\"signed_in\""));
        for (name, dump) in [("tables", &tables), ("redis", &redis), ("log", &log)] {
            for secret in secrets.iter().flat_map(|secret| forms(secret)) {
                assert!(!stands_in(dump, &secret), "{secret} stands in {name}");
            }
        }
        // Addresses are in the account and nowhere that outlives it.
        let kept = ["audit_events: ", "outbox: "];
        for line in tables.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).chain(log.lines()) {
            assert!(!line.contains("planted@"), "{line}");
        }
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "security.md 82: a line an event");
    });
}
