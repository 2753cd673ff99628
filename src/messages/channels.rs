//! Which ways are open, and which one a message takes.
//!
//! A way is a channel through a provider, with a [`Breaker`] of its own: a provider may call although its short
//! messages are stuck. A channel is open while one of its ways is. Each replica finds out by itself what works.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::Mode;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::messages::breaker::Breaker;
use crate::messages::model::Channel;

/// The development inbox, as a provider.
pub(super) const INBOX: &str = "inbox";

/// The ways that messages can take here. Clones share what they learn.
#[derive(Clone)]
pub struct Channels {
    ways: Arc<[Way]>,
    clock: Clock,
}

/// A channel through a provider.
pub struct Way {
    channel: Channel,
    provider: String,
    breaker: Mutex<Breaker>,
    clock: Clock,
}

/// How many messages of a channel may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// None: all its ways are broken.
    None,
    /// One, to see whether a way works again.
    One,
    /// As many as usual.
    Usual,
}

/// Why a message cannot take a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelRefused {
    /// It never can.
    #[error("this way does not lead to that destination, or does not exist here")]
    NotSupported,
    /// All providers of the channel are broken.
    #[error("this way is broken")]
    Unavailable {
        /// When the next trial is due.
        retry_after_secs: u64,
    },
}

impl From<ChannelRefused> for Problem {
    fn from(refused: ChannelRefused) -> Self {
        match refused {
            ChannelRefused::NotSupported => Self::field("/channel", FieldCode::NotSupported),
            ChannelRefused::Unavailable { retry_after_secs } => {
                Self::new(ErrorCode::ChannelUnavailable).retry_after(retry_after_secs)
            }
        }
    }
}

impl Channels {
    /// As configured. In development a channel without a provider leads to the inbox.
    pub fn new(config: &Config, clock: &Clock) -> Self {
        let inbox = config.mode == Mode::Development;
        let messages = &config.messages;
        let listed = [&messages.email, &messages.sms, &messages.voice];
        let ways = Channel::ALL.into_iter().zip(listed).flat_map(|(channel, names)| {
            let inbox = (inbox && names.is_empty()).then(|| INBOX.to_owned());
            names.iter().cloned().chain(inbox).map(move |provider| (channel, provider))
        });
        Self::of(ways, clock)
    }

    fn of(ways: impl Iterator<Item = (Channel, String)>, clock: &Clock) -> Self {
        let way =
            |(channel, provider)| Way { channel, provider, breaker: Mutex::new(Breaker::NEW), clock: clock.clone() };
        Self { ways: ways.map(way).collect(), clock: clock.clone() }
    }

    /// The ways of a channel, in the order in which they are tried.
    pub fn ways(&self, channel: Channel) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(move |way| way.channel == channel)
    }

    /// Those that work.
    pub fn open(&self) -> Vec<Channel> {
        let is_open = |channel: &Channel| self.exists(*channel) && self.wait(*channel).is_none();
        Channel::ALL.into_iter().filter(is_open).collect()
    }

    /// Those that work and lead to a phone.
    pub fn to_phones(&self) -> Vec<Channel> {
        self.open().into_iter().filter(|channel| *channel != Channel::Email).collect()
    }

    /// Whether messages to phones can leave at all, now or later.
    pub fn serve_phones(&self) -> bool {
        self.exists(Channel::Sms) || self.exists(Channel::Voice)
    }

    fn exists(&self, channel: Channel) -> bool {
        self.ways(channel).next().is_some()
    }

    /// How long until something may go by a channel; nothing when it may go now.
    fn wait(&self, channel: Channel) -> Option<TimeDelta> {
        let now = self.clock.now();
        let waits: Option<Vec<TimeDelta>> = self.ways(channel).map(|way| way.state().wait(now)).collect();
        waits.and_then(|waits| waits.into_iter().min())
    }

    /// How many messages of a channel may be under way now. What waits for a channel that does not exist (any more) is
    /// looked at as well, to be given up.
    pub fn capacity(&self, channel: Channel) -> Capacity {
        if self.wait(channel).is_some() {
            return Capacity::None;
        }
        let works = |way: &Way| matches!(way.state(), Breaker::Works { .. });
        if self.exists(channel) && !self.ways(channel).any(works) { Capacity::One } else { Capacity::Usual }
    }

    /// The way to an address: the one that was asked for, or else the first that leads there. A message for which nobody
    /// chose waits for a broken channel; whoever chooses one is told.
    ///
    /// # Errors
    /// It does not lead there, does not exist here, or was asked for and is broken.
    pub fn choose(&self, address: &str, asked: Option<Channel>) -> Result<Channel, ChannelRefused> {
        let leads_there = |channel: &Channel| (*channel == Channel::Email) == address.contains('@');
        let mut fitting = Channel::ALL.into_iter().filter(|channel| self.exists(*channel)).filter(leads_there);
        let chosen = fitting.find(|channel| asked.is_none_or(|asked| asked == *channel));
        let chosen = chosen.ok_or(ChannelRefused::NotSupported)?;
        match asked.and_then(|channel| self.wait(channel)) {
            Some(wait) => {
                let retry_after_secs = u64::try_from(wait.num_milliseconds()).unwrap_or(0).div_ceil(1000);
                Err(ChannelRefused::Unavailable { retry_after_secs })
            }
            None => Ok(chosen),
        }
    }
}

impl Way {
    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Whether a message may go this way now; says yes once when it is time for a trial.
    pub fn admit(&self) -> bool {
        self.change(|breaker| breaker.admit(self.clock.now()))
    }

    /// The provider did its part, even if it refused the message.
    pub fn succeeded(&self) {
        self.change(Breaker::succeeded);
    }

    /// It did not.
    pub fn failed(&self) {
        self.change(|breaker| breaker.failed(self.clock.now()));
    }

    /// Whether it works, as far as is known.
    pub fn works(&self) -> bool {
        matches!(self.state(), Breaker::Works { .. })
    }

    fn state(&self) -> Breaker {
        *self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn channels(ways: &[(Channel, &str)], clock: &Clock) -> Channels {
        Channels::of(ways.iter().map(|(channel, provider)| (*channel, (*provider).to_owned())), clock)
    }

    fn break_way(channels: &Channels, channel: Channel, provider: &str) {
        let way = channels.ways(channel).find(|way| way.provider() == provider).unwrap();
        (0..3).for_each(|_| way.failed());
        assert!(!way.works());
    }

    #[test]
    fn a_message_takes_a_way_that_leads_there() {
        use Channel::Email;
        use Channel::Sms;
        use Channel::Voice;
        let clock = Clock::system();
        let all = channels(&[(Email, "a"), (Sms, "a"), (Voice, "a")], &clock);
        for (address, asked, chosen) in [
            ("taro@example.jp", None, Ok(Email)),
            ("taro@example.jp", Some(Email), Ok(Email)),
            ("taro@example.jp", Some(Sms), Err(ChannelRefused::NotSupported)),
            ("+819012345678", None, Ok(Sms)),
            ("+819012345678", Some(Voice), Ok(Voice)),
            ("+819012345678", Some(Email), Err(ChannelRefused::NotSupported)),
        ] {
            assert_eq!(all.choose(address, asked), chosen, "{address} by {asked:?}");
        }
        let mail = channels(&[(Email, "a")], &clock);
        assert_eq!(mail.choose("+819012345678", None), Err(ChannelRefused::NotSupported));
        assert_eq!(channels(&[(Email, "a"), (Voice, "a")], &clock).choose("+819012345678", None), Ok(Voice));
    }

    #[test]
    fn a_channel_is_open_while_one_of_its_ways_is() {
        let clock = Clock::system();
        let number = "+819012345678";
        let ways = [(Channel::Sms, "a"), (Channel::Sms, "b"), (Channel::Voice, "a")];
        let channels = channels(&ways, &clock);
        break_way(&channels, Channel::Sms, "a");
        assert_eq!(channels.open(), [Channel::Sms, Channel::Voice]);
        assert_eq!(channels.capacity(Channel::Sms), Capacity::Usual);
        break_way(&channels, Channel::Sms, "b");
        assert_eq!(channels.open(), [Channel::Voice]);
        assert!(channels.serve_phones());
        assert_eq!(channels.capacity(Channel::Sms), Capacity::None);
        let refused = channels.choose(number, Some(Channel::Sms));
        assert_eq!(refused, Err(ChannelRefused::Unavailable { retry_after_secs: 30 }));
        assert_eq!(channels.choose(number, None), Ok(Channel::Sms), "it waits");
        clock.advance(Duration::from_secs(30));
        assert_eq!(channels.capacity(Channel::Sms), Capacity::One);
        let way = channels.ways(Channel::Sms).next().unwrap();
        assert!(way.admit());
        way.succeeded();
        assert_eq!(channels.capacity(Channel::Sms), Capacity::Usual);
        assert_eq!(channels.choose(number, Some(Channel::Sms)), Ok(Channel::Sms));
    }
}
