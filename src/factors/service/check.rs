//! Finding what a code would use up, and using it up.

use sqlx::PgConnection;

use super::super::model::CheckError;
use super::super::model::ConfirmedFactor;
use super::super::model::FactorKind;
use super::super::model::Match;
use super::super::model::PasskeyChallenge;
use super::super::model::Presented;
use super::super::model::Sent;
use super::super::recovery_codes::RecoveryCode;
use super::super::store;
use super::passkeys::check_passkey;
use super::unused_step;
use super::unused_step_of;
use crate::app::App;
use crate::flows;
use crate::flows::SentCode;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// The newest code of this flow, if it went to this factor, or the newest challenge, if this factor may answer it.
pub async fn sent_to(app: &App, factor: &ConfirmedFactor, flow: FlowId) -> Result<Option<Sent>, Internal> {
    Ok(match factor.kind {
        FactorKind::Phone => {
            SentCode::of(app, flow).await?.filter(|sent| sent.proves() == factor.id.uuid()).map(Sent::Code)
        }
        FactorKind::Passkey => {
            let challenge = PasskeyChallenge::of(app, flow).await?;
            challenge.filter(|challenge| challenge.factor.is_none_or(|only| only == factor.id)).map(Sent::Challenge)
        }
        FactorKind::Totp | FactorKind::RecoveryCode => None,
    })
}

impl Sent {
    /// Whether its time is not over.
    pub fn lives(&self, app: &App) -> bool {
        match self {
            Self::Code(code) => code.lives(app),
            Self::Challenge(challenge) => challenge.lives(app.clock.now()),
        }
    }
}

/// Finds what a code, or an answer to a challenge, would use up. Nothing is used up yet. `sent` is what [`sent_to`] found.
///
/// # Errors
/// See [`CheckError`].
pub async fn check(
    app: &App,
    account: AccountId,
    factor: &ConfirmedFactor,
    (presented, sent): (&Presented, Option<Sent>),
) -> Result<Match, CheckError> {
    let found = match (presented, sent) {
        (Presented::RecoveryCode(typed), _) => check_recovery_code(app, account, typed).await,
        (Presented::Code(typed), Some(Sent::Code(sent))) if sent.is(app, typed) => {
            Ok(Match::Sent { factor: factor.id, code: sent })
        }
        (Presented::Code(typed), None) if factor.kind == FactorKind::Totp => {
            let step = unused_step(app, factor.id, typed).await?;
            step.map(|step| Match::TotpStep { factor: factor.id, step }).ok_or(CheckError::Wrong)
        }
        (Presented::Code(_), _) => Err(CheckError::Wrong),
        (Presented::Passkey(given), Some(Sent::Challenge(challenge))) => {
            check_passkey(app, factor.id, (given, challenge)).await
        }
        (Presented::Passkey(_), _) => Err(CheckError::Refused),
    };
    app.metrics.factor_check(factor.kind.name(), found.as_ref().map_or_else(CheckError::name, |_| "right"));
    found
}

/// Finds the recovery code that was typed. An account that has none, or does not exist, costs the same work.
///
/// # Errors
/// See [`CheckError`].
pub async fn check_recovery_code(app: &App, account: AccountId, typed: &str) -> Result<Match, CheckError> {
    let code = RecoveryCode::parse(typed).ok_or(CheckError::Wrong)?;
    let set = store::code_set(&app.db, account).await?;
    let salt = match &set {
        Some(set) => <[u8; 16]>::try_from(set.salt.as_slice())
            .map_err(|_| Internal::bug(format!("recovery_code_sets {}: the salt is not 16 bytes", set.id)))?,
        None => [0; 16],
    };
    let digest = app.hashing.reserve()?.derive(code.bytes(), &salt).await?;
    // No set has the id of an account.
    let set = set.map_or(account.uuid().into(), |set| set.id);
    let unused = store::code_is_unused(&app.db, set, &digest).await?;
    if unused { Ok(Match::RecoveryCode { set, digest }) } else { Err(CheckError::Wrong) }
}

/// Finds the time step of any of the account's authenticator apps that shows this code; one look-up, whatever is found.
pub async fn check_apps(app: &App, account: AccountId, typed: &str) -> Result<Option<Match>, Internal> {
    let secrets = store::secrets_of(&app.db, account).await?;
    let mut found = None;
    for secret in secrets {
        let step = unused_step_of(app, &secret, typed)?;
        found = found.or(step.map(|step| Match::TotpStep { factor: secret.factor, step }));
    }
    app.metrics.factor_check(FactorKind::Totp.name(), if found.is_some() { "right" } else { "wrong" });
    Ok(found)
}

impl Match {
    /// Whether it opens what a password and a second factor open together: a passkey does, unless it was new when the account
    /// was proved anew to be its owner's. Asked under the lock of the account.
    pub async fn stands_alone(&self, conn: &mut PgConnection) -> Result<bool, Internal> {
        match self {
            Self::Passkey(used) => store::stands_alone(conn, used.factor).await,
            Self::TotpStep { .. } | Self::Sent { .. } | Self::RecoveryCode { .. } | Self::NewPasskey(_) => Ok(false),
        }
    }

    /// Uses it up; false when someone was faster.
    pub async fn burn(&self, conn: &mut PgConnection, app: &App) -> Result<bool, Internal> {
        let now = app.clock.now();
        match self {
            Self::TotpStep { factor, step } => store::burn_step(conn, *factor, *step, now).await,
            Self::RecoveryCode { set, digest } => store::burn_code(conn, *set, digest, now).await,
            Self::Sent { factor, code } => Ok(store::touch(conn, *factor, now).await? && code.burn(conn, app).await?),
            Self::Passkey(used) => {
                Ok(flows::consume(conn, used.challenge, now).await? && store::use_passkey(conn, used, now).await?)
            }
            Self::NewPasskey(new) => flows::consume(conn, new.challenge, now).await,
        }
    }
}
