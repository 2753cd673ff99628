//! Refreshing and signing out: what an app does with a refresh token.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::model::EvenClosing;
use super::super::model::RefreshError;
use super::super::service;
use super::Answer;
use super::TokenDelivery;
use super::TokenSet;
use super::current::has_bearer;
use super::expired;
use super::token_set;
use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::OptionalJson;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::clear_refresh_cookie;
use crate::http::outcome;
use crate::http::refresh_token_from_cookie;
use crate::http::require_listed_origin;

/// A refresh. In cookie mode the body carries no token.
#[derive(Deserialize, ToSchema)]
pub(super) struct RefreshRequest {
    /// The newest refresh token of the session.
    #[schema(example = "srt_AAAAAQGa…")]
    refresh_token: Option<String>,
    /// One of the client's audiences: the access token is for that service alone.
    audience: Option<String>,
}

/// A sign-out. In cookie mode, or with an access token, the body may be absent.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignOutRequest {
    /// Any refresh token of the session.
    #[schema(example = "srt_AAAAAQGa…")]
    refresh_token: Option<String>,
}

/// A refresh token and how it came.
fn presented(request: &HttpRequest, body: Option<String>) -> Result<Option<(String, TokenDelivery)>, Problem> {
    match (body, refresh_token_from_cookie(request)) {
        (Some(_), Some(_)) => {
            Err(Problem::new(ErrorCode::MalformedRequest).fault("/refresh_token", FieldCode::Duplicate))
        }
        (Some(token), None) => Ok(Some((token, TokenDelivery::Body))),
        (None, Some(token)) => require_listed_origin(request).map(|()| Some((token, TokenDelivery::Cookie))),
        (None, None) => Ok(None),
    }
}

/// Exchange a refresh token for new tokens.
///
/// A refresh token is good for one use. Shown again before its successor was used it answers the same successor,
/// so that parallel tabs and a lost answer do no harm; shown later it ends the session.
#[utoipa::path(
    tag = "sessions", operation_id = "refresh_session", request_body = Option<RefreshRequest>,
    responses((
        status = 200, description = "New tokens", body = TokenSet,
        headers(("Set-Cookie" = String, description = "The next refresh token, where the last came in the cookie")),
    )),
    security((), ("refresh_cookie" = [])),
    extensions(
        ("x-problems" = json!(["refresh_token_invalid", "refresh_token_reused", "session_expired", "session_revoked", "account_closed", "origin_not_allowed"])),
        ("x-limit" = json!("session")),
    ),
)]
#[post("/v1/sessions/refresh")]
pub(super) async fn refresh(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: OptionalJson<RefreshRequest>,
) -> Reply {
    let RefreshRequest { refresh_token, audience } = body.0;
    if audience.as_ref().is_some_and(|wanted| !app.config.client.audiences.contains(wanted)) {
        return Err(Problem::field("/audience", FieldCode::UnknownValue));
    }
    let (token, delivery) =
        presented(&request, refresh_token)?.ok_or_else(|| Problem::new(ErrorCode::RefreshTokenInvalid))?;
    let opened = service::refresh(&app, &token, &caller).await.map_err(problem);
    app.metrics.refresh(outcome(&opened));
    token_set(&app, StatusCode::OK, opened?, Answer { delivery, audience: audience.as_deref(), ..Answer::default() })
}

/// End the session of a refresh token, of the cookie, or of the access token.
///
/// A dead refresh token has nothing left to end and is answered alike.
#[utoipa::path(
    tag = "sessions", operation_id = "sign_out", request_body = Option<SignOutRequest>,
    responses((
        status = 204, description = "Signed out",
        headers(("Set-Cookie" = String, description = "Takes the cookie away, where there was one")),
    )),
    security((), ("bearer" = []), ("refresh_cookie" = [])),
    extensions(
        ("x-problems" = json!(["access_token_missing", "access_token_invalid", "access_token_expired", "session_expired", "session_revoked", "origin_not_allowed"])),
        ("x-limit" = json!("session")),
    ),
)]
#[post("/v1/sessions/sign-out")]
pub(super) async fn sign_out(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: OptionalJson<SignOutRequest>,
) -> Reply {
    match presented(&request, body.0.refresh_token)? {
        Some((token, _)) => service::sign_out_by_token(&app, &token, &caller).await?,
        None if has_bearer(&request) => {
            let session = <EvenClosing as actix_web::FromRequest>::extract(&request).await?;
            service::sign_out(&app, &session.0, &caller).await?;
        }
        None => return Err(Problem::new(ErrorCode::AccessTokenMissing)),
    }
    let mut response = HttpResponse::NoContent();
    if refresh_token_from_cookie(&request).is_some() {
        response.cookie(clear_refresh_cookie());
    }
    Ok(response.finish())
}

fn problem(error: RefreshError) -> Problem {
    match error {
        RefreshError::Invalid => Problem::new(ErrorCode::RefreshTokenInvalid),
        RefreshError::Reused => Problem::new(ErrorCode::RefreshTokenReused),
        RefreshError::Revoked => Problem::new(ErrorCode::SessionRevoked),
        RefreshError::Expired(expiry) => expired(expiry),
        RefreshError::AccountClosed => Problem::new(ErrorCode::AccountClosed),
        RefreshError::Internal(error) => error.into(),
    }
}
