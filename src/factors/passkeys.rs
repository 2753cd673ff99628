//! Passkeys (WebAuthn Level 3), made and judged by webauthn-rs: type, challenge, origin, rp id, presence and verification
//! of the person, backup flags, signature, signature count.
//!
//! Whatever it is for, the person is verified (PIN, finger, face), so that a passkey alone is two factors. The challenge
//! is the library's: 32 bytes of a generator that the operating system seeds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::CredentialID;
use webauthn_rs::prelude::DiscoverableAuthentication;
use webauthn_rs::prelude::DiscoverableKey;
use webauthn_rs::prelude::Passkey;
use webauthn_rs::prelude::PasskeyRegistration;
use webauthn_rs::prelude::PublicKeyCredential;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use crate::internal::Internal;

/// Whom a passkey is made for, as the authenticator shows it.
pub(super) struct Owner<'a> {
    pub handle: Uuid,
    /// What they sign in with.
    pub name: &'a str,
    pub display_name: &'a str,
}

/// Creation options of a passkey that the authenticator keeps and can find by itself. Those that exist are excluded.
pub(super) fn creation(
    relying_party: &Webauthn,
    owner: &Owner<'_>,
    existing: Vec<CredentialID>,
) -> Result<(Value, PasskeyRegistration), Internal> {
    let (challenge, state) = relying_party
        .start_passkey_registration(owner.handle, owner.name, owner.display_name, Some(existing))
        .map_err(Internal::bug)?;
    let mut options = serde_json::to_value(challenge.public_key)?;
    // Without a key that can be found, nobody could sign in by passkey alone. The library leaves that to chance.
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    without_uvm(&mut options);
    Ok((options, state))
}

/// Request options for one passkey, or for whichever the authenticator finds. All are alike but for the challenge.
pub(super) fn request(
    relying_party: &Webauthn,
    only: Option<&Passkey>,
) -> Result<(Value, DiscoverableAuthentication), Internal> {
    let (mut challenge, state) = relying_party.start_discoverable_authentication().map_err(Internal::bug)?;
    if let Some(passkey) = only {
        // The state of this one is not used: it would keep the signature count of today for ten minutes.
        let (named, _) =
            relying_party.start_passkey_authentication(std::slice::from_ref(passkey)).map_err(Internal::bug)?;
        challenge.public_key.allow_credentials = named.public_key.allow_credentials;
    }
    let mut options = serde_json::to_value(challenge.public_key)?;
    without_uvm(&mut options);
    Ok((options, state))
}

/// An extension that Level 3 has dropped.
fn without_uvm(options: &mut Value) {
    let extensions = options.get_mut("extensions").and_then(Value::as_object_mut);
    if extensions.is_some_and(|extensions| extensions.remove("uvm").is_some() && extensions.is_empty()) {
        options.as_object_mut().map(|options| options.remove("extensions"));
    }
}

/// The passkey that was made, if it answers the challenge.
pub(super) fn judge_new(
    relying_party: &Webauthn,
    given: &RegisterPublicKeyCredential,
    state: &PasskeyRegistration,
) -> Option<Passkey> {
    if !is_well_named(&given.type_, &given.id, &given.raw_id) || is_framed(&given.response.client_data_json) {
        return None;
    }
    let passkey = relying_party.finish_passkey_registration(given, state).ok()?;
    // The id stands twice, and the library believes the one that the authenticator gave.
    (passkey.cred_id().as_slice() == given.raw_id.as_slice()).then_some(passkey)
}

/// The passkey's new state and signature count, if its answer is right.
pub(super) fn judge(
    relying_party: &Webauthn,
    given: &PublicKeyCredential,
    state: DiscoverableAuthentication,
    mut passkey: Passkey,
) -> Option<(Passkey, i64)> {
    if !is_well_named(&given.type_, &given.id, &given.raw_id) || is_framed(&given.response.client_data_json) {
        return None;
    }
    let found =
        relying_party.finish_discoverable_authentication_v2(given, state, DiscoverableKey::from(&passkey)).ok()?;
    passkey.update_credential(&found)?;
    Some((passkey, i64::from(found.counter())))
}

/// Whether a page of another site holds ours in a frame: it would show what it likes around it. The library looks at that
/// when a passkey is made, not when it is used (WebAuthn Level 3 §7.2 step 13).
fn is_framed(client_data: &[u8]) -> bool {
    let members = serde_json::from_slice::<Value>(client_data).unwrap_or_default();
    members["crossOrigin"] == true || members.get("topOrigin").is_some()
}

/// What the library does not look at.
fn is_well_named(kind: &str, id: &str, raw_id: &[u8]) -> bool {
    kind == "public-key" && URL_SAFE_NO_PAD.encode(raw_id) == id
}

/// Who the authenticator says that its owner is.
pub(super) fn handle_of(given: &PublicKeyCredential) -> Option<Uuid> {
    Uuid::from_slice(given.get_user_unique_id()?).ok()
}

/// Whatever a stranger sends as a new passkey is refused, and breaks nothing: `text` stands for an attestation object in
/// hexadecimal digits.
#[cfg(any(test, fuzzing))]
pub fn credential_property(text: &str) {
    let home = webauthn_rs::prelude::Url::parse("http://localhost").ok();
    let relying_party = home.and_then(|home| webauthn_rs::WebauthnBuilder::new("localhost", &home).ok()?.build().ok());
    let owner = Owner { handle: Uuid::nil(), name: "taro@example.jp", display_name: "Taro" };
    let made = relying_party.and_then(|one| creation(&one, &owner, Vec::new()).ok().map(|made| (one, made)));
    assert!(made.is_some(), "there are creation options");
    let Some((relying_party, (options, state))) = made else { return };
    let object =
        data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap_or_else(|_| text.as_bytes().to_vec());
    let client = json!({ "type": "webauthn.create", "challenge": options["challenge"], "origin": "http://localhost" });
    let credential = json!({
        "id": "AA", "rawId": "AA", "type": "public-key",
        "response": {
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client.to_string()),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
        },
    });
    let given = serde_json::from_value::<RegisterPublicKeyCredential>(credential);
    assert!(given.is_ok_and(|given| judge_new(&relying_party, &given, &state).is_none()), "{text}");
}
