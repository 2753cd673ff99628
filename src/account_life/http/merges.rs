//! Two accounts of one person become one.

use actix_web::post;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::Clash;
use super::super::model::MergeError;
use super::super::service;
use super::factors;
use super::factors::Factor;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::ok;
use crate::identifiers;
use crate::identifiers::AccountIdentifier;
use crate::ids::AccountId;
use crate::sessions::CurrentSession;

const OTHER: &str = "/other_access_token";

/// Which account is taken into the caller's.
#[derive(Deserialize, ToSchema)]
pub(super) struct MergeRequest {
    /// An access token of the other account, from a sign-in or a re-authentication within the last ten minutes.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9…")]
    other_access_token: Option<String>,
    /// The other account, such as one of `mergeable`: its token is needed all the same, and one of another account is
    /// refused then.
    account_id: Option<AccountId>,
    /// Whether to tell only what would happen.
    #[schema(example = true)]
    dry_run: bool,
}

/// What a merge would do.
#[derive(Serialize, ToSchema)]
pub(super) struct MergePlan {
    /// The account that stays: the caller's.
    account_id: AccountId,
    /// The account that is taken in.
    other_account_id: AccountId,
    /// The identifiers that would move.
    identifiers: Vec<AccountIdentifier>,
    /// The factors that would move; a phone that both have stays one. One with a label that is there already gets a hint of the
    /// other account's address behind it. Password, recovery codes, `display_name`, `locale` and `time_zone` of the other account
    /// would not move.
    factors: Vec<Factor>,
    /// Why it cannot be done, if so; open set: `too_many_identifiers`, `too_many_factors`, `change_waiting`,
    /// `has_roles`.
    #[schema(example = json!([]))]
    clashes: Vec<&'static str>,
}

/// A merge that waits.
#[derive(Serialize, ToSchema)]
pub(super) struct MergeBegun {
    /// When the accounts become one; until then it can be cancelled from either side.
    merges_at: DateTime<Utc>,
}

fn field(clash: Clash) -> FieldCode {
    match clash {
        Clash::SameAccount => FieldCode::SameAccount,
        Clash::TooManyIdentifiers => FieldCode::TooManyIdentifiers,
        Clash::TooManyFactors => FieldCode::TooManyFactors,
        Clash::ChangeWaiting => FieldCode::ChangeWaiting,
        Clash::HasRoles => FieldCode::HasRoles,
    }
}

fn problem(error: MergeError) -> Problem {
    match error {
        MergeError::OtherInvalid => Problem::field(OTHER, FieldCode::TokenInvalid),
        MergeError::Clash(clashes) => {
            let blank = Problem::new(ErrorCode::MergeConflict);
            clashes.into_iter().fold(blank, |problem, clash| problem.fault(OTHER, field(clash)))
        }
        MergeError::Step(error) => error.into(),
    }
}

/// Whoever shows a fresh token of the other account is its owner too.
async fn other(app: &App, token: Option<String>, named: Option<AccountId>) -> Result<CurrentSession, Problem> {
    let token = token.ok_or_else(|| Problem::field(OTHER, FieldCode::Required))?;
    let shown = CurrentSession::shown(app, &token).await.map_err(|problem| {
        let ours = problem.code().status().is_server_error() || problem.code() == ErrorCode::RateLimited;
        if ours { problem } else { Problem::field(OTHER, FieldCode::TokenInvalid) }
    })?;
    match named {
        Some(named) if named != shown.account => Err(Problem::field("/account_id", FieldCode::UnknownId)),
        _ => Ok(shown),
    }
}

/// Take another account of yours into this one, after 72 hours; or see what would happen.
///
/// Needs a sign-in or a re-authentication within the last ten minutes, in both accounts. With `dry_run` nothing is changed.
/// Otherwise every identifier of both accounts gets a token with which the merge can be cancelled until its time has come
/// (`cancel_change`), but for those that were added in the last 72 hours, which are told without one. Then identifiers
/// and factors of the other account move here, and it is gone.
#[utoipa::path(
    tag = "account", operation_id = "merge_accounts", request_body = MergeRequest,
    responses(
        (status = 200, description = "What would happen", body = MergePlan),
        (status = 202, description = "The merge waits", body = MergeBegun),
    ),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "merge_conflict"])),
        ("x-limit" = json!("reauthentication")),
    ),
)]
#[post("/v1/account/merges")]
pub(super) async fn merge(app: Data<App>, session: CurrentSession, caller: Caller, body: Json<MergeRequest>) -> Reply {
    session.admit_recent(&app).await?;
    let MergeRequest { other_access_token, account_id, dry_run } = body.0;
    let other = other(&app, other_access_token, account_id).await?;
    if !dry_run {
        let merges_at = service::begin_merge(&app, &session, &other, &caller).await.map_err(problem)?;
        return accepted(&MergeBegun { merges_at });
    }
    let plan = service::plan_merge(&app, &session, &other).await.map_err(problem)?;
    ok(&MergePlan {
        account_id: session.account,
        other_account_id: other.account,
        identifiers: plan.identifiers.into_iter().map(|own| identifiers::shown(&app, own)).collect(),
        factors: plan.factors.into_iter().map(factors::body).collect(),
        clashes: plan.clashes.into_iter().map(|clash| field(clash).code()).collect(),
    })
}
