//! Recoveries: found, begun, brought from one state to the next.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::model::Ending;
use super::super::model::LIFETIME;
use super::super::model::Lost;
use super::super::model::Proved;
use super::super::model::Recovery;
use super::super::model::RecoveryToken;
use super::super::model::State;
use super::super::model::WAIT;
use super::codes::NewCode;
use crate::crypto::Mac;
use crate::crypto::TokenDigest;
use crate::ids::AccountId;
use crate::ids::FlowId;
use crate::internal::Internal;

/// A row to insert.
pub(crate) struct NewRow<'a> {
    pub id: FlowId,
    pub digest: &'a TokenDigest<RecoveryToken>,
    pub lost: &'a [Lost],
    pub typed_sealed: &'a [u8],
    pub identifier: &'a Mac,
    pub contact: &'a Mac,
    pub client_id: &'a str,
    pub code: NewCode<'a>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(conn: &mut PgConnection, row: &NewRow<'_>) -> Result<(), Internal> {
    let lost: Vec<String> = row.lost.iter().map(|lost| lost.name().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO recoveries (id, token_digest, lost, typed_sealed, contact_mac, client_id, code_mac,
                                 code_to_sealed, code_expires_at, resend_after, created_at, expires_at, identifier_mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        row.id.uuid(),
        row.digest.as_bytes(),
        &lost,
        row.typed_sealed,
        row.contact.as_slice(),
        row.client_id,
        row.code.mac,
        row.code.to_sealed,
        row.code.expires_at,
        row.code.resend_after,
        row.now,
        row.expires_at,
        row.identifier.as_slice()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The recovery of a token, also one that has ended.
pub(crate) async fn find(
    conn: &mut PgConnection,
    digest: &TokenDigest<RecoveryToken>,
    now: DateTime<Utc>,
) -> Result<Option<Recovery>, Internal> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM recoveries WHERE (token_digest = $1 OR resumed_digest = $1) AND expires_at > $2",
        digest.as_bytes(),
        now
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = id else { return Ok(None) };
    Ok(load(conn, &[id]).await?.pop())
}

/// The recovery of an id.
pub(crate) async fn find_by_id(conn: &mut PgConnection, id: FlowId) -> Result<Option<Recovery>, Internal> {
    Ok(load(conn, &[id.uuid()]).await?.pop())
}

/// Up to `limit` recoveries whose contact is proved and that have not ended, oldest first; those of nobody, too. `after` is
/// the last id of the page before.
pub(crate) async fn proved_living(
    conn: &mut PgConnection,
    (after, limit): (Option<FlowId>, i64),
    now: DateTime<Utc>,
) -> Result<Vec<Recovery>, Internal> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM recoveries WHERE state IN ('waiting', 'approved') AND expires_at > $1 AND ($2::uuid IS NULL OR id > $2)
         ORDER BY id LIMIT $3",
        now,
        after.map(FlowId::uuid),
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    load(conn, &ids).await
}

pub(crate) async fn of_account(conn: &mut PgConnection, account: AccountId) -> Result<Vec<Recovery>, Internal> {
    let ids = sqlx::query_scalar!("SELECT id FROM recoveries WHERE account_id = $1", account.uuid());
    let ids = ids.fetch_all(&mut *conn).await?;
    load(conn, &ids).await
}

async fn load(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Recovery>, Internal> {
    // A proof counts as long as what it was made of is there: the version of the password, the set of recovery codes, the
    // factor, the identifier. A password that a message has set is none: whoever gets those messages would prove two things
    // with one destination.
    let rows = sqlx::query!(
        r#"SELECT r.id AS "id: FlowId", r.account_id AS "account: AccountId", r.state, r.opens_at, r.lost, r.typed_sealed,
             r.client_id, r.created_at, r.expires_at, r.sends, r.resend_after, r.proof_tries,
             ARRAY(SELECT p.kind FROM recovery_proofs p WHERE p.recovery_id = r.id AND CASE p.kind
                 WHEN 'password' THEN EXISTS (SELECT FROM passwords w WHERE w.account_id = r.account_id
                     AND w.version = p.password_version AND w.reset_carried_by IS NULL)
                 WHEN 'recovery_code' THEN EXISTS (SELECT FROM recovery_code_sets s
                     WHERE s.id = p.made_of AND s.account_id = r.account_id)
                 WHEN 'factor' THEN EXISTS (SELECT FROM factors f WHERE f.id = p.made_of AND f.account_id = r.account_id)
                 ELSE EXISTS (SELECT FROM identifiers i WHERE i.id = p.made_of AND i.account_id = r.account_id)
             END ORDER BY p.proved_at, p.kind) AS "proofs!"
           FROM recoveries r WHERE r.id = ANY($1) ORDER BY r.id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = row.id;
            Ok(Recovery {
                id,
                account: row.account,
                state: State::from_row(&row.state, row.opens_at, id)?,
                lost: row.lost.iter().map(|name| Lost::from_name(name, id)).collect::<Result<_, _>>()?,
                proofs: row.proofs.iter().map(|name| Proved::from_name(name, id)).collect::<Result<_, _>>()?,
                typed_sealed: row.typed_sealed,
                client_id: row.client_id,
                created_at: row.created_at,
                expires_at: row.expires_at,
                sends: row.sends,
                resend_after: row.resend_after,
                proof_tries: row.proof_tries,
            })
        })
        .collect()
}

/// Brings a recovery from the state that was seen to another; false when someone was faster. Its life begins when its
/// contact is proved, and the pause after the contact's code ends. Its owner is told when it waits and when it was approved,
/// its contact when the wait is over and at every transition after that which it does not bring about.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    seen: &Recovery,
    to: State,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let ended = matches!(to, State::Ended(_));
    let waits = matches!(to, State::Waiting { .. });
    let contact_due_at = match to {
        State::Waiting { opens_at } => Some(opens_at),
        State::AwaitingContact | State::Ended(Ending::Completed) => None,
        State::Approved { .. } | State::Ended(Ending::Cancelled | Ending::Denied) => Some(now),
    };
    let advanced = sqlx::query!(
        "UPDATE recoveries SET state = $3, opens_at = coalesce($4, opens_at), expires_at = coalesce($5, expires_at),
                ended_at = $6, notice_due_at = $7, contact_due_at = $9, resend_after = coalesce($10, resend_after),
                contact_proved_at = coalesce($10, contact_proved_at)
         WHERE id = $1 AND state = $2 AND expires_at > $8",
        seen.id.uuid(),
        seen.state.name(),
        to.name(),
        to.opens_at(),
        waits.then_some(now + LIFETIME),
        ended.then_some(now),
        (!ended).then_some(now),
        now,
        contact_due_at,
        waits.then_some(now)
    )
    .execute(conn)
    .await?;
    Ok(advanced.rows_affected() == 1)
}

/// Lets a recovery wait until another time, and live long enough to be completed then; false when it waits no more. Its
/// contact is told now, and its owner when it opens.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    id: FlowId,
    opens_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Internal> {
    let postponed = sqlx::query!(
        "UPDATE recoveries SET opens_at = $2, expires_at = greatest(expires_at, $3), notice_due_at = $2, contact_due_at = $4
         WHERE id = $1 AND state = 'waiting' AND expires_at > $4",
        id.uuid(),
        opens_at,
        opens_at + WAIT,
        now
    )
    .execute(conn)
    .await?;
    Ok(postponed.rows_affected() == 1)
}

/// Says whose account it is about, while its contact is not proved; nobody's, when there is none.
pub(crate) async fn bind(conn: &mut PgConnection, id: FlowId, account: Option<AccountId>) -> Result<bool, Internal> {
    let bound = sqlx::query!(
        "UPDATE recoveries SET account_id = $2 WHERE id = $1 AND state = 'awaiting_contact'",
        id.uuid(),
        account.map(AccountId::uuid)
    )
    .execute(conn)
    .await?;
    Ok(bound.rows_affected() == 1)
}

/// Lets another token name the newest recovery of a proved contact, beside the first one. Answers which.
pub(crate) async fn resume(
    conn: &mut PgConnection,
    contact: &[Vec<u8>],
    digest: &TokenDigest<RecoveryToken>,
    now: DateTime<Utc>,
) -> Result<Option<FlowId>, Internal> {
    let resumed = sqlx::query_scalar!(
        r#"UPDATE recoveries SET resumed_digest = $2 WHERE id =
           (SELECT id FROM recoveries WHERE contact_mac = ANY($1) AND ended_at IS NULL AND opens_at IS NOT NULL
            AND expires_at > $3 ORDER BY id DESC LIMIT 1)
           RETURNING id AS "id: FlowId""#,
        contact,
        digest.as_bytes(),
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(resumed)
}
