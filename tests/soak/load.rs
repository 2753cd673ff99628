//! 200 sign-ins in parallel for a minute: memory stays flat, what is refused is refused at once, refresh stays fast.
//!
//! The client shares the machine with the server, PostgreSQL and Redis, and its tasks are in the way of the very
//! answers that it times; the figures are the worse for it. The rate is told as a share of what all cores can hash by
//! themselves in the same run.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use sekisho::clock::Clock;
use sekisho::clock::Stopwatch;
use serde_json::Value;
use serde_json::json;

use crate::stores::Surroundings;
use crate::support::Authenticator;
use crate::support::PASSWORD;
use crate::support::Process;

const PARALLEL: usize = 200;
const MINUTE: Duration = Duration::from_mins(1);
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Those who sign in; of one alone, a hundred tries at a time would look like a hundred failures.
const ACCOUNTS: usize = 20;

/// Hashes a second that the cores of this machine do by themselves.
fn hash_rate() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Stopwatch::start();
    let hashes: u32 = std::thread::scope(|scope| {
        let one = || {
            let params = argon2::Params::new(MEMORY_KIB, PASSES, 1, Some(32)).unwrap();
            let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut memory = vec![argon2::Block::default(); argon2.params().block_count()];
            let (mut hashes, mut out) = (0_u32, [0; 32]);
            while start.elapsed() < Duration::from_secs(5) {
                argon2.hash_password_into_with_memory(b"password", b"salt of 16 bytes", &mut out, &mut memory).unwrap();
                hashes += 1;
            }
            hashes
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    f64::from(hashes) / start.elapsed().as_secs_f64()
}

fn percentile(times: &mut [Duration], share: usize) -> f64 {
    times.sort_unstable();
    times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64)
        * 1000.0
}

fn address(nth: usize) -> String {
    format!("taro{}@example.jp", nth % ACCOUNTS)
}

/// An account that has no second factor yet; answers the flow that would enrol one.
async fn account(server: &Process, around: &Surroundings, nth: usize) -> Value {
    let body = json!({ "identifier": address(nth), "password": PASSWORD });
    let started = server.post("/v1/sign-ups", &body).await.ok(202);
    let body =
        json!({ "sign_up_token": started["sign_up_token"], "code": around.mailbox.code_to(&address(nth)).await });
    server.post("/v1/sign-ups/verify", &body).await.ok(200)
}

/// Enrols a second factor; answers the tokens.
async fn enrol(server: &Process, flow: &Value) -> Value {
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
    let begun = server.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let app = Authenticator::new(begun["enrolment"]["totp"]["secret"].as_str().unwrap());
    let code = app.code(Clock::system().now().timestamp() / 30);
    let factor = &begun["enrolment"]["factor_id"];
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "code", "code": code });
    server.post("/v1/sign-ins/enrolments/confirm", &body).await.ok(201)
}

/// Refreshes one session after the other, ten a second, and times each.
async fn refreshes(server: &Process, token: &mut Value, until: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while !until(times.len()) {
        let body = json!({ "refresh_token": token });
        let start = Stopwatch::start();
        let answer = server.post("/v1/sessions/refresh", &body).await;
        times.push(start.elapsed());
        *token = answer.ok(200)["refresh_token"].clone();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    times
}

/// Times of answers by status.
type Answers = Arc<Mutex<Vec<(u16, Duration)>>>;

async fn sign_ins(client: Client, url: String, nth: usize, stop: Arc<AtomicBool>, answers: Answers) {
    let body = json!({ "identifier": address(nth), "password": PASSWORD });
    for round in 0_usize.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // Each from another network: it is the hashing that refuses, not a limit.
        let network = format!("10.{}.{}.{}", nth, round / 200 % 200, round % 200);
        let start = Stopwatch::start();
        let request = client.post(format!("{url}/v1/sign-ins")).header("x-forwarded-for", network).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").and_then(|secs| secs.to_str().ok()?.parse().ok());
        let _ = answer.bytes().await;
        answers.lock().unwrap().push((status, start.elapsed()));
        // Who is refused comes back when it was told to.
        if let Some(secs) = wait {
            tokio::time::sleep(Duration::from_secs(secs)).await;
        }
    }
}

async fn load() {
    let around = Surroundings::migrated().await;
    let mut environment = around.with("http.trusted_proxies", "127.0.0.1/32");
    for (name, value) in [("password.memory_kib", MEMORY_KIB), ("password.passes", PASSES), ("http.workers", 2)] {
        environment.insert(name, value.to_string());
    }
    let limit = hash_rate();
    let server = Process::serve(&environment).await;
    let flow = account(&server, &around, 0).await;
    let mut token = enrol(&server, &flow).await["refresh_token"].clone();
    for nth in 1..ACCOUNTS {
        account(&server, &around, nth).await;
    }
    let mut idle = refreshes(&server, &mut token, |done| done == 200).await;

    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Answers::default());
    let client = Client::new();
    let crowd: Vec<_> = (0..PARALLEL)
        .map(|nth| {
            tokio::spawn(sign_ins(client.clone(), server.url.clone(), nth, Arc::clone(&stop), Arc::clone(&answers)))
        })
        .collect();
    let start = Stopwatch::start();
    let memory = Mutex::new(Vec::new());
    let over = |_| {
        memory.lock().unwrap().extend(server.resident_kib());
        start.elapsed() > MINUTE
    };
    let mut busy = refreshes(&server, &mut token, over).await;
    stop.store(true, Ordering::Relaxed);
    futures_util::future::join_all(crowd).await;

    let answers = answers.lock().unwrap().clone();
    let times = |status| answers.iter().filter(|answer| answer.0 == status).map(|answer| answer.1).collect::<Vec<_>>();
    let (mut accepted, mut refused) = (times(200), times(503));
    let others: Vec<_> = answers.iter().filter(|answer| ![200, 503].contains(&answer.0)).collect();
    assert!(others.is_empty(), "{others:?}");
    let rate = f64::from(u32::try_from(accepted.len()).unwrap()) / start.elapsed().as_secs_f64();
    let (idle, busy) = (percentile(&mut idle, 99), percentile(&mut busy, 99));
    println!(
        "load: {PARALLEL} sign-ins in parallel for {} s, argon2id m={MEMORY_KIB} t={PASSES} p=1",
        MINUTE.as_secs()
    );
    println!(
        "  sign-ins          {rate:.1}/s = {:.0} % of the {limit:.1} hashes/s of this machine's cores",
        100.0 * rate / limit
    );
    println!(
        "  accepted          {} in p50 {:.0} ms, p99 {:.0} ms",
        accepted.len(),
        percentile(&mut accepted, 50),
        percentile(&mut accepted, 99)
    );
    println!(
        "  refused           {} in p50 {:.1} ms, p99 {:.1} ms",
        refused.len(),
        percentile(&mut refused, 50),
        percentile(&mut refused, 99)
    );
    println!("  refresh p99       {idle:.1} ms idle, {busy:.1} ms under load: {:.1} times", busy / idle);
    let memory = memory.into_inner().unwrap();
    let peak = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (first, second) = (peak(&memory[..memory.len() / 2]), peak(&memory[memory.len() / 2..]));
    println!("  resident memory   at most {first} KiB in the first half, {second} KiB in the second");
    assert!(second * 10 <= first * 11, "memory grows");
    assert!(percentile(&mut refused, 50) < 50.0, "refusals are slow");
    server.kill();
    around.embedded.stop().await.unwrap();
}

/// Runs the suite.
pub(crate) fn run() {
    tokio::runtime::Runtime::new().unwrap().block_on(load());
}
