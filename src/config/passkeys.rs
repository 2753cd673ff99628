//! Who passkeys are made for (WebAuthn's relying party).

use webauthn_rs::WebauthnBuilder;
use webauthn_rs::prelude::Url;

use super::ClientConfig;
use super::PasskeyConfig;
use super::settings::Reader;

/// Passkeys belong to a domain: the named one, or the issuer's. A service that is reached by an address has none.
///
/// Pages on other domains than this one may use them too, because browsers ask the domain which ones it knows
/// (`/.well-known/webauthn`).
pub(super) fn passkeys(
    read: &mut Reader,
    service_name: &str,
    issuer: &str,
    client: &ClientConfig,
) -> Option<PasskeyConfig> {
    let named = read.text("passkey.rp_id");
    let issuer = Url::parse(issuer).ok()?;
    let rp_id = named.or_else(|| issuer.domain().map(str::to_owned))?;
    let pages: Vec<Url> = client.origins.iter().filter_map(|origin| Url::parse(origin).ok()).collect();
    // `com` is above everybody.
    let below = |domain: &str| rp_id.contains('.') && domain.ends_with(&format!(".{rp_id}"));
    let at_home = |url: &&Url| url.domain().is_some_and(|domain| domain == rp_id || below(domain));
    let home = pages.iter().chain([&issuer]).find(at_home);
    let relying_party = home.and_then(|home| {
        let builder = WebauthnBuilder::new(&rp_id, home).ok()?;
        let builder = pages.iter().fold(builder, WebauthnBuilder::append_allowed_origin);
        builder.rp_name(service_name).build().ok()
    });
    if relying_party.is_none() {
        read.fault(
            "`passkey.rp_id` must be the domain of the issuer or of one of `client.origins`, or one above it"
                .to_owned(),
        );
    }
    relying_party.map(|relying_party| PasskeyConfig { rp_id, relying_party })
}
