//! Enrolling factors, checking codes, using them up.

mod check;
mod development;
mod enrolment;
mod passkeys;
mod recovery_codes;
mod telling;

pub use check::check;
pub use check::check_apps;
pub use check::check_recovery_code;
pub use check::sent_to;
pub use development::DevelopmentCode;
pub use development::development_code;
pub use enrolment::Place;
pub use enrolment::begin;
pub use enrolment::check_enrolment;
pub use enrolment::confirm_enrolment;
pub use enrolment::pending;
pub use enrolment::resend_enrolment;
pub use passkeys::challenge;
pub use passkeys::claimed_owner;
pub use passkeys::demote_new_passkeys;
pub use recovery_codes::make_recovery_codes;
pub use recovery_codes::replace_recovery_codes;
pub use telling::notify;
pub use telling::tell_phone;
pub use telling::tell_phones;

use sqlx::PgConnection;

use super::model::ConfirmedFactor;
use super::model::FactorKind;
use super::model::NotRemoved;
use super::store;
use super::store::TotpSecret;
use super::totp;
use super::totp::TotpCode;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::accounts::PasswordStanding;
use crate::app::App;
use crate::crypto::SealPurpose;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

fn open_secret(app: &App, totp: &TotpSecret) -> Result<zeroize::Zeroizing<Vec<u8>>, Internal> {
    app.config.master_keys.open(SealPurpose::TotpSecret, totp.factor.uuid().as_bytes(), &totp.secret_sealed)
}

/// The time step of a right code that is later than every one used before.
async fn unused_step(app: &App, factor: FactorId, typed: &str) -> Result<Option<i64>, Internal> {
    let secret = store::secret(&app.db, factor, app.clock.now()).await?;
    secret.map_or(Ok(None), |secret| unused_step_of(app, &secret, typed))
}

fn unused_step_of(app: &App, secret: &TotpSecret, typed: &str) -> Result<Option<i64>, Internal> {
    let Some(code) = TotpCode::parse(typed) else { return Ok(None) };
    let step = totp::matching_step(&open_secret(app, secret)?, &code, app.clock.now())?;
    Ok(step.filter(|step| *step > secret.last_step))
}

/// What may answer for an account now, and what may not.
pub struct Answering {
    /// The confirmed factors that may.
    pub able: Vec<ConfirmedFactor>,
    /// Those at the destination that carried the reset of the password; see `accounts::may_answer`.
    pub withheld: Vec<ConfirmedFactor>,
}

/// The confirmed factors of an account, parted by whether they may answer after the reset that `password` tells of.
pub async fn answering(
    conn: &mut PgConnection,
    account: AccountId,
    password: &PasswordStanding,
) -> Result<Answering, Internal> {
    let carrier = password.reset_carrier.as_deref();
    let confirmed = store::confirmed(conn, account).await?.into_iter();
    let (able, withheld) = confirmed.partition(|factor| accounts::may_answer(carrier, factor.number.as_deref()));
    Ok(Answering { able, withheld })
}

/// Removes a factor at once; answers what it was.
pub async fn remove(
    conn: &mut PgConnection,
    account: &LockedAccount,
    factor: FactorId,
) -> Result<Result<ConfirmedFactor, NotRemoved>, Internal> {
    let own = store::confirmed(conn, account.id()).await?.into_iter().find(|own| own.id == factor);
    Ok(match own {
        None => Err(NotRemoved::Unknown),
        Some(own) if own.kind == FactorKind::RecoveryCode => Err(NotRemoved::RecoveryCodes),
        Some(own) if store::remove(conn, account, factor).await? => Ok(own),
        Some(_) => Err(NotRemoved::Last),
    })
}
