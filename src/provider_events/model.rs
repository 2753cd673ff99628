//! What a provider sent, and why it is not believed.

/// What a provider sent.
pub(super) struct Sent<'a> {
    /// The provider's name, from the path.
    pub(super) provider: &'a str,
    /// Path and query, as they came.
    pub(super) target: &'a str,
    /// The signature that a Twilio writes.
    pub(super) twilio_signature: &'a str,
    /// The signature that a webhook writes.
    pub(super) webhook_signature: &'a str,
    /// The fields of a form.
    pub(super) fields: &'a [(String, String)],
    /// The body.
    pub(super) bytes: &'a [u8],
}

/// The protocol in which a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Forms, as Twilio posts them.
    Twilio,
    /// Our own JSON.
    Webhook,
}

/// Why nobody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotHeard {
    /// No provider of this name tells anything.
    #[error("no provider of this name tells anything")]
    Unknown,
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Unsigned,
}
