//! What a completed sign-in and a refresh answer.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::OpenedSession;
use crate::accounts::AccountStatus;
use crate::app::App;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::refresh_cookie;
use crate::http::require_listed_origin;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::tokens;
use crate::tokens::AccessGrant;

/// How the refresh token is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenDelivery {
    /// In the body.
    #[default]
    Body,
    /// As the cookie `__Host-sekisho_refresh` alone; needs an `Origin` that is listed for the client.
    Cookie,
}

impl TokenDelivery {
    /// The wanted delivery; a cookie goes only to a page that is listed.
    ///
    /// # Errors
    /// 403 `origin_not_allowed`.
    pub fn admitted(wanted: Option<Self>, request: &HttpRequest) -> Result<Self, Problem> {
        let delivery = wanted.unwrap_or_default();
        if delivery == Self::Cookie {
            require_listed_origin(request)?;
        }
        Ok(delivery)
    }
}

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
pub struct TokenSet {
    /// The access token (RFC 9068), for the `Authorization` header.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9…")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds that the access token lives.
    #[schema(example = 300)]
    expires_in: u64,
    /// The refresh token, good for one use; absent when it was delivered as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "srt_AAAAAQGa…")]
    refresh_token: Option<String>,
    /// Seconds until the session ends without a refresh.
    #[schema(example = 1_209_600)]
    refresh_expires_in: i64,
    /// Seconds until the session ends whatever happens.
    #[schema(example = 7_776_000)]
    session_expires_in: i64,
    /// The session.
    session_id: SessionId,
    /// Whose it is.
    account_id: AccountId,
    /// What the account may do.
    account_status: AccountStatus,
    /// Of a closing account: until when it can be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_closes_at: Option<DateTime<Utc>>,
    /// For this device to keep and to give with the next password: it is limited apart from strangers then. Absent
    /// from a refresh, and when a valid one came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sdt_Zt3yq0…")]
    device_token: Option<String>,
    /// Recovery codes that are left.
    #[schema(example = 10)]
    recovery_codes_left: i64,
    /// Ten recovery codes, after an enrolment; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["7Q4M-ZK2D-9XWT-H3VB"]))]
    recovery_codes: Option<Vec<String>>,
}

/// How a token set is answered.
#[derive(Default)]
pub struct Answer<'a> {
    /// Where the refresh token goes.
    pub delivery: TokenDelivery,
    /// The one service that the access token is for.
    pub audience: Option<&'a str>,
    /// Codes to show, after an enrolment.
    pub recovery_codes: Option<Vec<String>>,
    /// The token of a device that was not known before.
    pub device_token: Option<String>,
}

/// Signs an access token and answers with the tokens of a session.
///
/// # Errors
/// No key signs.
pub fn token_set(app: &App, status: StatusCode, opened: OpenedSession, answer: Answer<'_>) -> Reply {
    // What is left to do with a closing account is done here, so other services are not to accept its tokens.
    let closing = opened.account_status != AccountStatus::Active;
    let access = tokens::issue(
        app,
        &AccessGrant {
            account: opened.account,
            session: opened.id,
            client_id: &opened.client_id,
            auth_time: opened.auth_time,
            amr: &opened.amr,
            roles: &opened.roles,
            audience: if closing { Some(&app.config.issuer) } else { answer.audience },
        },
    )?;
    let now = app.clock.now();
    let refresh_expires_in = whole_seconds(opened.idle_expires_at - now);
    let mut response = HttpResponse::build(status);
    let refresh_token = match answer.delivery {
        TokenDelivery::Body => Some(opened.refresh_token),
        TokenDelivery::Cookie => {
            let lifetime = std::time::Duration::from_secs(refresh_expires_in.unsigned_abs());
            response.cookie(refresh_cookie(opened.refresh_token, lifetime));
            None
        }
    };
    Ok(response.json(TokenSet {
        access_token: access.token,
        token_type: "Bearer",
        expires_in: access.expires_in,
        refresh_token,
        refresh_expires_in,
        session_expires_in: whole_seconds(opened.expires_at - now),
        session_id: opened.id,
        account_id: opened.account,
        account_status: opened.account_status,
        account_closes_at: opened.closes_at,
        device_token: answer.device_token,
        recovery_codes_left: opened.recovery_codes_left,
        recovery_codes: answer.recovery_codes,
    }))
}

/// Rounded up, so that a lifetime is shown whole right after it began.
fn whole_seconds(left: TimeDelta) -> i64 {
    left.num_milliseconds().max(0).div_euclid(1000) + i64::from(left.num_milliseconds().rem_euclid(1000) > 0)
}
