//! What a token says, when it is refused, and when a key is due.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;

use crate::crypto;
use crate::crypto::KeyRing;
use crate::crypto::SigningKey;
use crate::ids::AccessTokenId;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// How far the clock of another replica may be off (RFC 7519 §4.1.4 allows "some small leeway").
pub(super) const LEEWAY_SECS: i64 = 5;

/// Longer tokens are refused unread; ours stay far below.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The members of every payload.
pub(super) const CLAIM_NAMES: &[&str] =
    &["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "roles", "scope", "sid", "sub"];

/// What all tokens of this service have in common.
pub(super) struct Terms<'a> {
    pub(super) issuer: &'a str,
    pub(super) typ: &'a str,
    pub(super) audiences: &'a [String],
    pub(super) lifetime_secs: i64,
}

/// What the caller of [`super::issue`] knows of the session.
pub struct AccessGrant<'a> {
    /// `sub`.
    pub account: AccountId,
    /// `sid`.
    pub session: SessionId,
    /// `client_id`.
    pub client_id: &'a str,
    /// When the factors were last given.
    pub auth_time: DateTime<Utc>,
    /// How, by the names of RFC 8176.
    pub amr: &'a [String],
    /// The account's roles.
    pub roles: &'a [String],
    /// The one service that the token is for; without it, Sekisho and the client's audiences. Whether the client
    /// may ask for it is judged by the caller.
    pub audience: Option<&'a str>,
}

/// A new access token.
pub struct IssuedAccess {
    /// The token, for its holder alone.
    pub token: String,
    /// How many seconds it lives.
    pub expires_in: u64,
}

/// What a good access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAccess {
    /// `jti`.
    pub id: AccessTokenId,
    /// `sub`.
    pub account: AccountId,
    /// `sid`; whether the session still lives is for [`crate::sessions`] to say.
    pub session: SessionId,
    /// `client_id`.
    pub client_id: String,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
    /// `auth_time`.
    pub auth_time: DateTime<Utc>,
    /// `amr`.
    pub amr: Vec<String>,
    /// `roles`.
    pub roles: Vec<String>,
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// Not a token of ours, or not for us.
    #[error("the access token is not valid")]
    Invalid,
    /// A token of ours, past its time.
    #[error("the access token has expired")]
    Expired,
}

/// The three members that our headers have. Anything else is refused: `crit` and `b64` (RFC 7515 §4.1.11), and
/// the members that would bring or fetch a key (`jwk`, `jku`, `x5u`, `x5c`; RFC 8725 §3.10).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// The payload. Read strictly: times are whole numbers, lists are lists, a repeated member is an error.
/// Unknown members are let pass, since a younger version may write them.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Vec<String>,
    sub: AccountId,
    client_id: String,
    scope: String,
    iat: i64,
    exp: i64,
    /// Not written; obeyed when it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: AccessTokenId,
    sid: SessionId,
    auth_time: i64,
    acr: String,
    amr: Vec<String>,
    roles: Vec<String>,
}

/// Signs an access token.
pub(super) fn sign(
    terms: &Terms<'_>,
    key: &SigningKey,
    grant: &AccessGrant<'_>,
    now: DateTime<Utc>,
) -> Result<String, Internal> {
    let iat = now.timestamp();
    let aud = match grant.audience {
        Some(audience) => vec![audience.to_owned()],
        None => {
            std::iter::once(terms.issuer).chain(terms.audiences.iter().map(String::as_str)).map(str::to_owned).collect()
        }
    };
    let claims = Claims {
        iss: terms.issuer.to_owned(),
        aud,
        sub: grant.account,
        client_id: grant.client_id.to_owned(),
        scope: "account".to_owned(),
        iat,
        exp: iat + terms.lifetime_secs,
        nbf: None,
        jti: crypto::new_id(now),
        sid: grant.session,
        auth_time: grant.auth_time.timestamp(),
        acr: "aal2".to_owned(),
        amr: grant.amr.to_vec(),
        roles: grant.roles.to_vec(),
    };
    key.sign(terms.typ, &claims)
}

/// Judges form, header, signature, issuer, audience and time, in this order.
///
/// Every check before the signature is cheap. `typ` must be exactly what we write: RFC 7515 §4.1.9 would allow
/// other spellings, but nobody else signs with our keys.
pub(super) fn check(
    terms: &Terms<'_>,
    ring: &KeyRing,
    token: &str,
    now: DateTime<Utc>,
) -> Result<VerifiedAccess, AccessTokenError> {
    let header = read_header(token).ok_or(AccessTokenError::Invalid)?;
    if header.alg != "ES256" || header.typ != terms.typ {
        return Err(AccessTokenError::Invalid);
    }
    let key = ring.find(&header.kid, now).ok_or(AccessTokenError::Invalid)?;
    let claims: Claims = key.open(token).ok_or(AccessTokenError::Invalid)?;
    claims.judge(terms.issuer, now.timestamp())
}

/// Three parts in canonical base64url without padding (RFC 7515 §2), of which the first is a strict header.
fn read_header(token: &str) -> Option<StrictHeader> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let [header, payload, signature] = [parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() || URL_SAFE_NO_PAD.decode(payload).is_err() || URL_SAFE_NO_PAD.decode(signature).is_err()
    {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()
}

impl Claims {
    fn judge(self, issuer: &str, now: i64) -> Result<VerifiedAccess, AccessTokenError> {
        let ours = self.iss == issuer && self.aud.iter().any(|audience| audience == issuer);
        let begun = self.iat.max(self.nbf.unwrap_or(i64::MIN)) <= now + LEEWAY_SECS;
        if !ours || !begun {
            return Err(AccessTokenError::Invalid);
        }
        let time = |secs| DateTime::from_timestamp(secs, 0).ok_or(AccessTokenError::Invalid);
        let verified = VerifiedAccess {
            id: self.jti,
            account: self.sub,
            session: self.sid,
            client_id: self.client_id,
            issued_at: time(self.iat)?,
            expires_at: time(self.exp)?,
            auth_time: time(self.auth_time)?,
            amr: self.amr,
            roles: self.roles,
        };
        // RFC 7519 §4.1.4: "on or after" the time a token is expired.
        if self.exp.saturating_add(LEEWAY_SECS) <= now { Err(AccessTokenError::Expired) } else { Ok(verified) }
    }
}

/// When the next key must begin to sign, if it is time to publish it; `newest` is the youngest key's beginning.
pub(super) fn next_activation(
    newest: Option<DateTime<Utc>>,
    rotation: TimeDelta,
    publish_ahead: TimeDelta,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let Some(newest) = newest else {
        // Nobody holds an older JWKS, so the first key signs at once; a minute ago, so that a replica whose
        // clock is a little behind can sign with it too.
        return Some(now - TimeDelta::minutes(1));
    };
    // However late the rotation is, a key is published long enough before it signs.
    let due = (newest + rotation).max(now + publish_ahead);
    (newest + rotation <= now + publish_ahead).then_some(due)
}

/// A token in which anything was changed is none, and neither is any other text.
#[cfg(any(test, fuzzing))]
pub fn access_token_property(text: &str) {
    let now = DateTime::UNIX_EPOCH;
    let ring = KeyRing::default();
    let terms = Terms { issuer: "https://auth.example.com", typ: "at+jwt", audiences: &[], lifetime_secs: 300 };
    let (account, session) = (crypto::new_id(now), crypto::new_id(now));
    let grant = AccessGrant { account, session, client_id: "c", auth_time: now, amr: &[], roles: &[], audience: None };
    let good = SigningKey::generate_pkcs8().and_then(|pkcs8| {
        let key = SigningKey::from_pkcs8(crypto::new_id(now), now, &pkcs8)?;
        let good = sign(&terms, &key, &grant, now);
        ring.replace(vec![key], TimeDelta::hours(1));
        good
    });
    let good = good.unwrap_or_default();
    assert!(check(&terms, &ring, &good, now).is_ok());
    for read in crypto::damaged(&good, text) {
        assert!(check(&terms, &ring, &read, now).is_err(), "{read}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_published_ahead_and_however_late() {
        let day = TimeDelta::days;
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let next = |newest, now| next_activation(newest, day(30), day(2), now);
        assert_eq!(next(None, start), Some(start - TimeDelta::minutes(1)));
        assert_eq!(next(Some(start), start + day(27)), None);
        assert_eq!(next(Some(start), start + day(28)), Some(start + day(30)));
        assert_eq!(next(Some(start + day(30)), start + day(28)), None, "one is enough");
        assert_eq!(next(Some(start), start + day(90)), Some(start + day(92)));
    }
}
