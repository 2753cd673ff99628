//! Challenges to passkeys, and their answers.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::Passkey;
use webauthn_rs::prelude::PublicKeyCredential;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::super::model::Begun;
use super::super::model::CheckError;
use super::super::model::FactorKind;
use super::super::model::KeptPasskey;
use super::super::model::Match;
use super::super::model::NewPasskey;
use super::super::model::PasskeyChallenge;
use super::super::model::PasskeyUse;
use super::super::model::RegistrationChallenge;
use super::super::model::Setup;
use super::super::passkeys;
use super::super::passkeys::Owner;
use super::super::store;
use super::enrolment;
use super::enrolment::ENROLMENT_SECS;
use super::enrolment::Place;
use crate::accounts;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::crypto;
use crate::crypto::SealPurpose;
use crate::flows;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// How long a challenge waits for its answer.
const CHALLENGE_SECS: i64 = 600;
/// How long after an account was made its first sign-in enrols a factor that was made with it.
const MADE_WITH_ACCOUNT: TimeDelta = TimeDelta::hours(1);
const CHALLENGES: &str = "passkey-challenge";
const REGISTRATIONS: &str = "passkey-registration";

fn relying_party(app: &App) -> Result<&Webauthn, Internal> {
    let passkeys = app.config.passkeys.as_ref().ok_or_else(|| Internal::bug("there are no passkeys here"))?;
    Ok(&passkeys.relying_party)
}

/// Begins the enrolment of a passkey.
pub(super) async fn begin_passkey(
    conn: &mut PgConnection,
    app: &App,
    place: Place,
    label: &str,
) -> Result<Begun, Internal> {
    let factor = enrolment::insert(conn, app, place, (FactorKind::Passkey, label)).await?;
    let user_handle = store::user_handle(conn, place.account, Uuid::from_bytes(crypto::random_bytes())).await?;
    let existing = store::credential_ids(&mut *conn, place.account).await?;
    let profile = accounts::profile(conn, place.account).await?;
    let name = profile.identifiers.first().map_or(app.config.service_name.as_str(), |own| own.value.as_str());
    let owner = Owner { handle: user_handle, name, display_name: profile.display_name.as_deref().unwrap_or(name) };
    let (options, state) = passkeys::creation(relying_party(app)?, &owner, existing)?;
    let now = app.clock.now();
    let expires_at = now + TimeDelta::seconds(ENROLMENT_SECS);
    let (id, session) = (crypto::new_id(now), place.session);
    let challenge = RegistrationChallenge { id, session, user_handle, state, expires_at };
    flows::save(app, REGISTRATIONS, &factor.to_string(), &challenge).await?;
    Ok(Begun { factor, setup: Setup::Passkey(options) })
}

/// The challenge of an enrolment; none in another session than the one that asked.
pub(super) async fn registration(
    app: &App,
    place: Place,
    factor: FactorId,
) -> Result<Option<RegistrationChallenge>, Internal> {
    let challenge = flows::find::<RegistrationChallenge>(app, REGISTRATIONS, &factor.to_string()).await?;
    Ok(challenge.filter(|challenge| challenge.session == place.session && app.clock.now() < challenge.expires_at))
}

/// Judges a new passkey.
pub(super) fn check_new(
    app: &App,
    factor: FactorId,
    (given, challenge): (&RegisterPublicKeyCredential, Option<RegistrationChallenge>),
) -> Result<Match, CheckError> {
    let challenge = challenge.ok_or(CheckError::Refused)?;
    let passkey = passkeys::judge_new(relying_party(app)?, given, &challenge.state).ok_or(CheckError::Refused)?;
    Ok(Match::NewPasskey(Box::new(NewPasskey {
        challenge: challenge.id,
        factor,
        user_handle: challenge.user_handle,
        credential_id: passkey.cred_id().clone(),
        credential_sealed: seal(app, factor, &passkey)?,
    })))
}

/// Asks a passkey of the flow's owner, or whichever there is. The challenge before is void. Answers its id and the request
/// options.
///
/// # Errors
/// There is no such passkey; the database or Redis did not answer.
pub async fn challenge(app: &App, flow: FlowId, only: Option<FactorId>) -> Result<(FlowId, Value), CheckError> {
    let passkey = match only {
        None => None,
        Some(factor) => {
            let kept = store::passkey(&app.db, factor).await?.ok_or(CheckError::UnknownFactor)?;
            Some(open(app, &kept)?)
        }
    };
    let (options, state) = passkeys::request(relying_party(app)?, passkey.as_ref())?;
    let now = app.clock.now();
    let id = crypto::new_id(now);
    let expires_at = now + TimeDelta::seconds(CHALLENGE_SECS);
    let challenge = PasskeyChallenge { id, factor: only, state, expires_at };
    flows::save(app, CHALLENGES, &flow.to_string(), &challenge).await?;
    Ok((id, options))
}

impl PasskeyChallenge {
    /// The newest challenge of a flow.
    pub(super) async fn of(app: &App, flow: FlowId) -> Result<Option<Self>, Internal> {
        flows::find(app, CHALLENGES, &flow.to_string()).await
    }

    pub(crate) fn lives(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }
}

/// Who a passkey says that it belongs to; nothing is proved yet.
pub async fn claimed_owner(app: &App, given: &PublicKeyCredential) -> Result<Option<(AccountId, FactorId)>, Internal> {
    let Some(handle) = passkeys::handle_of(given) else { return Ok(None) };
    store::owner_of_passkey(&app.db, given.get_credential_id(), handle).await
}

/// Judges the answer of a passkey.
pub(super) async fn check_passkey(
    app: &App,
    factor: FactorId,
    (given, challenge): (&PublicKeyCredential, PasskeyChallenge),
) -> Result<Match, CheckError> {
    let kept = store::passkey(&app.db, factor).await?.ok_or(CheckError::UnknownFactor)?;
    let stranger = given.get_user_unique_id().is_some_and(|handle| handle != kept.user_handle.as_bytes());
    if stranger || !challenge.lives(app.clock.now()) {
        return Err(CheckError::Refused);
    }
    let passkey = open(app, &kept)?;
    let judged = passkeys::judge(relying_party(app)?, given, challenge.state, passkey);
    let (passkey, sign_count) = judged.ok_or(CheckError::Refused)?;
    let credential_sealed = seal(app, factor, &passkey)?;
    Ok(Match::Passkey(Box::new(PasskeyUse { challenge: challenge.id, factor, credential_sealed, sign_count })))
}

/// Makes second factors and nothing more of the passkeys that are new to an account and were not made with it, where it is
/// proved anew to be its owner's: somebody else may have added them. They answer after the password as before, so that
/// nothing opens the account by less.
pub async fn demote_new_passkeys(conn: &mut PgConnection, app: &App, account: &LockedAccount) -> Result<(), Internal> {
    let created_at = accounts::profile(conn, account.id()).await?.created_at;
    store::demote(conn, account, (app.clock.now() - accounts::HOLD, created_at + MADE_WITH_ACCOUNT)).await
}

fn seal(app: &App, factor: FactorId, passkey: &Passkey) -> Result<Vec<u8>, Internal> {
    Ok(app.config.master_keys.seal(SealPurpose::Passkey, factor.uuid().as_bytes(), &serde_json::to_vec(passkey)?))
}

fn open(app: &App, kept: &KeptPasskey) -> Result<Passkey, Internal> {
    let keys = &app.config.master_keys;
    let plain = keys.open(SealPurpose::Passkey, kept.factor.uuid().as_bytes(), &kept.credential_sealed)?;
    Ok(serde_json::from_slice(&plain)?)
}
