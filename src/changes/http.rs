//! Cancelling a change.

use actix_web::post;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::CancelError;
use super::model::ChangeKind;
use super::model::PendingChange;
use super::service;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::no_content;
use crate::ids::AccountId;
use crate::ids::ChangeId;
use crate::ids::IdentifierId;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(cancel);
}

fn problem(error: CancelError) -> Problem {
    match error {
        CancelError::TokenInvalid => Problem::new(ErrorCode::CancelTokenInvalid),
        CancelError::Internal(error) => error.into(),
    }
}

/// A change that waits for its time.
#[derive(Serialize, ToSchema)]
pub struct AccountChange {
    /// Its id.
    id: ChangeId,
    /// What will change.
    #[schema(inline)]
    kind: ChangeKind,
    /// The identifier that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier_id: Option<IdentifierId>,
    /// Of a merge: the account that stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    /// Of a merge: the account that is taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_account_id: Option<AccountId>,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// When it takes effect; until then it can be cancelled.
    effective_at: DateTime<Utc>,
}

/// A change as the account's owner sees it.
pub fn shown(change: &PendingChange) -> AccountChange {
    let PendingChange { id, account, kind, subject, created_at, effective_at } = *change;
    let (identifier_id, account_id, other_account_id) = match kind {
        ChangeKind::IdentifierRemoval | ChangeKind::IdentifierClaim => (Some(subject.into()), None, None),
        ChangeKind::AccountMerge => (None, Some(account), Some(subject.into())),
    };
    AccountChange { id, kind, identifier_id, account_id, other_account_id, created_at, effective_at }
}

/// The token of the message that told of the change.
#[derive(Deserialize, ToSchema)]
pub(super) struct Cancellation {
    /// As the message shows it.
    #[schema(example = "cct_Zt3yq0…")]
    cancel_token: String,
}

/// Cancel a change that waits, with the token of the message that told of it.
///
/// Nothing else is asked. Unless the change came from outside the account, every session ends and the password opens nothing
/// until it is reset: whoever began the change was in the account.
#[utoipa::path(
    tag = "account", operation_id = "cancel_change", request_body = Cancellation,
    responses((status = 204, description = "Nothing changes")),
    extensions(("x-problems" = json!(["cancel_token_invalid"])), ("x-limit" = json!("code"))),
)]
#[post("/v1/account/changes/cancel")]
pub(super) async fn cancel(app: Data<App>, caller: Caller, body: Json<Cancellation>) -> Reply {
    service::cancel(&app, &body.0.cancel_token, &caller).await.map_err(problem)?;
    Ok(no_content())
}
