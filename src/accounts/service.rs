//! Creating accounts and judging passwords.

use sqlx::PgConnection;
use zeroize::Zeroizing;

use super::model::AccountRemainder;
use super::model::AccountStatus;
use super::model::AuthenticateError;
use super::model::Authenticated;
use super::model::Identifier;
use super::model::LockedAccount;
use super::model::NewAccount;
use super::model::Profile;
use super::store;
use super::store::Credentials;
use crate::app::App;
use crate::crypto;
use crate::crypto::NormalisedPassword;
use crate::crypto::SealPurpose;
use crate::ids::AccountId;
use crate::internal::Internal;

/// Someone who may turn out to know a password; or nobody, who never does.
pub struct Candidate {
    credentials: Option<Credentials>,
}

impl Candidate {
    pub(super) fn nobody() -> Self {
        Self { credentials: None }
    }

    /// Whose password it would be.
    pub fn account(&self) -> Option<AccountId> {
        self.credentials.as_ref().map(|credentials| credentials.account)
    }
}

/// Makes an account with a proved identifier; `None` when the identifier belongs to another account already.
pub async fn create(conn: &mut PgConnection, app: &App, new: &NewAccount<'_>) -> Result<Option<AccountId>, Internal> {
    store::displace_unproved(conn, new.identifier.lookup_key).await?;
    let now = app.clock.now();
    let id: AccountId = crypto::new_id(now);
    let sealed = seal_hash(app, id, new.password_hash);
    let inserted = store::insert(conn, id, crypto::new_id(now), new, (&sealed, now)).await?;
    Ok(inserted.then_some(id))
}

/// Whoever an identifier belongs to.
pub async fn candidate(app: &App, identifier: &Identifier) -> Result<Candidate, Internal> {
    Ok(Candidate {
        credentials: store::find_credentials(&app.db, (Some(identifier.lookup_key()), None), app.clock.now()).await?,
    })
}

/// A known account, for re-authentication.
pub async fn candidate_of(app: &App, account: AccountId) -> Result<Candidate, Internal> {
    Ok(Candidate { credentials: store::find_credentials(&app.db, (None, Some(account)), app.clock.now()).await? })
}

/// Judges a password, whoever counts it. Nobody's costs the same work as somebody's.
///
/// # Errors
/// See [`AuthenticateError`]; closed and suspended are told only after the right password.
pub async fn authenticate(
    app: &App,
    slot: crypto::HashingSlot,
    candidate: &Candidate,
    password: &str,
) -> Result<Authenticated, AuthenticateError> {
    let credentials = candidate.credentials.as_ref();
    // What no policy ever accepted is no one's password; the work is done all the same.
    let presented = NormalisedPassword::for_verification(password);
    let known = credentials.and_then(|c| Some((c, c.hash_sealed.as_deref()?)));
    let (Some(presented), Some((credentials, sealed))) = (presented.as_ref(), known) else {
        slot.verify_dummy(&presented.unwrap_or_default()).await?;
        return Err(AuthenticateError::Wrong { account: credentials.map(|c| c.account) });
    };
    let stored = open_hash(app, credentials.account, sealed)?;
    let verified = slot.verify(presented, &stored).await?;
    if !verified.matches {
        return Err(AuthenticateError::Wrong { account: Some(credentials.account) });
    }
    match credentials.status {
        AccountStatus::Active | AccountStatus::Closing => {}
        AccountStatus::Closed => return Err(AuthenticateError::Closed { account: credentials.account }),
        AccountStatus::Suspended => return Err(AuthenticateError::Suspended { account: credentials.account }),
    }
    if verified.needs_rehash {
        upgrade(app, credentials, presented).await?;
    }
    Ok(Authenticated { account: credentials.account, password_version: credentials.version })
}

/// Whether this is the password of an account whose owner has just given it; to tell a new password from the old one.
///
/// # Errors
/// No hashing thread would have had time.
pub async fn is_password(
    app: &App,
    slot: crypto::HashingSlot,
    candidate: &Candidate,
    password: &NormalisedPassword,
) -> Result<bool, crypto::HashingError> {
    let known = candidate.credentials.as_ref().and_then(|c| Some((c.account, c.hash_sealed.as_deref()?)));
    let Some((account, sealed)) = known else { return Ok(false) };
    Ok(slot.verify(password, &open_hash(app, account, sealed)?).await?.matches)
}

/// A hash of older parameters is made anew. When no thread has time the next sign-in does it.
async fn upgrade(app: &App, credentials: &Credentials, password: &NormalisedPassword) -> Result<(), AuthenticateError> {
    let Ok(slot) = app.hashing.reserve() else { return Ok(()) };
    let Ok(phc) = slot.hash(password).await else { return Ok(()) };
    let sealed = seal_hash(app, credentials.account, &phc);
    Ok(store::upgrade_hash(&app.db, credentials.account, credentials.version, &sealed).await?)
}

pub(super) fn open_hash(app: &App, account: AccountId, sealed: &[u8]) -> Result<Zeroizing<String>, Internal> {
    let opened = app.config.master_keys.open(SealPurpose::PasswordHash, account.uuid().as_bytes(), sealed)?;
    Ok(Zeroizing::new(std::str::from_utf8(&opened).map_err(Internal::bug)?.to_owned()))
}

pub(super) fn seal_hash(app: &App, account: AccountId, phc: &str) -> Vec<u8> {
    app.config.master_keys.seal(SealPurpose::PasswordHash, account.uuid().as_bytes(), phc.as_bytes())
}

/// Takes the rows of two accounts, in the order of their ids whoever asks; answers them as they were named, or `None` when
/// one is not there.
///
/// # Errors
/// The database did not answer, or a lock was not to be had in time.
pub async fn lock_two(
    conn: &mut PgConnection,
    (one, other): (AccountId, AccountId),
) -> Result<Option<(LockedAccount, LockedAccount)>, Internal> {
    let first = store::lock(conn, one.min(other)).await?;
    let second = store::lock(conn, one.max(other)).await?;
    Ok(first.zip(second).map(|(first, second)| if one < other { (first, second) } else { (second, first) }))
}

/// An account as its owner sees it.
///
/// # Errors
/// The database did not answer, or there is no such account.
pub async fn profile(conn: &mut PgConnection, account: AccountId) -> Result<Profile, Internal> {
    store::profile(conn, account).await?.ok_or_else(|| Internal::bug(format!("accounts {account}: no such row")))
}

/// What is held of an account beside its profile.
///
/// # Errors
/// The database did not answer, or there is no such account.
pub async fn remainder(conn: &mut PgConnection, account: AccountId) -> Result<AccountRemainder, Internal> {
    store::remainder(conn, account).await?.ok_or_else(|| Internal::bug(format!("accounts {account}: no such row")))
}
