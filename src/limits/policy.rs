//! Every limit and its numbers.

use strum::EnumString;
use strum::IntoStaticStr;
use strum::VariantArray;

/// A named limit. Each counts by one kind of [`crate::limits::Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Policy {
    /// Starting a sign-up; by network.
    SignUp,
    /// Asking for a code again, in any flow; by network.
    Resend,
    /// Presenting a code of a sign-up or of an identifier; by network.
    Code,
    /// Asking for an opinion on a password; by network.
    PasswordCheck,
    /// Presenting a password; by network.
    Password,
    /// Presenting a second factor; by network.
    SecondFactor,
    /// Asking for a passkey of whoever there is; by network.
    Passkey,
    /// Starting an enrolment; by network.
    Enrolment,
    /// Refreshing and ending sessions; by network.
    Session,
    /// Calls with an access token, before it is looked at; by network.
    Bearer,
    /// Calls with an access token; by session.
    Account,
    /// Re-authentication, and the acts that need it; by session.
    Reauthentication,
    /// Codes presented in the sign-ins of one account, whatever the network; by account.
    AccountCode,
    /// Messages to one destination; by recipient and purpose.
    Message,
    /// Of the messages that lead back in, what one network may ask for; by network and recipient. Of those that an account
    /// asks for inside its sessions, what one of them may; by session.
    MessageShare,
    /// SMS and calls to numbers that nobody has proved; by network.
    PhoneMessage,
    /// Starting a recovery, and coming back to one; by network.
    Recovery,
    /// Recoveries of one identifier; by network, so that nobody uses up what its owner needs.
    RecoveryIdentifier,
    /// What providers of messages tell; by network.
    ProviderEvent,
    /// Documents that everyone may read; by network.
    Public,
}

/// `requests` per `window_secs`; all of them may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub requests: u32,
    /// In how many seconds.
    pub window_secs: u32,
}

impl Quota {
    const fn new(requests: u32, window_secs: u32) -> Self {
        Self { requests, window_secs }
    }
}

impl Policy {
    /// By what the outermost layer counts an operation of this policy, before anyone knows whose request it is.
    pub fn at_the_door(self) -> Self {
        if matches!(self, Self::Account | Self::Reauthentication) { Self::Bearer } else { self }
    }

    /// The policy's name in `RateLimit-Policy` and in metrics.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The policy of this name.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The numbers.
    ///
    /// A network is many people here: MAP-E (RFC 7597), the common form of IPv4 on Japanese fixed lines, puts up
    /// to 256 homes behind one address, and the translators of mobile carriers more. So limits by network only
    /// stop floods; guessing is stopped by the tries of each code and by the failures of each account, whatever
    /// the network. The numbers are ours, reckoned for 256 homes of four devices.
    #[expect(clippy::match_same_arms, reason = "one row a policy, each with its own reason")]
    pub const fn quota(self) -> Quota {
        match self {
            // Rare in a home; each one sends a message and costs a hash. A campaign on television is a burst.
            Self::SignUp => Quota::new(60, 60),
            // Every sign-up may need one or two.
            Self::Resend => Quota::new(60, 60),
            // A few tries for each of them.
            Self::Code | Self::SecondFactor => Quota::new(120, 60),
            // Asked while a person types.
            Self::PasswordCheck => Quota::new(240, 60),
            // 1000 devices sign in once a day; the morning's peak with wrong tries is a tenth of this. About one
            // core's worth of hashes stays for everyone else.
            Self::Password => Quota::new(120, 60),
            // By every page that offers a sign-in, before anybody does anything.
            Self::Passkey => Quota::new(240, 60),
            // After every first sign-in, with a change of mind.
            Self::Enrolment => Quota::new(60, 60),
            // 1000 devices refresh every five minutes: 200 a minute, all at once when the line comes back.
            Self::Session => Quota::new(1200, 60),
            // 1000 devices, each opening a screen of ten resources every two minutes.
            Self::Bearer => Quota::new(6000, 60),
            // One app of one person; far above a screen that loads ten resources every few seconds.
            Self::Account => Quota::new(300, 60),
            // One person with a password manager needs one; ten minutes is how long it lasts.
            Self::Reauthentication => Quota::new(20, 600),
            // A code lives ten minutes, and nobody wants more of them than this.
            Self::Message => Quota::new(10, 3600),
            // Half of it, so that no network and no stolen session uses up what an owner needs to get back in.
            Self::MessageShare => Quota::new(5, 3600),
            // Each costs money. Two for a new person, and fifty new people an hour behind one address.
            Self::PhoneMessage => Quota::new(100, 3600),
            // Only who knows the password comes this far, so strangers cannot use it up. A guesser of authenticator codes
            // (three of a million are right) needs months.
            Self::AccountCode => Quota::new(60, 3600),
            // Once in years for a person; each one sends a message.
            Self::Recovery => Quota::new(20, 60),
            // One, and a few that went wrong.
            Self::RecoveryIdentifier => Quota::new(5, 86_400),
            // One provider tells of each message, from few addresses; a hundred messages a second is a large service.
            Self::ProviderEvent => Quota::new(6000, 60),
            // JWKS and discovery, fetched by every service behind one address.
            Self::Public => Quota::new(1200, 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_a_name_of_its_own_and_whole_milliseconds_between_requests() {
        let mut names: Vec<_> = Policy::VARIANTS.iter().map(|policy| policy.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Policy::VARIANTS.len());
        for policy in Policy::VARIANTS {
            let quota = policy.quota();
            assert_eq!(quota.window_secs * 1000 % quota.requests, 0, "{}", policy.name());
        }
    }
}
