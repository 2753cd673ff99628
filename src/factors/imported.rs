//! Factors that another system had confirmed, or is to have, in batches.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use zeroize::Zeroizing;

use super::model::FactorKind;
use super::store;
use super::store::NewConfirmed;
use crate::app::App;
use crate::crypto;
use crate::crypto::SealPurpose;
use crate::ids::AccountId;
use crate::ids::FactorId;
use crate::internal::Internal;

/// The least bytes of an app's secret (RFC 4226 §4 R6).
pub const MIN_SECRET_BYTES: usize = 16;

/// A factor that its owner has proved elsewhere.
pub struct ImportedFactor {
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// When it was proved.
    pub confirmed_at: DateTime<Utc>,
    /// What it is.
    pub proof: ImportedProof,
}

/// What a factor is checked against.
pub enum ImportedProof {
    /// The secret of an authenticator app: SHA-1, six digits, thirty seconds.
    Totp(Zeroizing<Vec<u8>>),
    /// A number in E.164.
    Phone(String),
}

/// Makes factors of accounts that the same transaction has made.
pub async fn insert_imported(conn: &mut PgConnection, app: &App, factors: &[&ImportedFactor]) -> Result<(), Internal> {
    let now = app.clock.now();
    let rows: Vec<_> = factors
        .iter()
        .map(|factor| {
            let id: FactorId = crypto::new_id(now);
            let (kind, secret_sealed, number) = match &factor.proof {
                ImportedProof::Totp(secret) => {
                    let sealed = app.config.master_keys.seal(SealPurpose::TotpSecret, id.uuid().as_bytes(), secret);
                    (FactorKind::Totp, Some(sealed), None)
                }
                ImportedProof::Phone(number) => (FactorKind::Phone, None, Some(number.clone())),
            };
            NewConfirmed { id, factor, kind, secret_sealed, number }
        })
        .collect();
    store::insert_confirmed(conn, &rows).await
}

/// The apps and phones of these accounts, with their secrets opened.
///
/// # Errors
/// The database did not answer, or a secret does not open.
pub async fn export(
    conn: &mut PgConnection,
    app: &App,
    accounts: &[AccountId],
) -> Result<Vec<ImportedFactor>, Internal> {
    let accounts: Vec<_> = accounts.iter().map(|account| account.uuid()).collect();
    let mut factors = Vec::new();
    for row in store::confirmed_of(conn, &accounts).await? {
        let proof = match (row.secret_sealed, row.number) {
            (Some(sealed), _) => ImportedProof::Totp(app.config.master_keys.open(
                SealPurpose::TotpSecret,
                row.id.uuid().as_bytes(),
                &sealed,
            )?),
            (None, Some(number)) => ImportedProof::Phone(number),
            // Of a kind that no other system can take over.
            (None, None) => continue,
        };
        let (account, label, confirmed_at) = (row.account, row.label, row.confirmed_at);
        factors.push(ImportedFactor { account, label, confirmed_at, proof });
    }
    Ok(factors)
}
