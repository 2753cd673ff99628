//! The profile and the recovery codes.

use actix_web::get;
use actix_web::patch;
use actix_web::post;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::service;
use super::super::service::ProfileChange;
use super::super::service::Shown;
use crate::accounts::AccountStatus;
use crate::accounts::Faults;
use crate::accounts::read_display_name;
use crate::accounts::read_locale;
use crate::app::App;
use crate::audit::Caller;
use crate::changes;
use crate::changes::AccountChange;
use crate::factors;
use crate::factors::FactorKind;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::NoMembers;
use crate::http::OptionalJson;
use crate::http::Reply;
use crate::http::created;
use crate::http::ok;
use crate::identifiers;
use crate::identifiers::AccountIdentifier;
use crate::ids::AccountId;
use crate::sessions::CurrentSession;

/// The account, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    /// Its id: `sub` of every access token.
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
    /// When it was made.
    created_at: DateTime<Utc>,
    /// What its owner signs in with, the primary one first.
    #[schema(inline)]
    identifiers: Vec<AccountIdentifier>,
    /// The kinds of second factors that are enrolled.
    #[schema(inline, example = json!(["totp", "recovery_code"]))]
    second_factor_kinds: Vec<FactorKind>,
    /// Roles of operators.
    #[schema(example = json!([]))]
    roles: Vec<String>,
    /// Changes that wait for their time.
    #[schema(inline)]
    pending_changes: Vec<AccountChange>,
    /// Other accounts of the same person.
    #[schema(example = json!([]))]
    mergeable: Vec<AccountId>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub(super) struct AccountPatch {
    /// At most 100 characters; an empty one takes the name away.
    #[schema(example = "Taro", max_length = 100)]
    display_name: Option<String>,
    /// One of the service's languages.
    #[schema(example = "en")]
    locale: Option<String>,
    /// An IANA time zone.
    #[schema(example = "Asia/Tokyo")]
    time_zone: Option<String>,
}

/// How many recovery codes are unused.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodesLeft {
    /// At most ten.
    #[schema(example = 9, minimum = 0, maximum = 10)]
    remaining: i64,
}

/// New recovery codes, shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodesShown {
    /// Ten of them.
    #[schema(example = json!(["7Q4M-ZK2D-9XWT-H3VB"]))]
    recovery_codes: Vec<String>,
}

fn body(app: &App, shown: Shown) -> Account {
    let Shown { profile, second_factor_kinds, pending_changes, mergeable } = shown;
    Account {
        id: profile.id,
        status: profile.status,
        display_name: profile.display_name,
        locale: profile.locale,
        time_zone: profile.time_zone,
        created_at: profile.created_at,
        identifiers: profile.identifiers.into_iter().map(|own| identifiers::shown(app, own)).collect(),
        second_factor_kinds,
        roles: profile.roles,
        pending_changes: pending_changes.iter().map(changes::shown).collect(),
        mergeable,
    }
}

/// Show the account.
#[utoipa::path(
    tag = "account", operation_id = "show_account",
    responses((status = 200, description = "The account", body = Account)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!([])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account")]
pub(super) async fn show(app: Data<App>, session: CurrentSession) -> Reply {
    ok(&body(&app, service::show(&app, &session).await?))
}

/// A name, or nothing in its place.
fn read_or_clear_name(typed: &str) -> Result<String, FieldCode> {
    if typed.is_empty() { Ok(String::new()) } else { read_display_name(typed) }
}

/// Change the profile.
#[utoipa::path(
    tag = "account", operation_id = "change_account", request_body = AccountPatch,
    responses((status = 200, description = "The account", body = Account)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!([])), ("x-limit" = json!("account"))),
)]
#[patch("/v1/account")]
pub(super) async fn change(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    patch: Json<AccountPatch>,
) -> Reply {
    let mut faults = Faults::default();
    let display_name =
        faults.note("/display_name", patch.0.display_name.as_deref().map(read_or_clear_name).transpose());
    let locale = faults.note("/locale", patch.0.locale.as_deref().map(read_locale).transpose());
    let time_zone = faults.note("/time_zone", patch.0.time_zone.as_deref().map(read_time_zone).transpose());
    let (Some(display_name), Some(locale), Some(time_zone)) = (display_name, locale, time_zone) else {
        return Err(faults.into_problem());
    };
    service::change_profile(&app, &session, &ProfileChange { display_name, locale, time_zone }, &caller).await?;
    ok(&body(&app, service::show(&app, &session).await?))
}

fn read_time_zone(name: &str) -> Result<String, FieldCode> {
    name.parse::<Tz>().map(|zone| zone.name().to_owned()).map_err(|_| FieldCode::UnknownTimeZone)
}

/// Count the recovery codes that are unused.
#[utoipa::path(
    tag = "account", operation_id = "count_recovery_codes",
    responses((status = 200, description = "How many", body = RecoveryCodesLeft)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!([])), ("x-limit" = json!("account"))),
)]
#[get("/v1/account/recovery-codes")]
pub(super) async fn count_recovery_codes(app: Data<App>, session: CurrentSession) -> Reply {
    ok(&RecoveryCodesLeft { remaining: factors::recovery_codes_left(&app.db, session.account).await? })
}

/// Make new recovery codes; the old ones are void.
///
/// Needs a sign-in or a re-authentication within the last ten minutes.
#[utoipa::path(
    tag = "account", operation_id = "renew_recovery_codes",
    responses((status = 201, description = "Ten codes, shown this once", body = RecoveryCodesShown)),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "overloaded"])),
        ("x-limit" = json!("account")),
    ),
)]
#[post("/v1/account/recovery-codes")]
pub(super) async fn renew_recovery_codes(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    _: OptionalJson<NoMembers>,
) -> Reply {
    session.admit_recent(&app).await?;
    created(&RecoveryCodesShown { recovery_codes: service::renew_recovery_codes(&app, &session, &caller).await? })
}
