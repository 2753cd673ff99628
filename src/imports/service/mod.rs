//! The run: from the file to the report.

mod export;
mod judge;

use std::path::Path;

use chrono::DateTime;
use chrono::Utc;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::export::Exported;
pub use self::export::export;
use self::judge::judge;
use super::lines::Line;
use super::lines::Lines;
use super::model;
use super::model::Candidate;
use super::model::Counts;
use super::model::Finding;
use super::model::ImportError;
use super::model::Outcome;
use super::store;
use super::store::Run;
use crate::accounts;
use crate::accounts::Taken;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto;
use crate::factors;
use crate::internal::Internal;

/// Lines of one transaction: enough that its round trips do not count, few enough that it lasts a moment.
const BATCH: usize = 500;
/// More lines without an account mean that the file is not what it is taken for.
const MAX_FINDINGS: usize = 100_000;
/// How often a batch is judged anew because somebody took a name meanwhile.
const MAX_ROUNDS: usize = 5;

/// How a file is imported.
#[derive(Clone, Copy)]
pub struct Options {
    /// Judge only.
    pub dry_run: bool,
    /// Go on where a run of the same file was interrupted.
    pub resume: bool,
}

/// How far a run has come.
pub struct Progress {
    /// Bytes of the file that are dealt with.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
    /// What became of the lines.
    pub counts: Counts,
}

/// What a run came to.
pub struct Report {
    /// What became of the lines.
    pub counts: Counts,
    /// The lines that made no account, in order.
    pub findings: Vec<Finding>,
}

/// Imports a file; `progress` hears of every batch.
///
/// # Errors
/// See [`ImportError`]. What was reported as progress stays imported.
pub async fn import(
    app: &App,
    caller: &Caller,
    file: &Path,
    options: Options,
    mut progress: impl FnMut(&Progress),
) -> Result<Report, ImportError> {
    let mut lines = Lines::open(file)?;
    let mut running = Running::begin(app, caller, &mut lines, options).await?;
    loop {
        progress(&Progress { bytes: lines.bytes, total_bytes: lines.total_bytes, counts: running.run.counts });
        let batch = lines.batch(BATCH)?;
        if batch.is_empty() {
            return running.finish().await;
        }
        running.take(batch, (lines.taken, lines.bytes)).await?;
        if running.findings.len() > MAX_FINDINGS {
            return Err(ImportError::TooManyFindings(running.findings.len()));
        }
    }
}

/// Forgets up to `limit` rows of each kind of the runs that began before `until`; answers how many.
pub async fn purge(app: &App, until: DateTime<Utc>, limit: i64) -> Result<u64, Internal> {
    store::purge(&app.background_db, until, limit).await
}

/// A run under way.
struct Running<'a> {
    app: &'a App,
    caller: &'a Caller,
    run: Run,
    dry_run: bool,
    /// What earlier batches of a dry run claim; the database knows it of a real one.
    claimed: Taken,
    findings: Vec<Finding>,
}

impl<'a> Running<'a> {
    async fn begin(app: &'a App, caller: &'a Caller, lines: &mut Lines, options: Options) -> Result<Self, ImportError> {
        let now = app.clock.now();
        let new = Run { id: crypto::new_id::<Uuid>(now), lines: 0, bytes: 0, counts: Counts::default() };
        let mut running =
            Self { app, caller, run: new, dry_run: options.dry_run, claimed: Taken::default(), findings: Vec::new() };
        if options.resume {
            let found = store::interrupted_run(&app.background_db, &lines.digest).await?;
            running.run = found.ok_or(ImportError::NothingToResume)?;
            running.findings = store::findings(&app.background_db, running.run.id).await?;
            lines.skip(running.run.lines, running.run.bytes)?;
        } else if !options.dry_run {
            store::insert_run(&app.background_db, running.run.id, &lines.digest, now).await?;
        }
        Ok(running)
    }

    /// Deals with a batch that ends at this line and byte of the file.
    async fn take(&mut self, batch: Vec<Line>, end: (u64, u64)) -> Result<(), ImportError> {
        let (mut candidates, refused) = self.read(batch);
        for _ in 0..MAX_ROUNDS {
            let mut conn = self.app.background_db.acquire().await.map_err(Internal::from)?;
            let accounts: Vec<_> = candidates.iter().map(|candidate| &candidate.account).collect();
            let taken = accounts::taken(&mut conn, self.app, &accounts).await?;
            drop(conn);
            let judged = judge(&candidates, [&self.claimed, &taken]);
            let mut findings = [judged.parked, refused.clone()].concat();
            findings.sort_by_key(|finding| finding.line);
            let next = self.moved(end, (judged.accepted.len(), judged.skipped), &findings);
            if self.dry_run {
                self.claimed.merge(judged.claimed);
            } else {
                self.wrap_weak(&mut candidates, &judged.accepted).await?;
                let accepted: Vec<_> = judged.accepted.iter().filter_map(|place| candidates.get(*place)).collect();
                if !self.write(&accepted, &findings, &next).await? {
                    continue;
                }
            }
            self.findings.extend(findings);
            self.run = next;
            return Ok(());
        }
        Err(ImportError::Contended)
    }

    fn read(&self, batch: Vec<Line>) -> (Vec<Candidate>, Vec<Finding>) {
        let now = self.app.clock.now();
        let (mut candidates, mut refused) = (Vec::with_capacity(batch.len()), Vec::new());
        for Line { number: line, text } in batch {
            let outcome = Outcome::Refused;
            match text.map(|text| model::read((line, &text), crypto::new_id(now), now)) {
                Some(Ok(candidate)) => candidates.push(candidate),
                Some(Err(model::Refused { external_id, reason })) => {
                    refused.push(Finding { line, external_id, outcome, reason });
                }
                None => {
                    let reason = "longer than 64 KiB".to_owned();
                    refused.push(Finding { line, external_id: None, outcome, reason });
                }
            }
        }
        (candidates, refused)
    }

    /// Where the run stands after a batch.
    fn moved(&self, (lines, bytes): (u64, u64), (imported, skipped): (usize, u64), findings: &[Finding]) -> Run {
        let of = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count() as u64;
        let before = self.run.counts;
        let counts = Counts {
            imported: before.imported + imported as u64,
            skipped: before.skipped + skipped,
            parked: before.parked + of(Outcome::Parked),
            refused: before.refused + of(Outcome::Refused),
        };
        Run { id: self.run.id, lines, bytes, counts }
    }

    /// Wraps what is too weak to be stored, on every hashing thread: the import stands behind the service on this machine
    /// ([`crypto::stand_back`]), so sign-ins go on meanwhile.
    async fn wrap_weak(&self, candidates: &mut [Candidate], accepted: &[usize]) -> Result<(), ImportError> {
        let mut weak = Vec::new();
        for place in accepted {
            weak.extend(candidates.get_mut(*place).and_then(|candidate| Some((*place, candidate.weak.take()?))));
        }
        let wrap = |(place, weak)| async move {
            let stored = self.app.hashing.reserve()?.wrap(weak).await?;
            Ok::<_, ImportError>((place, Zeroizing::new(stored)))
        };
        let at_once = self.app.config.password.hashing.threads;
        let wrapped: Vec<_> = stream::iter(weak).map(wrap).buffer_unordered(at_once).try_collect().await?;
        for (place, stored) in wrapped {
            if let Some(candidate) = candidates.get_mut(place) {
                candidate.account.hash = Some(stored);
            }
        }
        Ok(())
    }

    /// Writes a batch in one transaction; false when somebody has taken meanwhile what it claims.
    async fn write(&self, accepted: &[&Candidate], findings: &[Finding], next: &Run) -> Result<bool, ImportError> {
        let mut tx = self.app.background_db.begin().await.map_err(Internal::from)?;
        let accounts: Vec<_> = accepted.iter().map(|candidate| &candidate.account).collect();
        if !accounts::insert_imported(&mut tx, self.app, &accounts).await? {
            return Ok(false);
        }
        let factors: Vec<_> = accepted.iter().flat_map(|candidate| &candidate.factors).collect();
        factors::insert_imported(&mut tx, self.app, &factors).await?;
        let imported = |id| Event::new(EventKind::AccountImported, self.caller).account(id);
        let events: Vec<_> = accounts.iter().map(|account| imported(account.id)).collect();
        audit::record_each(&mut tx, &self.app.clock, &events).await?;
        store::insert_findings(&mut tx, next.id, findings).await?;
        if !store::advance_run(&mut tx, self.run.bytes, next).await? {
            return Err(ImportError::Contended);
        }
        tx.commit().await.map_err(Internal::from)?;
        Ok(true)
    }

    async fn finish(self) -> Result<Report, ImportError> {
        if !self.dry_run {
            store::finish_run(&self.app.background_db, self.run.id, self.app.clock.now()).await?;
        }
        Ok(Report { counts: self.run.counts, findings: self.findings })
    }
}
