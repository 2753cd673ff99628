//! A code on its way to a mailbox or a phone.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::step::StepError;
use super::store;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::CODE_SECS;
use crate::accounts::RESEND_SECS;
use crate::app::App;
use crate::crypto;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Channel;
use crate::messages::NewContent;

/// What is to be sent for whom.
pub struct Sending {
    /// The flow that the code belongs to.
    pub flow: FlowId,
    /// Whose pace it keeps: the flow itself, or the larger one that it is part of.
    pub pace: FlowId,
    /// What the code proves: an identifier or a factor.
    pub proves: Uuid,
    /// Who asks for it.
    pub asker: Asker,
    /// The message.
    pub content: NewContent,
}

/// The newest code of a flow, as Redis keeps it, sealed.
#[derive(Serialize, Deserialize)]
pub struct SentCode {
    /// Burnt by the one use that counts; tries are counted by it.
    id: FlowId,
    flow: FlowId,
    proves: Uuid,
    channel: Channel,
    mac: [u8; 32],
    expires_at: DateTime<Utc>,
}

/// Sends a code in the transaction of the caller; the one before is void once that is committed. Answers its id.
///
/// # Errors
/// See [`StepError`].
pub async fn send_code(conn: &mut PgConnection, app: &App, sending: Sending) -> Result<FlowId, StepError> {
    let Sending { flow, pace, proves, asker, content } = sending;
    let now = app.clock.now();
    let until = now + TimeDelta::seconds(RESEND_SECS);
    if let Some(retry_after_secs) = store::claim_resend(app, pace, now, until).await? {
        return Err(StepError::TooSoon { retry_after_secs });
    }
    accounts::admit_message(app, (&content.address, &content.lookup_key), asker).await?;
    let code = messages::new_code();
    let sent = SentCode {
        id: crypto::new_id(now),
        flow,
        proves,
        channel: content.channel,
        mac: messages::code_mac(&app.config.master_keys, flow, &code),
        expires_at: now + TimeDelta::seconds(CODE_SECS),
    };
    messages::drop_for_flow(conn, flow, now).await?;
    accounts::send_code(conn, app, content, (flow, &code, sent.expires_at)).await?;
    store::save(app, KEYS, &flow.to_string(), &sent).await?;
    Ok(sent.id)
}

const KEYS: &str = "code";

impl SentCode {
    /// The newest code of a flow.
    pub async fn of(app: &App, flow: FlowId) -> Result<Option<Self>, Internal> {
        store::find(app, KEYS, &flow.to_string()).await
    }

    /// What its tries are counted by.
    pub fn id(&self) -> FlowId {
        self.id
    }

    /// What it proves.
    pub fn proves(&self) -> Uuid {
        self.proves
    }

    /// The way that it took.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Whether its time is not over.
    pub fn lives(&self, app: &App) -> bool {
        app.clock.now() < self.expires_at
    }

    /// Whether a person typed it, in its time.
    pub fn is(&self, app: &App, typed: &str) -> bool {
        self.lives(app) && messages::is_code(&app.config.master_keys, self.flow, typed, &self.mac)
    }

    /// Uses it up, in the transaction of its effect; false when that was done before.
    pub async fn burn(&self, conn: &mut PgConnection, app: &App) -> Result<bool, Internal> {
        let now = app.clock.now();
        messages::drop_for_flow(conn, self.flow, now).await?;
        store::consume(conn, self.id, now).await
    }
}
