//! What a session is, and how it ends.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use strum::IntoStaticStr;

use crate::accounts::AccountStatus;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;

/// How long an `auth_time` allows sensitive acts.
const RECENT_SECS: i64 = 600;

/// A repeated refresh is answered silently for this long.
pub(super) const GRACE_SECS: i64 = 30;

/// Sessions of one account that live at a time: a household's devices many times over, and few enough to be ended at once.
pub(super) const MOST: i64 = 100;

/// What a completed flow opens a session with.
pub struct NewSession<'a> {
    /// The client that the flow was bound to.
    pub client_id: &'a str,
    /// The version of the password that the flow saw.
    pub password_version: i64,
    /// How the person proved who they are (RFC 8176).
    pub amr: &'a [String],
    /// A name for the session, given by the app.
    pub label: Option<&'a str>,
}

/// A session that was just opened or refreshed: what its tokens are made of.
pub struct OpenedSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Its client.
    pub client_id: String,
    /// When the person signed in.
    pub auth_time: DateTime<Utc>,
    /// How.
    pub amr: Vec<String>,
    /// The account's roles.
    pub roles: Vec<String>,
    /// The refresh token, for its holder alone.
    pub refresh_token: String,
    /// When it ends without a refresh.
    pub idle_expires_at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// How many recovery codes are left.
    pub recovery_codes_left: i64,
    /// What the account may do.
    pub account_status: AccountStatus,
    /// When it closes, if its owner has said so.
    pub closes_at: Option<DateTime<Utc>>,
}

/// The session of a request: its access token was good and meant for us, and the session is alive.
pub struct CurrentSession {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: SessionId,
    /// Its client.
    pub client_id: String,
    /// When the person last proved who they are, as this access token says.
    pub auth_time: DateTime<Utc>,
}

impl CurrentSession {
    /// Whether the person proved who they are within the last ten minutes.
    pub(super) fn is_recent(&self, now: DateTime<Utc>) -> bool {
        now - self.auth_time <= TimeDelta::seconds(RECENT_SECS)
    }
}

/// The same for what stays open while the account is closing: to keep it after all, to export it, to sign out.
pub struct EvenClosing(pub CurrentSession);

/// Why a flow did not open a session.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The password has changed, or the account is not active any more.
    #[error("the account has changed since the flow began")]
    Outdated,
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum EndReason {
    /// Its owner signed out.
    SignedOut,
    /// Its owner ended it from another one.
    EndedByOwner,
    /// An old refresh token came back.
    RefreshTokenReused,
    /// The password was changed.
    PasswordChanged,
    /// The password was reset.
    PasswordReset,
    /// The account was recovered.
    Recovered,
    /// Another one was opened beside as many as an account may have.
    TooMany,
}

impl EndReason {
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}

/// Which lifetime ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Idle,
    Absolute,
}

/// What a session's row says of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Alive,
    Revoked,
    Expired(Expiry),
}

impl Standing {
    pub(super) fn judge(
        now: DateTime<Utc>,
        revoked: bool,
        idle_expires_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Self {
        if revoked {
            Self::Revoked
        } else if now >= expires_at {
            Self::Expired(Expiry::Absolute)
        } else if now >= idle_expires_at {
            Self::Expired(Expiry::Idle)
        } else {
            Self::Alive
        }
    }
}

/// Why a refresh was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefreshError {
    /// Not a token of ours, or of a session that never was.
    #[error("not a refresh token of this service")]
    Invalid,
    /// It came back after its successor had been used; the session has ended.
    #[error("a refresh token came back")]
    Reused,
    /// The session was ended.
    #[error("the session has ended")]
    Revoked,
    /// The session has run out.
    #[error("the session has expired")]
    Expired(Expiry),
    /// The account is closing or closed.
    #[error("the account is closing")]
    AccountClosed,
    /// A failure of ours.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// All that is held of a session, alive or not.
pub struct HeldSession {
    /// Its id.
    pub id: SessionId,
    /// Its client.
    pub client_id: String,
    /// Its name.
    pub label: Option<String>,
    /// How its owner signed in (RFC 8176).
    pub amr: Vec<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// From where it began.
    pub ip: ipnet::IpNet,
    /// With what it began.
    pub user_agent: String,
}
