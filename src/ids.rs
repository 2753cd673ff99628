//! Identifiers as types, so that one kind cannot stand where another belongs.
//!
//! All are UUID version 7 (RFC 9562), made by [`crate::crypto::new_id`]. They are names, never secrets.

use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// The plain UUID, for SQL and for bodies.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// One person's account.
    AccountId;
    /// An e-mail address or phone number of an account.
    IdentifierId;
    /// A second factor.
    FactorId;
    /// A device that its owner has signed in with.
    DeviceId;
    /// A session.
    SessionId;
    /// A flow: a pending sign-up, a sign-in under way.
    FlowId;
    /// A change that waits.
    ChangeId;
    /// A message in the outbox.
    MessageId;
    /// A row of the audit log.
    EventId;
    /// A signing key; the `kid` of its tokens.
    KeyId;
    /// An access token; its `jti`.
    AccessTokenId;
    /// A request.
    RequestId;
}
