//! What is special about accounts of another system: they come in batches, with an old user name that is good for one
//! sign-in, and with identifiers that nobody has proved.

use std::collections::HashMap;
use std::collections::HashSet;

use sqlx::PgConnection;
use zeroize::Zeroizing;

use super::model::Holder;
use super::model::Identifier;
use super::model::ImportedAccount;
use super::model::LegacyLogin;
use super::model::LockedAccount;
use super::service;
use super::service::Candidate;
use super::service::open_hash;
use super::service::seal_hash;
use super::store;
use super::typed::Faults;
use super::typed::read_identifier;
use crate::app::App;
use crate::crypto::MacPurpose;
use crate::ids::AccountId;
use crate::ids::IdentifierId;
use crate::internal::Internal;

/// What others have of what a batch claims, or what its lines have claimed.
#[derive(Default)]
pub struct Taken {
    /// External ids that were imported already, also those of accounts that are gone.
    pub external_ids: HashSet<String>,
    /// Those among them whose account nobody can sign in to: others have proved all its identifiers.
    pub stranded: HashMap<String, AccountId>,
    /// Lookup keys of identifiers.
    pub identifiers: HashMap<String, Holder>,
    /// Lookup keys of old user names.
    pub legacy_logins: HashMap<String, Holder>,
}

impl Taken {
    /// Adds what others have.
    pub fn merge(&mut self, other: Self) {
        self.external_ids.extend(other.external_ids);
        self.stranded.extend(other.stranded);
        self.identifiers.extend(other.identifiers);
        self.legacy_logins.extend(other.legacy_logins);
    }
}

/// Looks up what others have.
pub async fn taken(conn: &mut PgConnection, app: &App, accounts: &[&ImportedAccount]) -> Result<Taken, Internal> {
    let names: Vec<_> = accounts.iter().map(|account| account.external_id.clone()).collect();
    let identifiers = accounts.iter().flat_map(|account| &account.identifiers);
    let identifiers: Vec<_> = identifiers.map(|own| own.identifier.lookup_key().to_owned()).collect();
    let logins = accounts.iter().filter_map(|account| account.legacy_login.as_ref());
    let logins: Vec<_> = logins.map(|login| login.lookup_key().to_owned()).collect();
    // An account that another run commits meanwhile must not be seen by its identifiers alone: that would be somebody else.
    let identifiers = store::taken_identifiers(conn, &identifiers).await?;
    let legacy_logins = store::taken_legacy_logins(conn, &logins).await?;
    let mut taken = Taken { identifiers, legacy_logins, ..Taken::default() };
    for (name, account, stranded) in store::known_external_ids(conn, &names).await? {
        if stranded {
            taken.stranded.insert(name.clone(), account);
        }
        taken.external_ids.insert(name);
    }
    // Behind those that are there: an account that goes meanwhile is among these.
    let mut macs = HashMap::new();
    for name in &names {
        let parts = [name.as_bytes()];
        macs.extend(app.config.master_keys.macs(MacPurpose::ExternalId, &parts).map(|mac| (mac.to_vec(), name)));
    }
    let gone = store::gone_by_mac(conn, &macs.keys().cloned().collect::<Vec<_>>()).await?;
    taken.external_ids.extend(gone.iter().filter_map(|mac| macs.get(mac).map(|name| (*name).clone())));
    Ok(taken)
}

/// Makes accounts; false when somebody has taken meanwhile what one of them claims, and the transaction is broken.
pub async fn insert_imported(
    conn: &mut PgConnection,
    app: &App,
    accounts: &[&ImportedAccount],
) -> Result<bool, Internal> {
    let seal = |account: &ImportedAccount| account.hash.as_ref().map(|hash| seal_hash(app, account.id, hash));
    let sealed: Vec<_> = accounts.iter().map(|account| (*account, seal(account))).collect();
    store::insert_imported(conn, &sealed, app.clock.now()).await
}

/// The active accounts behind `after`, in the order of their ids, with their hashes opened.
///
/// # Errors
/// The database did not answer, or a hash does not open.
pub async fn export_page(
    conn: &mut PgConnection,
    app: &App,
    after: AccountId,
    count: i64,
) -> Result<Vec<ImportedAccount>, Internal> {
    let open = |(mut account, sealed): (ImportedAccount, Option<Zeroizing<Vec<u8>>>)| {
        if let Some(sealed) = sealed {
            account.hash = Some(open_hash(app, account.id, &sealed)?);
        }
        Ok(account)
    };
    store::page(conn, after, count).await?.into_iter().map(open).collect()
}

/// What somebody signs in with.
pub enum Login {
    /// An identifier.
    Identifier(Identifier),
    /// An old user name.
    Legacy(LegacyLogin),
}

impl Login {
    /// What decides whose it is.
    pub fn lookup_key(&self) -> &str {
        match self {
            Self::Identifier(identifier) => identifier.lookup_key(),
            Self::Legacy(login) => login.lookup_key(),
        }
    }

    /// Reads what was typed. What is no identifier is taken for an old user name, as long as any is good.
    pub async fn read(
        app: &App,
        faults: &mut Faults,
        typed: &str,
        country: Option<&str>,
    ) -> Result<Option<Self>, Internal> {
        if Identifier::parse(typed, None).is_err()
            && country.is_none()
            && let Some(login) = LegacyLogin::parse(typed)
            && store::has_legacy_logins(&app.db).await?
        {
            return Ok(Some(Self::Legacy(login)));
        }
        Ok(read_identifier(faults, typed, country).map(Self::Identifier))
    }

    /// Whoever signs in with it.
    pub async fn candidate(&self, app: &App) -> Result<Candidate, Internal> {
        match self {
            Self::Identifier(identifier) => service::candidate(app, identifier).await,
            Self::Legacy(login) => match store::owner_of_legacy_login(&app.db, login.lookup_key()).await? {
                Some(account) => service::candidate_of(app, account).await,
                None => Ok(Candidate::nobody()),
            },
        }
    }
}

/// Notes that an identifier was proved in a first sign-in; those that nobody has proved by then go. False when it has
/// gone itself.
pub async fn prove(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    identifier: IdentifierId,
) -> Result<bool, Internal> {
    store::prove(conn, account, identifier, app.clock.now()).await
}
