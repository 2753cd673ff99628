//! What validators fetch: the public keys, and where they are.
//!
//! Both metadata documents are the same one. It names what exists: there is no authorization endpoint, so no
//! response type and no grant is offered. Those two lists are written although they are empty, since leaving them
//! out would mean "authorization code and implicit" (RFC 8414 §2).

use actix_web::HttpResponse;
use actix_web::get;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::crypto::PublicJwk;
use crate::http::Reply;

/// Far shorter than the time that a key is published before it signs. When Sekisho cannot be reached, validators
/// go on for a day.
const CACHING: &str = "public, max-age=300, stale-if-error=86400";

/// A JWK Set (RFC 7517 §5): every key that a living token may be signed with, and the next one.
#[derive(Serialize, ToSchema)]
struct Jwks {
    keys: Vec<PublicJwk>,
}

/// Metadata of this issuer (`OpenID` Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Serialize, ToSchema)]
struct Metadata {
    /// The `iss` of every token.
    #[schema(example = "https://auth.example.com")]
    issuer: String,
    /// Where the keys are.
    #[schema(example = "https://auth.example.com/.well-known/jwks.json")]
    jwks_uri: String,
    /// None: there is no authorization endpoint.
    #[schema(example = json!([]))]
    response_types_supported: [&'static str; 0],
    /// None: there is no token endpoint; tokens come from the sign-in endpoints.
    #[schema(example = json!([]))]
    grant_types_supported: [&'static str; 0],
    /// `sub` is the same for every client.
    #[schema(example = json!(["public"]))]
    subject_types_supported: [&'static str; 1],
    /// How tokens are signed. Required of every issuer, and where validators learn the algorithm.
    #[schema(example = json!(["ES256"]))]
    id_token_signing_alg_values_supported: [&'static str; 1],
    /// What a token says.
    claims_supported: &'static [&'static str],
}

/// Adds the endpoints.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(jwks).service(openid_configuration).service(oauth_authorization_server);
}

/// The keys that access tokens are checked with.
#[utoipa::path(
    tag = "tokens", operation_id = "get_jwks",
    responses((status = 200, description = "The public keys", body = Jwks)),
    security(()),
    extensions(("x-limit" = json!("public"))),
)]
#[get("/.well-known/jwks.json")]
async fn jwks(app: Data<App>) -> Reply {
    let keys = app.key_ring.published(app.clock.now());
    Ok(document(&Jwks { keys: keys.iter().map(|key| key.jwk().clone()).collect() }))
}

/// Metadata for validators that know `OpenID` Connect.
#[utoipa::path(
    tag = "tokens", operation_id = "get_openid_configuration",
    responses((status = 200, description = "Metadata of this issuer", body = Metadata)),
    security(()),
    extensions(("x-limit" = json!("public"))),
)]
#[get("/.well-known/openid-configuration")]
async fn openid_configuration(app: Data<App>) -> Reply {
    Ok(document(&metadata(&app)))
}

/// Metadata for validators that know RFC 8414.
#[utoipa::path(
    tag = "tokens", operation_id = "get_authorization_server_metadata",
    responses((status = 200, description = "Metadata of this issuer", body = Metadata)),
    security(()),
    extensions(("x-limit" = json!("public"))),
)]
#[get("/.well-known/oauth-authorization-server")]
async fn oauth_authorization_server(app: Data<App>) -> Reply {
    Ok(document(&metadata(&app)))
}

fn metadata(app: &App) -> Metadata {
    let issuer = &app.config.issuer;
    Metadata {
        issuer: issuer.clone(),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        response_types_supported: [],
        grant_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
        claims_supported: super::model::CLAIM_NAMES,
    }
}

fn document(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, CACHING)).json(body)
}
