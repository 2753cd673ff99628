//! The workers that let messages leave: one a channel, so that mail that hangs holds back no call.
//!
//! A worker is woken by the commit of a message in this process, and looks by itself every [`POLL`] for what other
//! replicas left behind and for what is due again. Up to [`CONCURRENCY`] messages of a channel leave at a time. Whether
//! a sign-up's code, that of a new identifier, a reminder, the token of a device or of a reset, or what belongs to a
//! recovery is sent is decided here and not in the request, so that a request takes no other path for an address that is taken.
//!
//! The providers of a channel are tried in their order, except those that are broken ([`messages::Way`]):
//! * one that refuses the message for good, or surely did not take it, is followed by the next;
//! * one of which nobody knows whether it took it (no answer in time) is asked again later, under the same key, lest
//!   two providers deliver one message;
//! * while all are broken nothing is claimed, so that what waits loses neither attempts nor time; after the pause one
//!   message goes first.
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
use crate::clock::Stopwatch;
use crate::devices;
use crate::identifiers;
use crate::internal::Internal;
use crate::messages;
use crate::messages::Capacity;
use crate::messages::Channel;
use crate::messages::Claimed;
use crate::messages::Decision;
use crate::messages::Ending;
use crate::messages::Failure;
use crate::messages::Letterhead;
use crate::messages::MessageKind;
use crate::messages::Outgoing;
use crate::messages::Transport;
use crate::messages::Way;
use crate::passwords;
use crate::recovery;
use crate::reminders;
use crate::sign_up;

const POLL: Duration = Duration::from_millis(500);
const CONCURRENCY: usize = 8;
/// How often expired payloads are wiped that nobody claims.
const WIPE: Duration = Duration::from_secs(5);

/// Another provider is begun with only while its answer would come well within the lease of the claim.
const LAST_START: Duration = Duration::from_secs(12);

/// Tries to mark a message, and the pause between two: within the lease of a claim together.
const FINISH_TRIES: usize = 5;
const FINISH_PAUSE: Duration = Duration::from_secs(1);

/// Lets messages leave until `shutdown` becomes true or its sender is gone.
pub async fn run(app: Arc<App>, transport: Transport, shutdown: watch::Receiver<bool>) {
    let site = app.config.client.origins.first().unwrap_or(&app.config.issuer);
    let letterhead = Letterhead::new(&app.config.service_name, site);
    let failing = AtomicBool::new(false);
    let worker = Arc::new(Worker { app, transport, letterhead, stopping: shutdown.clone(), failing });
    let channels = Channel::ALL.map(|channel| Arc::clone(&worker).run(channel, shutdown.clone()));
    tokio::join!(futures_util::future::join_all(channels), Arc::clone(&worker).wipe(shutdown));
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
    async fn run(self: Arc<Self>, channel: Channel, mut shutdown: watch::Receiver<bool>) {
        let mut sending = JoinSet::new();
        while !self.is_stopping() {
            let most = match self.app.channels.capacity(channel) {
                Capacity::None => 0,
                Capacity::One => 1,
                Capacity::Usual => CONCURRENCY,
            };
            for claimed in self.claim(channel, most.saturating_sub(sending.len())).await {
                sending.spawn(Arc::clone(&self).deliver(claimed));
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                Some(_) = sending.join_next() => {}
                () = self.app.outbox_bell.rung(channel), if sending.len() < most => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        while sending.join_next().await.is_some() {}
    }

    async fn wipe(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        while !self.is_stopping() {
            let wiped = messages::give_up_expired(&self.app.background_db, self.app.clock.now()).await;
            self.noted(wiped);
            tokio::select! {
                _ = shutdown.changed() => {}
                () = tokio::time::sleep(WIPE) => {}
            }
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    async fn claim(&self, channel: Channel, free: usize) -> Vec<Claimed> {
        let Some(limit) = i64::try_from(free).ok().filter(|limit| *limit > 0) else { return Vec::new() };
        let keys = &self.app.config.master_keys;
        let claimed = messages::claim(&self.app.background_db, keys, &self.app.clock, (channel, limit)).await;
        self.noted(claimed).unwrap_or_default()
    }

    async fn deliver(self: Arc<Self>, mut claimed: Claimed) {
        let tried = self.attempt(&mut claimed).await;
        // After a failure of our own the lease runs out by itself.
        let Some(ending) = self.noted(tried) else { return };
        let content = &claimed.message.content;
        let (kind, channel) = (content.kind.name(), content.channel.name());
        tracing::info!(message_id = %claimed.id, kind, channel, ending = ?ending, "message");
        let provider = if let Ending::Sent { provider, .. } = &ending { provider } else { "none" };
        self.app.metrics.message(channel, provider, ending.name());
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
            MessageKind::NoAccountNotice => reminders::decide(&mut conn, claimed).await?,
            _ => Decision::Send,
        };
        match decision {
            Decision::Send => {}
            Decision::SendTo(address) => claimed.message.content.address = address,
            Decision::SendInstead(content) => claimed.replace(content),
            Decision::SendFilled(content, values) => {
                claimed.replace(content);
                claimed.message.values = values;
            }
            Decision::Drop => return Ok(Ending::Dropped),
        }
        if self.is_stopping() {
            return Ok(Ending::HandedBack);
        }
        let current = messages::is_current(&mut conn, claimed).await?;
        // Sending may take seconds and needs no connection of ours.
        drop(conn);
        // The steps before may have waited for the database: what has expired meanwhile is worthless.
        if !current || self.app.clock.now() >= claimed.message.expires_at {
            return Ok(Ending::Dropped);
        }
        self.send(claimed).await
    }

    /// Tries the ways of the message's channel one after the other.
    async fn send(&self, claimed: &Claimed) -> Result<Ending, Internal> {
        let channel = claimed.message.content.channel;
        let watch = Stopwatch::start();
        let (mut waiting, mut refusals) = (Vec::new(), Vec::new());
        for way in self.app.channels.ways(channel) {
            let provider = way.provider();
            if watch.elapsed() > LAST_START || !way.admit() {
                waiting.push(format!("{provider}: not tried"));
                continue;
            }
            match self.try_way(way, claimed).await? {
                Ok(reference) => return Ok(Ending::Sent { provider: provider.to_owned(), reference }),
                Err(Failure::Unclear(reason)) => return Ok(Ending::Retry(format!("{provider}: {reason}"))),
                Err(Failure::Transient(reason) | Failure::Deferred(reason)) => {
                    waiting.push(format!("{provider}: {reason}"));
                }
                Err(Failure::Permanent(reason)) => refusals.push(format!("{provider}: {reason}")),
            }
        }
        Ok(match (waiting.is_empty(), refusals.is_empty()) {
            (true, true) => Ending::Dead(format!("nothing carries {}", channel.name())),
            (true, false) => Ending::Dead(refusals.join("; ")),
            (false, _) => Ending::Retry(waiting.join("; ")),
        })
    }

    async fn try_way(&self, way: &Way, claimed: &Claimed) -> Result<Result<Option<String>, Failure>, Internal> {
        let now = self.app.clock.now();
        let rendered = messages::render(&self.letterhead, &claimed.message, now);
        let outgoing = Outgoing { claimed, rendered: &rendered, now };
        let (channel, provider) = (claimed.message.content.channel.name(), way.provider());
        let outcome = self.transport.send(&self.app.background_db, provider, &outgoing).await?;
        let worked = way.works();
        match &outcome {
            Ok(_) => way.succeeded(),
            Err(failure) => {
                self.app.metrics.message(channel, provider, failure.name());
                // A refusal of one message says nothing against the provider.
                if matches!(failure, Failure::Permanent(_) | Failure::Deferred(_)) {
                    way.succeeded();
                } else {
                    way.failed();
                }
            }
        }
        self.app.metrics.provider_broken(channel, provider, !way.works());
        match (worked, way.works()) {
            (true, false) => {
                tracing::warn!(channel, provider, reason = ?outcome.as_ref().err(), "a provider is broken");
            }
            (false, true) => tracing::info!(channel, provider, "a provider works again"),
            _ => {}
        }
        Ok(outcome)
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
