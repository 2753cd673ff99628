//! The answer of every step but the last: where the flow stands.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::NextStep;
use super::super::model::StartedFlow;
use crate::accounts::IdentifierKind;
use crate::accounts::identifier_hint;
use crate::app::App;
use crate::factors::ConfirmedFactor;
use crate::factors::FactorKind;
use crate::factors::passkeys_are_here;
use crate::ids::FactorId;
use crate::ids::IdentifierId;
use crate::messages::Channel;

/// A sign-in under way, and what comes next.
#[derive(Serialize, ToSchema)]
pub struct SignInFlow {
    /// Opens the next step and nothing else.
    #[schema(example = "sit_Zt3yq0…")]
    sign_in_token: String,
    /// Seconds until the flow is over.
    #[schema(example = 600)]
    expires_in: u64,
    /// What comes next.
    #[schema(inline)]
    next: NextStep,
    /// Where a code can be sent, when an identifier is to be verified.
    identifiers: Vec<FlowIdentifier>,
    /// What can be asked for, when a second factor is next.
    factors: Vec<FlowFactor>,
    /// What can be enrolled, when an enrolment is next.
    #[schema(inline, example = json!(["totp", "phone", "passkey"]))]
    enrollable: Vec<FactorKind>,
}

/// An identifier of the account.
#[derive(Serialize, ToSchema)]
pub(super) struct FlowIdentifier {
    /// For the request of a code.
    id: IdentifierId,
    /// What kind it is.
    #[schema(inline)]
    kind: IdentifierKind,
    /// Enough for its owner to recognise it.
    #[schema(example = "t•••@example.jp")]
    hint: String,
}

/// A confirmed factor of the account.
#[derive(Serialize, ToSchema)]
pub(super) struct FlowFactor {
    /// For the answer.
    id: FactorId,
    /// What kind it is.
    #[schema(inline)]
    kind: FactorKind,
    /// What its owner calls it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "Authenticator app")]
    label: String,
    /// The ways that a code can take to it.
    #[schema(inline)]
    channels: Vec<Channel>,
    /// Of a phone: enough of its number to recognise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "•••5678")]
    hint: Option<String>,
}

/// The answer of a step.
pub fn sign_in_flow(app: &App, started: StartedFlow) -> SignInFlow {
    let StartedFlow { token, expires_in, step } = started;
    let enrollable = if step.next == NextStep::EnrolSecondFactor { enrollable(app) } else { Vec::new() };
    let identifiers = step.identifiers.into_iter();
    SignInFlow {
        sign_in_token: token.reveal(),
        expires_in,
        next: step.next,
        identifiers: identifiers
            .map(|own| FlowIdentifier { id: own.id, kind: own.kind, hint: identifier_hint(&own.value) })
            .collect(),
        factors: step.factors.into_iter().map(|factor| flow_factor(app, factor)).collect(),
        enrollable,
    }
}

/// What can be enrolled here.
pub fn enrollable(app: &App) -> Vec<FactorKind> {
    let phones = (!app.channels.to_phones().is_empty()).then_some(FactorKind::Phone);
    let passkeys = passkeys_are_here(app).then_some(FactorKind::Passkey);
    std::iter::once(FactorKind::Totp).chain(phones).chain(passkeys).collect()
}

fn flow_factor(app: &App, factor: ConfirmedFactor) -> FlowFactor {
    let channels = if factor.kind == FactorKind::Phone { app.channels.to_phones() } else { Vec::new() };
    let hint = factor.number.as_deref().map(identifier_hint);
    FlowFactor { id: factor.id, kind: factor.kind, label: factor.label, channels, hint }
}
