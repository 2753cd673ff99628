//! A real Redis that fails in the ways that Redis fails, under two replicas.

use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;
use sqlx::Connection;
use sqlx::PgConnection;

use super::replicas::person;
use super::stores::Surroundings;
use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::until;

const EMAIL: &str = "taro@example.jp";

/// Two replicas, somebody who is signed in, and a flow that waits for its second factor.
struct Scene {
    around: Surroundings,
    replicas: [Process; 2],
    tokens: Value,
    flow: Value,
    code: String,
}

impl Scene {
    async fn set() -> Self {
        let around = Surroundings::migrated().await;
        let replicas = [Process::serve(&around.environment).await, Process::serve(&around.environment).await];
        let (tokens, app, used) = person(&replicas[0], &replicas[1], &around).await;
        let sign_in = json!({ "identifier": EMAIL, "password": PASSWORD });
        let flow = replicas[0].post("/v1/sign-ins", &sign_in).await.ok(200);
        Self { around, replicas, tokens, flow, code: app.code(used + 1) }
    }

    async fn redis(&self, command: &[&str]) {
        let client = redis::Client::open(self.around.embedded.redis_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut words = redis::cmd(command[0]);
        words.arg(&command[1..]).exec_async(&mut connection).await.unwrap();
    }

    /// The Redis of the scene ends, and what it held is gone.
    async fn end_redis(&self) {
        let client = redis::Client::open(self.around.embedded.redis_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        // It ends without an answer.
        let _ = redis::cmd("SHUTDOWN").arg("NOSAVE").exec_async(&mut connection).await;
    }

    async fn give_code(&self, replica: &Process) -> Answer {
        let body = json!({ "sign_in_token": self.flow["sign_in_token"], "method": "code", "code": self.code });
        replica.post("/v1/sign-ins/second-factor", &body).await
    }

    async fn recovery_code(&self, replica: &Process, flow: &Value, nth: usize) -> Answer {
        let body = json!({
            "sign_in_token": flow["sign_in_token"],
            "method": "recovery_code",
            "recovery_code": self.tokens["recovery_codes"][nth],
        });
        replica.post("/v1/sign-ins/second-factor", &body).await
    }

    async fn sign_in(&self, replica: &Process, password: &str) -> Answer {
        replica.post("/v1/sign-ins", &json!({ "identifier": EMAIL, "password": password })).await
    }

    /// What needs no Redis goes on; what needs it is refused and changes nothing.
    async fn holds(&mut self) {
        for replica in &self.replicas {
            self.sign_in(replica, "not this one, I think").await.refused(401, "invalid_credentials");
            let refused = self.sign_in(replica, PASSWORD).await;
            assert_eq!(refused.header("retry-after"), "5");
            refused.refused(503, "dependency_unavailable");
            self.give_code(replica).await.refused(503, "dependency_unavailable");
            replica.get("/.well-known/jwks.json").await.ok(200);
            let body = json!({ "refresh_token": self.tokens["refresh_token"] });
            let refreshed = replica.post("/v1/sessions/refresh", &body).await.ok(200);
            for member in ["refresh_token", "access_token"] {
                self.tokens[member] = refreshed[member].clone();
            }
            let access = self.tokens["access_token"].as_str().unwrap();
            replica.with_token(access, Method::GET, "/v1/account", None).await.ok(200);
        }
    }

    /// Both replicas find Redis again by themselves, and a whole sign-in works at each.
    async fn is_back(&self) {
        for (nth, replica) in self.replicas.iter().enumerate() {
            let ready = async || (replica.get("/health/ready").await.body["status"] == "ok").then_some(());
            until("a replica that is well", ready).await;
            // What is told of the health may be a second old.
            let signed_in = async || {
                let answer = self.sign_in(replica, PASSWORD).await;
                (answer.status == 200).then_some(answer.body)
            };
            let flow = until("a sign-in", signed_in).await;
            self.recovery_code(replica, &flow, nth).await.ok(201);
        }
    }

    async fn end(self) {
        for replica in self.replicas {
            let output = replica.output();
            assert!(!output.contains("panicked"), "{output}");
            replica.kill();
        }
        let _ = self.around.embedded.stop().await;
    }
}

/// The program itself, where the scene's Redis was.
struct Redis(Child);

impl Redis {
    fn again(url: &str) -> Self {
        let (password, address) = url.split_once("://:").unwrap().1.split_once('@').unwrap();
        let port: String = address.split_once(':').unwrap().1.chars().take_while(char::is_ascii_digit).collect();
        let mut program = Command::new("redis-server");
        program.args(["--port", &port, "--bind", "127.0.0.1", "--requirepass", password, "--save", ""]);
        Self(program.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// security.md 86: without Redis a flow is refused, and one that was forgotten stays refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_ends_is_missed_and_found_again_empty() {
    let mut scene = Scene::set().await;
    scene.end_redis().await;
    scene.holds().await;
    let _redis = Redis::again(scene.around.embedded.redis_url());
    scene.is_back().await;
    for replica in &scene.replicas {
        scene.give_code(replica).await.refused(410, "sign_in_expired");
    }
    scene.end().await;
}

/// security.md 86: a Redis that may be read and not written admits nobody; what it holds is good again afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_read_only_admits_nobody() {
    let mut scene = Scene::set().await;
    scene.redis(&["REPLICAOF", "127.0.0.1", "1"]).await;
    scene.holds().await;
    scene.redis(&["REPLICAOF", "NO", "ONE"]).await;
    scene.is_back().await;
    let answers = join_all((0..10).map(|n| scene.give_code(&scene.replicas[n % 2]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    scene.end().await;
}

/// security.md 86: a Redis that does not know us any more admits nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_with_another_password_admits_nobody() {
    let mut scene = Scene::set().await;
    let url = scene.around.embedded.redis_url().to_owned();
    let client = redis::Client::open(url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let set = |password: &str| {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("requirepass").arg(password);
        set
    };
    set("another").exec_async(&mut connection).await.unwrap();
    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").exec_async(&mut connection).await.unwrap();
    scene.holds().await;
    for replica in &scene.replicas {
        assert!(!replica.output().contains("another"), "{}", replica.output());
    }
    let (password, _) = url.split_once("://:").unwrap().1.split_once('@').unwrap();
    set(password).exec_async(&mut connection).await.unwrap();
    scene.is_back().await;
    scene.end().await;
}

/// security.md 86: a Redis that stands still for three seconds costs those three seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_pauses_is_waited_for_by_nobody() {
    let mut scene = Scene::set().await;
    scene.redis(&["CLIENT", "PAUSE", "3000", "ALL"]).await;
    let answers = join_all((0..20).map(|n| scene.sign_in(&scene.replicas[n % 2], "not this one, I think"))).await;
    assert!(answers.iter().all(|answer| answer.status == 401), "{answers:?}");
    let client = redis::Client::open(scene.around.embedded.redis_url()).unwrap();
    until("the end of the pause", async || client.get_multiplexed_async_connection().await.ok()).await;
    scene.is_back().await;
    scene.tokens = Value::Null;
    scene.end().await;
}

/// security.md 27 and 86: what Redis forgets begins again; nothing is accepted twice, and failures stay counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgets_is_no_fault_and_no_way_round() {
    let scene = Scene::set().await;
    scene.give_code(&scene.replicas[0]).await.ok(201);
    let traffic = join_all((0..40).map(async |n: usize| {
        let replica = &scene.replicas[n % 2];
        let answer = scene.sign_in(replica, if n.is_multiple_of(4) { "not this one, I think" } else { PASSWORD }).await;
        assert!([200, 401].contains(&answer.status), "{answer:?}");
        if answer.status == 200 {
            let body = json!({ "sign_in_token": answer.body["sign_in_token"], "method": "code", "code": scene.code });
            let answer = replica.post("/v1/sign-ins/second-factor", &body).await;
            assert!([410, 422, 429].contains(&answer.status), "the code was used: {answer:?}");
        }
    }));
    let flushes = async {
        for _ in 0..20 {
            scene.redis(&["FLUSHALL"]).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(traffic, flushes);
    let mut conn = PgConnection::connect(scene.around.embedded.database_url()).await.unwrap();
    let counted: i64 = sqlx::query_scalar("SELECT coalesce(sum(count), 0) FROM failures WHERE lane = 'password'")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    let failed: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE kind = 'sign_in_failed'")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(failed, 10);
    assert!(counted <= failed, "{counted}");
    scene.is_back().await;
    scene.end().await;
}

/// design.md §5.6: without Redis a replica admits its share, so that all of them together admit no more than one.
#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_replica_admits_its_share() {
    let around = Surroundings::migrated().await;
    let mut conn = PgConnection::connect(around.embedded.database_url()).await.unwrap();
    // One that beats until the end of the test, and for the second replica.
    sqlx::query("INSERT INTO replicas (id, seen_at) VALUES (gen_random_uuid(), now() + interval '1 hour')")
        .execute(&mut conn)
        .await
        .unwrap();
    let server = Process::serve(&around.with("redis.url", "redis://127.0.0.1:1/")).await;
    let mut admitted = 0;
    while server.post("/v1/sign-ups", &json!({})).await.status == 422 {
        admitted += 1;
    }
    let quota = sekisho::limits::Policy::SignUp.quota();
    assert!((quota.requests / 2..quota.requests * 3 / 4).contains(&admitted), "{admitted} of {quota:?}");
    server.post("/v1/sign-ups", &json!({})).await.refused(429, "rate_limited");
    around.embedded.stop().await.unwrap();
}

/// security.md 79 and 86: when neither store answers nobody counts, so nothing that is limited is answered.
#[tokio::test(flavor = "multi_thread")]
async fn without_both_stores_everything_that_is_limited_is_refused() {
    let scene = Scene::set().await;
    scene.end_redis().await;
    let _ = scene.around.embedded.stop().await;
    let [one, other] = scene.replicas;
    for replica in [one, other] {
        let body = json!({ "identifier": EMAIL, "password": PASSWORD });
        for path in ["/v1/sign-ins", "/v1/sign-ups"] {
            let refused = replica.post(path, &body).await;
            assert_eq!(refused.header("retry-after"), "5");
            let problem = refused.refused(503, "dependency_unavailable").to_string().to_lowercase();
            assert!(!problem.contains("redis") && !problem.contains("postgres"), "{problem}");
        }
        until("a replica that refuses before it looks", async || {
            let answer = replica.post("/v1/sign-ups", &json!({})).await;
            assert!([422, 429, 503].contains(&answer.status), "{answer:?}");
            (answer.status == 503).then_some(())
        })
        .await;
        replica.get("/health/live").await.ok(200);
        replica.get("/.well-known/jwks.json").await.ok(200);
        replica.kill();
    }
}
