//! What an enrolment is asked with and answered with, in a sign-in as in the account.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use super::model::Begun;
use super::model::Confirmation;
use super::model::FactorKind;
use super::model::Setup;
use super::model::TotpSetup;
use super::model::Wanted;
use crate::accounts::Delivery;
use crate::accounts::Faults;
use crate::accounts::read_label;
use crate::accounts::read_phone;
use crate::app::App;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::ids::FactorId;
use crate::messages::Channel;
use crate::messages::ChannelRefused;

/// What can be enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentKind {
    /// An authenticator app.
    Totp,
    /// A phone that codes are sent to.
    Phone,
    /// A passkey (WebAuthn).
    Passkey,
}

/// How an enrolment is confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmMethod {
    /// The first code, in `code`.
    Code,
    /// The new passkey, in `credential`.
    Passkey,
}

/// Whether passkeys can be made and used here.
pub fn passkeys_are_here(app: &App) -> bool {
    app.config.passkeys.is_some()
}

/// Reads the member that the method calls for; the other must be absent.
///
/// # Errors
/// 422 `invalid_fields`.
pub fn read_confirmation(
    method: ConfirmMethod,
    code: Option<String>,
    credential: Option<Map<String, Value>>,
) -> Result<Confirmation, Problem> {
    let surplus = |pointer| Err(Problem::field(pointer, FieldCode::NotSupported));
    match method {
        ConfirmMethod::Code if credential.is_some() => surplus("/credential"),
        ConfirmMethod::Code => code.map(Confirmation::Code).ok_or_else(|| Problem::field("/code", FieldCode::Required)),
        ConfirmMethod::Passkey if code.is_some() => surplus("/code"),
        ConfirmMethod::Passkey => read_credential(credential).map(Box::new).map(Confirmation::Passkey),
    }
}

/// A credential in the JSON form of WebAuthn Level 3; members that we do not know are the browser's business.
///
/// # Errors
/// 422 `invalid_fields`: it is missing, or has not the members of a credential.
pub fn read_credential<T: DeserializeOwned>(given: Option<Map<String, Value>>) -> Result<T, Problem> {
    let given = given.ok_or_else(|| Problem::field("/credential", FieldCode::Required))?;
    serde_json::from_value(given.into()).map_err(|_| Problem::field("/credential", FieldCode::InvalidFormat))
}

/// A factor to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewFactor, example = json!({ "kind": "phone", "phone": "+819012345678", "label": "My phone" }))]
pub struct Asked {
    /// What kind it will be.
    #[schema(inline, example = "phone")]
    pub kind: EnrolmentKind,
    /// Of a phone: its number, with the country code or beside `country`.
    #[schema(example = "+819012345678")]
    pub phone: Option<String>,
    /// For a number in its national form (ISO 3166-1).
    #[schema(example = "JP")]
    pub country: Option<String>,
    /// Of a phone: how its first code travels; `sms` unless `voice` is asked for.
    #[schema(inline, example = "sms")]
    pub channel: Option<Channel>,
    /// What its owner calls it, at most 100 characters.
    #[schema(example = "My phone", max_length = 100)]
    pub label: Option<String>,
}

impl Asked {
    /// The way to a phone; a broken one is told only where nothing else is wrong.
    fn channel_to(&self, app: &App, number: Option<&str>, faults: &mut Faults) -> Result<Option<Channel>, Problem> {
        let Some(number) = number else { return Ok(None) };
        match app.channels.choose(number, self.channel) {
            Ok(channel) => Ok(Some(channel)),
            Err(ChannelRefused::NotSupported) => Ok(faults.note("/channel", Err(FieldCode::NotSupported))),
            Err(unavailable) if faults.is_empty() => Err(unavailable.into()),
            Err(ChannelRefused::Unavailable { .. }) => Ok(None),
        }
    }

    /// Reads the members that the kind calls for; those of the other must be absent.
    ///
    /// # Errors
    /// 422 `invalid_fields`, with everything that is wrong.
    pub fn read(self, app: &App) -> Result<Wanted, Problem> {
        let mut faults = Faults::default();
        let label = self.label.as_deref().unwrap_or(match self.kind {
            EnrolmentKind::Totp => "Authenticator app",
            EnrolmentKind::Phone => "Phone",
            EnrolmentKind::Passkey => "Passkey",
        });
        let label = faults.note("/label", read_label(label));
        let wanted = match self.kind {
            EnrolmentKind::Totp => {
                self.is_of_no_phone(&mut faults);
                label.map(|label| Wanted::Totp { label })
            }
            EnrolmentKind::Passkey => {
                self.is_of_no_phone(&mut faults);
                faults.note("/kind", if passkeys_are_here(app) { Ok(()) } else { Err(FieldCode::NotSupported) });
                label.map(|label| Wanted::Passkey { label })
            }
            EnrolmentKind::Phone => {
                let number = read_phone(app, &mut faults, (self.phone.as_deref(), self.country.as_deref()));
                let channel = self.channel_to(app, number.as_deref(), &mut faults)?;
                let number = number.zip(channel);
                label.zip(number).map(|(label, (number, channel))| Wanted::Phone { label, number, channel })
            }
        };
        match wanted {
            Some(wanted) if faults.is_empty() => Ok(wanted),
            _ => Err(faults.into_problem()),
        }
    }

    fn is_of_no_phone(&self, faults: &mut Faults) {
        for (pointer, given) in [
            ("/phone", self.phone.is_some()),
            ("/country", self.country.is_some()),
            ("/channel", self.channel.is_some()),
        ] {
            faults.note(pointer, if given { Err(FieldCode::NotSupported) } else { Ok(()) });
        }
    }
}

/// What to set up; shown once.
#[derive(Serialize, ToSchema)]
pub struct Enrolment {
    /// The factor that the first code, or the passkey, confirms.
    factor_id: FactorId,
    /// What kind it is.
    #[schema(inline)]
    kind: FactorKind,
    /// For an authenticator app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    totp: Option<TotpSetup>,
    /// For a phone: where its first code went.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    phone: Option<Delivery>,
    /// For a passkey: what `PublicKeyCredential.parseCreationOptionsFromJSON` takes (WebAuthn Level 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    passkey: Option<Value>,
    /// Seconds until it must be confirmed.
    #[schema(example = 600)]
    expires_in: u64,
}

impl Enrolment {
    /// Of what has begun.
    pub fn of(app: &App, Begun { factor, setup }: Begun) -> Self {
        let blank = |factor_id, kind| Self { factor_id, kind, totp: None, phone: None, passkey: None, expires_in: 600 };
        match setup {
            Setup::Totp(totp) => Self { totp: Some(totp), ..blank(factor, FactorKind::Totp) },
            Setup::Phone { number, channel } => {
                let phone = Some(Delivery::of(app, channel, &number));
                Self { phone, ..blank(factor, FactorKind::Phone) }
            }
            Setup::Passkey(options) => Self { passkey: Some(options), ..blank(factor, FactorKind::Passkey) },
        }
    }
}
