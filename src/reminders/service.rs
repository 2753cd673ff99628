//! Asking for a reminder; and what the outbox asks.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::Contact;
use crate::accounts::Identifier;
use crate::app::App;
use crate::audit::Caller;
use crate::factors;
use crate::internal::Internal;
use crate::limits::MessageRefused;
use crate::messages;
use crate::messages::Channel;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::MessageKind;
use crate::messages::NewMessage;

/// What an SMS has room for, in characters.
const ROOM: usize = 36;

/// Writes to a contact, whoever has it.
pub(super) async fn remind(app: &App, contact: &Identifier, caller: &Caller) -> Result<(), MessageRefused> {
    let asker = Asker::Anybody(caller.ip);
    accounts::admit_message(app, (contact.value(), contact.lookup_key()), asker).await?;
    let to = Contact::unproven(contact.value(), contact.lookup_key(), caller.language);
    let message = NewMessage::notice(to.content(MessageKind::NoAccountNotice), app.clock.now());
    let mut tx = app.begin().await?;
    messages::enqueue(&mut tx, &app.config.master_keys, &app.clock, &message).await?;
    Ok(app.commit(tx).await?)
}

/// What leaves for a contact: the hints of the accounts that have proved it, or what somebody without one should know.
pub async fn decide(conn: &mut PgConnection, claimed: &Claimed) -> Result<Decision, Internal> {
    let content = &claimed.message.content;
    let mut owners = factors::holders(conn, std::slice::from_ref(&content.lookup_key)).await?;
    owners.extend(accounts::owner_of(conn, &content.lookup_key).await?);
    owners.sort_unstable();
    owners.dedup();
    let mut hints = Vec::new();
    for owner in owners {
        let profile = accounts::profile(conn, owner).await?;
        hints.extend(
            profile.identifiers.iter().filter(|own| own.proved).map(|own| accounts::identifier_hint(&own.value)),
        );
    }
    if hints.is_empty() {
        return Ok(if content.channel == Channel::Email { Decision::Send } else { Decision::Drop });
    }
    let mut reminder = content.clone();
    reminder.kind = MessageKind::IdentifierReminder;
    if let Some(address) = accounts::proved_address(conn, &content.lookup_key).await? {
        reminder.address = address;
    }
    let shown = if content.channel == Channel::Email { hints.join(", ") } else { shortened(&hints) };
    Ok(Decision::SendFilled(reminder, BTreeMap::from([("identifiers".to_owned(), shown)])))
}

/// As many hints as an SMS has room for.
fn shortened(hints: &[String]) -> String {
    let mut shown = String::new();
    for hint in hints {
        let next = if shown.is_empty() { hint.clone() } else { format!("{shown}, {hint}") };
        if next.chars().count() > ROOM {
            break;
        }
        shown = next;
    }
    let first = hints.first().map(String::as_str).unwrap_or_default();
    if shown.is_empty() { first.chars().take(ROOM - 1).chain(['…']).collect() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sms_shows_what_it_has_room_for() {
        let hints = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let long = format!("t•••@{}.example.jp", "x".repeat(60));
        assert_eq!(shortened(&hints(&["t•••@example.jp", "•••5678"])), "t•••@example.jp, •••5678");
        assert_eq!(shortened(&hints(&["t•••@example.jp", &long])), "t•••@example.jp");
        assert_eq!(shortened(&hints(&[&long])).chars().count(), ROOM);
    }
}
