//! The change of a password by who is signed in, and where browsers and password managers look for its page.

use actix_web::HttpResponse;
use actix_web::get;
use actix_web::http::header::LOCATION;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::model::Change;
use super::super::service;
use super::problem;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::no_content;
use crate::http::outcome;
use crate::sessions::CurrentSession;

/// Which sessions end with the old password.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SignOut {
    /// All but this one.
    Others,
    /// This one, too.
    All,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "current_password": "correct horse battery", "new_password": "tidal mango ledger vowel" }))]
pub(super) struct PasswordChange {
    /// The password until now.
    #[schema(example = "correct horse battery")]
    current_password: String,
    /// 8 to 128 characters; see `POST /v1/passwords/check`.
    #[schema(example = "tidal mango ledger vowel")]
    new_password: String,
    /// `others` when absent.
    #[schema(inline)]
    sign_out: Option<SignOut>,
}

/// Change the password.
///
/// Needs a sign-in or a re-authentication within the last ten minutes. After a hundred wrong current passwords in a row no
/// more is judged in this session for a day; wrong ones at sign-ins do not count here.
#[utoipa::path(
    tag = "account", operation_id = "change_password", request_body = PasswordChange,
    responses((status = 204, description = "The new password counts; the sessions of the old one have ended")),
    security(("bearer" = [])),
    extensions(
        ("x-problems" = json!(["insufficient_user_authentication", "too_many_attempts", "account_closed", "account_suspended", "overloaded"])),
        ("x-limit" = json!("reauthentication")),
    ),
)]
#[post("/v1/account/password")]
pub(super) async fn change(
    app: Data<App>,
    session: CurrentSession,
    caller: Caller,
    body: Json<PasswordChange>,
) -> Reply {
    session.admit_recent(&app).await?;
    let PasswordChange { current_password, new_password, sign_out } = body.0;
    let change = Change { current: current_password, new: new_password, end_own: sign_out == Some(SignOut::All) };
    let done = service::change(&app, &session, &change, &caller).await.map_err(problem);
    app.metrics.password_change("change", outcome(&done));
    done?;
    Ok(no_content())
}

/// Where people change their password ("A Well-Known URL for Changing Passwords", W3C).
///
/// 404 when no page is configured (`pages.change_password`).
#[utoipa::path(
    tag = "account", operation_id = "find_change_password_page",
    responses((status = 303, description = "The page", headers(("Location" = String, description = "Its address")))),
    extensions(("x-problems" = json!(["not_found"])), ("x-limit" = json!("public"))),
)]
#[get("/.well-known/change-password")]
pub(super) async fn lead_to_page(app: Data<App>) -> Reply {
    let page = app.config.pages.change_password.as_ref().ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, page.address())).finish())
}
