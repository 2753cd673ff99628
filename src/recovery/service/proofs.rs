//! Proofs: counted before they are looked at, used up and written down when they are right.

use sqlx::PgConnection;

use super::super::model::APP_TRIES;
use super::super::model::CODE_TRIES;
use super::super::model::PROOF_TRIES;
use super::super::model::ProofKind;
use super::super::model::Proved;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::State;
use super::super::model::is_lost;
use super::super::model::suffice;
use super::super::store;
use super::super::store::Tried;
use super::judging::Found;
use super::judging::Used;
use super::judging::judge;
use super::notices;
use crate::accounts;
use crate::accounts::RESEND_SECS;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::clock::Stopwatch;
use crate::factors;
use crate::flows::StepError;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::limits::Raised;
use crate::messages::MessageKind;

/// What was counted of a try besides the tries of its recovery.
struct Counted {
    /// Whose failures these are.
    account: Option<AccountId>,
    raised: Option<Raised>,
}

/// Judges a proof; answers where the recovery stands afterwards. A password that is refused takes a whole number of
/// `failure_step`s from arrival, since the hash of an imported one may take longer than nobody's.
pub(crate) async fn prove(
    app: &App,
    token: &str,
    (kind, value): (ProofKind, &str),
    caller: &Caller,
) -> Result<Recovery, RecoveryError> {
    let arrival = Stopwatch::start();
    let outcome = try_proof(app, token, (kind, value), caller).await;
    let refused =
        matches!(outcome, Err(RecoveryError::Step(StepError::WrongCode { .. } | StepError::NoTriesLeft { .. })));
    if refused && kind == ProofKind::Password {
        arrival.whole_step(app.config.failure_step).await;
    }
    outcome
}

async fn try_proof(
    app: &App,
    token: &str,
    (kind, value): (ProofKind, &str),
    caller: &Caller,
) -> Result<Recovery, RecoveryError> {
    let recovery = super::proved(app, token).await?;
    if !matches!(recovery.state, State::Waiting { .. }) {
        return Err(RecoveryError::WrongStep);
    }
    if is_lost(kind, &recovery.lost) {
        return Err(RecoveryError::Lost);
    }
    // Once is enough, so nothing is used up. The value is not looked at: the answer says no more than the state does.
    if kind.proves().is_some_and(|proved| recovery.proofs.contains(&proved)) {
        return Ok(recovery);
    }
    // What is refused for lack of time costs no try.
    let slot = if kind == ProofKind::Password { Some(app.hashing.reserve()?) } else { None };
    let Some(tried) = store::count_proof(&app.db, (recovery.id, kind), app.clock.now()).await? else {
        return Err(no_tries_left(app, &recovery, kind).into());
    };
    let counted = match count(app, &recovery, kind).await {
        Ok(counted) => counted,
        Err(error) => {
            store::return_proof(&app.db, (recovery.id, kind)).await?;
            return Err(error);
        }
    };
    let judged = async {
        let found = judge(app, &recovery, (kind, value, slot), &tried).await?;
        write_down(app, &recovery, found, caller).await
    };
    match judged.await {
        Ok(after) => {
            store::return_proof(&app.db, (recovery.id, kind)).await?;
            if let Some(raised) = &counted.raised {
                app.failures.forgive(raised).await?;
            }
            Ok(after)
        }
        Err(RecoveryError::Step(StepError::WrongCode { .. })) => {
            record_failure(app, (&recovery, kind), &counted, caller).await?;
            Err(StepError::WrongCode { attempts_left: tries_left(kind, &tried).into() }.into())
        }
        Err(error) => {
            store::return_proof(&app.db, (recovery.id, kind)).await?;
            if let Some(raised) = &counted.raised {
                app.failures.give_back(raised).await?;
            }
            Err(error)
        }
    }
}

fn tries_left(kind: ProofKind, tried: &Tried) -> i32 {
    let of_kind = match kind {
        ProofKind::Code => CODE_TRIES - tried.code_tries,
        ProofKind::Factor => APP_TRIES - tried.app_tries,
        ProofKind::Password | ProofKind::RecoveryCode => PROOF_TRIES,
    };
    of_kind.min(PROOF_TRIES - tried.proof_tries)
}

fn no_tries_left(app: &App, recovery: &Recovery, kind: ProofKind) -> StepError {
    let left = (recovery.expires_at - app.clock.now()).num_seconds();
    // Another code brings other tries; when no proof of a kind is looked at any more, there are other kinds, or an operator.
    let brings_more = kind == ProofKind::Code && recovery.proof_tries < PROOF_TRIES;
    let retry_after_secs = if brings_more { RESEND_SECS.unsigned_abs() } else { u64::try_from(left).unwrap_or(0) };
    StepError::NoTriesLeft { retry_after_secs }
}

/// Counts what can be guessed among the failures of the account, whatever the recovery; those of an identifier are whose they
/// are in a sign-in, so that the two together tell nothing. A recovery code is too long to be guessed, a code at a destination
/// is bound to its recovery: to count those would let strangers close them.
async fn count(app: &App, recovery: &Recovery, kind: ProofKind) -> Result<Counted, RecoveryError> {
    let typed = super::open_typed(app, recovery)?;
    let mut conn = app.db.acquire().await.map_err(Internal::from)?;
    let holder = accounts::holder_of(&mut conn, &typed.identifier).await?;
    drop(conn);
    let account = recovery.account.or(holder);
    let whose = account.map_or(Failing::Nobody(&typed.identifier), Failing::Account);
    let raised = match kind {
        ProofKind::Password => Some(app.failures.raise(Lane::Password, whose).await?),
        ProofKind::Factor => Some(app.failures.raise(Lane::Recovery, whose).await?),
        ProofKind::RecoveryCode | ProofKind::Code => None,
    };
    Ok(Counted { account, raised })
}

async fn record_failure(
    app: &App,
    (recovery, kind): (&Recovery, ProofKind),
    counted: &Counted,
    caller: &Caller,
) -> Result<(), Internal> {
    let event = Event::new(EventKind::RecoveryProofFailed, caller).client(&recovery.client_id);
    let event = event.detail(serde_json::json!({ "recovery_id": recovery.id, "kind": kind }));
    accounts::record_failure(app, event.account(counted.account), counted.raised.as_ref()).await
}

/// Uses the proof up and writes it down, one after the other: of two that come together the second sees that it is enough.
async fn write_down(app: &App, recovery: &Recovery, found: Found, caller: &Caller) -> Result<Recovery, RecoveryError> {
    let (id, now) = (recovery.id, app.clock.now());
    let wrong = || RecoveryError::from(StepError::WrongCode { attempts_left: 0 });
    let account = recovery.account.ok_or_else(wrong)?;
    let mut tx = app.begin().await?;
    let owner = accounts::lock(&mut tx, account).await?.ok_or_else(wrong)?;
    let before = store::find_by_id(&mut tx, id).await?.ok_or(RecoveryError::Expired)?;
    // Of two that come together the second is not needed, and stays good.
    if matches!(found.used, Used::Factor(_)) && before.proofs.contains(&found.proof.proved()) {
        return Ok(before);
    }
    let fresh = match &found.used {
        Used::Nothing => true,
        Used::Factor(found) => found.burn(&mut tx, app).await?,
        Used::Code { mac, to } => {
            app.spend.came_back(&mut tx, to).await?;
            store::use_code(&mut tx, id, Some(mac)).await?
        }
    };
    if !fresh {
        return Err(wrong());
    }
    // A password that a message has set is none. It is not kept either: it would begin to count when nobody looks.
    let carried = found.proof.proved() == Proved::Password && owner.password().reset_carrier.is_some();
    if !carried && !store::insert_proof(&mut tx, id, found.proof, now).await? {
        return Err(RecoveryError::Expired);
    }
    let event = Event::new(EventKind::RecoveryProofGiven, caller).account(account).client(&recovery.client_id);
    let detail = serde_json::json!({ "recovery_id": id, "kind": found.proof.proved().name() });
    audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    if found.proof.proved() == Proved::RecoveryCode {
        let left = factors::recovery_codes_left(&mut *tx, account).await?.to_string();
        factors::notify(&mut tx, app, account, MessageKind::RecoveryCodeUsedNotice, &[("left", left)]).await?;
    }
    let after = store::find_by_id(&mut tx, id).await?.ok_or(RecoveryError::Expired)?;
    let after = if suffice(&before.proofs) { after } else { give_notice(&mut tx, app, after).await? };
    app.commit(tx).await?;
    Ok(after)
}

/// When a proof has made them enough late in the wait, or after it, owner and contact hear of it at once, and it opens a day
/// later: nobody serves the wait before there is anything to be told of.
async fn give_notice(conn: &mut PgConnection, app: &App, recovery: Recovery) -> Result<Recovery, RecoveryError> {
    let now = app.clock.now();
    let late = recovery.state.enough_proved(now).and_then(State::opens_at).filter(|_| suffice(&recovery.proofs));
    let (Some(opens_at), Some(account)) = (late, recovery.account) else { return Ok(recovery) };
    if !store::postpone(conn, recovery.id, opens_at, now).await? {
        return Err(RecoveryError::Expired);
    }
    notices::tell_of_proofs(conn, app, account).await?;
    store::find_by_id(conn, recovery.id).await?.ok_or(RecoveryError::Expired)
}
