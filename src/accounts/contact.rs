//! Where messages to a person go, and what an API answer tells of it.

use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use serde::Serialize;
use sqlx::PgConnection;

use super::admission::admit_spending;
use super::model::OwnIdentifier;
use super::model::Profile;
use super::model::identifier_hint;
use super::store;
use crate::app::App;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::limits::Budget;
use crate::limits::MessageRefused;
use crate::messages;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::messages::NewContent;
use crate::messages::NewMessage;
use crate::text::Language;

/// How long a code is good for.
pub const CODE_SECS: i64 = 600;
/// How long before another code can be asked for.
pub const RESEND_SECS: i64 = 30;

/// A destination and how to address the person there.
pub struct Contact {
    address: String,
    lookup_key: String,
    language: Language,
    display_name: Option<String>,
    time_zone: Tz,
}

impl Contact {
    /// A destination that nobody has proved: no name is used there.
    pub fn unproven(address: &str, lookup_key: &str, language: Language) -> Self {
        let (address, lookup_key) = (address.to_owned(), lookup_key.to_owned());
        Self { address, lookup_key, language, display_name: None, time_zone: Tz::UTC }
    }

    /// An identifier of an account.
    pub fn of(profile: &Profile, identifier: &OwnIdentifier) -> Self {
        Self {
            address: identifier.value.clone(),
            lookup_key: identifier.lookup_key.clone(),
            language: Language::of(&profile.locale),
            display_name: profile.display_name.clone(),
            time_zone: profile.time_zone.parse().unwrap_or(Tz::UTC),
        }
    }

    /// A message of this kind to this destination: a mail, or an SMS, unless [`NewContent::by`] says otherwise.
    pub fn content(self, kind: MessageKind) -> NewContent {
        NewContent {
            kind,
            channel: if self.address.contains('@') { Channel::Email } else { Channel::Sms },
            address: self.address,
            lookup_key: self.lookup_key,
            language: self.language,
            display_name: self.display_name,
            time_zone: self.time_zone,
        }
    }
}

/// One identifier of an account as a destination; `None` when it has gone meanwhile.
pub async fn contact(
    conn: &mut PgConnection,
    account: AccountId,
    lookup_key: &str,
) -> Result<Option<Contact>, Internal> {
    let Some(profile) = store::profile(conn, account).await? else { return Ok(None) };
    let own = profile.identifiers.iter().find(|own| own.lookup_key == lookup_key);
    Ok(own.map(|own| match Contact::of(&profile, own) {
        known if own.proved => known,
        Contact { address, lookup_key, language, .. } => Contact::unproven(&address, &lookup_key, language),
    }))
}

/// A phone of an account's owner that need not be proved yet: no name is used there.
///
/// # Errors
/// The database did not answer, or the account is gone.
pub async fn contact_by_phone(conn: &mut PgConnection, account: AccountId, number: &str) -> Result<Contact, Internal> {
    let profile = super::service::profile(conn, account).await?;
    Ok(Contact::unproven(number, number, Language::of(&profile.locale)))
}

/// Tells the owner of an account, at every proved identifier, in the transaction of what happened. `values` fill the text.
/// See [`send_notice`].
pub async fn notify(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    kind: MessageKind,
    values: &[(&str, String)],
) -> Result<(), Internal> {
    let profile = super::service::profile(conn, account).await?;
    for identifier in profile.identifiers.iter().filter(|own| own.proved) {
        let notice = NewMessage::notice(Contact::of(&profile, identifier).content(kind), app.clock.now());
        send_notice(conn, app, values.iter().fold(notice, |notice, (name, value)| notice.value(name, value))).await?;
    }
    Ok(())
}

/// Sends one notice to a proved destination of an account, in the transaction of what happened. It has no share in what is asked for, so
/// that nobody uses that up to keep an owner from being told; whoever sends it says how many there are. One to a phone is
/// left out when the day's budget of notices is spent.
pub async fn send_notice(conn: &mut PgConnection, app: &App, notice: NewMessage) -> Result<(), Internal> {
    send_if_paid(conn, app, notice, Budget::Notices).await
}

/// The same to somebody of whom no account knows: a phone is paid for as any number that nobody has proved.
///
/// # Errors
/// The database did not take the message.
pub async fn send_notice_to_stranger(conn: &mut PgConnection, app: &App, notice: NewMessage) -> Result<(), Internal> {
    send_if_paid(conn, app, notice, Budget::Unproved).await
}

async fn send_if_paid(conn: &mut PgConnection, app: &App, notice: NewMessage, budget: Budget) -> Result<(), Internal> {
    let address = notice.address();
    if !address.contains('@') {
        match admit_spending(app, address, budget).await {
            Ok(()) => {}
            Err(MessageRefused::Internal(error)) => return Err(error),
            Err(refused) => {
                tracing::warn!(%refused, budget = budget.name(), "a notice to a phone is left out");
                return Ok(());
            }
        }
    }
    messages::enqueue(conn, &app.config.master_keys, &app.clock, &notice).await.map(drop)
}

/// Sends the code of a flow; it is worthless after `expires_at`.
pub async fn send_code(
    conn: &mut PgConnection,
    app: &App,
    content: NewContent,
    (flow, code, expires_at): (FlowId, &str, DateTime<Utc>),
) -> Result<(), Internal> {
    let message = NewMessage::code(content, flow, code, app.clock.now(), expires_at);
    messages::enqueue(conn, &app.config.master_keys, &app.clock, &message).await.map(drop)
}

/// Where a code went, as an answer tells it: from what was typed alone.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Delivery {
    /// How it travels.
    pub channel: Channel,
    /// Enough of the destination to recognise it.
    #[schema(example = "t•••@example.jp")]
    pub destination_hint: String,
    /// The sender to look for.
    #[schema(example = "Example <no-reply@example.com>")]
    pub sender: String,
    /// Seconds until the code is void.
    #[schema(example = 600)]
    pub expires_in: u64,
    /// Seconds until another one can be asked for.
    #[schema(example = 30)]
    pub resend_after: u64,
    /// Codes of what to look at when nothing arrives; open set.
    #[schema(example = json!(["spam_folder", "carrier_filter", "already_registered"]))]
    pub hints: Vec<&'static str>,
}

impl Delivery {
    /// Of a code that took this channel to this address.
    pub fn of(app: &App, channel: Channel, address: &str) -> Self {
        let (sender, hints) = match channel {
            Channel::Email => (app.config.messages.mail_from.as_ref(), vec!["spam_folder"]),
            Channel::Sms => (None, vec!["carrier_filter"]),
            Channel::Voice => (None, Vec::new()),
        };
        Self {
            channel,
            destination_hint: identifier_hint(address),
            sender: sender.unwrap_or(&app.config.service_name).clone(),
            expires_in: CODE_SECS.unsigned_abs(),
            resend_after: RESEND_SECS.unsigned_abs(),
            hints,
        }
    }

    /// Something else to look at when nothing arrives.
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hints.push(hint);
        self
    }
}
