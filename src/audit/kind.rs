//! The catalogue of what can happen.

macro_rules! event_kinds {
    ($($(#[$doc:meta])+ $name:ident $text:literal,)*) => {
        /// What happened. New kinds may be added; a kind is never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])+ $name,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The kind's name in the log and in the API.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

event_kinds! {
    /// A sign-up was started; the account does not exist yet.
    SignUpStarted "sign_up_started",
    /// The code was right: the account exists.
    AccountCreated "account_created",
    /// A wrong password, or an unknown identifier.
    SignInFailed "sign_in_failed",
    /// The password was right; the second factor is still to come.
    PasswordVerified "password_verified",
    /// An identifier was proved inside a sign-in.
    IdentifierVerified "identifier_verified",
    /// A wrong code for an identifier.
    IdentifierCodeFailed "identifier_code_failed",
    /// A wrong second factor.
    SecondFactorFailed "second_factor_failed",
    /// A session was opened.
    SignedIn "signed_in",
    /// A factor was enrolled and confirmed.
    FactorEnrolled "factor_enrolled",
    /// A factor was given another name.
    FactorRenamed "factor_renamed",
    /// A factor was removed.
    FactorRemoved "factor_removed",
    /// A recovery code was used.
    RecoveryCodeUsed "recovery_code_used",
    /// The recovery codes were made anew.
    RecoveryCodesReplaced "recovery_codes_replaced",
    /// A refresh answer was repeated after the silent grace.
    RefreshRepeated "refresh_repeated",
    /// A refresh token came back after its successor had been used: the session was ended.
    RefreshTokenReused "refresh_token_reused",
    /// A session was ended by its owner.
    SessionEnded "session_ended",
    /// A password and a second factor were given again for a sensitive act.
    Reauthenticated "reauthenticated",
    /// A re-authentication failed.
    ReauthenticationFailed "reauthentication_failed",
    /// The profile was changed.
    ProfileChanged "profile_changed",
    /// A device was made known by message.
    DeviceConfirmed "device_confirmed",
    /// An identifier was proved and belongs to the account from now on.
    IdentifierAdded "identifier_added",
    /// Another identifier is the primary one.
    PrimaryIdentifierChanged "primary_identifier_changed",
    /// An identifier is to leave, after a wait.
    IdentifierRemovalBegun "identifier_removal_begun",
    /// An identifier has left.
    IdentifierRemoved "identifier_removed",
    /// Somebody else proved that they hold a number of the account.
    IdentifierClaimed "identifier_claimed",
    /// A change that waited was cancelled.
    ChangeCancelled "change_cancelled",
    /// A recovery was begun; whose account it is about is not known yet.
    RecoveryStarted "recovery_started",
    /// The contact of a recovery was proved: the wait begins.
    RecoveryContactProved "recovery_contact_proved",
    /// Something was proved in a recovery.
    RecoveryProofGiven "recovery_proof_given",
    /// A proof in a recovery was wrong.
    RecoveryProofFailed "recovery_proof_failed",
    /// A recovery was ended without effect.
    RecoveryCancelled "recovery_cancelled",
    /// A recovery had its effect.
    RecoveryCompleted "recovery_completed",
    /// An operator stood in for the proofs of a recovery.
    RecoveryApproved "recovery_approved",
    /// An operator refused a recovery.
    RecoveryDenied "recovery_denied",
    /// An operator brought the account over from another system.
    AccountImported "account_imported",
    /// An operator wrote all accounts into a file.
    AccountsExported "accounts_exported",
    /// An operator opened what limits had closed.
    LimitsReset "limits_reset",
    /// The right password of an account that may do nothing.
    SignInRefused "sign_in_refused",
    /// The owner closed the account.
    ClosureRequested "closure_requested",
    /// The owner kept the account after all.
    ClosureCancelled "closure_cancelled",
    /// The time of a closed account had come: everything but its id is gone.
    AccountPurged "account_purged",
    /// Another account was to be taken in, after a wait.
    MergeBegun "merge_begun",
    /// Another account was taken in.
    AccountsMerged "accounts_merged",
    /// Two accounts did not go together any more when their time had come.
    MergeDropped "merge_dropped",
    /// The owner took everything that is held about them.
    DataExported "data_exported",
    /// A reset of a password was asked for, whoever's it may be.
    PasswordResetRequested "password_reset_requested",
    /// A wrong code of a reset.
    PasswordResetFailed "password_reset_failed",
    /// The password was reset.
    PasswordReset "password_reset",
    /// The password was changed.
    PasswordChanged "password_changed",
    /// A wrong current password at a change of the password.
    PasswordChangeFailed "password_change_failed",
    /// An operator had a message tried again.
    MessageRetried "message_retried",
    /// An operator demanded that the password be changed.
    PasswordChangeRequired "password_change_required",
    /// An operator had a signing key made.
    SigningKeyMade "signing_key_made",
    /// An operator dropped a signing key.
    SigningKeyDropped "signing_key_dropped",
}

impl EventKind {
    /// Whether it can be among the events that an owner sees: not what happens to no account, nor the end of one.
    pub fn is_for_owners(self) -> bool {
        !matches!(
            self,
            Self::SignUpStarted
                | Self::RecoveryStarted
                | Self::PasswordResetRequested
                | Self::AccountPurged
                | Self::AccountsExported
                | Self::MessageRetried
                | Self::SigningKeyMade
                | Self::SigningKeyDropped
        )
    }
}
