//! What must stand nowhere but in the hands of its owner: known secrets are planted on the whole main path of a real
//! server, and then looked for in everything that it keeps, counts and says.

mod search;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use reqwest::Method;
use sekisho::clock::Clock;
use serde_json::Value;
use serde_json::json;

use crate::processes::Surroundings;
use crate::support::Answer;
use crate::support::Authenticator;
use crate::support::Process;
use crate::support::until;
use search::Searched;

const EMAIL: &str = "planted@example.jp";
const PASSWORD: &str = "planted cormorant password";

/// From the sign-up to the proved identifier; what waits to be sent is looked at while it waits.
async fn sign_up(searched: &mut Searched) -> Value {
    let mut worker = searched.db.begin().await.unwrap();
    sqlx::query("LOCK TABLE identifiers IN ACCESS EXCLUSIVE MODE").execute(&mut *worker).await.unwrap();
    let body = json!({ "identifier": EMAIL, "password": PASSWORD, "locale": "en" });
    let started = searched.post("/v1/sign-ups", body).await.ok(202);
    let queued = "SELECT count(*) FROM outbox WHERE state = 'queued' AND payload_sealed IS NOT NULL";
    assert_eq!(sqlx::query_scalar::<_, i64>(queued).fetch_one(&searched.db).await.unwrap(), 1);
    let rows = sqlx::query_scalar::<_, String>("SELECT t::text FROM outbox t").fetch_all(&searched.db).await.unwrap();
    for row in rows {
        writeln!(searched.found, "queued outbox: {row}").unwrap();
    }
    worker.rollback().await.unwrap();

    let token = searched.plant(&started["sign_up_token"]);
    let first = searched.plant(&json!(searched.around.mailbox.code_to(EMAIL).await));
    let wrong = searched.plant(&json!(if first == "246802" { "135791" } else { "246802" }));
    let verify = |code: &str| json!({ "sign_up_token": token, "code": code });
    let refused = searched.post("/v1/sign-ups/verify", verify(&wrong)).await;
    searched.refused(&refused, 422);
    let flow = searched.post("/v1/sign-ups/verify", verify(&first)).await.ok(200);
    searched.plant(&flow["sign_in_token"]);

    let flow = searched.post("/v1/sign-ins", json!({ "identifier": EMAIL, "password": PASSWORD })).await.ok(200);
    let token = searched.plant(&flow["sign_in_token"]);
    let body = json!({ "sign_in_token": token, "identifier_id": flow["identifiers"][0]["id"] });
    searched.post("/v1/sign-ins/identifier-codes", body).await.ok(202);
    let second = until("the second code", async || {
        Some(searched.around.mailbox.code_to(EMAIL).await).filter(|code| *code != first)
    })
    .await;
    let second = searched.plant(&json!(second));
    searched.look().await;
    let flow =
        searched.post("/v1/sign-ins/identifier", json!({ "sign_in_token": token, "code": second })).await.ok(200);
    searched.plant(&flow["sign_in_token"]);
    flow
}

fn plant_tokens(searched: &mut Searched, tokens: &Value) {
    for name in ["access_token", "refresh_token", "device_token"] {
        if tokens.get(name).is_some() {
            searched.plant(&tokens[name]);
        }
    }
    // Key id, session and generation come first; the secret alone would do for all tokens of the session.
    let bytes = URL_SAFE_NO_PAD.decode(&tokens["refresh_token"].as_str().unwrap_or("srt_")[4..]).unwrap();
    if let Some(secret) = bytes.get(28..44) {
        searched.plant(&json!(format!("secret_{}", URL_SAFE_NO_PAD.encode(secret))));
    }
    for code in tokens["recovery_codes"].as_array().into_iter().flatten() {
        searched.plant(code);
    }
}

/// From the enrolment to a session; answers its tokens.
async fn enrol(searched: &mut Searched, flow: &Value) -> Value {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let enrolment = searched.post("/v1/sign-ins/enrolments", body).await.ok(201)["enrolment"].clone();
    let app = Authenticator::new(&searched.plant(&enrolment["totp"]["secret"]));
    searched.look().await;
    let step = Clock::system().now().timestamp() / 30;
    let codes = [step, step + 1].map(|step| searched.plant(&json!(app.code(step))));
    let body = json!({
        "sign_in_token": flow["sign_in_token"], "factor_id": enrolment["factor_id"], "method": "code", "code": codes[0],
    });
    let tokens = searched.post("/v1/sign-ins/enrolments/confirm", body).await.ok(201);
    plant_tokens(searched, &tokens);

    let wrong = searched.plant(&json!("planted wrong password"));
    let refused = searched.post("/v1/sign-ins", json!({ "identifier": EMAIL, "password": wrong })).await;
    searched.refused(&refused, 401);
    // As people do: the password where the address belongs.
    let refused = searched.post("/v1/sign-ins", json!({ "identifier": wrong, "password": PASSWORD })).await;
    searched.refused(&refused, 422);
    let device = &tokens["device_token"];
    let body = json!({ "identifier": EMAIL, "password": PASSWORD, "device_token": device });
    let flow = searched.post("/v1/sign-ins", body).await.ok(200);
    let token = searched.plant(&flow["sign_in_token"]);
    let give = |code: &str| json!({ "sign_in_token": token, "method": "code", "code": code });
    let refused = searched.post("/v1/sign-ins/second-factor", give("135790")).await;
    searched.plant(&json!("135790"));
    searched.refused(&refused, 422);
    let opened = searched.post("/v1/sign-ins/second-factor", give(&codes[1])).await.ok(201);
    plant_tokens(searched, &opened);
    tokens
}

/// Refresh, re-authentication, new codes, a device by message, a damaged token, the end.
async fn use_session(searched: &mut Searched, tokens: &Value) {
    let refresh = |token: &Value| json!({ "refresh_token": token });
    let refreshed = searched.post("/v1/sessions/refresh", refresh(&tokens["refresh_token"])).await.ok(200);
    plant_tokens(searched, &refreshed);
    let damaged = searched.plant(&json!("srt_plantedrefreshtokenplanted"));
    let refused = searched.post("/v1/sessions/refresh", refresh(&json!(damaged))).await;
    searched.refused(&refused, 401);
    let access = refreshed["access_token"].as_str().unwrap().to_owned();
    let codes = &tokens["recovery_codes"];
    let body = json!({ "method": "recovery_code", "password": PASSWORD, "recovery_code": codes[0] });
    let again = searched.server.with_token(&access, Method::POST, "/v1/reauthentications", Some(&body)).await.ok(200);
    let fresh = searched.plant(&again["access_token"]);
    let renew = searched.server.with_token(&fresh, Method::POST, "/v1/account/recovery-codes", None).await.ok(201);
    plant_tokens(searched, &renew);
    let refused = searched.server.with_token(&access, Method::POST, "/v1/reauthentications", Some(&body)).await;
    searched.refused(&refused, 422);

    searched.post("/v1/device-tokens", json!({ "identifier": EMAIL })).await.ok(202);
    let token = searched.around.mailbox.word_to(EMAIL, "sdr_").await;
    let token = searched.plant(&json!(token));
    searched.look().await;
    let device = searched.post("/v1/device-tokens/confirm", json!({ "token": token })).await.ok(200);
    searched.plant(&device["device_token"]);
    searched.post("/v1/sessions/sign-out", refresh(&refreshed["refresh_token"])).await.ok(204);
    let refused = searched.server.with_token(&access, Method::GET, "/v1/account", None).await;
    searched.refused(&refused, 401);
}

/// A reset of the password, and a recovery that its owner stops.
async fn come_back(searched: &mut Searched) {
    let asked = searched.post("/v1/password-resets", json!({ "identifier": EMAIL })).await.ok(202);
    let token = searched.plant(&asked["password_reset_token"]);
    let code = until("the code of a reset", async || {
        Some(searched.around.mailbox.code_to(EMAIL).await).filter(|code| code.len() == 8)
    })
    .await;
    let code = searched.plant(&json!(code));
    let new = searched.plant(&json!("planted heron passphrase"));
    searched.look().await;
    let confirm =
        |code: &str| json!({ "method": "code", "password_reset_token": token, "code": code, "new_password": new });
    let wrong = searched.plant(&json!(if code == "24680246" { "13579135" } else { "24680246" }));
    let refused = searched.post("/v1/password-resets/confirm", confirm(&wrong)).await;
    searched.refused(&refused, 422);
    searched.post("/v1/password-resets/confirm", confirm(&code)).await.ok(204);

    let (contact, words) = ("planted-helper@example.net", "planted words for an operator");
    searched.secrets.extend([contact, words].map(str::to_owned));
    let body = json!({ "identifier": EMAIL, "contact": contact, "lost": ["phone"], "message": words });
    let begun = searched.post("/v1/recoveries", body).await.ok(202);
    let token = searched.plant(&begun["recovery_token"]);
    let code = searched.around.mailbox.code_to(contact).await;
    let code = searched.plant(&json!(code));
    let body = json!({ "recovery_token": token, "code": code });
    searched.post("/v1/recoveries/verify-contact", body).await.ok(200);
    let stop = searched.around.mailbox.word_to(EMAIL, "rcc_").await;
    let stop = searched.plant(&json!(stop));
    searched.look().await;
    let prove = |kind: &str, value: &str| json!({ "recovery_token": token, "kind": kind, "value": value });
    let guess = searched.plant(&json!("AAAA-BBBB-CCCC-DDDD"));
    let refused = searched.post("/v1/recoveries/proofs", prove("recovery_code", &guess)).await;
    searched.refused(&refused, 422);
    searched.post("/v1/recoveries/proofs", prove("password", &new)).await.ok(200);
    searched.post("/v1/recoveries/cancel", json!({ "cancel_token": stop })).await.ok(204);
}

/// Secrets where none belongs.
async fn misplace(searched: &mut Searched) {
    let client = reqwest::Client::new();
    let url = searched.server.url.clone();
    let planted = |place: &str| format!("planted{place}secret{}", HEXLOWER.encode(place.as_bytes()));
    let get = |path: &str| client.get(format!("{url}{path}"));
    let sign_in = || client.post(format!("{url}/v1/sign-ins")).header("content-type", "application/json");
    let cookie = format!("__Host-sekisho_refresh=srt_{}", planted("cookie"));
    let refresh = client.post(format!("{url}/v1/sessions/refresh")).header("cookie", cookie).json(&json!({}));
    let array = json!({ "identifier": EMAIL, "password": [planted("array")] });
    for (place, request, status) in [
        ("bearer", get("/v1/account").bearer_auth(planted("bearer")), 401),
        ("basic", get("/v1/account").basic_auth("taro", Some(planted("basic"))), 401),
        ("header", get("/v1/account").header("x-api-key", planted("header")), 401),
        ("agentless", get("/v1/account").header("proxy-authorization", planted("agentless")), 401),
        ("query", get(&format!("/v1/account?access_token={}", planted("query"))), 400),
        ("path", get(&format!("/v1/sessions/{}", planted("path"))), 405),
        ("nowhere", get(&format!("/{}", planted("nowhere"))), 404),
        ("cookie", refresh, 403),
        ("garbage", sign_in().body(format!("{{\"password\":\"{}", planted("garbage"))), 400),
        ("array", sign_in().body(array.to_string()), 400),
        ("plain", sign_in().header("content-type", "text/plain").body(planted("plain")), 415),
    ] {
        searched.secrets.push(planted(place));
        let answer = Answer::read(request.send().await.unwrap()).await;
        searched.refused(&answer, status);
    }
    searched.secrets.push(STANDARD.encode(format!("taro:{}", planted("basic"))));
}

/// The search finds what it must: what is known to stand in a place is found there, in every form.
async fn prove_the_search(searched: &Searched, tokens: &Value, sign_up_token: &str) {
    let account = tokens["account_id"].as_str().unwrap();
    let places = searched.places_of(account);
    for place in ["table accounts", "table audit_events", "log"] {
        assert!(places.contains(&place), "{place} in {places:?}");
    }
    // Bytes in a table: the digest of a token, as the hex that `bytea` is written in.
    let digest = sekisho::crypto::sha256(&URL_SAFE_NO_PAD.decode(&sign_up_token[4..]).unwrap());
    let places = searched.places_of(&format!("tok_{}", URL_SAFE_NO_PAD.encode(digest)));
    assert!(places.contains(&"table sign_ups"), "{places:?}");
    for place in ["redis", "metrics", "problem", "queued outbox", "statements", "log"] {
        assert!(searched.found.lines().any(|line| line.starts_with(&format!("{place}: "))), "nothing of {place}");
    }
    let mut control = Searched::start().await;
    let client = redis::Client::open(control.around.embedded.redis_url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let bytes = [b"\xff".as_slice(), b"planted control value", b"\xfe"].concat();
    redis::cmd("SET").arg("control").arg(bytes).query_async::<()>(&mut redis).await.unwrap();
    let bytes = b"planted control value".as_slice();
    let insert = "INSERT INTO failures (key, lane, count, last_at) VALUES ($1, 'control', 1, 'epoch')";
    sqlx::query(insert).bind(bytes).execute(&control.db).await.unwrap();
    control.look().await;
    let mut places = control.places_of("planted control value");
    places.sort_unstable();
    assert_eq!(places, ["redis", "table failures"]);
    control.around.embedded.stop().await.unwrap();
}

/// security.md 34 and 81: known secrets are looked for in every table, in Redis, in the metrics, in the log of
/// everything that the service and its libraries have to say, and in what callers are refused with.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_anywhere() {
    let mut searched = Searched::start().await;
    searched.secrets.push(PASSWORD.to_owned());
    let flow = sign_up(&mut searched).await;
    let tokens = enrol(&mut searched, &flow).await;
    use_session(&mut searched, &tokens).await;
    come_back(&mut searched).await;
    misplace(&mut searched).await;
    searched.look().await;
    let log = until("the last line of the log", async || {
        Some(searched.server.output()).filter(|log| log.contains("\"status\":415"))
    })
    .await;
    log.lines().for_each(|line| writeln!(searched.found, "log: {line}").unwrap());
    let sign_up_token = searched.secrets.iter().find(|secret| secret.starts_with("sup_")).unwrap().clone();
    prove_the_search(&searched, &tokens, &sign_up_token).await;
    assert!(searched.secrets.len() >= 60, "{}", searched.secrets.len());
    let hits = searched.secrets.iter().map(|secret| (secret, searched.places_of(secret)));
    let hits: Vec<_> = hits.filter(|(_, places)| !places.is_empty()).collect();
    assert!(hits.is_empty(), "{hits:#?}");
    // Addresses are in the account and nowhere that outlives it.
    for line in searched.found.lines().filter(|line| !line.starts_with("problem: ")) {
        let outlives = ["table audit_events", "table outbox", "table failures", "log", "redis", "metrics"];
        assert!(!outlives.iter().any(|place| line.starts_with(place)) || !line.contains("planted@"), "{line}");
    }
    searched.around.embedded.stop().await.unwrap();
}

/// security.md 82: whatever a caller writes, a line of the log is one event of ours, with its time in UTC.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_lines_into_the_log() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.with("log.filter", "info,sekisho=trace")).await;
    let client = reqwest::Client::new();
    let forged = "\",\"level\":\"FORGED\"}{\"level\":\"FORGED\"}\\n\\u000a";
    for text in [forged, "a\r\nFORGED", "\u{1b}[31mFORGED\u{7}", "FORGED\u{2028}FORGED\u{85}"] {
        let body = json!({ "identifier": format!("{text}@example.jp"), "password": text, "session_label": text });
        assert_eq!(server.post("/v1/sign-ins", &body).await.status, 422);
        let body = json!({ "identifier": "taro@example.jp", "password": PASSWORD, "display_name": text });
        assert!([202, 422].contains(&server.post("/v1/sign-ups", &body).await.status));
    }
    let agent = reqwest::header::HeaderValue::from_bytes(&[forged.as_bytes(), b"\xff\x9b31m"].concat()).unwrap();
    let wrong = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
    let request = client.post(format!("{}/v1/sign-ins", server.url)).header("user-agent", &agent).json(&wrong);
    let request = request.header("x-request-id", &agent).header("accept-language", &agent).header("referer", &agent);
    Answer::read(request.send().await.unwrap()).await.refused(401, "invalid_credentials");
    let log =
        until("the line of a refusal", async || Some(server.output()).filter(|log| log.contains("\"status\":401")));
    for line in log.await.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!(!line.contains("FORGED") && !line.chars().any(char::is_control), "{line}");
    }
    around.embedded.stop().await.unwrap();
}
