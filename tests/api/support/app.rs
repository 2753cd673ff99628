//! A server of its own for each test.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use sekisho::app::App;
use sekisho::clock::Clock;
use sekisho::config::Config;
use sekisho::config::Mode;
use sekisho::config::Settings;
use sekisho::crypto::MasterKeys;
use sekisho::db;
use sekisho::embedded::Data;
use sekisho::embedded::Embedded;
use sekisho::janitor;
use sekisho::server::Server;
use serde_json::Value;
use sqlx::Connection;
use sqlx::PgConnection;
use tokio::runtime::Runtime;

use super::Answer;

const TEMPLATE: &str = "template_of_tests";

/// All servers and stores of the run live on this runtime, so that none ends with the test that happened to start it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static STORES: LazyLock<Stores> = LazyLock::new(|| RUNTIME.block_on(Stores::start()));
static COUNT: AtomicU32 = AtomicU32::new(0);

struct Stores {
    embedded: Embedded,
}

impl Stores {
    async fn start() -> Self {
        let stores = Self { embedded: Embedded::start(Data::ThrowAway).await.unwrap() };
        stores.sql(&format!("CREATE DATABASE {TEMPLATE}")).await;
        db::migrate(&stores.url(TEMPLATE).into()).await.unwrap();
        stores
    }

    fn url(&self, database: &str) -> String {
        let (server, parameters) = self.embedded.database_url().split_once("/sekisho?").unwrap();
        format!("{server}/{database}?{parameters}")
    }

    async fn sql(&self, statement: &str) {
        let mut conn = PgConnection::connect(self.embedded.database_url()).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }
}

/// A running server with a database, a Redis prefix and a clock of its own.
pub struct TestApp {
    /// `http://localhost:<port>`.
    pub url: String,
    /// The server's clock.
    pub clock: Clock,
    /// Where its metrics are, when the test asked for them.
    pub metrics: Option<SocketAddr>,
    /// The server's handles, for looking; a test acts through the API.
    pub app: Arc<App>,
    settings: Settings,
    client: reqwest::Client,
    read: Mutex<BTreeSet<String>>,
}

/// Runs what must stand before the server does, on the runtime of all servers.
pub fn within<T>(body: impl AsyncFnOnce() -> T) -> T {
    RUNTIME.block_on(body())
}

/// Runs a test against a server with the usual settings.
pub fn test(body: impl AsyncFnOnce(&TestApp)) {
    test_with(&[], body);
}

/// Runs a test against a server with some settings of its own. A message that the test did not read fails it.
pub fn test_with(settings: &[(&str, &str)], body: impl AsyncFnOnce(&TestApp)) {
    LazyLock::force(&STORES);
    RUNTIME.block_on(async {
        let database = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        STORES.sql(&format!("CREATE DATABASE {database} TEMPLATE {TEMPLATE}")).await;
        let (app, server) = TestApp::start(&database, settings).await;
        body(&app).await;
        app.all_messages_were_read().await;
        drop(app);
        server.stop().await;
        STORES.sql(&format!("DROP DATABASE {database} WITH (FORCE)")).await;
    });
}

fn handles(settings: Settings, clock: &Clock) -> Arc<App> {
    let config = Config::from_settings(Mode::Development, settings).unwrap_or_else(|faults| panic!("{faults}"));
    Arc::new(App::new(config, clock.clone()).unwrap())
}

impl TestApp {
    async fn start(database: &str, overrides: &[(&str, &str)]) -> (Self, Server) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let usual = Settings::default()
            .with("service.issuer", &url)
            .with("client.origins", &url)
            .with("client.audiences", "https://orders.example.com,https://books.example.com")
            .with("database.url", STORES.url(database))
            .with("database.max_connections", "10")
            .with("redis.url", STORES.embedded.redis_url())
            .with("redis.prefix", database)
            .with("keys.master", MasterKeys::generate().as_str())
            .with("http.workers", "1")
            .with("http.drain_secs", "0")
            .with("http.deadline_ms", "30000")
            .with("password.memory_kib", "8")
            .with("password.passes", "1")
            .with("password.threads", "1")
            .with("password.deadline_ms", "10000")
            .with("sign_in.failure_step_ms", "0")
            .with("limits.enabled", "false")
            .with("log.filter", "off");
        let settings = overrides.iter().fold(usual, |settings, (name, value)| settings.with(name, *value));
        let clock = Clock::system();
        let app = handles(settings.clone(), &clock);
        let server = Server::start(Arc::clone(&app), vec![listener]).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let metrics = server.metrics_address();
        (Self { url, clock, metrics, app, settings, client, read: Mutex::default() }, server)
    }

    /// The handles of another replica.
    pub fn replica(&self) -> Arc<App> {
        self.replica_by(&self.clock)
    }

    /// The handles of another replica, whose clock is another one.
    pub fn replica_by(&self, clock: &Clock) -> Arc<App> {
        handles(self.settings.clone(), clock)
    }

    /// Lets the janitor do all its chores; answers how many rows each one touched.
    pub async fn purge(&self) -> BTreeMap<&'static str, u64> {
        janitor::purge(&self.app).await.unwrap().into_iter().collect()
    }

    /// A request of any kind.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    /// GET without a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST without a token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Any method with an access token, with or without a body.
    pub async fn with_token(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path).bearer_auth(token);
        self.send(if let Some(body) = body { request.json(body) } else { request }).await
    }

    /// Moves the server's clock.
    pub fn advance(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// The newest message to an address that this test has not read yet; waits for it.
    pub async fn message_to(&self, address: &str) -> Value {
        self.poll("a message", async || {
            let items = self.inbox(&format!("?to={}", address.replace('+', "%2B"))).await;
            items.into_iter().find(|item| self.read.lock().unwrap().insert(item["id"].as_str().unwrap().to_owned()))
        })
        .await
    }

    /// The code in the newest unread message to an address.
    pub async fn code_to(&self, address: &str) -> String {
        self.message_to(address).await["code"].as_str().unwrap().to_owned()
    }

    /// Takes every message as read, for tests that are not about messages.
    pub async fn ignore_messages(&self) {
        self.outbox_is_empty().await;
        let ids = self.inbox("?limit=100").await.into_iter().map(|item| item["id"].as_str().unwrap().to_owned());
        self.read.lock().unwrap().extend(ids);
    }

    /// A code that an authenticator app would show and that is not used yet; moves the clock when both are.
    pub async fn totp(&self, factor: &str) -> String {
        let mut answer = self.get(&format!("/dev/totp/{factor}")).await;
        if answer.status == 409 {
            self.advance(30);
            answer = self.get(&format!("/dev/totp/{factor}")).await;
        }
        answer.ok(200)["code"].as_str().unwrap().to_owned()
    }

    /// One number from the database, for effects that no endpoint shows.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar::<_, i64>(query).fetch_one(&self.app.db).await.unwrap()
    }

    /// Waits for something that another task does, with a deadline.
    pub async fn poll<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..1200 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("waited too long for {what}");
    }

    async fn inbox(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/dev/inbox{query}")).await.ok(200);
        page["items"].as_array().unwrap().clone()
    }

    async fn outbox_is_empty(&self) {
        self.poll("the outbox", async || {
            let queued = self.count("SELECT count(*) FROM outbox WHERE state = 'queued'").await;
            (queued == 0).then_some(())
        })
        .await;
    }

    async fn all_messages_were_read(&self) {
        self.outbox_is_empty().await;
        let read = self.read.lock().unwrap().clone();
        let unread =
            self.inbox("?limit=100").await.into_iter().filter(|item| !read.contains(item["id"].as_str().unwrap()));
        let unread: Vec<_> = unread.map(|item| format!("{} to {}", item["subject"], item["to"])).collect();
        assert!(unread.is_empty(), "messages that nobody read: {unread:?}");
    }
}
