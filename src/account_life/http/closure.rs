//! Closing the account, and keeping it after all.

use actix_web::delete;
use actix_web::post;
use actix_web::web::Data;
use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::ClosureError;
use super::super::service;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::NoMembers;
use crate::http::OptionalJson;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::accepted;
use crate::http::no_content;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::sessions::CurrentSession;
use crate::sessions::EvenClosing;

/// A closure that was taken note of.
#[derive(Serialize, ToSchema)]
pub(super) struct Closure {
    /// When the account will be gone; it can be kept until then.
    closes_at: DateTime<Utc>,
}

fn problem(error: ClosureError) -> Problem {
    match error {
        ClosureError::Closed => Problem::new(ErrorCode::AccountClosed),
        ClosureError::NotClosing => Problem::new(ErrorCode::NotFound).reason("not_closing"),
        ClosureError::Step(error) => error.into(),
    }
}

/// Close the account: in thirty days it is gone, with everything in it.
///
/// Needs a sign-in or a re-authentication within the last ten minutes. The other sessions end; this one, and whoever signs
/// in until then, can keep the account after all, export it, and sign out. Everything else answers 403 `account_closed`,
/// a refresh too.
#[utoipa::path(
    tag = "account", operation_id = "close_account",
    responses((status = 202, description = "The account is closing", body = Closure)),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["insufficient_user_authentication"])), ("x-limit" = json!("account"))),
)]
#[post("/v1/account/closure")]
pub(super) async fn close(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    _: OptionalJson<NoMembers>,
) -> Reply {
    session.admit_recent(&app).await?;
    accepted(&Closure { closes_at: service::close(&app, &session, &caller).await.map_err(problem)? })
}

/// Keep the account after all.
#[utoipa::path(
    tag = "account", operation_id = "keep_account",
    responses((status = 204, description = "The account stays as it was")),
    security(("bearer" = [])),
    extensions(("x-problems" = json!(["not_found"])), ("x-limit" = json!("account"))),
)]
#[delete("/v1/account/closure")]
pub(super) async fn keep(app: Data<App>, session: EvenClosing, caller: Caller) -> Reply {
    app.limits.admit(Policy::Reauthentication, Subject::Session(session.0.id)).await?;
    service::keep(&app, &session.0, &caller).await.map_err(problem)?;
    Ok(no_content())
}
