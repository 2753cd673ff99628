//! The identifiers that an account has.

use actix_web::delete;
use actix_web::get;
use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::problem;
use crate::accounts::Identifier;
use crate::accounts::IdentifierKind;
use crate::accounts::OwnIdentifier;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Items;
use crate::http::NoMembers;
use crate::http::OptionalJson;
use crate::http::Page;
use crate::http::Query;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::ids::IdentifierId;
use crate::sessions::CurrentSession;

/// An identifier of the account.
#[derive(Serialize, ToSchema)]
pub struct AccountIdentifier {
    /// Its id.
    id: IdentifierId,
    /// What kind it is.
    #[schema(inline)]
    kind: IdentifierKind,
    /// The address or number.
    #[schema(example = "taro@example.jp")]
    value: String,
    /// When its owner proved it; absent until then, when it counts for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<DateTime<Utc>>,
    /// Whether it is the first one to be written to.
    primary: bool,
    /// Whether messages can reach it.
    deliverable: bool,
}

/// An identifier as its owner sees it.
pub fn shown(app: &App, own: OwnIdentifier) -> AccountIdentifier {
    AccountIdentifier {
        id: own.id,
        kind: own.kind,
        deliverable: app.channels.choose(&own.value, None).is_ok(),
        value: own.value,
        verified_at: own.proved.then_some(own.verified_at),
        primary: own.primary,
    }
}

/// One that is not proved yet; there is a way to it, since its code took one.
pub(super) fn pending(id: IdentifierId, identifier: &Identifier) -> AccountIdentifier {
    AccountIdentifier {
        id,
        kind: identifier.kind(),
        value: identifier.value().to_owned(),
        verified_at: None,
        primary: false,
        deliverable: true,
    }
}

/// A change that waits for its time.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovalBegun {
    /// When the identifier leaves.
    effective_at: DateTime<Utc>,
}

/// List the identifiers, newest first; those that are not proved yet are not among them.
#[utoipa::path(
    tag = "account", operation_id = "list_identifiers", params(Page),
    responses((status = 200, description = "A page of identifiers", body = Items<AccountIdentifier>)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["invalid_cursor", "invalid_fields"])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account/identifiers")]
pub(super) async fn list(app: Data<App>, session: CurrentSession, page: Query<Page>) -> Reply {
    let (keys, list) = (&app.config.master_keys, format!("identifiers/{}", session.account));
    let after = page.0.after(keys, &list)?;
    let own = service::list(&app, &session).await?;
    let mut rows: Vec<_> = own.into_iter().map(|own| shown(&app, own)).collect();
    rows.retain(|row| after.is_none_or(|after| row.id.uuid() < after));
    rows.sort_by_key(|row| std::cmp::Reverse(row.id.uuid()));
    ok(&page.0.fill(rows, keys, &list, |row: &AccountIdentifier| row.id.uuid()))
}

/// Make an identifier the primary one, the first to be written to.
///
/// Needs a sign-in or a re-authentication within the last ten minutes.
#[utoipa::path(
    tag = "account", operation_id = "make_identifier_primary",
    params(("id" = IdentifierId, Path, description = "The identifier")),
    responses((status = 200, description = "The identifier", body = AccountIdentifier)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "not_found", "conflict"])),
        ("x-limit" = json!("account")),
    ),
)]
#[post("/v1/account/identifiers/{id}/primary")]
pub(super) async fn make_primary(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<IdentifierId>,
    _: OptionalJson<NoMembers>,
) -> Reply {
    session.admit_recent(&app).await?;
    ok(&shown(&app, service::make_primary(&app, &session, *id, &caller).await.map_err(problem)?))
}

/// Remove an identifier. It takes effect after 72 hours; a token that is sent to the identifier stops it until then.
///
/// Needs a sign-in or a re-authentication within the last ten minutes. One that was added in the last 72 hours gets no token
/// while an older one is there. One that was never proved goes at once.
#[utoipa::path(
    tag = "account", operation_id = "remove_identifier",
    params(("id" = IdentifierId, Path, description = "The identifier")),
    responses((status = 202, description = "It is going to leave", body = RemovalBegun)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "not_found", "last_identifier"])),
        ("x-limit" = json!("account")),
    ),
)]
#[delete("/v1/account/identifiers/{id}")]
pub(super) async fn remove(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    id: web::Path<IdentifierId>,
) -> Reply {
    session.admit_recent(&app).await?;
    accepted(&RemovalBegun { effective_at: service::remove(&app, &session, *id, &caller).await.map_err(problem)? })
}
