//! Settings of how long things are kept.

use chrono::TimeDelta;

use super::RetentionConfig;
use super::settings::Reader;

/// Ten years: nothing here is an archive.
const MOST_DAYS: i64 = 3653;

pub(super) fn retention(read: &mut Reader) -> RetentionConfig {
    let mut days = |name, default| TimeDelta::days(read.number(name, default, 1..=MOST_DAYS));
    RetentionConfig {
        sessions: days("retention.sessions_days", 30),
        events: days("retention.events_days", 400),
        addresses: days("retention.addresses_days", 90),
        messages: days("retention.messages_days", 30),
    }
}
