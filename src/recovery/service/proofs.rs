//! Proofs: counted before they are looked at, the same work whether there is an account or not.

use sqlx::PgConnection;

use super::super::model::CODE_TRIES;
use super::super::model::PROOF_TRIES;
use super::super::model::ProofKind;
use super::super::model::Proved;
use super::super::model::RESEND_SECS;
use super::super::model::Recovery;
use super::super::model::RecoveryError;
use super::super::model::State;
use super::super::model::Told;
use super::super::model::is_lost;
use super::super::model::proved_by_code;
use super::super::store;
use super::super::store::Tried;
use crate::accounts;
use crate::accounts::AuthenticateError;
use crate::accounts::factor_may_carry;
use crate::accounts::identifier_may_carry;
use crate::app::App;
use crate::audit;
use crate::audit::Caller;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::crypto::HashingSlot;
use crate::crypto::SealPurpose;
use crate::factors;
use crate::factors::CheckError;
use crate::factors::Match;
use crate::internal::Internal;
use crate::limits::Failing;
use crate::limits::Lane;
use crate::limits::Raised;
use crate::messages;
use crate::messages::MessageKind;

/// A proof that is right, and what it uses up.
struct Found {
    proved: Proved,
    password_version: Option<i64>,
    used: Used,
}

enum Used {
    Nothing,
    Factor(Match),
    Code(Vec<u8>),
}

/// Judges a proof; answers where the recovery stands afterwards.
pub(in super::super) async fn prove(
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
    // What is refused for lack of time costs no try.
    let slot = if kind == ProofKind::Password { Some(app.hashing.reserve()?) } else { None };
    let counted = (recovery.id, kind == ProofKind::Code);
    let Some(tried) = store::count_proof(&app.db, counted, app.clock.now()).await? else {
        return Err(no_tries_left(app, &recovery));
    };
    let raised = match raise(app, &recovery, kind).await {
        Ok(raised) => raised,
        Err(error) => {
            store::return_proof(&app.db, counted).await?;
            return Err(error);
        }
    };
    let judged = async {
        let found = judge(app, &recovery, (kind, value, slot), &tried).await?;
        write_down(app, &recovery, found, caller).await
    };
    match judged.await {
        Ok(recovery) => {
            store::return_proof(&app.db, counted).await?;
            // A right code of a mailbox says nothing of the guesses at an authenticator app.
            if kind == ProofKind::Password {
                app.failures.forgive(&raised).await?;
            } else {
                app.failures.give_back(&raised).await?;
            }
            Ok(recovery)
        }
        Err(RecoveryError::Wrong { .. }) => {
            let event = Event::new(EventKind::RecoveryProofFailed, caller).client(&recovery.client_id);
            let event = event.detail(serde_json::json!({ "recovery_id": recovery.id, "kind": kind }));
            accounts::record_failure(app, event, (recovery.account, &raised)).await?;
            let of_code = if kind == ProofKind::Code { CODE_TRIES - tried.code_tries } else { PROOF_TRIES };
            Err(RecoveryError::Wrong { attempts_left: of_code.min(PROOF_TRIES - tried.proof_tries) })
        }
        Err(error) => {
            store::return_proof(&app.db, counted).await?;
            app.failures.give_back(&raised).await?;
            Err(error)
        }
    }
}

fn no_tries_left(app: &App, recovery: &Recovery) -> RecoveryError {
    let spent = recovery.proof_tries >= PROOF_TRIES;
    let left = (recovery.expires_at - app.clock.now()).num_seconds();
    // Another code brings other tries; when no proof is looked at any more, an operator decides.
    let retry_after_secs = if spent { u64::try_from(left).unwrap_or(0) } else { RESEND_SECS.unsigned_abs() };
    RecoveryError::NoTriesLeft { retry_after_secs }
}

async fn raise(app: &App, recovery: &Recovery, kind: ProofKind) -> Result<Raised, RecoveryError> {
    let typed = super::open_typed(app, recovery)?;
    let whose = recovery.account.map_or(Failing::Nobody(&typed.identifier), Failing::Account);
    let lane = if kind == ProofKind::Password { Lane::Password } else { Lane::Recovery };
    Ok(app.failures.raise(lane, whose).await?)
}

async fn judge(
    app: &App,
    recovery: &Recovery,
    (kind, value, slot): (ProofKind, &str, Option<HashingSlot>),
    tried: &Tried,
) -> Result<Found, RecoveryError> {
    let wrong = RecoveryError::Wrong { attempts_left: 0 };
    let account = recovery.subject();
    let of_factor = |proved, used| Found { proved, password_version: None, used: Used::Factor(used) };
    match (kind, slot) {
        (ProofKind::Password, Some(slot)) => {
            let candidate = accounts::candidate_of(app, account).await?;
            let judged = accounts::authenticate(app, slot, &candidate, value).await?;
            let password_version = Some(judged.password_version);
            Ok(Found { proved: Proved::Password, password_version, used: Used::Nothing })
        }
        (ProofKind::Password, None) => Err(Internal::bug("a password without a hashing slot").into()),
        (ProofKind::RecoveryCode, _) => {
            Ok(of_factor(Proved::RecoveryCode, factors::check_recovery_code(app, account, value).await?))
        }
        (ProofKind::Factor, _) => {
            let found = factors::check_apps(app, account, value).await?;
            found.map(|found| of_factor(Proved::Factor, found)).ok_or(wrong)
        }
        (ProofKind::Code, _) => judge_code(app, recovery, value, tried).await?.ok_or(wrong),
    }
}

async fn judge_code(
    app: &App,
    recovery: &Recovery,
    typed: &str,
    tried: &Tried,
) -> Result<Option<Found>, RecoveryError> {
    let Some(mac) = &tried.code_mac else { return Ok(None) };
    let keys = &app.config.master_keys;
    if !messages::is_code(keys, recovery.id, typed, mac) || app.clock.now() >= tried.code_expires_at {
        return Ok(None);
    }
    let to = keys.open(SealPurpose::Recovery, &super::code_place(recovery.id), &tried.code_to_sealed)?;
    let to = std::str::from_utf8(&to).map_err(Internal::bug)?;
    let mut conn = app.db.acquire().await.map_err(Internal::from)?;
    let proved = proves(&mut conn, app, recovery, to).await?;
    Ok(proved.map(|proved| Found { proved, password_version: None, used: Used::Code(mac.clone()) }))
}

/// What a code at this destination proves now, if anything.
pub(super) async fn proves(
    conn: &mut PgConnection,
    app: &App,
    recovery: &Recovery,
    lookup_key: &str,
) -> Result<Option<Proved>, Internal> {
    let Some(account) = recovery.account else { return Ok(None) };
    let now = app.clock.now();
    let profile = accounts::profile(conn, account).await?;
    let identifier = profile.identifiers.iter().any(|own| {
        own.proved && own.lookup_key == lookup_key && identifier_may_carry(now, profile.created_at, own.verified_at)
    });
    let factors = factors::confirmed(conn, account).await?;
    let factor = factors
        .iter()
        .any(|factor| factor.number.as_deref() == Some(lookup_key) && factor_may_carry(now, factor.created_at));
    Ok(proved_by_code(lookup_key, &recovery.lost, (identifier, factor)))
}

/// Uses the proof up and writes it down. One that comes after the wait may open the recovery: its owner hears of it.
async fn write_down(app: &App, recovery: &Recovery, found: Found, caller: &Caller) -> Result<Recovery, RecoveryError> {
    let (id, now) = (recovery.id, app.clock.now());
    let account = recovery.account.ok_or(RecoveryError::Wrong { attempts_left: 0 })?;
    let mut tx = app.begin().await?;
    let fresh = match &found.used {
        Used::Nothing => true,
        Used::Factor(found) => found.burn(&mut tx, app).await?,
        Used::Code(mac) => store::use_code(&mut tx, id, Some(mac)).await?,
    };
    if !fresh {
        return Err(RecoveryError::Wrong { attempts_left: 0 });
    }
    if !store::insert_proof(&mut tx, id, (found.proved, found.password_version), now).await? {
        return Err(RecoveryError::Expired);
    }
    let event = Event::new(EventKind::RecoveryProofGiven, caller).account(account).client(&recovery.client_id);
    let detail = serde_json::json!({ "recovery_id": id, "kind": found.proved.name() });
    audit::record(&mut tx, &app.clock, event.detail(detail)).await?;
    if found.proved == Proved::RecoveryCode {
        let left = factors::recovery_codes_left(&mut tx, account).await?.to_string();
        accounts::notify(&mut tx, app, account, MessageKind::RecoveryCodeUsedNotice, &[("left", left)]).await?;
    }
    let after = store::find_by_id(&mut tx, id).await?.ok_or(RecoveryError::Expired)?;
    if after.told(now) == Told::Open {
        store::tell_again_at(&mut tx, id, Some(now)).await?;
    }
    app.commit(tx).await?;
    Ok(after)
}

impl From<AuthenticateError> for RecoveryError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            // A closed or suspended account is not told either: nothing was proved that opens anything.
            AuthenticateError::Wrong { .. }
            | AuthenticateError::Closed { .. }
            | AuthenticateError::Suspended { .. } => Self::Wrong { attempts_left: 0 },
            AuthenticateError::Hashing(error) => Self::Hashing(error),
            AuthenticateError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<CheckError> for RecoveryError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Wrong | CheckError::Refused | CheckError::UnknownFactor | CheckError::Ambiguous => {
                Self::Wrong { attempts_left: 0 }
            }
            CheckError::Hashing(error) => Self::Hashing(error),
            CheckError::Internal(error) => Self::Internal(error),
        }
    }
}
