//! The bell between a commit and the workers.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::messages::model::Channel;

/// Tells the workers of this process, one a channel, that a message was committed.
#[derive(Clone, Default)]
pub struct Wake(Arc<[Notify; Channel::ALL.len()]>);

impl Wake {
    /// Call it after the commit; a ring that a worker does not hear is kept until it listens.
    pub fn ring(&self) {
        self.0.iter().for_each(Notify::notify_one);
    }

    /// Waits for the next ring; one worker a channel may.
    pub async fn rung(&self, channel: Channel) {
        self.0[channel as usize].notified().await;
    }
}
