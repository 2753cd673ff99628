//! One line: its members.
//!
//! | member | |
//! |---|---|
//! | `external_id` | what the other system calls the account: 1 to 200 characters |
//! | `identifiers` | 1 to 10 of `{kind, value, country?, verified_at?, primary?}`; the first one is primary unless another says so |
//! | `password_hash?` | as the other system wrote it (`crypto::ImportedHash`); without one a reset sets the password |
//! | `must_change_password?` | true: the first sign-in asks for another one |
//! | `legacy_login?` | an old user name, good for the first sign-in |
//! | `display_name? locale? time_zone? roles? created_at?` | none, `en`, `Asia/Tokyo`, none and now when absent |
//! | `totp?` | up to 10 of `{secret, algorithm?, digits?, period?, label?}`; base32; SHA1, 6 and 30 alone |
//! | `phones?` | up to 10 of `{number, country?, verified_at, label?}`: phones that codes were sent to |
//!
//! Times are RFC 3339. Any other member is refused, so that a typing error loses nothing.

use chrono::DateTime;
use chrono::Utc;
use data_encoding::BASE32_NOPAD;
use serde::Deserialize;
use serde::Serialize;
use zeroize::ZeroizeOnDrop;

use crate::accounts::IdentifierKind;
use crate::accounts::ImportedAccount;
use crate::accounts::ImportedIdentifier;
use crate::factors::ImportedFactor;
use crate::factors::ImportedProof;

/// A text that is wiped.
#[derive(Deserialize, Serialize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(super) external_id: String,
    pub(super) identifiers: Vec<RecordIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<Secret>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) must_change_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legacy_login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) totp: Vec<RecordApp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) phones: Vec<RecordPhone>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordIdentifier {
    pub(super) kind: IdentifierKind,
    pub(super) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verified_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) primary: Option<bool>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordApp {
    pub(super) secret: Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digits: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordPhone {
    pub(super) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
    pub(super) verified_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
}

impl Record {
    /// What is written of an account.
    pub(crate) fn of(account: ImportedAccount, factors: &[ImportedFactor]) -> Self {
        let mut record = Self {
            external_id: account.external_id,
            identifiers: account.identifiers.iter().map(RecordIdentifier::of).collect(),
            password_hash: account.hash.map(|hash| Secret(hash.to_string())),
            must_change_password: account.must_change_password,
            legacy_login: account.legacy_login.map(|login| login.written().to_owned()),
            display_name: account.display_name,
            locale: Some(account.locale.to_owned()),
            time_zone: Some(account.time_zone),
            roles: account.roles,
            created_at: Some(account.created_at),
            totp: Vec::new(),
            phones: Vec::new(),
        };
        for factor in factors {
            let label = Some(factor.label.clone());
            match &factor.proof {
                ImportedProof::Totp(secret) => {
                    let secret = Secret(BASE32_NOPAD.encode(secret));
                    record.totp.push(RecordApp { secret, algorithm: None, digits: None, period: None, label });
                }
                ImportedProof::Phone(number) => {
                    let (number, verified_at) = (number.clone(), factor.confirmed_at);
                    record.phones.push(RecordPhone { number, country: None, verified_at, label });
                }
            }
        }
        record
    }
}

impl RecordIdentifier {
    fn of(own: &ImportedIdentifier) -> Self {
        Self {
            kind: own.identifier.kind(),
            value: own.identifier.value().to_owned(),
            country: None,
            verified_at: own.verified_at,
            primary: own.primary.then_some(true),
        }
    }
}
