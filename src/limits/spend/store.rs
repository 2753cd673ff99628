//! The counts of a day.

use chrono::NaiveDate;
use sqlx::PgConnection;
use sqlx::PgPool;

use super::Budget;
use crate::internal::Internal;

/// A count, the message under way included.
pub(super) struct Tally {
    pub scope: String,
    pub sent: i64,
    pub back: i64,
    pub cost: i64,
}

/// What one row of a day says.
pub struct Spent {
    /// `all`, `country` or `block`.
    pub scope: String,
    /// The country, or the block.
    pub key: String,
    /// What paid for them; see [`Budget::name`].
    pub budget: String,
    /// Messages.
    pub sent: i64,
    /// Codes that came back.
    pub back: i64,
    /// What they cost.
    pub cost: i64,
}

impl Spent {
    /// The count that the next message would see.
    pub(super) fn next(&self) -> Tally {
        Tally { scope: self.scope.clone(), sent: self.sent + 1, back: self.back, cost: self.cost }
    }
}

/// Counts one message under every key. The rows are locked in the order of the keys.
pub(super) async fn count(
    db: &PgPool,
    (day, budget): (NaiveDate, Budget),
    keys: &[(&str, &str); 3],
    price: i64,
) -> Result<Vec<Tally>, Internal> {
    let (scopes, keys): (Vec<String>, Vec<String>) =
        keys.iter().map(|(scope, key)| ((*scope).to_owned(), (*key).to_owned())).unzip();
    Ok(sqlx::query_as!(
        Tally,
        "INSERT INTO phone_spend AS s (day, scope, key, budget, sent, cost)
         SELECT $1, k.scope, k.key, $2, 1, $3 FROM unnest($4::text[], $5::text[]) AS k (scope, key) ORDER BY k.scope
         ON CONFLICT (day, scope, key, budget) DO UPDATE SET sent = s.sent + 1, cost = s.cost + $3
         RETURNING scope, sent, back, cost",
        day,
        budget.name(),
        price,
        &scopes,
        &keys
    )
    .fetch_all(db)
    .await?)
}

/// Takes back what [`count`] counted.
pub(super) async fn take_back(
    db: &PgPool,
    (day, budget): (NaiveDate, Budget),
    keys: &[(&str, &str); 3],
    price: i64,
) -> Result<(), Internal> {
    for (scope, key) in keys {
        sqlx::query!(
            "UPDATE phone_spend SET sent = sent - 1, cost = cost - $5 WHERE day = $1 AND scope = $2 AND key = $3 AND budget = $4",
            day,
            *scope,
            *key,
            budget.name(),
            price
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

pub(super) async fn came_back(conn: &mut PgConnection, day: NaiveDate, block: &str) -> Result<(), Internal> {
    sqlx::query!(
        "UPDATE phone_spend SET back = back + 1 WHERE day = $1 AND scope = 'block' AND key = $2 AND budget = 'unproved'",
        day,
        block
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn spent(db: &PgPool, day: NaiveDate) -> Result<Vec<Spent>, Internal> {
    Ok(sqlx::query_as!(
        Spent,
        "SELECT scope, key, budget, sent, back, cost FROM phone_spend WHERE day = $1 ORDER BY scope, key, budget",
        day
    )
    .fetch_all(db)
    .await?)
}

pub(super) async fn purge(db: &PgPool, oldest: NaiveDate, limit: i64) -> Result<u64, Internal> {
    let deleted = sqlx::query!(
        "DELETE FROM phone_spend
         WHERE ctid = ANY(ARRAY(SELECT ctid FROM phone_spend WHERE day < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        oldest,
        limit
    );
    Ok(deleted.execute(db).await?.rows_affected())
}
