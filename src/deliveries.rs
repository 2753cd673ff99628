//! The worker that lets messages leave.
//!
//! It is woken by the commit of a message in this process, and looks by itself every [`POLL`] for what other replicas
//! left behind and for what is due again. Up to [`CONCURRENCY`] messages leave at a time. Whether a sign-up's code, that
//! of a new identifier, the token of a device or of a reset, or what belongs to a recovery is sent is decided here and not
//! in the request, so that a request takes no other path for an address that is taken.
//!
//! A database that does not answer only delays: the loop goes on, and what was claimed is due again when the lease
//! runs out. A message that has left but could not be marked as sent is marked until that succeeds or the lease is
//! nearly over, lest it leaves twice.
//!
//! On shutdown, what is being sent is finished (bounded by the transport's own limit) and what was only claimed is
//! handed back.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::devices;
use crate::identifiers;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::Ending;
use crate::messages::Failure;
use crate::messages::Letterhead;
use crate::messages::MessageKind;
use crate::messages::Transport;
use crate::passwords;
use crate::recovery;
use crate::sign_up;

const POLL: Duration = Duration::from_millis(500);
const CONCURRENCY: usize = 8;

/// Tries to mark a message, and the pause between two: within the lease of a claim together.
const FINISH_TRIES: usize = 5;
const FINISH_PAUSE: Duration = Duration::from_secs(1);

/// Lets messages leave until `shutdown` becomes true or its sender is gone.
pub async fn run(app: Arc<App>, transport: Transport, shutdown: watch::Receiver<bool>) {
    let site = app.config.client.origins.first().unwrap_or(&app.config.issuer);
    let letterhead = Letterhead::new(&app.config.service_name, site);
    let failing = AtomicBool::new(false);
    let worker = Arc::new(Worker { app, transport, letterhead, stopping: shutdown.clone(), failing });
    let mut shutdown = shutdown;
    let mut sending = JoinSet::new();
    while !worker.is_stopping() {
        let free = CONCURRENCY - sending.len();
        for claimed in worker.claim(free).await {
            sending.spawn(Arc::clone(&worker).deliver(claimed));
        }
        tokio::select! {
            _ = shutdown.changed() => {}
            Some(_) = sending.join_next() => {}
            () = worker.app.outbox_bell.rung(), if sending.len() < CONCURRENCY => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

struct Worker {
    app: Arc<App>,
    transport: Transport,
    letterhead: Letterhead,
    stopping: watch::Receiver<bool>,
    /// Whether the last step that needed the database failed; a row of failures is logged once.
    failing: AtomicBool,
}

impl Worker {
    fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    async fn claim(&self, free: usize) -> Vec<Claimed> {
        let Some(limit) = i64::try_from(free).ok().filter(|limit| *limit > 0) else { return Vec::new() };
        let claimed =
            messages::claim(&self.app.background_db, &self.app.config.master_keys, &self.app.clock, limit).await;
        self.noted(claimed).unwrap_or_default()
    }

    async fn deliver(self: Arc<Self>, mut claimed: Claimed) {
        let tried = self.attempt(&mut claimed).await;
        // After a failure of our own the lease runs out by itself.
        let Some(ending) = self.noted(tried) else { return };
        tracing::info!(
            message_id = %claimed.id,
            kind = claimed.message.content.kind.name(),
            channel = claimed.message.content.channel.name(),
            provider = self.transport.name(),
            ending = ?ending,
            "message"
        );
        self.app.metrics.message(claimed.message.content.channel.name(), self.transport.name(), ending.name());
        for _ in 0..FINISH_TRIES {
            let finished = messages::finish(&self.app.background_db, &claimed, &ending, self.app.clock.now()).await;
            if self.noted(finished).is_some() {
                return;
            }
            tokio::time::sleep(FINISH_PAUSE).await;
        }
    }

    async fn attempt(&self, claimed: &mut Claimed) -> Result<Ending, Internal> {
        let mut conn = self.app.background_db.acquire().await?;
        let decision = match claimed.message.content.kind {
            MessageKind::SignUpCode => sign_up::decide(&mut conn, self.app.clock.now(), claimed).await?,
            MessageKind::DeviceToken => devices::decide(&mut conn, claimed).await?,
            MessageKind::NewIdentifierCode => identifiers::decide(&mut conn, claimed).await?,
            MessageKind::PasswordReset => passwords::decide(&mut conn, &self.app, claimed).await?,
            MessageKind::RecoveryContactCode | MessageKind::RecoveryProofCode | MessageKind::RecoveryToken => {
                recovery::decide(&mut conn, &self.app, claimed).await?
            }
            _ => Decision::Send,
        };
        match decision {
            Decision::Send => {}
            Decision::SendInstead(content) => claimed.replace(content),
            Decision::Drop => return Ok(Ending::Dropped),
        }
        if self.is_stopping() {
            return Ok(Ending::HandedBack);
        }
        let current = messages::is_current(&mut conn, claimed).await?;
        // Sending may take seconds and needs no connection of ours.
        drop(conn);
        // The steps before may have waited for the database: what has expired meanwhile is worthless.
        let now = self.app.clock.now();
        if !current || now >= claimed.message.expires_at {
            return Ok(Ending::Dropped);
        }
        let rendered = messages::render(&self.letterhead, &claimed.message, now);
        Ok(match self.transport.send(&self.app.background_db, claimed, &rendered, now).await? {
            Ok(()) => Ending::Sent,
            Err(Failure::Transient(reason)) => Ending::Retry(reason),
            Err(Failure::Permanent(reason)) => Ending::Dead(reason),
        })
    }

    /// The value; a failure is logged when it is the first of a row.
    fn noted<T>(&self, outcome: Result<T, Internal>) -> Option<T> {
        let failed = outcome.is_err();
        let before = self.failing.swap(failed, Ordering::Relaxed);
        match &outcome {
            Err(error) if !before => tracing::error!(%error, "messages wait: a step of their delivery failed"),
            Ok(_) if before => tracing::info!("messages are delivered again"),
            _ => {}
        }
        outcome.ok()
    }
}
