//! What `sekisho serve` needs around it.

use sekisho::crypto::MasterKeys;
use sekisho::embedded::Data;
use sekisho::embedded::Embedded;

use crate::support::Environment;
use crate::support::Mailbox;
use crate::support::run;

/// Stores and a mail server, as an operator provides them.
pub struct Surroundings {
    pub embedded: Embedded,
    pub mailbox: Mailbox,
    pub environment: Environment,
}

impl Surroundings {
    /// With an empty database.
    pub async fn new() -> Self {
        let (embedded, mailbox) = (Embedded::start(Data::ThrowAway).await.unwrap(), Mailbox::open().await);
        let environment = Environment::from([
            ("service.issuer", "https://auth.example.com".to_owned()),
            ("database.url", embedded.database_url().to_owned()),
            ("database.max_connections", "20".to_owned()),
            ("redis.url", embedded.redis_url().to_owned()),
            ("keys.master", MasterKeys::generate().as_str().to_owned()),
            ("mail.smtp_url", mailbox.url.clone()),
            ("mail.allow_plaintext", "true".to_owned()),
            ("mail.from", "Example <no-reply@example.com>".to_owned()),
            ("http.listen", "127.0.0.1:0".to_owned()),
            ("http.workers", "1".to_owned()),
            ("metrics.listen", "127.0.0.1:0".to_owned()),
            ("http.drain_secs", "0".to_owned()),
            ("http.deadline_ms", "5000".to_owned()),
            ("password.deadline_ms", "4000".to_owned()),
            ("password.memory_kib", "7168".to_owned()),
            ("password.passes", "5".to_owned()),
        ]);
        Self { embedded, mailbox, environment }
    }

    /// With a database that `sekisho migrate` has brought up to date.
    pub async fn migrated() -> Self {
        let surroundings = Self::new().await;
        assert!(run(&["migrate"], &surroundings.environment).status.success());
        surroundings
    }

    /// The environment with one setting changed.
    pub fn with(&self, name: &'static str, value: &str) -> Environment {
        let mut environment = self.environment.clone();
        environment.insert(name, value.to_owned());
        environment
    }
}
