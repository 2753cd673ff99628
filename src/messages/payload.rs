//! The sealed part of an outbox row: address, code and everything else that names a person or opens something.

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::crypto::MasterKeys;
use crate::crypto::SealPurpose;
use crate::ids::MessageId;
use crate::internal::Internal;
use crate::messages::kind::MessageKind;
use crate::messages::model::Channel;
use crate::messages::model::Message;
use crate::messages::model::NewContent;
use crate::text::Language;

#[derive(Serialize, Deserialize)]
struct Payload {
    address: String,
    lookup_key: String,
    language: String,
    time_zone: String,
    display_name: Option<String>,
    code: Option<String>,
    link: Option<String>,
    values: BTreeMap<String, String>,
}

pub(super) fn seal(keys: &MasterKeys, id: MessageId, message: &Message) -> Result<Vec<u8>, Internal> {
    let content = &message.content;
    let payload = Payload {
        address: content.address.clone(),
        lookup_key: content.lookup_key.clone(),
        language: content.language.tag().to_owned(),
        time_zone: content.time_zone.name().to_owned(),
        display_name: content.display_name.clone(),
        code: message.code.clone(),
        link: message.link.clone(),
        values: message.values.clone(),
    };
    let plain = Zeroizing::new(serde_json::to_vec(&payload)?);
    Ok(keys.seal(SealPurpose::Outbox, id.uuid().as_bytes(), &plain))
}

/// Opens what [`seal`] made for the same row; the rest of the message stands in the row's other columns.
pub(super) fn open(
    keys: &MasterKeys,
    id: MessageId,
    sealed: &[u8],
    (kind, channel): (MessageKind, Channel),
    (happened_at, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Message, Internal> {
    let plain = keys.open(SealPurpose::Outbox, id.uuid().as_bytes(), sealed)?;
    let payload: Payload = serde_json::from_slice(&plain)?;
    let content = NewContent {
        kind,
        channel,
        address: payload.address,
        lookup_key: payload.lookup_key,
        // A language that was taken away since must not hold the message back.
        language: Language::of(&payload.language),
        display_name: payload.display_name,
        time_zone: payload.time_zone.parse().unwrap_or(Tz::UTC),
    };
    let Payload { code, link, values, .. } = payload;
    Ok(Message { content, code, link, values, happened_at, expires_at })
}
