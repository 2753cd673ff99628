//! What a page needs to know before it shows a form.

use actix_web::HttpResponse;
use actix_web::get;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

use crate::accounts::IdentifierKind;
use crate::accounts::read_client;
use crate::app::App;
use crate::crypto::MAX_PASSWORD_CODE_POINTS;
use crate::factors::FactorKind;
use crate::http::ErrorCode;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Reply;
use crate::messages::Channel;
use crate::password_policy::MIN_PASSWORD_CODE_POINTS;
use crate::sign_in::enrollable;
use crate::text::Language;

/// For which client.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ConfigurationQuery {
    /// The client; the first-party one when absent.
    client_id: Option<String>,
}

/// What this service offers.
#[derive(Serialize, ToSchema)]
pub(super) struct Configuration {
    /// What a person can sign up with.
    #[schema(inline)]
    identifier_kinds: Vec<IdentifierKind>,
    /// How long a password must and may be.
    #[schema(inline)]
    password: PasswordLengths,
    /// The second factors that can be enrolled.
    #[schema(inline, example = json!(["totp", "phone", "passkey"]))]
    factor_kinds: Vec<FactorKind>,
    /// The ways that codes travel just now.
    #[schema(inline)]
    channels: Vec<Channel>,
    /// Digits of a code in a sign-up, a sign-in, a claim, and of new identifiers and factors. Those of a password reset and of a
    /// recovery are eight.
    #[schema(example = 6)]
    code_length: usize,
    /// The languages of problems and messages.
    #[schema(example = json!(["en"]))]
    locales: Vec<&'static str>,
    /// The countries whose phone numbers are accepted (ISO 3166-1).
    #[schema(example = json!(["JP"]))]
    phone_countries: Vec<String>,
    /// The domain that passkeys belong to; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "auth.example.com")]
    passkey_rp_id: Option<String>,
    /// Where people find help outside this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://www.example.com/support")]
    support_url: Option<String>,
}

/// In characters (Unicode code points after NFKC).
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordLengths {
    /// At least.
    #[schema(example = 8)]
    min_length: usize,
    /// At most.
    #[schema(example = 128)]
    max_length: usize,
}

/// What this service offers, for the pages in front of it.
#[utoipa::path(
    tag = "sign-up", operation_id = "show_configuration", params(ConfigurationQuery),
    responses((status = 200, description = "What this service offers", body = Configuration)),
    extensions(("x-problems" = json!(["invalid_fields"])), ("x-limit" = json!("public"))),
)]
#[get("/v1/configuration")]
pub(super) async fn show(app: Data<App>, query: Query<ConfigurationQuery>) -> Reply {
    read_client(&app, query.0.client_id.as_deref())
        .map_err(|code| Problem::new(ErrorCode::InvalidFields).parameter_fault("client_id", code))?;
    let phones = app.channels.serve_phones();
    let mut identifier_kinds = vec![IdentifierKind::Email];
    identifier_kinds.extend(phones.then_some(IdentifierKind::Phone));
    let mut phone_countries: Vec<String> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .filter(|country| phones && app.config.phone.serves(*country))
        .map(|country| country.as_region_str().to_string())
        .collect();
    phone_countries.sort_unstable();
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(Configuration {
        identifier_kinds,
        password: PasswordLengths { min_length: MIN_PASSWORD_CODE_POINTS, max_length: MAX_PASSWORD_CODE_POINTS },
        factor_kinds: enrollable(&app),
        channels: app.channels.open(),
        code_length: 6,
        locales: Language::all().map(Language::tag).collect(),
        phone_countries,
        passkey_rp_id: app.config.passkeys.as_ref().map(|passkeys| passkeys.rp_id.clone()),
        support_url: app.config.support_url.clone(),
    }))
}
