//! Messages as values: what may be sent, to whom, and what became of it.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::FlowId;
use crate::messages::kind::MessageKind;
use crate::text::Language;

/// A notice that could not leave within this time is worthless.
const NOTICE_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The way that a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mail.
    Email,
    /// A short message.
    Sms,
    /// A call that speaks.
    Voice,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Voice];

    /// The channel's name in the API and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }

    /// The channel with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// What to say to whom.
#[derive(Clone)]
pub struct NewContent {
    /// The text.
    pub kind: MessageKind,
    /// The way that it takes.
    pub channel: Channel,
    /// Where it goes, as its owner writes it.
    pub address: String,
    /// The canonical form of the address.
    pub lookup_key: String,
    /// The language of the text.
    pub language: Language,
    /// The name that a notice greets; a code greets nobody by name.
    pub display_name: Option<String>,
    /// The zone in which times are shown.
    pub time_zone: Tz,
}

impl NewContent {
    /// The same by another way.
    pub fn by(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }
}

/// A message with all that its text shows.
#[derive(Clone)]
pub struct Message {
    /// What to say to whom.
    pub content: NewContent,
    /// The code, for the kinds that carry one.
    pub code: Option<String>,
    /// A link, built from configuration ([`crate::config::Page::link`]).
    pub link: Option<String>,
    /// What [`MessageKind::values`] names.
    pub values: BTreeMap<String, String>,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
    /// It is worthless after this.
    pub expires_at: DateTime<Utc>,
}

/// A message that a feature wants to leave.
pub struct NewMessage {
    pub(super) flow: Option<FlowId>,
    pub(super) message: Message,
}

impl NewMessage {
    /// The code of a flow; it is dropped with [`super::drop_for_flow`] once it was used or replaced.
    pub fn code(content: NewContent, flow: FlowId, code: &str, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        let mut new = Self::notice(content, now);
        new.flow = Some(flow);
        new.message.code = Some(code.to_owned());
        new.message.expires_at = expires_at;
        new
    }

    /// A notice of something that happens now.
    pub fn notice(content: NewContent, now: DateTime<Utc>) -> Self {
        let message = Message {
            content,
            code: None,
            link: None,
            values: BTreeMap::new(),
            happened_at: now,
            expires_at: now + NOTICE_LIFETIME,
        };
        Self { flow: None, message }
    }

    /// Makes it part of a flow: it leaves until `expires_at`, and not any more after [`super::drop_for_flow`].
    pub fn of_flow(mut self, flow: FlowId, expires_at: DateTime<Utc>) -> Self {
        self.flow = Some(flow);
        self.message.expires_at = expires_at;
        self
    }

    /// Where it goes, as its owner writes it.
    pub fn address(&self) -> &str {
        &self.message.content.address
    }

    /// A link that its mail shows. An SMS has no room for one, and a call cannot say it.
    pub fn link(mut self, link: Option<String>) -> Self {
        self.message.link = link;
        self
    }

    /// A value that the text needs, see [`MessageKind::values`].
    pub fn value(mut self, name: &str, value: impl Into<String>) -> Self {
        self.message.values.insert(name.to_owned(), value.into());
        self
    }
}
