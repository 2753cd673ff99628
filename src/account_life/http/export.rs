//! Everything that is held about a person, as one document.

use actix_web::get;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::super::service::Held;
use super::super::service::MOST_EVENTS;
use super::events::AccountEvent;
use super::events::events_list;
use super::events::written;
use crate::accounts::AccountStatus;
use crate::app::App;
use crate::audit::Caller;
use crate::changes;
use crate::changes::AccountChange;
use crate::devices::KnownDevice;
use crate::factors::ConfirmedFactor;
use crate::http::Reply;
use crate::http::cursor_behind;
use crate::http::ok;
use crate::identifiers;
use crate::identifiers::AccountIdentifier;
use crate::identifiers::WantedIdentifier;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::recovery::ListedRecovery;
use crate::sessions::EvenClosing;
use crate::sessions::HeldSession;

/// Everything that is held about a person. Secrets are not: of passwords, codes, seeds and tokens there are digests or
/// sealed values only, which nobody can use.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    /// When it was put together.
    exported_at: DateTime<Utc>,
    /// The account's id.
    id: AccountId,
    /// What it may do.
    #[schema(inline)]
    status: AccountStatus,
    /// What messages call its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Taro")]
    display_name: Option<String>,
    /// The language of messages.
    #[schema(example = "en")]
    locale: String,
    /// The time zone of times in messages (IANA).
    #[schema(example = "Asia/Tokyo")]
    time_zone: String,
    /// Roles of operators.
    #[schema(example = json!([]))]
    roles: Vec<String>,
    /// When the account was made.
    created_at: DateTime<Utc>,
    /// What the system that it was imported from calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm-7")]
    external_id: Option<String>,
    /// When the password was set; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_changed_at: Option<DateTime<Utc>>,
    /// Whether the next sign-in asks for another password.
    must_change_password: bool,
    /// When the account closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at: Option<DateTime<Utc>>,
    /// What its owner signs in with.
    identifiers: Vec<AccountIdentifier>,
    /// Identifiers that were to be added and are not proved yet.
    unproved_identifiers: Vec<WantedIdentifier>,
    /// The second factors.
    factors: Vec<ConfirmedFactor>,
    /// Recovery codes that are unused.
    #[schema(example = 9)]
    recovery_codes_left: i64,
    /// Sessions, ended ones too.
    sessions: Vec<ExportedSession>,
    /// Devices that are known.
    devices: Vec<KnownDevice>,
    /// Changes that wait for their time.
    pending_changes: Vec<AccountChange>,
    /// Recoveries of the account, whoever began them.
    recoveries: Vec<ListedRecovery>,
    /// What happened, newest first; ten thousand events at most.
    events: Vec<AccountEvent>,
    /// When there are more events: the `cursor` with which the list of events goes on behind these.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_next_cursor: Option<String>,
}

/// A session, as it is held.
#[derive(Serialize, ToSchema)]
struct ExportedSession {
    /// Its id.
    id: SessionId,
    /// Its client.
    #[schema(example = "first-party")]
    client_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Living-room tablet")]
    label: Option<String>,
    /// How its owner signed in (RFC 8176).
    #[schema(example = json!(["pwd", "otp", "mfa"]))]
    amr: Vec<String>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    last_used_at: DateTime<Utc>,
    /// When it ends whatever happens.
    expires_at: DateTime<Utc>,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// From where it began.
    #[schema(example = "192.0.2.7")]
    ip: String,
    /// With what it began.
    user_agent: String,
}

fn session(held: HeldSession) -> ExportedSession {
    ExportedSession {
        id: held.id,
        client_id: held.client_id,
        label: held.label,
        amr: held.amr,
        created_at: held.created_at,
        last_used_at: held.last_used_at,
        expires_at: held.expires_at,
        ended_at: held.revoked_at,
        ip: written(held.ip),
        user_agent: held.user_agent,
    }
}

fn document(app: &App, held: Held) -> Export {
    let Held {
        profile: own,
        remainder: rest,
        unproved_identifiers,
        factors,
        recovery_codes_left,
        sessions,
        devices,
        pending_changes,
        recoveries,
        mut events,
    } = held;
    let more = events.len() > usize::from(MOST_EVENTS);
    events.truncate(MOST_EVENTS.into());
    let (keys, list) = (&app.config.master_keys, events_list(own.id));
    let events_next_cursor = events.last().filter(|_| more).map(|event| cursor_behind(keys, &list, event.id.uuid()));
    Export {
        exported_at: app.clock.now(),
        id: own.id,
        status: own.status,
        display_name: own.display_name,
        locale: own.locale,
        time_zone: own.time_zone,
        roles: own.roles,
        created_at: own.created_at,
        external_id: rest.external_id,
        password_changed_at: rest.password_changed_at,
        must_change_password: rest.must_change_password,
        closes_at: rest.closes_at,
        identifiers: own.identifiers.into_iter().map(|own| identifiers::shown(app, own)).collect(),
        factors,
        unproved_identifiers,
        recovery_codes_left,
        sessions: sessions.into_iter().map(session).collect(),
        devices,
        pending_changes: pending_changes.iter().map(changes::shown).collect(),
        recoveries,
        events: events.into_iter().map(AccountEvent::from).collect(),
        events_next_cursor,
    }
}

/// Export everything that is held about you, as one document.
///
/// Messages are not in it: once one has left, nothing in its row says to whom.
/// Needs a sign-in or a re-authentication within the last ten minutes. Stays open while the account is closing.
#[utoipa::path(
    tag = "account", operation_id = "export_account",
    responses((status = 200, description = "Everything", body = Export)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["insufficient_user_authentication"])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account/export")]
pub(super) async fn export(app: Data<App>, session: EvenClosing, caller: Caller) -> Reply {
    session.0.admit_recent(&app).await?;
    let held = service::export(&app, &session.0, &caller).await?;
    ok(&document(&app, held))
}
