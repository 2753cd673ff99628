//! One attempt to deliver: what is claimed, what is decided, in which words it leaves, and why it did not.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::Utc;

use crate::ids::FlowId;
use crate::ids::MessageId;
use crate::messages::model::Message;
use crate::messages::model::NewContent;

/// A message that a worker holds until its claim is finished or runs out.
pub struct Claimed {
    /// The row.
    pub id: MessageId,
    /// The flow whose code it carries.
    pub flow: Option<FlowId>,
    /// The message.
    pub message: Message,
    /// Counts the claims of the row, this one included; tells this claim from a later one.
    pub(super) attempt: i32,
}

impl Claimed {
    /// Whether nobody has tried to send it before.
    pub fn is_first_attempt(&self) -> bool {
        self.attempt == 1
    }

    /// Lets other words leave under the same row: the code and the values go with the old ones.
    pub fn replace(&mut self, content: NewContent) {
        self.message.content = content;
        self.message.code = None;
        self.message.link = None;
        self.message.values.clear();
    }
}

/// What a feature decides about a claimed message.
pub enum Decision {
    /// It leaves as it is.
    Send,
    /// It leaves to this form of its address, which its owner has proved, whatever was typed.
    SendTo(String),
    /// Something else is said.
    SendInstead(NewContent),
    /// Something else is said, and these values stand in it.
    SendFilled(NewContent, BTreeMap<String, String>),
    /// Nothing is said.
    Drop,
}

/// A message in words.
#[derive(Clone)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The code or the token in it.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
}

/// Why a message did not leave. The reason names no address.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was not taken; trying again, or elsewhere, may help.
    Transient(String),
    /// Nobody knows whether it was taken; trying again there repeats it under the same key.
    Unclear(String),
    /// It was not taken now, because of its destination; that says nothing against the provider.
    Deferred(String),
    /// It never will.
    Permanent(String),
}

impl Failure {
    /// The failure's name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transient(_) => "failed",
            Self::Unclear(_) => "unclear",
            Self::Deferred(_) => "deferred",
            Self::Permanent(_) => "refused",
        }
    }
}

/// A message on its way.
pub struct Outgoing<'a> {
    /// The row.
    pub claimed: &'a Claimed,
    /// The words.
    pub rendered: &'a Rendered,
    /// The time.
    pub now: DateTime<Utc>,
}
