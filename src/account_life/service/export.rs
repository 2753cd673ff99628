//! Everything that is held about a person, read in one transaction.

use crate::accounts;
use crate::accounts::AccountRemainder;
use crate::accounts::Profile;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::audit::PastEvent;
use crate::changes;
use crate::changes::PendingChange;
use crate::devices;
use crate::devices::KnownDevice;
use crate::factors;
use crate::factors::ConfirmedFactor;
use crate::identifiers;
use crate::identifiers::WantedIdentifier;
use crate::internal::Internal;
use crate::recovery;
use crate::recovery::ListedRecovery;
use crate::sessions;
use crate::sessions::CurrentSession;
use crate::sessions::HeldSession;

/// Strangers who guess at an account make events of it, as many as they like: so many are in the document, and it says
/// where the others are.
pub(crate) const MOST_EVENTS: u16 = 10_000;

/// What is held about a person.
pub(crate) struct Held {
    pub profile: Profile,
    pub remainder: AccountRemainder,
    pub unproved_identifiers: Vec<WantedIdentifier>,
    pub factors: Vec<ConfirmedFactor>,
    pub recovery_codes_left: i64,
    pub sessions: Vec<HeldSession>,
    pub devices: Vec<KnownDevice>,
    pub pending_changes: Vec<PendingChange>,
    pub recoveries: Vec<ListedRecovery>,
    /// One more than [`MOST_EVENTS`] when there are more.
    pub events: Vec<PastEvent>,
}

/// Gathers it; that it was asked for is the newest event.
pub(crate) async fn export(app: &App, session: &CurrentSession, caller: &Caller) -> Result<Held, Internal> {
    let (mut tx, account) = (app.begin().await?, session.account);
    let event = Event::new(EventKind::DataExported, caller).account(account).session(session.id);
    audit::record(&mut tx, &app.clock, event).await?;
    let held = Held {
        profile: accounts::profile(&mut tx, account).await?,
        remainder: accounts::remainder(&mut tx, account).await?,
        unproved_identifiers: identifiers::wanted(&mut tx, account).await?,
        factors: factors::confirmed(&mut tx, account).await?,
        recovery_codes_left: factors::recovery_codes_left(&mut *tx, account).await?,
        sessions: sessions::held(&mut tx, account).await?,
        devices: devices::known(&mut tx, account).await?,
        pending_changes: changes::waiting(&mut tx, account).await?,
        recoveries: recovery::of_account(&mut tx, account, app.clock.now()).await?,
        events: audit::of_account(&mut *tx, account, None, i64::from(MOST_EVENTS) + 1).await?,
    };
    app.commit(tx).await?;
    Ok(held)
}
