//! Making recovery codes.

use sqlx::PgConnection;

use super::super::recovery_codes::CODES;
use super::super::recovery_codes::RecoveryCode;
use super::super::recovery_codes::RecoveryCodes;
use super::super::store;
use crate::accounts::LockedAccount;
use crate::app::App;
use crate::crypto;
use crate::crypto::HashingError;
use crate::internal::Internal;

/// Draws and hashes a new set of recovery codes, outside any transaction.
///
/// # Errors
/// No hashing thread would have had time.
pub async fn make_recovery_codes(app: &App) -> Result<RecoveryCodes, HashingError> {
    let salt = crypto::random_bytes();
    let mut codes = RecoveryCodes { salt, digests: Vec::with_capacity(CODES), texts: Vec::with_capacity(CODES) };
    for _ in 0..CODES {
        let code = RecoveryCode::generate();
        codes.digests.push(app.hashing.reserve()?.derive(code.bytes(), &salt).await?);
        codes.texts.push(code.reveal());
    }
    Ok(codes)
}

/// Stores a new set; the old one is void.
pub async fn replace_recovery_codes(
    conn: &mut PgConnection,
    app: &App,
    account: &LockedAccount,
    codes: &RecoveryCodes,
) -> Result<(), Internal> {
    let now = app.clock.now();
    let digests: Vec<Vec<u8>> = codes.digests.iter().map(|digest| digest.to_vec()).collect();
    store::replace_codes(conn, account, crypto::new_id(now), (&codes.salt, &digests), now).await
}
