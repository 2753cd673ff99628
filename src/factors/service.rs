//! Enrolling factors, checking codes, using them up.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::model::CheckError;
use super::model::ConfirmedFactor;
use super::model::EnrolmentCode;
use super::model::FactorKind;
use super::model::Match;
use super::model::PresentedCode;
use super::model::TotpEnrolment;
use super::recovery_codes::CODES;
use super::recovery_codes::RecoveryCode;
use super::recovery_codes::RecoveryCodes;
use super::store;
use super::store::TotpSecret;
use super::totp;
use super::totp::TotpCode;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::crypto;
use crate::crypto::HashingError;
use crate::crypto::SealPurpose;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// How long an enrolment waits for its first code.
pub(super) const ENROLMENT_SECS: i64 = 600;

/// Begins an enrolment of an authenticator app inside a flow. `name` is what the app shows beside the service.
///
/// # Errors
/// The database did not take the rows.
pub async fn begin_totp(
    conn: &mut PgConnection,
    app: &App,
    (account, flow): (AccountId, FlowId),
    name: &str,
    label: &str,
) -> Result<TotpEnrolment, Internal> {
    let now = app.clock.now();
    let id: FactorId = crypto::new_id(now);
    let secret = zeroize::Zeroizing::new(crypto::random_bytes::<{ totp::SECRET_BYTES }>());
    let secret_sealed = app.config.master_keys.seal(SealPurpose::TotpSecret, id.uuid().as_bytes(), secret.as_slice());
    let new = store::NewTotp {
        id,
        account,
        flow,
        label,
        secret_sealed: &secret_sealed,
        now,
        expires_at: now + TimeDelta::seconds(ENROLMENT_SECS),
    };
    store::insert_totp(conn, &new).await?;
    totp::enrolment(id, secret.as_slice(), &app.config.service_name, name)
}

/// Checks the first code of an enrolment of this flow.
///
/// # Errors
/// The enrolment is not this flow's or has expired; the code is wrong.
pub async fn check_enrolment(
    app: &App,
    (account, flow): (AccountId, FlowId),
    factor: FactorId,
    code: Option<&TotpCode>,
) -> Result<EnrolmentCode, CheckError> {
    let pending = store::pending_totp(&app.db, account, flow, factor, app.clock.now()).await?;
    let pending = pending.ok_or(CheckError::UnknownFactor)?;
    let step = step_of(app, &pending, code.ok_or(CheckError::Wrong)?)?.ok_or(CheckError::Wrong)?;
    Ok(EnrolmentCode { factor, step, label: pending.label })
}

/// Confirms an enrolment and uses its code up. False when the account has a confirmed factor by now, or the
/// enrolment is confirmed or over.
///
/// # Errors
/// The database did not take it.
pub async fn confirm_enrolment(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    code: &EnrolmentCode,
) -> Result<bool, Internal> {
    let now = app.clock.now();
    let enrolled = store::confirmed(conn, account.id()).await?;
    Ok(enrolled.iter().all(|factor| factor.kind == FactorKind::RecoveryCode)
        && store::confirm(conn, account, code.factor, now).await?
        && store::burn_step(conn, code.factor, code.step, now).await?)
}

/// Finds what a code would use up. Nothing is used up yet.
///
/// # Errors
/// See [`CheckError`].
pub async fn check(
    app: &App,
    account: AccountId,
    named: Option<FactorId>,
    presented: &PresentedCode,
) -> Result<Match, CheckError> {
    let (kind, found) = match presented {
        PresentedCode::Totp(code) => ("totp", check_totp(app, account, named, code).await),
        PresentedCode::Recovery(code) => ("recovery_code", check_recovery(app, account, named, code).await),
    };
    app.metrics.factor_check(kind, found.as_ref().map_or_else(CheckError::name, |_| "right"));
    found
}

async fn check_totp(
    app: &App,
    account: AccountId,
    named: Option<FactorId>,
    code: &TotpCode,
) -> Result<Match, CheckError> {
    let apps = store::confirmed_totps(&app.db, account, named).await?;
    let secret = match apps.as_slice() {
        [] => return Err(CheckError::UnknownFactor),
        [one] => one,
        _ => return Err(CheckError::Ambiguous),
    };
    match step_of(app, secret, code)? {
        Some(step) if step > secret.last_step => Ok(Match::TotpStep { factor: secret.factor, step }),
        _ => Err(CheckError::Wrong),
    }
}

async fn check_recovery(
    app: &App,
    account: AccountId,
    named: Option<FactorId>,
    code: &RecoveryCode,
) -> Result<Match, CheckError> {
    let set = store::code_set(&app.db, account).await?.filter(|set| named.is_none_or(|named| named == set.id));
    let set = set.ok_or(CheckError::UnknownFactor)?;
    let salt = <[u8; 16]>::try_from(set.salt.as_slice())
        .map_err(|_| Internal::bug(format!("recovery_code_sets {}: the salt is not 16 bytes", set.id)))?;
    let digest = app.hashing.reserve()?.derive(code.bytes(), &salt).await?;
    let unused = store::code_is_unused(&app.db, set.id, &digest).await?;
    if unused { Ok(Match::RecoveryCode { set: set.id, digest }) } else { Err(CheckError::Wrong) }
}

impl Match {
    /// Uses the code up; false when someone was faster.
    ///
    /// # Errors
    /// The database did not take it.
    pub async fn burn(&self, conn: &mut PgConnection, app: &App) -> Result<bool, Internal> {
        let now = app.clock.now();
        match self {
            Self::TotpStep { factor, step } => store::burn_step(conn, *factor, *step, now).await,
            Self::RecoveryCode { set, digest } => store::burn_code(conn, *set, digest, now).await,
        }
    }
}

fn open_secret(app: &App, totp: &TotpSecret) -> Result<zeroize::Zeroizing<Vec<u8>>, Internal> {
    app.config.master_keys.open(SealPurpose::TotpSecret, totp.factor.uuid().as_bytes(), &totp.secret_sealed)
}

fn step_of(app: &App, totp: &TotpSecret, code: &TotpCode) -> Result<Option<i64>, Internal> {
    totp::matching_step(&open_secret(app, totp)?, code, app.clock.now())
}

/// The confirmed factors of an account; recovery codes, while any are left, as one.
///
/// # Errors
/// The database did not answer.
pub async fn confirmed(conn: &mut PgConnection, account: AccountId) -> Result<Vec<ConfirmedFactor>, Internal> {
    store::confirmed(conn, account).await
}

/// Draws and hashes a new set of recovery codes, outside any transaction.
///
/// # Errors
/// No hashing thread would have had time.
pub async fn make_recovery_codes(app: &App) -> Result<RecoveryCodes, HashingError> {
    let salt = crypto::random_bytes();
    let mut codes = RecoveryCodes { salt, digests: Vec::with_capacity(CODES), texts: Vec::with_capacity(CODES) };
    for _ in 0..CODES {
        let code = RecoveryCode::generate();
        codes.digests.push(app.hashing.reserve()?.derive(code.bytes(), &salt).await?);
        codes.texts.push(code.reveal());
    }
    Ok(codes)
}

/// Stores a new set; the old one is void.
///
/// # Errors
/// The database did not take it.
pub async fn replace_recovery_codes(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    codes: &RecoveryCodes,
) -> Result<(), Internal> {
    let now = app.clock.now();
    let digests: Vec<Vec<u8>> = codes.digests.iter().map(|digest| digest.to_vec()).collect();
    store::replace_codes(conn, account, crypto::new_id(now), (&codes.salt, &digests), now).await
}

/// How many recovery codes are unused.
///
/// # Errors
/// The database did not answer.
pub async fn recovery_codes_left(conn: &mut PgConnection, account: AccountId) -> Result<i64, Internal> {
    store::codes_left(conn, account).await
}

/// What `sekisho dev` shows of an authenticator app.
pub enum DevelopmentCode {
    /// The code of the first step that is not used yet, at most one ahead, and how long it will be accepted.
    Next {
        /// Six digits.
        code: String,
        /// Seconds.
        expires_in: u64,
    },
    /// This step and the next are used.
    AllUsed {
        /// Seconds until a step is free.
        retry_after: u64,
    },
}

/// Plays the app of a factor, for `sekisho dev` alone; `None` when there is no such factor.
///
/// # Errors
/// The database did not answer.
pub async fn development_code(app: &App, factor: FactorId) -> Result<Option<DevelopmentCode>, Internal> {
    let now = app.clock.now();
    let Some(secret) = store::any_totp(&app.db, factor, now).await? else { return Ok(None) };
    let (present, left) = totp::step_at(now);
    let step = present.max(secret.last_step + 1);
    if step > present + 1 {
        return Ok(Some(DevelopmentCode::AllUsed { retry_after: left }));
    }
    // A step is still accepted during the one after it.
    let expires_in = left + 30 * u64::try_from(step - present + 1).unwrap_or(1);
    let code = totp::code_of_step(&open_secret(app, &secret)?, step)?;
    Ok(Some(DevelopmentCode::Next { code, expires_in }))
}
