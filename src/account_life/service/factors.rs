//! The factors of an account in its owner's hands.

use sqlx::PgConnection;

use super::super::model::FactorError;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::factors;
use crate::factors::Begun;
use crate::factors::Confirmation;
use crate::factors::ConfirmedFactor;
use crate::factors::EnrolmentCode;
use crate::factors::Place;
use crate::factors::Wanted;
use crate::flows::Try;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;
use crate::messages::Channel;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;

fn place(session: &CurrentSession, caller: &Caller) -> Place {
    Place { account: session.account, flow: None, session: Some(session.id), ip: caller.ip }
}

pub(crate) async fn list_factors(app: &App, session: &CurrentSession) -> Result<Vec<ConfirmedFactor>, Internal> {
    factors::confirmed(&mut *app.db.acquire().await?, session.account).await
}

pub(crate) async fn add_factor(
    app: &App,
    session: &CurrentSession,
    wanted: Wanted,
    caller: &Caller,
) -> Result<Begun, FactorError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    if let Wanted::Phone { number, .. } = &wanted
        && factors::confirmed(&mut tx, account.id()).await?.iter().any(|own| own.number.as_ref() == Some(number))
    {
        return Err(FactorError::SameNumber);
    }
    let begun = factors::begin(&mut tx, app, place(session, caller), wanted).await?;
    app.commit(tx).await?;
    Ok(begun)
}

/// Sends another first code. Answers where it went.
pub(crate) async fn resend_factor_code(
    app: &App,
    session: &CurrentSession,
    (factor, channel): (FactorId, Channel),
    caller: &Caller,
) -> Result<String, FactorError> {
    let place = place(session, caller);
    let pending = factors::pending(app, place, factor).await?;
    let mut tx = app.begin().await?;
    sessions::lock(&mut tx, app, session).await?;
    let number = factors::resend_enrolment(&mut tx, app, place, pending, channel).await?;
    app.commit(tx).await?;
    Ok(number)
}

/// Takes the first code, or the passkey: the factor counts from now on, and the owner is told.
pub(crate) async fn confirm_factor(
    app: &App,
    session: &CurrentSession,
    (factor, given): (FactorId, &Confirmation),
    caller: &Caller,
) -> Result<ConfirmedFactor, FactorError> {
    let pending = factors::pending(app, place(session, caller), factor).await?;
    let tried = Try::take(app, (pending.counter(), "enrolment"), None).await?;
    let judged = async {
        let code = factors::check_enrolment(app, pending, given).await?;
        let mut tx = app.begin().await?;
        let account = sessions::lock(&mut tx, app, session).await?;
        factors::confirm_enrolment(&mut tx, app, &account, &code).await??;
        let event = Event::new(EventKind::FactorEnrolled, caller).account(session.account).session(session.id);
        let event = event.detail(serde_json::json!({ "kind": code.kind, "factor_id": factor }));
        audit::record(&mut tx, &app.clock, event).await?;
        let own = tell_of_enrolment(&mut tx, app, (session.account, factor), &code).await?;
        app.commit(tx).await?;
        own.ok_or(FactorError::Unknown)
    };
    tried.settle(judged.await, None).await
}

/// Tells the owner everywhere of a new factor; a phone that has just given its code back knows. Answers the factor.
async fn tell_of_enrolment(
    conn: &mut PgConnection,
    app: &App,
    (account, new): (AccountId, FactorId),
    code: &EnrolmentCode,
) -> Result<Option<ConfirmedFactor>, Internal> {
    let (kind, values) = (MessageKind::FactorEnrolledNotice, [("label", code.label.clone())]);
    accounts::notify(conn, app, account, kind, &values).await?;
    let mut confirmed = factors::confirmed(conn, account).await?;
    for number in confirmed.iter().filter(|own| own.id != new).filter_map(|own| own.number.as_deref()) {
        factors::tell_phone(conn, app, (account, number), (kind, &values)).await?;
    }
    let at = confirmed.iter().position(|own| own.id == new);
    Ok(at.map(|at| confirmed.swap_remove(at)))
}

pub(crate) async fn rename_factor(
    app: &App,
    session: &CurrentSession,
    (factor, label): (FactorId, &str),
    caller: &Caller,
) -> Result<ConfirmedFactor, FactorError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let renamed = factors::rename(&mut tx, &account, factor, label).await?;
    let own = factors::confirmed(&mut tx, session.account).await?.into_iter().find(|own| own.id == factor);
    let own = own.ok_or(FactorError::Unknown)?;
    if !renamed {
        return Err(FactorError::RecoveryCodes);
    }
    let event = Event::new(EventKind::FactorRenamed, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event.detail(serde_json::json!({ "factor_id": factor }))).await?;
    app.commit(tx).await?;
    Ok(own)
}

/// Removes a factor at once, and tells the owner everywhere.
pub(crate) async fn remove_factor(
    app: &App,
    session: &CurrentSession,
    factor: FactorId,
    caller: &Caller,
) -> Result<(), FactorError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let removed = factors::remove(&mut tx, &account, factor).await??;
    let event = Event::new(EventKind::FactorRemoved, caller).account(session.account).session(session.id);
    let event = event.detail(serde_json::json!({ "kind": removed.kind, "factor_id": factor }));
    audit::record(&mut tx, &app.clock, event).await?;
    let (kind, values) = (MessageKind::FactorRemovedNotice, [("label", removed.label)]);
    factors::notify(&mut tx, app, session.account, kind, &values).await?;
    if let Some(number) = removed.number {
        // There, too.
        factors::tell_phone(&mut tx, app, (session.account, &number), (kind, &values)).await?;
    }
    app.commit(tx).await?;
    Ok(())
}
