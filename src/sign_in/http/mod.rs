//! Bodies, handlers and problems of sign-in.

mod enrolment;
mod flow;
mod identifier;
mod passkey;
mod password;
mod reauthentication;
mod recovered;
mod second_factor;
mod staged;

use utoipa_actix_web::service_config::ServiceConfig;

pub use flow::SignInFlow;
pub use flow::enrollable;
pub use flow::sign_in_flow;

use super::model::SignInError;
use crate::accounts::AuthenticateError;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(password::start)
        .service(staged::stage)
        .service(identifier::send_code)
        .service(identifier::verify)
        .service(second_factor::send_code)
        .service(second_factor::complete)
        .service(passkey::ask)
        .service(passkey::options)
        .service(passkey::sign_in)
        .service(passkey::related_origins)
        .service(enrolment::begin)
        .service(enrolment::resend)
        .service(enrolment::confirm)
        .service(recovered::complete)
        .service(reauthentication::send_code)
        .service(reauthentication::ask_passkey)
        .service(reauthentication::reauthenticate);
}

fn problem(error: SignInError) -> Problem {
    match error {
        SignInError::Authenticate(AuthenticateError::Wrong { .. }) => Problem::new(ErrorCode::InvalidCredentials),
        SignInError::Authenticate(AuthenticateError::Closed { .. }) => Problem::new(ErrorCode::AccountClosed),
        SignInError::Authenticate(AuthenticateError::Suspended { .. }) => Problem::new(ErrorCode::AccountSuspended),
        SignInError::Authenticate(AuthenticateError::Hashing(error)) => error.into(),
        SignInError::Authenticate(AuthenticateError::Internal(error)) => error.into(),
        SignInError::Expired => Problem::new(ErrorCode::SignInExpired),
        SignInError::ReauthenticationExpired => Problem::new(ErrorCode::ReauthenticationExpired),
        SignInError::NoReauthentication => Problem::field("/reauthentication_token", FieldCode::Required),
        SignInError::WrongStep => Problem::new(ErrorCode::WrongStep),
        SignInError::SamePasskey => Problem::new(ErrorCode::Conflict),
        SignInError::UnknownIdentifier => Problem::field("/identifier_id", FieldCode::UnknownId),
        SignInError::UnknownFactor => Problem::field("/factor_id", FieldCode::UnknownId),
        SignInError::OtherMethod => Problem::field("/method", FieldCode::NotSupported),
        SignInError::FactorCarriedReset => Problem::new(ErrorCode::FactorCarriedReset),
        SignInError::PasswordUnchanged => Problem::field("/new_password", FieldCode::PasswordUnchanged),
        SignInError::AmbiguousFactor => Problem::field("/factor_id", FieldCode::Required),
        SignInError::Step(error) => error.into(),
    }
}
