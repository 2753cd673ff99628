//! The way into an endpoint with an access token.

use std::pin::Pin;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;

use super::super::model::CurrentSession;
use super::super::model::EvenClosing;
use super::super::model::Standing;
use super::super::service;
use super::expired;
use crate::accounts::AccountStatus;
use crate::app::App;
use crate::http::ErrorCode;
use crate::http::Problem;
use crate::internal::Internal;
use crate::limits::Policy;
use crate::limits::Subject;
use crate::tokens;
use crate::tokens::AccessTokenError;

impl CurrentSession {
    /// Refuses a sensitive act without a sign-in or a re-authentication in the last ten minutes (RFC 9470).
    ///
    /// # Errors
    /// 401 `insufficient_user_authentication`.
    pub fn require_recent(&self, app: &App) -> Result<(), Problem> {
        if self.is_recent(app.clock.now()) {
            Ok(())
        } else {
            Err(Problem::new(ErrorCode::InsufficientUserAuthentication))
        }
    }

    /// Admits a sensitive act: the session is recent, and there were not too many such acts.
    ///
    /// # Errors
    /// 401 `insufficient_user_authentication`, 429 `rate_limited`.
    pub async fn admit_recent(&self, app: &App) -> Result<(), Problem> {
        self.require_recent(app)?;
        Ok(app.limits.admit(Policy::Reauthentication, Subject::Session(self.id)).await.map(drop)?)
    }

    /// The session of a request, and what its account may do.
    async fn of(request: &HttpRequest) -> Result<(Self, AccountStatus), Problem> {
        let app = request.app_data::<Data<App>>().ok_or_else(|| Internal::bug("no App in the server"))?;
        Self::of_token(app, bearer(request)?).await
    }

    /// The session of an access token that is shown beside that of the caller, when its account is active and its owner
    /// proved who they are within the last ten minutes.
    ///
    /// # Errors
    /// The token or its session is not good, or not recent.
    pub async fn shown(app: &App, token: &str) -> Result<Self, Problem> {
        let (session, status) = Self::of_token(app, token).await?;
        if status != AccountStatus::Active {
            return Err(Problem::new(ErrorCode::AccountClosed));
        }
        session.require_recent(app)?;
        Ok(session)
    }

    async fn of_token(app: &App, token: &str) -> Result<(Self, AccountStatus), Problem> {
        let access = tokens::verify(app, token).map_err(|error| match error {
            AccessTokenError::Invalid => Problem::new(ErrorCode::AccessTokenInvalid),
            AccessTokenError::Expired => Problem::new(ErrorCode::AccessTokenExpired),
        })?;
        app.limits.admit(Policy::Account, Subject::Session(access.session)).await?;
        let revoked = || Problem::new(ErrorCode::SessionRevoked);
        let live = service::standing(app, access.account, access.session).await?.ok_or_else(revoked)?;
        match (live.standing, live.account) {
            (Standing::Expired(expiry), _) => Err(expired(expiry)),
            (Standing::Revoked, _) | (Standing::Alive, AccountStatus::Suspended) => Err(revoked()),
            (Standing::Alive, AccountStatus::Closed) => Err(Problem::new(ErrorCode::AccountClosed)),
            (Standing::Alive, status @ (AccountStatus::Active | AccountStatus::Closing)) => {
                let (account, id) = (access.account, access.session);
                let session = Self { account, id, client_id: access.client_id, auth_time: access.auth_time };
                Ok((session, status))
            }
        }
    }
}

/// Whether a request brings an `Authorization` header at all.
pub(super) fn has_bearer(request: &HttpRequest) -> bool {
    request.headers().contains_key(AUTHORIZATION)
}

fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Err(Problem::new(ErrorCode::AccessTokenMissing)) };
    let invalid = || Problem::new(ErrorCode::AccessTokenInvalid);
    if headers.next().is_some() {
        return Err(invalid());
    }
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token) } else { Err(Problem::new(ErrorCode::AccessTokenMissing)) }
}

impl FromRequest for CurrentSession {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match Self::of(&request).await? {
                (session, AccountStatus::Active) => Ok(session),
                _ => Err(Problem::new(ErrorCode::AccountClosed)),
            }
        })
    }
}

impl FromRequest for EvenClosing {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { CurrentSession::of(&request).await.map(|(session, _)| Self(session)) })
    }
}
