//! All SQL of runs and findings.

use chrono::DateTime;
use chrono::Utc;
use sqlx::PgConnection;
use sqlx::PgExecutor;
use sqlx::PgPool;
use uuid::Uuid;

use super::model::Counts;
use super::model::Finding;
use super::model::Outcome;
use crate::internal::Internal;

/// A run that goes on.
pub(super) struct Run {
    pub id: Uuid,
    pub lines: u64,
    pub bytes: u64,
    pub counts: Counts,
}

pub(super) async fn insert_run(
    conn: impl PgExecutor<'_>,
    id: Uuid,
    file_digest: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Internal> {
    sqlx::query!("INSERT INTO import_runs (id, file_digest, started_at) VALUES ($1, $2, $3)", id, file_digest, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The newest run of a file, if it was interrupted.
pub(super) async fn interrupted_run(conn: impl PgExecutor<'_>, file_digest: &[u8]) -> Result<Option<Run>, Internal> {
    let row = sqlx::query!(
        "SELECT id, lines, bytes, imported, skipped, parked, refused, finished_at FROM import_runs
         WHERE file_digest = $1 ORDER BY started_at DESC, id DESC LIMIT 1",
        file_digest
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.filter(|row| row.finished_at.is_none()).map(|row| Run {
        id: row.id,
        lines: row.lines.unsigned_abs(),
        bytes: row.bytes.unsigned_abs(),
        counts: Counts {
            imported: row.imported.unsigned_abs(),
            skipped: row.skipped.unsigned_abs(),
            parked: row.parked.unsigned_abs(),
            refused: row.refused.unsigned_abs(),
        },
    }))
}

/// Moves a run forward from where it was seen; false when another process has moved or finished it.
pub(super) async fn advance_run(conn: &mut PgConnection, from_bytes: u64, run: &Run) -> Result<bool, Internal> {
    let number = |count: u64| i64::try_from(count).map_err(Internal::bug);
    let moved = sqlx::query!(
        "UPDATE import_runs SET lines = $3, bytes = $4, imported = $5, skipped = $6, parked = $7, refused = $8
         WHERE id = $1 AND bytes = $2 AND finished_at IS NULL",
        run.id,
        number(from_bytes)?,
        number(run.lines)?,
        number(run.bytes)?,
        number(run.counts.imported)?,
        number(run.counts.skipped)?,
        number(run.counts.parked)?,
        number(run.counts.refused)?
    )
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

pub(super) async fn finish_run(conn: impl PgExecutor<'_>, id: Uuid, now: DateTime<Utc>) -> Result<(), Internal> {
    sqlx::query!("UPDATE import_runs SET finished_at = $2 WHERE id = $1", id, now).execute(conn).await?;
    Ok(())
}

pub(super) async fn insert_findings(conn: &mut PgConnection, run: Uuid, findings: &[Finding]) -> Result<(), Internal> {
    let lines = findings.iter().map(|finding| i64::try_from(finding.line).map_err(Internal::bug));
    let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
    let external_ids: Vec<_> = findings.iter().map(|finding| finding.external_id.clone()).collect();
    let outcomes: Vec<_> = findings.iter().map(|finding| finding.outcome.name().to_owned()).collect();
    let reasons: Vec<_> = findings.iter().map(|finding| finding.reason.clone()).collect();
    sqlx::query!(
        "INSERT INTO import_findings (run_id, line, external_id, outcome, reason)
         SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])",
        run,
        &lines,
        &external_ids as &[Option<String>],
        &outcomes,
        &reasons
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn findings(conn: impl PgExecutor<'_>, run: Uuid) -> Result<Vec<Finding>, Internal> {
    let rows = sqlx::query!(
        "SELECT line, external_id, outcome, reason FROM import_findings WHERE run_id = $1 ORDER BY line",
        run
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Finding {
                line: row.line.unsigned_abs(),
                external_id: row.external_id,
                outcome: Outcome::from_name(&row.outcome)?,
                reason: row.reason,
            })
        })
        .collect()
}

/// Forgets up to `limit` findings of runs that began before `until`, and as many of these runs, once they have none.
pub(super) async fn purge(db: &PgPool, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    let findings = sqlx::query!(
        "DELETE FROM import_findings USING (SELECT run_id, line FROM import_findings
                                            WHERE run_id IN (SELECT id FROM import_runs WHERE started_at < $1)
                                            LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
         WHERE import_findings.run_id = old.run_id AND import_findings.line = old.line",
        until,
        limit
    );
    let findings = findings.execute(db).await?.rows_affected();
    let runs = sqlx::query!(
        "DELETE FROM import_runs
         WHERE id = ANY(ARRAY(SELECT id FROM import_runs
                              WHERE started_at < $1 AND NOT EXISTS (SELECT FROM import_findings WHERE run_id = id)
                              LIMIT $2 FOR UPDATE SKIP LOCKED))",
        until,
        limit
    );
    Ok(findings + runs.execute(db).await?.rows_affected())
}
