//! The first factor of an account, enrolled inside the flow.

use super::super::model::Flow;
use super::super::model::NextStep;
use super::super::model::SignInError;
use super::Completed;
use super::Loaded;
use super::Try;
use super::amr;
use super::load;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::devices;
use crate::factors;
use crate::factors::EnrolmentCode;
use crate::factors::RecoveryCodes;
use crate::factors::TotpCode;
use crate::factors::TotpEnrolment;
use crate::flows;
use crate::ids::FactorId;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::NewSession;

/// Begins the enrolment of an authenticator app.
pub(in super::super) async fn begin_enrolment(
    app: &App,
    token: &str,
    label: &str,
) -> Result<TotpEnrolment, SignInError> {
    let Loaded { flow, .. } = load(app, token, NextStep::EnrolSecondFactor).await?;
    let mut tx = app.begin().await?;
    let profile = accounts::profile(&mut tx, flow.account).await?;
    let name = profile.identifiers.first().map_or(app.config.service_name.as_str(), |own| own.value.as_str());
    let enrolment = factors::begin_totp(&mut tx, app, (flow.account, flow.id), name, label).await?;
    app.commit(tx).await?;
    Ok(enrolment)
}

/// Takes the first code: the factor is confirmed, the session opens, the recovery codes are shown once.
pub(in super::super) async fn confirm_enrolment(
    app: &App,
    token: &str,
    (factor, code): (FactorId, Option<&TotpCode>),
    caller: &Caller,
) -> Result<(Completed, RecoveryCodes), SignInError> {
    let Loaded { flow, .. } = load(app, token, NextStep::EnrolSecondFactor).await?;
    let tried = Try::take(app, flow.account, flow.id.uuid(), "enrolment").await?;
    let failed = Event::new(EventKind::SecondFactorFailed, caller).client(&flow.client_id);
    let failed = failed.detail(serde_json::json!({ "kind": "totp" }));
    tried.settle(enrol(app, &flow, (factor, code), caller).await, failed).await
}

async fn enrol(
    app: &App,
    flow: &Flow,
    (factor, code): (FactorId, Option<&TotpCode>),
    caller: &Caller,
) -> Result<(Completed, RecoveryCodes), SignInError> {
    let code = factors::check_enrolment(app, (flow.account, flow.id), factor, code).await?;
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
    let account = accounts::lock(&mut tx, flow.account).await?.ok_or(SignInError::Expired)?;
    if !flows::consume(&mut tx, flow.id, app.clock.now()).await? {
        return Err(SignInError::Expired);
    }
    if !factors::confirm_enrolment(&mut tx, app, &account, code).await? {
        // Someone else has enrolled: the flow asks for that factor now, or is over.
        return Err(SignInError::WrongStep);
    }
    factors::replace_recovery_codes(&mut tx, app, &account, codes).await?;
    let event = Event::new(EventKind::FactorEnrolled, caller).account(flow.account).client(&flow.client_id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "kind": "totp" }))).await?;
    accounts::notify(
        &mut tx,
        app,
        flow.account,
        MessageKind::FactorEnrolledNotice,
        &[("label", code.label().to_owned())],
    )
    .await?;
    let amr = amr("otp");
    let new = NewSession {
        client_id: &flow.client_id,
        password_version: flow.password_version,
        amr: &amr,
        label: flow.session_label.as_deref(),
    };
    let opened = sessions::open(&mut tx, app, &account, &new, caller).await?;
    let device_token = devices::issue(&mut tx, app, &account, flow.device).await?;
    app.commit(tx).await?;
    Ok(Completed { opened, device_token })
}
