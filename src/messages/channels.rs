//! Which ways are open, and which one a message takes.

use crate::config::Config;
use crate::config::Mode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::messages::model::Channel;

/// The ways that messages can take here.
#[derive(Clone)]
pub struct Channels(Vec<Channel>);

/// Why a message cannot take a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this way does not lead to that destination, or does not exist here")]
pub struct ChannelNotSupported;

impl From<ChannelNotSupported> for Problem {
    fn from(_: ChannelNotSupported) -> Self {
        Self::field("/channel", FieldCode::NotSupported)
    }
}

impl Channels {
    /// In development everything goes to the inbox, unless mail is to leave.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let inbox = config.mode == Mode::Development && config.mail.is_none();
        Self(if inbox { Channel::ALL.to_vec() } else { vec![Channel::Email] })
    }

    /// All of them.
    #[must_use]
    pub fn open(&self) -> &[Channel] {
        &self.0
    }

    /// Those that lead to a phone.
    #[must_use]
    pub fn to_phones(&self) -> Vec<Channel> {
        self.0.iter().copied().filter(|channel| *channel != Channel::Email).collect()
    }

    /// The way to an address: the one that was asked for, or else the first that leads there.
    ///
    /// # Errors
    /// It does not lead there, or does not exist here.
    pub fn choose(&self, address: &str, asked: Option<Channel>) -> Result<Channel, ChannelNotSupported> {
        let leads_there = |channel: &Channel| (*channel == Channel::Email) == address.contains('@');
        let mut fitting = self.0.iter().copied().filter(leads_there);
        fitting.find(|channel| asked.is_none_or(|asked| asked == *channel)).ok_or(ChannelNotSupported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_a_way_that_leads_there() {
        use Channel::Email;
        use Channel::Sms;
        use Channel::Voice;
        let all = Channels(Channel::ALL.to_vec());
        for (address, asked, chosen) in [
            ("taro@example.jp", None, Ok(Email)),
            ("taro@example.jp", Some(Email), Ok(Email)),
            ("taro@example.jp", Some(Sms), Err(ChannelNotSupported)),
            ("+819012345678", None, Ok(Sms)),
            ("+819012345678", Some(Voice), Ok(Voice)),
            ("+819012345678", Some(Email), Err(ChannelNotSupported)),
        ] {
            assert_eq!(all.choose(address, asked), chosen, "{address} by {asked:?}");
        }
        let mail = Channels(vec![Email]);
        assert_eq!(mail.choose("+819012345678", None), Err(ChannelNotSupported));
        assert_eq!(Channels(vec![Email, Voice]).choose("+819012345678", None), Ok(Voice));
    }
}
