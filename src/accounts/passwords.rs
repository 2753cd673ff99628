//! The password of an account: replaced, reset, or to be changed.
//!
//! A reset is bound to the row of the password by a number ([`bind_reset`]) and used up by one statement that requires
//! version, number and identifier to be those that it was bound to ([`use_reset`]), so that neither a repeated message nor
//! a Redis that came back to an earlier state lets a token count twice. A new request, a use, a change of the password and
//! [`void_resets`] make every token void that was sent before.

use sqlx::PgConnection;

use super::model::BoundReset;
use super::model::LockedAccount;
use super::model::Profile;
use super::one_proof::identifier_may_carry;
use super::service::profile;
use super::service::seal_hash;
use super::store;
use super::store::NewHash;
use crate::app::App;
use crate::crypto;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;
use crate::password_policy::AcceptedPassword;
use crate::password_policy::PasswordContext;
use crate::password_policy::PasswordRefusal;

/// What the token of a reset request can be bound to.
pub enum ResetBinding {
    /// It counts from now on, and those before do not.
    Bound(BoundReset),
    /// The identifier is too new to carry one.
    Held(AccountId),
    /// There is nothing to bind it to, or a newer one was bound.
    Nothing,
}

/// Takes a candidate as the new password of a person, of whom an attacker knows the name and the addresses, too.
///
/// # Errors
/// Every fault that it has.
pub fn accept_password(app: &App, profile: &Profile, typed: &str) -> Result<AcceptedPassword, PasswordRefusal> {
    let identifiers: Vec<&str> = profile.identifiers.iter().map(|own| own.value.as_str()).collect();
    let context = PasswordContext { identifiers: &identifiers, display_name: profile.display_name.as_deref() };
    app.password_policy.accept(typed, context)
}

/// Replaces the password under the account's lock; what saw the version before opens nothing any more. The
/// lock shows the new one.
pub async fn set_password(
    conn: &mut PgConnection,
    app: &App,
    account: &mut LockedAccount,
    phc: &str,
) -> Result<(), Internal> {
    let now = app.clock.now();
    let sealed = seal_hash(app, account.id, phc);
    let new = NewHash { sealed: Some(&sealed), now, moment: crypto::new_id(now) };
    let version = store::set_hash(conn, (account.id, account.password.version), &new).await?;
    // Only who holds the lock changes it.
    account.password.version =
        version.ok_or_else(|| Internal::bug(format!("passwords {}: another version under the lock", account.id)))?;
    account.password.must_change = false;
    Ok(())
}

/// Takes the password away until it is reset: it opens nothing any more, and no flow that saw it does.
pub async fn void_password(conn: &mut PgConnection, app: &App, account: &LockedAccount) -> Result<(), Internal> {
    let now = app.clock.now();
    let new = NewHash { sealed: None, now, moment: crypto::new_id(now) };
    store::set_hash(conn, (account.id, account.password.version), &new).await.map(drop)
}

/// Binds the token of a reset request to the account of an identifier, for the worker that sends it.
pub async fn bind_reset(
    conn: &mut PgConnection,
    app: &App,
    lookup_key: &str,
    flow: FlowId,
) -> Result<ResetBinding, Internal> {
    let Some(owner) = store::owner_of(conn, lookup_key).await? else { return Ok(ResetBinding::Nothing) };
    let profile = profile(conn, owner).await?;
    let identifier = profile.identifiers.iter().find(|own| own.lookup_key == lookup_key);
    let (Some(identifier), true) = (identifier, profile.status.admits_sign_in()) else {
        return Ok(ResetBinding::Nothing);
    };
    if !identifier_may_carry(app.clock.now(), profile.created_at, identifier.verified_at) {
        return Ok(ResetBinding::Held(owner));
    }
    let bound = store::bind_reset(conn, (owner, identifier.id), flow).await?;
    Ok(bound.map_or(ResetBinding::Nothing, ResetBinding::Bound))
}

/// Uses a reset up and sets the new password, under the account's lock; false when it was used or made void.
pub async fn use_reset(
    conn: &mut PgConnection,
    app: &App,
    (account, reset): (&LockedAccount, &BoundReset),
    phc: &str,
) -> Result<bool, Internal> {
    let now = app.clock.now();
    let sealed = seal_hash(app, account.id, phc);
    let new = NewHash { sealed: Some(&sealed), now, moment: crypto::new_id(now) };
    Ok(account.id == reset.account && store::use_reset(conn, reset, &new).await?)
}

/// Makes every reset void that was asked for before, for whatever changes the identifiers.
pub async fn void_resets(conn: &mut PgConnection, app: &App, account: &LockedAccount) -> Result<(), Internal> {
    store::void_resets(conn, account.id, crypto::new_id(app.clock.now())).await
}
