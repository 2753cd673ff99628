//! The profile and the recovery codes.

use super::mergeable;
use crate::accounts;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::changes;
use crate::changes::PendingChange;
use crate::factors;
use crate::factors::FactorKind;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::sessions;
use crate::sessions::CurrentSession;

/// The account, the kinds of its confirmed factors, and what is about to change.
pub(crate) struct Shown {
    pub profile: Profile,
    pub second_factor_kinds: Vec<FactorKind>,
    pub pending_changes: Vec<PendingChange>,
    pub mergeable: Vec<AccountId>,
}

/// What to change; what is absent stays.
pub(crate) struct ProfileChange {
    pub display_name: Option<String>,
    pub locale: Option<&'static str>,
    pub time_zone: Option<String>,
}

pub(crate) async fn show(app: &App, session: &CurrentSession) -> Result<Shown, Internal> {
    let mut conn = app.db.acquire().await?;
    let profile = accounts::profile(&mut conn, session.account).await?;
    let factors = factors::confirmed(&mut conn, session.account).await?;
    let mergeable = mergeable(&mut conn, (session.account, &profile.identifiers), &factors).await?;
    let mut second_factor_kinds = Vec::new();
    for factor in &factors {
        if !second_factor_kinds.contains(&factor.kind) {
            second_factor_kinds.push(factor.kind);
        }
    }
    let pending_changes = changes::waiting(&mut conn, session.account).await?;
    Ok(Shown { profile, second_factor_kinds, pending_changes, mergeable })
}

pub(crate) async fn change_profile(
    app: &App,
    session: &CurrentSession,
    change: &ProfileChange,
    caller: &Caller,
) -> Result<(), StepError> {
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    let (name, zone) = (change.display_name.as_deref(), change.time_zone.as_deref());
    accounts::update_profile(&mut tx, &account, name, change.locale, zone).await?;
    let event = Event::new(EventKind::ProfileChanged, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    Ok(app.commit(tx).await?)
}

/// Makes ten new codes; the old ones are void.
pub(crate) async fn renew_recovery_codes(
    app: &App,
    session: &CurrentSession,
    caller: &Caller,
) -> Result<Vec<String>, StepError> {
    let codes = factors::make_recovery_codes(app).await?;
    let mut tx = app.begin().await?;
    let account = sessions::lock(&mut tx, app, session).await?;
    factors::replace_recovery_codes(&mut tx, app, &account, &codes).await?;
    let event = Event::new(EventKind::RecoveryCodesReplaced, caller).account(session.account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    factors::notify(&mut tx, app, session.account, MessageKind::RecoveryCodesReplacedNotice, &[]).await?;
    app.commit(tx).await?;
    Ok(codes.texts)
}
