//! Identifier and password.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::model::SignInError;
use super::super::model::Start;
use super::super::service;
use super::SignInFlow;
use super::problem;
use super::sign_in_flow;
use crate::accounts::AuthenticateError;
use crate::accounts::Faults;
use crate::accounts::Identifier;
use crate::accounts::IdentifierError;
use crate::accounts::Login;
use crate::accounts::read_client;
use crate::accounts::read_label;
use crate::app::App;
use crate::audit::Caller;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::ok;
use crate::http::outcome;

/// A sign-in.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "identifier": "taro@example.jp", "password": "correct horse battery" }))]
pub(super) struct SignInRequest {
    /// The e-mail address, or the mobile number with its country code.
    #[schema(example = "taro@example.jp")]
    identifier: String,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    country: Option<String>,
    /// The password.
    #[schema(example = "correct horse battery")]
    password: String,
    /// The token of a device that has completed a sign-in before: wrong passwords of strangers do not count against it.
    #[schema(example = "sdt_Zt3yq0…")]
    device_token: Option<String>,
    /// The client; the first-party one when absent.
    #[schema(example = "first-party")]
    client_id: Option<String>,
    /// A name for the session to be, at most 100 characters.
    #[schema(example = "Living-room tablet", max_length = 100)]
    session_label: Option<String>,
}

/// Begin a sign-in with a password.
///
/// The answer says what comes next; a password alone opens nothing. Unknown identifier, wrong password and an
/// unverified sign-up are answered alike.
#[utoipa::path(
    tag = "sign-in", operation_id = "start_sign_in", request_body = SignInRequest,
    responses((status = 200, description = "What comes next", body = SignInFlow, example = json!({
            "sign_in_token": "sit_Zt3yq0…", "expires_in": 600, "next": "second_factor", "identifiers": [],
            "factors": [{ "id": "01a2058a-b31d-7cb2-a08b-570ddc325ac8", "kind": "totp", "label": "My phone", "channels": [] }],
            "enrollable": [],
        }))),
    extensions(
        ("x-problems" = json!(["invalid_credentials", "account_closed", "account_suspended", "too_many_attempts", "overloaded"])),
        ("x-limit" = json!("password")),
    ),
)]
#[post("/v1/sign-ins")]
pub(super) async fn start(app: Data<App>, caller: Caller, body: Json<SignInRequest>) -> Reply {
    let mut faults = Faults::default();
    let login = Login::read(&app, &mut faults, &body.0.identifier, body.0.country.as_deref());
    let login = login.await?;
    let client_id = faults.note("/client_id", read_client(&app, body.0.client_id.as_deref()));
    let label = faults.note("/session_label", body.0.session_label.as_deref().map(read_label).transpose());
    let (Some(login), Some(client_id), Some(session_label)) = (login, client_id, label) else {
        return Err(faults.into_problem());
    };
    let device_token = body.0.device_token.as_deref();
    let start = Start { login: &login, password: &body.0.password, device_token, client_id, session_label };
    let started = service::start(&app, start, &caller).await.map_err(|error| {
        let wrong = matches!(error, SignInError::Authenticate(AuthenticateError::Wrong { .. }));
        let hints = if wrong { hints(&login, &body.0.identifier, &body.0.password) } else { Vec::new() };
        hints.into_iter().fold(problem(error), Problem::hint)
    });
    app.metrics.sign_in("password", outcome(&started));
    ok(&sign_in_flow(&app, started?))
}

/// What may have gone wrong while typing; told by the request alone, so that it says nothing about the account.
fn hints(login: &Login, typed: &str, password: &str) -> Vec<&'static str> {
    let full_width = |c: char| ('\u{FF01}'..='\u{FF5E}').contains(&c) || c == '\u{3000}';
    let count = |is: fn(char) -> bool| password.chars().filter(|c| is(*c)).count();
    let mut hints = Vec::new();
    // Caps lock turns `Horse` into `hORSE`, not only `horse` into `HORSE`.
    if count(char::is_uppercase) > count(char::is_lowercase) {
        hints.push("caps_lock");
    }
    if password.contains(full_width) {
        hints.push("full_width_input");
    }
    match (Identifier::parse(typed, None), login) {
        (Err(IdentifierError::CountryCodeRequired), _) => hints.push("country_code"),
        (_, Login::Legacy(_)) => hints.push("migrated_account"),
        (_, Login::Identifier(_)) => {}
    }
    hints.extend(["saved_password", "other_account"]);
    if count(char::is_numeric) == 0 {
        hints.push("num_lock");
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::Login;
    use super::hints;
    use crate::accounts::Identifier;
    use crate::accounts::LegacyLogin;

    #[test]
    fn hints_come_from_what_was_typed() {
        let of = |typed| Login::Identifier(Identifier::parse(typed, None).unwrap());
        let (email, phone) = (of("taro@example.jp"), of("+819012345678"));
        let old = |typed| Login::Legacy(LegacyLogin::parse(typed).unwrap());
        for (login, typed, password, first, num_lock) in [
            (&email, "taro@example.jp", "correct horse", None, true),
            (&email, "taro@example.jp", "correct horse 7", None, false),
            (&email, "taro@example.jp", "CORRECT HORSE 7", Some("caps_lock"), false),
            (&email, "taro@example.jp", "pASSWORD7 hORSE", Some("caps_lock"), false),
            (&email, "taro@example.jp", "Password7 Horse", None, false),
            (&email, "taro@example.jp", "\u{FF50}assword7", Some("full_width_input"), false),
            (&phone, "+81 90 1234 5678", "horse 7", None, false),
            (&phone, "\u{FF0B}819012345678", "horse 7", None, false),
            (&phone, "090-1234-5678", "horse 7", Some("country_code"), false),
            (&old("taro99"), "taro99", "horse 7", Some("migrated_account"), false),
            (&old("090-1111-2222"), "(090) 1111-2222", "horse 7", Some("country_code"), false),
        ] {
            let expected = first.into_iter().chain(["saved_password", "other_account"]);
            let expected: Vec<_> = expected.chain(num_lock.then_some("num_lock")).collect();
            assert_eq!(hints(login, typed, password), expected, "{typed} {password}");
        }
    }
}
