//! What happened to an account, as its owner sees it.

use actix_web::get;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit;
use crate::audit::PastEvent;
use crate::factors::FactorKind;
use crate::http::Items;
use crate::http::Page;
use crate::http::Query;
use crate::http::Reply;
use crate::http::ok;
use crate::ids::AccountId;
use crate::ids::EventId;
use crate::ids::FactorId;
use crate::ids::IdentifierId;
use crate::ids::SessionId;
use crate::sessions::CurrentSession;

/// Something that happened to the account.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountEvent {
    /// Its id.
    id: EventId,
    /// What happened; open set.
    #[schema(example = "signed_in", extensions(("x-open-set" = json!("events"))))]
    kind: String,
    /// When.
    at: DateTime<Utc>,
    /// From where: an address, after some months its network alone. Absent when the service acted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    ip: Option<String>,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
    /// In which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    /// With which client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "first-party")]
    client_id: Option<String>,
    /// Which factor it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_id: Option<FactorId>,
    /// Of what kind that factor is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    factor_kind: Option<FactorKind>,
    /// Which identifier it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier_id: Option<IdentifierId>,
    /// How its owner proved who they are (RFC 8176).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["pwd", "otp", "mfa"]))]
    amr: Option<Vec<String>>,
    /// Why it happened; open set.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<PastEvent> for AccountEvent {
    /// Of the detail, members that are named here are shown and no others.
    fn from(event: PastEvent) -> Self {
        Self {
            factor_id: member(&event, "factor_id"),
            factor_kind: member(&event, "kind"),
            identifier_id: member(&event, "identifier_id"),
            amr: member(&event, "amr"),
            reason: member(&event, "reason"),
            id: event.id,
            kind: event.kind,
            at: event.at,
            ip: event.ip.map(written),
            user_agent: event.user_agent,
            session_id: event.session,
            client_id: event.client_id,
        }
    }
}

/// A member of the detail, when it is there and of this form.
fn member<T: DeserializeOwned>(event: &PastEvent, name: &str) -> Option<T> {
    event.detail.get(name).and_then(|value| T::deserialize(value).ok())
}

/// An address without its mask, a network with it.
pub(super) fn written(ip: IpNet) -> String {
    if ip.prefix_len() == ip.max_prefix_len() { ip.addr().to_string() } else { ip.to_string() }
}

/// The list that cursors of events belong to.
pub(super) fn events_list(account: AccountId) -> String {
    format!("events/{account}")
}

/// List what happened to the account, newest first: sign-ins, failures, changes.
#[utoipa::path(
    tag = "account", operation_id = "list_account_events", params(Page),
    responses((status = 200, description = "A page of events", body = Items<AccountEvent>)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_cursor", "invalid_fields"])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account/events")]
pub(super) async fn list(app: Data<App>, session: CurrentSession, page: Query<Page>) -> Reply {
    let (keys, list) = (&app.config.master_keys, events_list(session.account));
    let before = page.0.after(keys, &list)?.map(EventId::from);
    let rows = audit::of_account(&app.db, session.account, before, page.0.rows()).await?;
    let rows = rows.into_iter().map(AccountEvent::from).collect();
    ok(&page.0.fill(rows, keys, &list, |row: &AccountEvent| row.id.uuid()))
}
