//! Looking for a value, in any form, in everything that the service keeps, counts and says.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;
use data_encoding::HEXLOWER;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::PgPool;

use crate::processes::Surroundings;
use crate::support::Answer;
use crate::support::Process;

/// What a recovery code is written with (Crockford's base32).
const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A running server, where it keeps things, and all that was found there so far.
pub struct Searched {
    /// Its stores and its mailbox.
    pub around: Surroundings,
    /// It.
    pub server: Process,
    /// Its database.
    pub db: PgPool,
    metrics: String,
    /// What must be found nowhere.
    pub secrets: Vec<String>,
    /// `place: text`, a line each.
    pub found: String,
}

impl Searched {
    /// Starts one that logs everything; its own secrets are planted.
    pub async fn start() -> Self {
        let around = Surroundings::migrated().await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut environment = around.with("log.filter", "trace");
        environment.insert("metrics.listen", format!("127.0.0.1:{port}"));
        let server = Process::serve(&environment).await;
        let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
        let metrics = format!("http://127.0.0.1:{port}/metrics");
        let password_of = |url: &str| url.split([':', '@']).nth(2).unwrap().trim_start_matches('/').to_owned();
        let mut secrets = vec![around.environment["keys.master"].clone()];
        secrets.extend([around.embedded.database_url(), around.embedded.redis_url()].map(password_of));
        Self { around, server, db, metrics, secrets, found: String::new() }
    }

    /// Takes a value for a secret.
    pub fn plant(&mut self, secret: &Value) -> String {
        let secret = secret.as_str().unwrap().to_owned();
        self.secrets.push(secret.clone());
        secret
    }

    /// Keeps a refusal for the search.
    pub fn refused(&mut self, answer: &Answer, status: u16) {
        assert_eq!(answer.status, status, "{:#}", answer.body);
        writeln!(self.found, "problem: {} {:?}", answer.body, answer.headers).unwrap();
    }

    /// POST without a token.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.server.post(path, &body).await
    }

    /// Reads everything that the service keeps.
    pub async fn look(&mut self) {
        let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
        let names = sqlx::query_scalar::<_, String>(names).fetch_all(&self.db).await.unwrap();
        let tables = names.into_iter().map(|name| (format!("table {name}"), format!("SELECT t::text FROM {name} t")));
        let running = ("statements".to_owned(), "SELECT query FROM pg_stat_activity WHERE query <> ''".to_owned());
        for (place, query) in tables.chain([running]) {
            for row in sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).fetch_all(&self.db).await.unwrap() {
                writeln!(self.found, "{place}: {row}").unwrap();
            }
        }
        let client = redis::Client::open(self.around.embedded.redis_url()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        for key in redis::cmd("KEYS").arg("*").query_async::<Vec<String>>(&mut redis).await.unwrap() {
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
            // Another kind would be packed, and a secret in it not be found.
            assert!(["string", "none"].contains(&kind.as_str()), "{key} is a {kind}");
            let value: Option<Vec<u8>> = redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap();
            let value = value.unwrap_or_default();
            let text = String::from_utf8_lossy(&value);
            writeln!(self.found, "redis: {key} {text} {}", HEXLOWER.encode(&value)).unwrap();
        }
        let metrics = reqwest::get(&self.metrics).await.unwrap().text().await.unwrap();
        metrics.lines().for_each(|line| writeln!(self.found, "metrics: {line}").unwrap());
    }

    /// The places where a value stands, in any of its forms.
    pub fn places_of(&self, value: &str) -> Vec<&str> {
        let forms = forms(value);
        let lines = self.found.lines().filter(|line| forms.iter().any(|form| stands_in(line, form)));
        let mut places: Vec<_> = lines.map(|line| line.split_once(": ").unwrap().0).collect();
        places.dedup();
        places
    }
}

/// Whether a form stands in a text. A short one only as a word of its own, so that six digits of a time are no code.
fn stands_in(text: &str, form: &str) -> bool {
    text.match_indices(form).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + form.len()..].chars().next();
        let part = |c: char| c.is_alphanumeric() || c == '.';
        form.len() > 8 || !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// A secret as it is, as the database and other programs write its bytes, and the bytes that it stands for likewise.
fn forms(secret: &str) -> Vec<String> {
    let crockford = || {
        let mut letters = data_encoding::Specification::new();
        letters.symbols.push_str(CROCKFORD);
        letters.encoding().unwrap()
    };
    let token = secret.split_once('_').map_or(secret, |(_, token)| token);
    let bare = secret.replace('-', "");
    let mut meant = vec![secret.as_bytes().to_vec(), bare.as_bytes().to_vec()];
    if secret.len() > 8 {
        meant.extend(URL_SAFE_NO_PAD.decode(token));
        meant.extend(STANDARD.decode(secret));
        meant.extend(BASE32_NOPAD.decode(secret.as_bytes()));
        meant.extend(crockford().decode(bare.as_bytes()));
    }
    let mut forms = vec![secret.to_owned(), secret.to_lowercase(), bare.to_lowercase(), bare];
    // Of a JWT the signature alone would do.
    forms.extend(secret.rsplit_once('.').map(|(_, signature)| signature.to_owned()));
    for bytes in meant {
        forms.extend([HEXLOWER.encode(&bytes), data_encoding::HEXUPPER.encode(&bytes)]);
        forms.extend([STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes), BASE32_NOPAD.encode(&bytes)]);
    }
    forms.retain(|form| form.len() >= 6);
    forms.sort();
    forms.dedup();
    forms
}
