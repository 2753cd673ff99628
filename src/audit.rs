//! The audit log: one row per act, written in the transaction of the act itself.
//!
//! A row names what happened, to whom, from where and in which request; ids and kinds only, never an address,
//! a code or a token.

use std::net::IpAddr;
use std::net::Ipv4Addr;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::clock::Clock;
use crate::crypto;
use crate::ids::AccountId;
use crate::ids::RequestId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::text::Language;

/// Who is calling: what sessions, messages and audit rows need to know of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's address; see `http::client` for which proxies are believed.
    pub ip: IpAddr,
    /// The `User-Agent`, printable and at most 512 characters.
    pub user_agent: String,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: RequestId,
    /// The language of the answer.
    pub language: Language,
}

impl Caller {
    /// The service itself, or somebody at the command line of its machine.
    #[must_use]
    pub fn on_this_machine(clock: &Clock, what: &str) -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: what.to_owned(),
            request_id: crypto::new_id(clock.now()),
            language: Language::DEFAULT,
        }
    }
}

/// What happened. New kinds may be added; a kind is never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A sign-up was started; the account does not exist yet.
    SignUpStarted,
    /// The code was right: the account exists.
    AccountCreated,
    /// A wrong password, or an unknown identifier.
    SignInFailed,
    /// The password was right; the second factor is still to come.
    PasswordVerified,
    /// An identifier was proved inside a sign-in.
    IdentifierVerified,
    /// A wrong code for an identifier.
    IdentifierCodeFailed,
    /// A wrong second factor.
    SecondFactorFailed,
    /// A session was opened.
    SignedIn,
    /// A factor was enrolled and confirmed.
    FactorEnrolled,
    /// A factor was given another name.
    FactorRenamed,
    /// A factor was removed.
    FactorRemoved,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The recovery codes were made anew.
    RecoveryCodesReplaced,
    /// A refresh answer was repeated after the silent grace.
    RefreshRepeated,
    /// A refresh token came back after its successor had been used: the session was ended.
    RefreshTokenReused,
    /// A session was ended by its owner.
    SessionEnded,
    /// A password and a second factor were given again for a sensitive act.
    Reauthenticated,
    /// A re-authentication failed.
    ReauthenticationFailed,
    /// The profile was changed.
    ProfileChanged,
    /// A device was made known by message.
    DeviceConfirmed,
    /// An identifier was proved and belongs to the account from now on.
    IdentifierAdded,
    /// Another identifier is the primary one.
    PrimaryIdentifierChanged,
    /// An identifier is to leave, after a wait.
    IdentifierRemovalBegun,
    /// An identifier has left.
    IdentifierRemoved,
    /// A change that waited was cancelled.
    ChangeCancelled,
    /// A recovery was begun; whose account it is about is not known yet.
    RecoveryStarted,
    /// The contact of a recovery was proved: the wait begins.
    RecoveryContactProved,
    /// Something was proved in a recovery.
    RecoveryProofGiven,
    /// A proof in a recovery was wrong.
    RecoveryProofFailed,
    /// A recovery was ended without effect.
    RecoveryCancelled,
    /// A recovery had its effect.
    RecoveryCompleted,
    /// An operator stood in for the proofs of a recovery.
    RecoveryApproved,
    /// An operator refused a recovery.
    RecoveryDenied,
    /// An operator opened what limits had closed.
    LimitsReset,
    /// The right password of an account that may do nothing.
    SignInRefused,
    /// An operator brought the account over from another system.
    AccountImported,
    /// An operator wrote all accounts into a file.
    AccountsExported,
    /// A reset of a password was asked for, whoever's it may be.
    PasswordResetRequested,
    /// A wrong code of a reset.
    PasswordResetFailed,
    /// The password was reset.
    PasswordReset,
    /// The password was changed.
    PasswordChanged,
    /// A wrong current password at a change of the password.
    PasswordChangeFailed,
    /// An operator had a signing key made.
    SigningKeyMade,
    /// An operator dropped a signing key.
    SigningKeyDropped,
}

impl EventKind {
    /// The kind's name in the log and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUpStarted => "sign_up_started",
            Self::AccountCreated => "account_created",
            Self::SignInFailed => "sign_in_failed",
            Self::PasswordVerified => "password_verified",
            Self::IdentifierVerified => "identifier_verified",
            Self::IdentifierCodeFailed => "identifier_code_failed",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::SignedIn => "signed_in",
            Self::FactorEnrolled => "factor_enrolled",
            Self::FactorRenamed => "factor_renamed",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::RefreshRepeated => "refresh_repeated",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::SessionEnded => "session_ended",
            Self::Reauthenticated => "reauthenticated",
            Self::ReauthenticationFailed => "reauthentication_failed",
            Self::ProfileChanged => "profile_changed",
            Self::DeviceConfirmed => "device_confirmed",
            Self::IdentifierAdded => "identifier_added",
            Self::PrimaryIdentifierChanged => "primary_identifier_changed",
            Self::IdentifierRemovalBegun => "identifier_removal_begun",
            Self::IdentifierRemoved => "identifier_removed",
            Self::ChangeCancelled => "change_cancelled",
            Self::RecoveryStarted => "recovery_started",
            Self::RecoveryContactProved => "recovery_contact_proved",
            Self::RecoveryProofGiven => "recovery_proof_given",
            Self::RecoveryProofFailed => "recovery_proof_failed",
            Self::RecoveryCancelled => "recovery_cancelled",
            Self::RecoveryCompleted => "recovery_completed",
            Self::RecoveryApproved => "recovery_approved",
            Self::RecoveryDenied => "recovery_denied",
            Self::LimitsReset => "limits_reset",
            Self::SignInRefused => "sign_in_refused",
            Self::AccountImported => "account_imported",
            Self::AccountsExported => "accounts_exported",
            Self::PasswordResetRequested => "password_reset_requested",
            Self::PasswordResetFailed => "password_reset_failed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::SigningKeyMade => "signing_key_made",
            Self::SigningKeyDropped => "signing_key_dropped",
        }
    }
}

/// One act, ready to be recorded.
pub struct Event<'a> {
    kind: EventKind,
    caller: &'a Caller,
    account: Option<AccountId>,
    session: Option<SessionId>,
    client_id: Option<&'a str>,
    detail: serde_json::Value,
}

impl<'a> Event<'a> {
    /// An act of `caller`.
    #[must_use]
    pub fn new(kind: EventKind, caller: &'a Caller) -> Self {
        Self { kind, caller, account: None, session: None, client_id: None, detail: serde_json::json!({}) }
    }

    /// The account that it happened to.
    #[must_use]
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// The session that it happened in.
    #[must_use]
    pub fn session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// The client that the flow belongs to.
    #[must_use]
    pub fn client(mut self, client_id: &'a str) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// Ids and kinds that explain it.
    #[must_use]
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Records an act in the transaction that performs it, and logs a line without personal data.
///
/// # Errors
/// The database did not take the row.
pub async fn record(conn: &mut PgConnection, clock: &Clock, event: Event<'_>) -> Result<(), Internal> {
    let now = clock.now();
    let id: Uuid = crypto::new_id(now);
    sqlx::query!(
        "INSERT INTO audit_events (id, at, kind, account_id, session_id, client_id, request_id, ip, user_agent, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        now,
        event.kind.name(),
        event.account.map(AccountId::uuid),
        event.session.map(SessionId::uuid),
        event.client_id,
        event.caller.request_id.uuid(),
        ipnet::IpNet::from(event.caller.ip),
        event.caller.user_agent,
        event.detail,
    )
    .execute(conn)
    .await?;
    tracing::info!(
        event = event.kind.name(),
        account_id = event.account.map(tracing::field::display),
        session_id = event.session.map(tracing::field::display),
        "audit"
    );
    Ok(())
}

/// Records one act that happened to many accounts, for each of them, in the transaction that performs it.
///
/// # Errors
/// The database did not take the rows.
pub async fn record_each(
    conn: &mut PgConnection,
    clock: &Clock,
    (kind, caller): (EventKind, &Caller),
    accounts: &[AccountId],
) -> Result<(), Internal> {
    let now = clock.now();
    let ids: Vec<Uuid> = accounts.iter().map(|_| crypto::new_id(now)).collect();
    let accounts: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    sqlx::query!(
        "INSERT INTO audit_events (id, at, kind, account_id, request_id, ip, user_agent, detail)
         SELECT id, $3, $4, account, $5, $6, $7, '{}' FROM unnest($1::uuid[], $2::uuid[]) AS new (id, account)",
        &ids,
        &accounts,
        now,
        kind.name(),
        caller.request_id.uuid(),
        ipnet::IpNet::from(caller.ip),
        caller.user_agent,
    )
    .execute(conn)
    .await?;
    tracing::info!(event = kind.name(), accounts = accounts.len(), "audit");
    Ok(())
}
