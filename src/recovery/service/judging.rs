//! Judging: the same work whether there is an account or not.

use sqlx::PgConnection;

use super::super::model::Proof;
use super::super::model::ProofKind;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::proved_by_code;
use super::super::store::Tried;
use crate::accounts;
use crate::accounts::AuthenticateError;
use crate::accounts::factor_may_carry;
use crate::accounts::identifier_may_carry;
use crate::app::App;
use crate::crypto::HashingSlot;
use crate::crypto::SealPurpose;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::Match;
use crate::flows::StepError;
use crate::internal::Internal;
use crate::messages;

/// A proof that is right, and what it uses up.
pub(super) struct Found {
    pub proof: Proof,
    pub used: Used,
}

pub(super) enum Used {
    Nothing,
    Factor(Match),
    /// The code that went to a destination.
    Code {
        mac: Vec<u8>,
        to: String,
    },
}

/// Finds what a value proves. Nothing is used up yet.
pub(super) async fn judge(
    app: &App,
    recovery: &Recovery,
    (kind, value, slot): (ProofKind, &str, Option<HashingSlot>),
    tried: &Tried,
) -> Result<Found, RecoveryError> {
    let wrong = RecoveryError::from(StepError::WrongCode { attempts_left: 0 });
    let account = recovery.subject();
    match (kind, slot) {
        (ProofKind::Password, Some(slot)) => {
            let candidate = accounts::candidate_of(app, account).await?;
            let judged = accounts::authenticate(app, slot, &candidate, value).await?;
            Ok(Found { proof: Proof::Password(judged.password_version), used: Used::Nothing })
        }
        (ProofKind::Password, None) => Err(Internal::bug("a password without a hashing slot").into()),
        (ProofKind::RecoveryCode, _) => {
            let found = factors::check_recovery_code(app, account, value).await?;
            Ok(Found { proof: Proof::RecoveryCode(found.of()), used: Used::Factor(found) })
        }
        (ProofKind::Factor, _) => {
            let found = factors::check_apps(app, account, value).await?.ok_or(wrong)?;
            Ok(Found { proof: Proof::Factor(found.of()), used: Used::Factor(found) })
        }
        (ProofKind::Code, _) => judge_code(app, recovery, value, tried).await?.ok_or(wrong),
    }
}

async fn judge_code(
    app: &App,
    recovery: &Recovery,
    typed: &str,
    tried: &Tried,
) -> Result<Option<Found>, RecoveryError> {
    let Some(mac) = &tried.code_mac else { return Ok(None) };
    let keys = &app.config.master_keys;
    if !messages::is_code(keys, recovery.id, typed, mac) || app.clock.now() >= tried.code_expires_at {
        return Ok(None);
    }
    let to = keys.open(SealPurpose::Recovery, &super::code_place(recovery.id), &tried.code_to_sealed)?;
    let to = std::str::from_utf8(&to).map_err(Internal::bug)?;
    let mut conn = app.db.acquire().await.map_err(Internal::from)?;
    let proof = proves(&mut conn, app, recovery, to).await?;
    let used = Used::Code { mac: mac.clone(), to: to.to_owned() };
    Ok(proof.map(|proof| Found { proof, used }))
}

/// What a code at this destination proves now, if anything.
pub(super) async fn proves(
    conn: &mut PgConnection,
    app: &App,
    recovery: &Recovery,
    lookup_key: &str,
) -> Result<Option<Proof>, Internal> {
    let Some(account) = recovery.account else { return Ok(None) };
    let now = app.clock.now();
    let profile = accounts::profile(conn, account).await?;
    let identifier = profile.identifiers.iter().find(|own| {
        own.proved && own.lookup_key == lookup_key && identifier_may_carry(now, profile.created_at, own.verified_at)
    });
    let factors = factors::confirmed(conn, account).await?;
    let factor = factors
        .iter()
        .find(|factor| factor.number.as_deref() == Some(lookup_key) && factor_may_carry(now, factor.created_at));
    Ok(proved_by_code(lookup_key, &recovery.lost, (identifier.map(|own| own.id), factor.map(|factor| factor.id))))
}

impl From<AuthenticateError> for RecoveryError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            // A closed or suspended account is not told either: nothing was proved that opens anything.
            AuthenticateError::Wrong { .. }
            | AuthenticateError::Closed { .. }
            | AuthenticateError::Suspended { .. } => Self::Step(StepError::WrongCode { attempts_left: 0 }),
            AuthenticateError::Hashing(error) => error.into(),
            AuthenticateError::Internal(error) => error.into(),
        }
    }
}

impl From<CheckError> for RecoveryError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Wrong
            | CheckError::Refused
            | CheckError::UnknownFactor
            | CheckError::OtherMethod
            | CheckError::Ambiguous => Self::Step(StepError::WrongCode { attempts_left: 0 }),
            CheckError::Hashing(error) => error.into(),
            CheckError::Internal(error) => error.into(),
        }
    }
}
