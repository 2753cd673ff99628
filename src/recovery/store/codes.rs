//! The one code of a recovery that is on its way, tries, and what was proved.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;

use super::super::model::APP_TRIES;
use super::super::model::CODE_TRIES;
use super::super::model::PROOF_TRIES;
use super::super::model::Proof;
use super::super::model::ProofKind;
use super::super::model::SENDS;
use crate::ids::FlowId;
use crate::internal::Internal;

/// A code, where it goes, and its times.
pub(crate) struct NewCode<'a> {
    pub mac: &'a [u8],
    pub to_sealed: &'a [u8],
    pub expires_at: DateTime<Utc>,
    pub resend_after: DateTime<Utc>,
}

/// Puts a code in the place of the one before; false when it is too soon, or there were enough.
pub(crate) async fn replace_code(
    conn: &mut PgConnection,
    id: FlowId,
    code: &NewCode<'_>,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let replaced = sqlx::query!(
        "UPDATE recoveries SET code_mac = $2, code_to_sealed = $3, code_expires_at = $4, resend_after = $5, code_tries = 0,
                sends = sends + 1
         WHERE id = $1 AND ended_at IS NULL AND expires_at > $6 AND resend_after <= $6 AND sends < $7",
        id.uuid(),
        code.mac,
        code.to_sealed,
        code.expires_at,
        code.resend_after,
        now,
        SENDS
    )
    .execute(conn)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

/// The code at the moment of a try that was counted.
pub(crate) struct Tried {
    pub code_mac: Option<Vec<u8>>,
    pub code_to_sealed: Vec<u8>,
    pub code_expires_at: DateTime<Utc>,
    pub code_tries: i32,
    pub app_tries: i32,
    pub proof_tries: i32,
}

/// Counts a try at the code of the contact before it is looked at; `None` when no try is left, or it is proved.
pub(crate) async fn count_contact_try(
    conn: impl PgExecutor<'_>,
    id: FlowId,
    now: DateTime<Utc>,
) -> Result<Option<Tried>, Internal> {
    Ok(sqlx::query_as!(
        Tried,
        "UPDATE recoveries SET code_tries = code_tries + 1
         WHERE id = $1 AND state = 'awaiting_contact' AND expires_at > $2 AND code_tries < $3
         RETURNING code_mac, code_to_sealed, code_expires_at, code_tries, app_tries, proof_tries",
        id.uuid(),
        now,
        CODE_TRIES
    )
    .fetch_optional(conn)
    .await?)
}

/// Counts a proof before it is looked at, also as a try at the code, or at the apps, when it is one; `None` when no try is
/// left, or nothing is to be proved.
pub(crate) async fn count_proof(
    conn: impl PgExecutor<'_>,
    (id, kind): (FlowId, ProofKind),
    now: DateTime<Utc>,
) -> Result<Option<Tried>, Internal> {
    Ok(sqlx::query_as!(
        Tried,
        "UPDATE recoveries SET proof_tries = proof_tries + 1, code_tries = code_tries + $2::boolean::integer,
                app_tries = app_tries + $3::boolean::integer
         WHERE id = $1 AND state = 'waiting' AND expires_at > $4 AND proof_tries < $5 AND (NOT $2 OR code_tries < $6)
           AND (NOT $3 OR app_tries < $7)
         RETURNING code_mac, code_to_sealed, code_expires_at, code_tries, app_tries, proof_tries",
        id.uuid(),
        kind == ProofKind::Code,
        kind == ProofKind::Factor,
        now,
        PROOF_TRIES,
        CODE_TRIES,
        APP_TRIES
    )
    .fetch_optional(conn)
    .await?)
}

/// A proof that was right, or not looked at, does not count.
pub(crate) async fn return_proof(conn: impl PgExecutor<'_>, (id, kind): (FlowId, ProofKind)) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE recoveries SET proof_tries = proof_tries - 1, code_tries = greatest(code_tries - $2::boolean::integer, 0),
                app_tries = app_tries - $3::boolean::integer
         WHERE id = $1 AND proof_tries > 0",
        id.uuid(),
        kind == ProofKind::Code,
        kind == ProofKind::Factor
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses the code up; false when it was used or replaced meanwhile.
pub(crate) async fn use_code(conn: &mut PgConnection, id: FlowId, mac: Option<&[u8]>) -> Result<bool, Internal> {
    let used = sqlx::query!("UPDATE recoveries SET code_mac = NULL WHERE id = $1 AND code_mac = $2", id.uuid(), mac)
        .execute(conn)
        .await?;
    Ok(used.rows_affected() == 1)
}

/// Writes down what was proved; false when the recovery takes no proofs any more. Of one kind the newest counts.
pub(crate) async fn insert_proof(
    conn: &mut PgConnection,
    id: FlowId,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let inserted = sqlx::query!(
        "INSERT INTO recovery_proofs (recovery_id, kind, password_version, made_of, proved_at)
         SELECT id, $2, $3, $4, $5 FROM recoveries WHERE id = $1 AND state = 'waiting' AND expires_at > $5
         ON CONFLICT (recovery_id, kind) DO UPDATE SET password_version = $3, made_of = $4, proved_at = $5",
        id.uuid(),
        proof.proved().name(),
        proof.password_version(),
        proof.made_of(),
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
