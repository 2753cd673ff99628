//! The two tokens of this feature, and what they name.

use chrono::DateTime;
use chrono::Utc;

use crate::crypto::TokenKind;
use crate::ids::AccountId;
use crate::ids::DeviceId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::MessageRefused;

/// How many devices of an account are known at a time.
pub(super) const DEVICES: i64 = 20;
/// How long the token of a message is good for.
pub(super) const REQUEST_SECS: i64 = 600;

/// `sdt_…`: kept by a device.
pub struct DeviceToken;

impl TokenKind for DeviceToken {
    const PREFIX: &'static str = "sdt_";
}

/// `sdr_…`: sent by message, traded for a [`DeviceToken`].
pub(super) struct RequestToken;

impl TokenKind for RequestToken {
    const PREFIX: &'static str = "sdr_";
}

/// A device, as it is held.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = ExportedDevice)]
pub struct KnownDevice {
    /// Its id.
    pub id: DeviceId,
    /// When it became known.
    pub created_at: DateTime<Utc>,
    /// When its owner last signed in on it.
    pub last_used_at: DateTime<Utc>,
}

/// A device that showed its token.
pub struct Recognised {
    /// Its id.
    pub id: DeviceId,
    pub(super) account: AccountId,
    pub(super) by_message: bool,
}

impl Recognised {
    /// Whose failures a wrong password from it is: its own, or those of all devices that messages make known to the account.
    pub fn failing(&self) -> Failing<'static> {
        if self.by_message { Failing::Account(self.account) } else { Failing::Device(self.id) }
    }
}

/// Why no device token was sent or given.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeviceError {
    /// The token of the message is unknown, used or too old.
    #[error("the token is void")]
    TokenInvalid,
    /// Too many messages to one destination, or too much is spent.
    #[error(transparent)]
    Refused(#[from] MessageRefused),
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}
