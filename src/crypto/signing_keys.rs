//! The keys that sign access tokens, and the ring that holds them.
//!
//! A key is ES256 and nothing else, so the algorithm of a token follows from its `kid` and is never taken from
//! the token. Private keys leave this module only as PKCS#8, to be sealed.
//!
//! Which key signs, which are published and which are forgotten follows from the activation times alone, so
//! replicas that hold the same keys agree without talking to each other.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use jsonwebtoken::Algorithm;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::Header;
use jsonwebtoken::Validation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::sync::MutexGuard;
use zeroize::Zeroizing;

use crate::ids::KeyId;
use crate::internal::Internal;

/// The public half of a key, as RFC 7517 and RFC 7518 §6.2 write it.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct PublicJwk {
    /// Always `EC`.
    pub kty: &'static str,
    /// Always `P-256`.
    pub crv: &'static str,
    /// The point's x coordinate: 32 bytes in base64url.
    pub x: String,
    /// The point's y coordinate: 32 bytes in base64url.
    pub y: String,
    /// Always `ES256`.
    pub alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The name by which a token tells its key.
    pub kid: String,
}

/// One key pair.
pub struct SigningKey {
    id: KeyId,
    active_from: DateTime<Utc>,
    private: EncodingKey,
    public: DecodingKey,
    jwk: PublicJwk,
}

impl SigningKey {
    /// Draws a new private key, as PKCS#8.
    ///
    /// # Errors
    /// The library could not make one.
    pub fn generate_pkcs8() -> Result<Zeroizing<Vec<u8>>, Internal> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Internal::bug("a signing key could not be made"))?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a private key; it signs from `active_from` on.
    ///
    /// # Errors
    /// It is not a P-256 key in PKCS#8.
    pub fn from_pkcs8(id: KeyId, active_from: DateTime<Utc>, pkcs8: &[u8]) -> Result<Self, Internal> {
        let refused = || Internal::bug(format!("signing key {id} is not a P-256 key in PKCS#8"));
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| refused())?;
        // SEC 1 §2.3.3: an uncompressed point is 04 ‖ x ‖ y.
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..65).ok_or_else(refused)?.split_at(32);
        let jwk = PublicJwk {
            kty: "EC",
            crv: "P-256",
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
            alg: "ES256",
            usage: "sig",
            kid: id.to_string(),
        };
        Ok(Self {
            id,
            active_from,
            private: EncodingKey::from_ec_der(pkcs8),
            public: DecodingKey::from_ec_der(point),
            jwk,
        })
    }

    /// The key's id: the row's, and the `kid` of its tokens.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// When it begins to sign.
    pub fn active_from(&self) -> DateTime<Utc> {
        self.active_from
    }

    /// What everyone may know of it.
    pub fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// Signs `claims` as a JWT in the JWS compact form. The header holds `typ`, `alg` and `kid`, nothing more.
    ///
    /// # Errors
    /// The claims are not an object of plain values, or the library could not sign.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Internal> {
        let header =
            Header { typ: Some(typ.to_owned()), kid: Some(self.jwk.kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.private).map_err(|_| Internal::bug("a token could not be signed"))
    }

    /// The claims of a token that this key has signed; `None` when it has not, or when the claims are not of the
    /// wanted form. Judges the signature alone: header, time, issuer and audience are the caller's to judge.
    pub fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::ES256);
        // The library judges time by the system's clock with a minute of leeway, and skips what is absent.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<T>(token, &self.public, &validation).ok().map(|data| data.claims)
    }
}

struct Held {
    key: Arc<SigningKey>,
    /// When its last token has died; `None` while it has no successor.
    forgotten_from: Option<DateTime<Utc>>,
}

/// The keys of one server, for everything that signs, verifies and publishes; the oldest first.
#[derive(Default)]
pub struct KeyRing {
    held: RwLock<Vec<Held>>,
    turn: Mutex<()>,
}

impl KeyRing {
    /// Whoever looks for new keys takes turns, or one who looked earlier could put back what another has replaced.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Puts these keys in the place of all others. A key is kept for `retention` after its successor has begun
    /// to sign, which must be at least as long as its last token lives.
    pub fn replace(&self, mut keys: Vec<SigningKey>, retention: TimeDelta) {
        keys.sort_by_key(|key| key.active_from);
        let successors: Vec<_> = keys.iter().skip(1).map(|key| key.active_from + retention).collect();
        let ends = successors.into_iter().map(Some).chain(std::iter::once(None));
        let held = keys.into_iter().zip(ends);
        let held = held.map(|(key, forgotten_from)| Held { key: Arc::new(key), forgotten_from }).collect();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// The key that signs now: the youngest of those that are active.
    pub fn signing(&self, now: DateTime<Utc>) -> Option<Arc<SigningKey>> {
        self.published(now).into_iter().rfind(|key| key.active_from <= now)
    }

    /// The keys that will sign, sign, or have signed tokens that may still live; the oldest first.
    pub fn published(&self, now: DateTime<Utc>) -> Vec<Arc<SigningKey>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let living = held.iter().filter(|held| held.forgotten_from.is_none_or(|end| now <= end));
        living.map(|held| Arc::clone(&held.key)).collect()
    }

    /// The published key of this `kid`.
    pub fn find(&self, kid: &str, now: DateTime<Utc>) -> Option<Arc<SigningKey>> {
        self.published(now).into_iter().find(|key| key.jwk.kid == kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::new_id;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }

    fn key(active_from: DateTime<Utc>) -> SigningKey {
        SigningKey::from_pkcs8(new_id(active_from), active_from, &SigningKey::generate_pkcs8().unwrap()).unwrap()
    }

    #[test]
    fn a_key_opens_what_it_signed_and_nothing_else() {
        let (ours, other) = (key(at(0)), key(at(0)));
        let token = ours.sign("at+jwt", &serde_json::json!({"sub": "x"})).unwrap();
        assert_eq!(ours.open::<serde_json::Value>(&token).unwrap()["sub"], "x");
        assert!(other.open::<serde_json::Value>(&token).is_none());
        assert!(SigningKey::from_pkcs8(new_id(at(0)), at(0), b"no key").is_err());
    }

    #[test]
    fn the_jwk_has_public_members_alone() {
        // security.md 54
        let jwk = serde_json::to_value(key(at(0)).jwk()).unwrap();
        let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!(jwk["x"].as_str().unwrap().len(), 43);
    }

    #[test]
    fn the_ring_follows_the_activation_times() {
        // security.md 54: two keys during a rotation; a key stays while its tokens live.
        let ring = KeyRing::default();
        assert!(ring.signing(at(0)).is_none() && ring.published(at(0)).is_empty());
        let (first, second) = (key(at(0)), key(at(100)));
        let (first_kid, second_kid) = (first.jwk.kid.clone(), second.jwk.kid.clone());
        ring.replace(vec![second, first], TimeDelta::minutes(7));
        for (minute, signing, published) in
            [(0, &first_kid, 2), (99, &first_kid, 2), (100, &second_kid, 2), (107, &second_kid, 2)]
        {
            assert_eq!(&ring.signing(at(minute)).unwrap().jwk.kid, signing, "minute {minute}");
            assert_eq!(ring.published(at(minute)).len(), published, "minute {minute}");
            assert!(ring.find(&first_kid, at(minute)).is_some());
        }
        assert!(ring.find(&first_kid, at(108)).is_none());
        assert!(ring.find(&second_kid, at(100_000)).is_some(), "a key without a successor stays");
    }
}
