//! From the wish for a factor to its first right code, or its passkey.

use std::net::IpAddr;

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::super::model::Begun;
use super::super::model::CheckError;
use super::super::model::Confirmation;
use super::super::model::EnrolmentCode;
use super::super::model::FactorKind;
use super::super::model::MOST;
use super::super::model::Match;
use super::super::model::NotConfirmed;
use super::super::model::PendingFactor;
use super::super::model::Setup;
use super::super::model::Wanted;
use super::super::store;
use super::super::store::NewFactor;
use super::super::totp;
use super::passkeys;
use super::unused_step;
use crate::accounts;
use crate::accounts::Asker;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::crypto;
use crate::crypto::SealPurpose;
use crate::flows;
use crate::flows::Sending;
use crate::flows::SentCode;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::ids::FlowId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::messages::Channel;
use crate::messages::ChannelRefused;
use crate::messages::MessageKind;

/// How long an enrolment waits for its first code.
pub(super) const ENROLMENT_SECS: i64 = 600;

/// Where an enrolment takes place.
#[derive(Clone, Copy)]
pub struct Place {
    /// Whose factor it will be.
    pub account: AccountId,
    /// The sign-in that it is part of; without one it belongs to the account.
    pub flow: Option<FlowId>,
    /// In the account: the session that asks; only there is the challenge of a passkey answered.
    pub session: Option<SessionId>,
    /// Where its beginner is.
    pub ip: IpAddr,
}

impl Place {
    /// All first codes of one sign-in, or of one account, keep a distance in time.
    fn pace(self) -> FlowId {
        self.flow.unwrap_or_else(|| self.account.uuid().into())
    }
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    app: &App,
    place: Place,
    (kind, label): (FactorKind, &str),
) -> Result<FactorId, Internal> {
    let now = app.clock.now();
    let id: FactorId = crypto::new_id(now);
    let expires_at = now + TimeDelta::seconds(ENROLMENT_SECS);
    let new = NewFactor { id, account: place.account, flow: place.flow, kind, label, now, expires_at };
    store::insert(conn, &new).await?;
    Ok(id)
}

/// Begins an enrolment; the first code of a phone leaves with the commit.
///
/// # Errors
/// See [`StepError`].
pub async fn begin(conn: &mut PgConnection, app: &App, place: Place, wanted: Wanted) -> Result<Begun, StepError> {
    Ok(match wanted {
        Wanted::Totp { label } => begin_totp(conn, app, place, &label).await?,
        Wanted::Passkey { label } => passkeys::begin_passkey(conn, app, place, &label).await?,
        Wanted::Phone { label, number, channel } => {
            let factor = insert(conn, app, place, (FactorKind::Phone, &label)).await?;
            store::insert_number(conn, factor, &number).await?;
            send(conn, app, place, (factor, &number), channel).await?;
            Begun { factor, setup: Setup::Phone { number, channel } }
        }
    })
}

async fn begin_totp(conn: &mut PgConnection, app: &App, place: Place, label: &str) -> Result<Begun, Internal> {
    let profile = accounts::profile(conn, place.account).await?;
    let name = profile.identifiers.first().map_or(app.config.service_name.as_str(), |own| own.value.as_str());
    let factor = insert(conn, app, place, (FactorKind::Totp, label)).await?;
    let secret = zeroize::Zeroizing::new(crypto::random_bytes::<{ totp::SECRET_BYTES }>());
    let sealed = app.config.master_keys.seal(SealPurpose::TotpSecret, factor.uuid().as_bytes(), secret.as_slice());
    store::insert_secret(conn, factor, &sealed).await?;
    let setup = totp::setup(secret.as_slice(), &app.config.service_name, name)?;
    Ok(Begun { factor, setup: Setup::Totp(setup) })
}

/// Sends another first code to a phone; the one before is void. Answers where it went.
///
/// # Errors
/// See [`StepError`].
pub async fn resend_enrolment(
    conn: &mut PgConnection,
    app: &App,
    place: Place,
    pending: PendingFactor,
    channel: Channel,
) -> Result<String, StepError> {
    let number = pending.number.ok_or(ChannelRefused::NotSupported)?;
    let channel = app.channels.choose(&number, Some(channel))?;
    send(conn, app, place, (pending.id, &number), channel).await?;
    Ok(number)
}

async fn send(
    conn: &mut PgConnection,
    app: &App,
    place: Place,
    (factor, number): (FactorId, &str),
    channel: Channel,
) -> Result<(), StepError> {
    let contact = accounts::contact_by_phone(conn, place.account, number).await?;
    let content = contact.content(MessageKind::FactorCode).by(channel);
    let asker = Asker::Anybody(place.ip);
    let sending = Sending { flow: factor.uuid().into(), pace: place.pace(), proves: factor.uuid(), asker, content };
    flows::send_code(conn, app, sending).await?;
    Ok(())
}

/// An enrolment that waits for its first code, or for its passkey.
///
/// # Errors
/// There is none at this place, or it is over.
pub async fn pending(app: &App, place: Place, factor: FactorId) -> Result<PendingFactor, CheckError> {
    let row = store::pending(&app.db, (place.account, place.flow), factor, app.clock.now()).await?;
    let row = row.ok_or(CheckError::UnknownFactor)?;
    let sent = if row.kind == FactorKind::Phone { SentCode::of(app, factor.uuid().into()).await? } else { None };
    let challenge =
        if row.kind == FactorKind::Passkey { passkeys::registration(app, place, factor).await? } else { None };
    Ok(PendingFactor { id: factor, kind: row.kind, label: row.label, number: row.number, sent, challenge })
}

/// Checks the first code of an enrolment, or its passkey.
///
/// # Errors
/// It is wrong, or of another kind than the enrolment.
pub async fn check_enrolment(
    app: &App,
    pending: PendingFactor,
    given: &Confirmation,
) -> Result<EnrolmentCode, CheckError> {
    let PendingFactor { id: factor, kind, label, number, sent, challenge } = pending;
    let proof = match (given, kind) {
        (Confirmation::Code(typed), FactorKind::Totp) => {
            let step = unused_step(app, factor, typed).await?;
            step.map(|step| Match::TotpStep { factor, step }).ok_or(CheckError::Wrong)?
        }
        (Confirmation::Code(typed), FactorKind::Phone) => {
            let sent = sent.filter(|sent| sent.is(app, typed));
            sent.map(|code| Match::Sent { factor, code }).ok_or(CheckError::Wrong)?
        }
        (Confirmation::Passkey(given), FactorKind::Passkey) => passkeys::check_new(app, factor, (given, challenge))?,
        _ => return Err(CheckError::OtherMethod),
    };
    Ok(EnrolmentCode { factor, number, proof, kind, label })
}

/// Confirms an enrolment and uses its code up.
pub async fn confirm_enrolment(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    code: &EnrolmentCode,
) -> Result<Result<(), NotConfirmed>, Internal> {
    let enrolled = store::confirmed(conn, account.id()).await?;
    if enrolled.iter().filter(|factor| factor.kind != FactorKind::RecoveryCode).count() >= MOST {
        return Ok(Err(NotConfirmed::TooMany));
    }
    if code.number.is_some() && enrolled.iter().any(|factor| factor.number == code.number) {
        return Ok(Err(NotConfirmed::SameNumber));
    }
    if let Some(number) = &code.number {
        app.spend.came_back(conn, number).await?;
    }
    if !store::confirm(conn, account, code.factor, app.clock.now()).await? || !code.proof.burn(conn, app).await? {
        return Ok(Err(NotConfirmed::Over));
    }
    if let Match::NewPasskey(new) = &code.proof
        && !store::insert_passkey(conn, new).await?
    {
        return Ok(Err(NotConfirmed::SamePasskey));
    }
    Ok(Ok(()))
}
