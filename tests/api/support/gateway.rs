//! An HTTP service that takes messages, or does not: the counterpart of providers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufStream;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use super::process::until;

/// What it does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status and body.
    Status(u16, &'static str),
    /// Takes the request and answers 200 after this time.
    Late(Duration),
    /// Takes the request and closes the connection.
    Cut,
    /// Reads nothing, answers nothing, keeps the connection.
    Hang,
}

/// A request that it read.
#[derive(Clone, Debug)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: String,
}

impl Received {
    /// A field of a form.
    pub fn field(&self, name: &str) -> String {
        let pairs = reqwest::Url::parse(&format!("http://x/?{}", self.body)).unwrap();
        let found = pairs.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        found.unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A server on a free port, for as long as the runtime lives.
pub struct Gateway {
    /// `127.0.0.1:<port>`.
    pub address: String,
    reply: Arc<Mutex<Reply>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Gateway {
    /// Opens one that answers 201.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let reply = Arc::new(Mutex::new(Reply::Status(201, r#"{"sid":"SM0123456789"}"#)));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (replies, arriving) = (Arc::clone(&reply), Arc::clone(&received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply = replies.lock().unwrap().clone();
                tokio::spawn(answer(stream, reply, Arc::clone(&arriving)));
            }
        });
        Self { address, reply, received }
    }

    /// As a provider that speaks like Twilio.
    pub fn twilio(&self) -> String {
        format!("twilio+http://AC1:{TWILIO_TOKEN}@{}?from=+815012345678", self.address)
    }

    /// As a provider that takes JSON.
    pub fn webhook(&self) -> String {
        format!("webhook+http://:{WEBHOOK_SECRET}@{}/messages", self.address)
    }

    /// From now on.
    pub fn will(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// Everything that it read.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for so many requests in all; answers them.
    pub async fn wait_for(&self, requests: usize) -> Vec<Received> {
        until("requests to a provider", async || Some(self.received()).filter(|all| all.len() >= requests)).await
    }
}

/// The token of [`Gateway::twilio`].
pub const TWILIO_TOKEN: &str = "a-token-of-twilio";
/// The secret of [`Gateway::webhook`].
pub const WEBHOOK_SECRET: &str = "a-secret-of-a-webhook";

async fn answer(stream: TcpStream, reply: Reply, received: Arc<Mutex<Vec<Received>>>) -> std::io::Result<()> {
    if matches!(reply, Reply::Hang) {
        tokio::time::sleep(Duration::from_mins(10)).await;
        return Ok(());
    }
    let mut stream = BufStream::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? <= 2 {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8(body).unwrap();
    received.lock().unwrap().push(Received { path, headers, body });
    let (status, body) = match reply {
        Reply::Cut | Reply::Hang => return Ok(()),
        Reply::Status(status, body) => (status, body),
        Reply::Late(time) => {
            tokio::time::sleep(time).await;
            (200, "{}")
        }
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}
