//! Whether one more message may leave.
//!
//! Rules
//! * What owners ask for who have proved something and what anybody may ask for count apart, so that nobody who only knows an
//!   address or a number uses up what its owner needs. Notices count in neither.
//! * What is asked for inside sessions counts apart from what sign-ins need, and one session gets half of it: whoever stole
//!   one keeps the owner neither from signing in nor from proving again who they are.
//! * Of what anybody may ask for, each way back into an account ([`WayBack`]) is a count of its own, and everything else
//!   is one: reminders do not use up resets. Of a way back one network gets half.
//! * What is asked for is paid for by whoever asks: from the budget of nobody's numbers. A reset alone leaves to proved
//!   numbers only, and is paid for like a notice when it leaves ([`admit_reset`]): a block of numbers that strangers have
//!   closed is in no owner's way.
//! * So strangers bring a mailbox no more than forty messages at once and forty an hour after that, ten of each of the four
//!   counts, however many networks they have; from one network twenty-five.

use std::net::IpAddr;

use sqlx::PgConnection;

use super::model::limit_key;
use super::model::phone_country;
use super::store;
use crate::app::App;
use crate::ids::AccountId;
use crate::ids::SessionId;
use crate::internal::Internal;
use crate::limits::Budget;
use crate::limits::Callee;
use crate::limits::MessageRefused;
use crate::limits::Policy;
use crate::limits::Subject;

/// Who asks for a message.
#[derive(Clone, Copy)]
pub enum Asker {
    /// The owner of an account, in a sign-in, to a destination that was proved there.
    Owner(AccountId),
    /// Whoever is in this session of the account, to a destination that was proved there.
    InSession(AccountId, SessionId),
    /// Anybody at this address, to a destination of which nobody knows whose it is.
    Anybody(IpAddr),
    /// Anybody at this address, for what an owner needs who cannot get in.
    Returning(IpAddr, WayBack),
}

/// By which message somebody gets back in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// A reset of the password.
    Reset,
    /// The token that makes a device known.
    Device,
    /// A recovery, to its contact or to a destination of the account.
    Recovery,
}

impl WayBack {
    const ALL: [Self; 3] = [Self::Reset, Self::Device, Self::Recovery];

    fn key(self, lookup_key: &str) -> String {
        let name = match self {
            Self::Reset => "reset",
            Self::Device => "device",
            Self::Recovery => "recovery",
        };
        format!("{name} {}", limit_key(lookup_key))
    }
}

/// What the messages that owners ask for to a proved number count by: no stranger uses it up.
fn owner_key(lookup_key: &str) -> String {
    format!("owner {lookup_key}")
}

/// The same for what is asked for inside sessions; of an account as a whole by its id.
fn session_key(whose: &str) -> String {
    format!("session {whose}")
}

/// By what messages to an identifier are counted, whoever asks and for whatever. What is left to one network or to one
/// session cannot be told from the identifier alone.
pub fn recipient_keys(lookup_key: &str) -> Vec<String> {
    let ways = WayBack::ALL.iter().map(|way| way.key(lookup_key));
    [limit_key(lookup_key), owner_key(lookup_key), session_key(lookup_key)].into_iter().chain(ways).collect()
}

/// Whether one more message may go to a destination that somebody asks for.
///
/// # Errors
/// Too many, or too much is spent on phones.
pub async fn admit_message(app: &App, (value, lookup_key): (&str, &str), asker: Asker) -> Result<(), MessageRefused> {
    let to_phone = !value.contains('@');
    let by_recipient = async |key: &str| app.limits.admit(Policy::Message, Subject::Recipient(key)).await;
    if let (true, Asker::Anybody(ip) | Asker::Returning(ip, _)) = (to_phone, asker) {
        app.limits.admit(Policy::PhoneMessage, Subject::Network(ip)).await?;
    }
    match asker {
        Asker::Owner(account) => {
            if to_phone {
                // One number can be a factor of many accounts.
                by_recipient(&owner_key(lookup_key)).await?;
            }
            app.limits.admit(Policy::Message, Subject::Account(account)).await?;
        }
        Asker::InSession(account, session) => {
            app.limits.admit(Policy::MessageShare, Subject::Session(session)).await?;
            if to_phone {
                by_recipient(&session_key(lookup_key)).await?;
            }
            by_recipient(&session_key(&account.to_string())).await?;
        }
        Asker::Anybody(_) => _ = by_recipient(&limit_key(lookup_key)).await?,
        Asker::Returning(ip, way) => {
            let key = way.key(lookup_key);
            app.limits.admit(Policy::MessageShare, Subject::Visitor(ip, &key)).await?;
            by_recipient(&key).await?;
        }
    }
    if !to_phone || matches!(asker, Asker::Returning(_, WayBack::Reset)) {
        return Ok(());
    }
    let budget = match asker {
        Asker::Owner(_) | Asker::InSession(..) => Budget::Proved,
        Asker::Anybody(_) | Asker::Returning(..) => Budget::Unproved,
    };
    admit_spending(app, value, budget).await
}

/// Whether the reset that is about to leave is paid for today: a mail is, and so is one that will not leave since nobody has
/// proved the number.
pub async fn admit_reset(
    conn: &mut PgConnection,
    app: &App,
    (value, lookup_key): (&str, &str),
) -> Result<bool, Internal> {
    if value.contains('@') || store::owner_of(conn, lookup_key).await?.is_none() {
        return Ok(true);
    }
    match admit_spending(app, value, Budget::Notices).await {
        Ok(()) => Ok(true),
        Err(MessageRefused::Limited(_) | MessageRefused::Spent { .. }) => Ok(false),
        Err(MessageRefused::Internal(error)) => Err(error),
    }
}

/// Whether a message to a phone is paid for today.
pub(super) async fn admit_spending(app: &App, number: &str, budget: Budget) -> Result<(), MessageRefused> {
    let country = phone_country(number).map(|country| country.as_region_str().to_string()).unwrap_or_default();
    app.spend.admit(Callee { number, country: &country, budget }).await
}
