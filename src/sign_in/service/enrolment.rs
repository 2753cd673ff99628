//! The first factor of an account, enrolled inside the flow.

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::Completed;
use super::Loaded;
use super::amr;
use super::load;
use super::staged::write_staged;
use super::use_up;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::devices;
use crate::factors;
use crate::factors::Begun;
use crate::factors::Confirmation;
use crate::factors::EnrolmentCode;
use crate::factors::FactorKind;
use crate::factors::NotConfirmed;
use crate::factors::PendingFactor;
use crate::factors::Place;
use crate::factors::RecoveryCodes;
use crate::factors::Wanted;
use crate::flows::Try;
use crate::ids::FactorId;
use crate::limits::Failing;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::NewSession;

/// Begins the enrolment of a factor.
pub(crate) async fn begin_enrolment(
    app: &App,
    token: &str,
    wanted: Wanted,
    caller: &Caller,
) -> Result<Begun, SignInError> {
    let Loaded { flow, password, .. } = load(app, token, NextStep::EnrolSecondFactor).await?;
    if let Wanted::Phone { number, .. } = &wanted
        && !accounts::may_answer(password.reset_carrier.as_deref(), Some(number))
    {
        return Err(SignInError::FactorCarriedReset);
    }
    let mut tx = app.begin().await?;
    let begun = factors::begin(&mut tx, app, place(&flow, caller), wanted).await?;
    app.commit(tx).await?;
    Ok(begun)
}

/// Sends another first code to the phone of an enrolment. Answers where it went.
pub(crate) async fn resend_enrolment(
    app: &App,
    token: &str,
    (factor, channel): (FactorId, Channel),
    caller: &Caller,
) -> Result<String, SignInError> {
    let Loaded { flow, .. } = load(app, token, NextStep::EnrolSecondFactor).await?;
    let place = place(&flow, caller);
    let pending = factors::pending(app, place, factor).await?;
    let mut tx = app.begin().await?;
    let number = factors::resend_enrolment(&mut tx, app, place, pending, channel).await?;
    app.commit(tx).await?;
    Ok(number)
}

fn place(flow: &Flow, caller: &Caller) -> Place {
    Place { account: flow.account, flow: Some(flow.id), session: None, ip: caller.ip }
}

/// Takes the first code, or the passkey: the factor is confirmed, the session opens, the recovery codes are shown once.
pub(crate) async fn confirm_enrolment(
    app: &App,
    token: &str,
    (factor, given): (FactorId, &Confirmation),
    caller: &Caller,
) -> Result<(Completed, RecoveryCodes), SignInError> {
    let Loaded { flow, .. } = load(app, token, NextStep::EnrolSecondFactor).await?;
    let pending = factors::pending(app, place(&flow, caller), factor).await?;
    // Sent codes have tries of their own; whatever else is enrolled shares those of the flow.
    let counter = if pending.kind == FactorKind::Phone { pending.counter() } else { flow.id.uuid() };
    let tried = Try::take(app, (counter, "enrolment"), Some(Failing::Account(flow.account))).await?;
    let failed = Event::new(EventKind::SecondFactorFailed, caller).account(flow.account).client(&flow.client_id);
    let failed = failed.detail(serde_json::json!({ "kind": pending.kind }));
    tried.settle(enrol(app, &flow, (pending, given), caller).await, Some(failed)).await
}

async fn enrol(
    app: &App,
    flow: &Flow,
    (pending, given): (PendingFactor, &Confirmation),
    caller: &Caller,
) -> Result<(Completed, RecoveryCodes), SignInError> {
    let code = factors::check_enrolment(app, pending, given).await?;
    let codes = factors::make_recovery_codes(app).await?;
    let opened = finish(app, flow, &code, &codes, caller).await?;
    Ok((opened, codes))
}

async fn finish(
    app: &App,
    flow: &Flow,
    code: &EnrolmentCode,
    codes: &RecoveryCodes,
    caller: &Caller,
) -> Result<Completed, SignInError> {
    let mut tx = app.begin().await?;
    let mut account = accounts::lock(&mut tx, flow.account).await?.ok_or(SignInError::Expired)?;
    if !use_up(&mut tx, app, flow).await? {
        return Err(SignInError::Expired);
    }
    let enrolled = factors::confirmed(&mut tx, flow.account).await?;
    let first = enrolled.iter().all(|factor| factor.kind == FactorKind::RecoveryCode);
    if !first {
        // Someone else has enrolled: the flow asks for that factor now.
        return Err(SignInError::WrongStep);
    }
    factors::confirm_enrolment(&mut tx, app, &account, code).await?.map_err(|reason| match reason {
        NotConfirmed::SamePasskey => SignInError::SamePasskey,
        NotConfirmed::Over | NotConfirmed::SameNumber | NotConfirmed::TooMany => SignInError::WrongStep,
    })?;
    factors::replace_recovery_codes(&mut tx, app, &account, codes).await?;
    let event = Event::new(EventKind::FactorEnrolled, caller).account(flow.account).client(&flow.client_id);
    audit::record(
        &mut tx,
        &app.clock,
        event.detail(serde_json::json!({ "kind": code.kind, "factor_id": code.factor() })),
    )
    .await?;
    accounts::notify(&mut tx, app, flow.account, MessageKind::FactorEnrolledNotice, &[("label", code.label.clone())])
        .await?;
    let password_version = write_staged(&mut tx, app, &mut account, flow, caller).await?;
    let amr = amr(code.amr());
    let new =
        NewSession { client_id: &flow.client_id, password_version, amr: &amr, label: flow.session_label.as_deref() };
    let opened = sessions::open(&mut tx, app, &account, &new, caller).await?;
    let device_token = devices::issue(&mut tx, app, &account, flow.device).await?;
    app.commit(tx).await?;
    Ok(Completed { opened, device_token })
}
