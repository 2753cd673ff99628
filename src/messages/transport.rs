//! How messages leave: by SMTP, or into the development inbox.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgPool;

use crate::config::MailConfig;
use crate::internal::Internal;
use crate::messages::model::Channel;
use crate::messages::model::Claimed;
use crate::messages::model::Failure;
use crate::messages::model::Rendered;
use crate::messages::smtp::Smtp;
use crate::messages::store::inbox;

/// Why mail cannot be sent with this configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// The address of the server.
    #[error("`mail.smtp_url` must look like smtps://user:password@host or smtp://user:password@host?tls=required")]
    Url,
    /// The sender.
    #[error("`mail.from` must be an address, or a name with an address in angle brackets")]
    From,
}

/// The way out of this process.
pub struct Transport(Way);

enum Way {
    Smtp(Box<Smtp>),
    Inbox,
}

impl Transport {
    /// SMTP as configured; the development inbox when nothing is.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(config: Option<&MailConfig>) -> Result<Self, TransportFault> {
        Ok(Self(config.map(Smtp::new).transpose()?.map_or(Way::Inbox, |smtp| Way::Smtp(Box::new(smtp)))))
    }

    /// Its name in log lines and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.0 {
            Way::Smtp(_) => "smtp",
            Way::Inbox => "inbox",
        }
    }

    /// Lets a message leave; bounded in time.
    ///
    /// # Errors
    /// The inner one: it did not leave. The outer one: our own database did not answer.
    pub async fn send(
        &self,
        pool: &PgPool,
        claimed: &Claimed,
        rendered: &Rendered,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Failure>, Internal> {
        match (&self.0, claimed.message.content.channel) {
            (Way::Inbox, _) => inbox::put(pool, claimed, rendered, now).await.map(Ok),
            (Way::Smtp(smtp), Channel::Email) => {
                Ok(smtp.send(claimed.id, &claimed.message.content.address, rendered, now).await)
            }
            (Way::Smtp(_), channel @ (Channel::Sms | Channel::Voice)) => {
                Ok(Err(Failure::Permanent(format!("nothing carries {}", channel.name()))))
            }
        }
    }
}
