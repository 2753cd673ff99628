//! What can be said.

macro_rules! message_kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)*) => {
        /// What a message says. Each kind has the text `message-<name with dashes>` in the language files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MessageKind {
            $($(#[$doc])* $kind,)*
        }

        impl MessageKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The kind's name in the database and in log lines.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }
    };
}

message_kinds! {
    /// The code that proves the address of a sign-up.
    SignUpCode "sign_up_code",
    /// To the owner of an address that somebody tried to sign up with.
    SignUpNotice "sign_up_notice",
    /// The code that proves an identifier in a sign-in.
    IdentifierCode "identifier_code",
    /// The code that is sent to a phone as a second factor, or to enrol it as one.
    FactorCode "factor_code",
    /// A session was ended, because its refresh token came back.
    RefreshReuseNotice "refresh_reuse_notice",
    /// A recovery code was used. Value: `left`, how many remain.
    RecoveryCodeUsedNotice "recovery_code_used_notice",
    /// The recovery codes were made anew.
    RecoveryCodesReplacedNotice "recovery_codes_replaced_notice",
    /// A factor was enrolled. Value: `label`, its name.
    FactorEnrolledNotice "factor_enrolled_notice",
    /// A factor was removed. Value: `label`, its name.
    FactorRemovedNotice "factor_removed_notice",
    /// Many failures in a row. Value: `count`, how many.
    FailuresNotice "failures_notice",
    /// The token that makes a device known.
    DeviceToken "device_token",
    /// The code that proves an identifier which an account wants.
    NewIdentifierCode "new_identifier_code",
    /// To the owner of an address that somebody wanted for their own account.
    IdentifierTakenNotice "identifier_taken_notice",
    /// An identifier was added. Value: `identifier`, a hint of it.
    IdentifierAddedNotice "identifier_added_notice",
    /// Another identifier is the primary one. Value: `identifier`, a hint of it.
    PrimaryIdentifierNotice "primary_identifier_notice",
    /// To an identifier that is to leave. Value: `token`, which stops it.
    IdentifierLeavesNotice "identifier_leaves_notice",
    /// The same in words, for a phone.
    NumberLeavesNotice "number_leaves_notice",
    /// To the others when one is to leave. Value: `identifier`, a hint of it.
    IdentifierRemovalNotice "identifier_removal_notice",
    /// An identifier has left. Value: `identifier`, a hint of it.
    IdentifierRemovedNotice "identifier_removed_notice",
    /// The removal of an identifier was cancelled, and the password with it.
    ChangeCancelledNotice "change_cancelled_notice",
    /// A merge was cancelled, and the password with it.
    MergeCancelledNotice "merge_cancelled_notice",
    /// What waited to change an account was ended, because its password was reset or it was recovered.
    ChangesWithdrawnNotice "changes_withdrawn_notice",
    /// The claim of a number was stopped.
    ClaimStoppedNotice "claim_stopped_notice",
    /// The code that proves the contact of a recovery.
    RecoveryContactCode "recovery_contact_code",
    /// The code that proves a destination of the account in a recovery.
    RecoveryProofCode "recovery_proof_code",
    /// The token that names a recovery, to its contact.
    RecoveryToken "recovery_token",
    /// Somebody wants into the account by a recovery. Value: `token`, which stops it.
    RecoveryNotice "recovery_notice",
    /// The same in words, for a phone.
    RecoveryBegunNotice "recovery_begun_notice",
    /// A recovery was ended without effect.
    RecoveryCancelledNotice "recovery_cancelled_notice",
    /// An operator lets a recovery go on. Value: `token`, which stops it.
    RecoveryApprovalNotice "recovery_approval_notice",
    /// The same in words, for a phone.
    RecoveryApprovedNotice "recovery_approved_notice",
    /// Of a recovery or its approval, in words, to a destination that is too new to the account to stop it.
    RecoveryNewcomerNotice "recovery_newcomer_notice",
    /// To the contact of a recovery: enough was proved late, so that it opens a day later.
    RecoveryProvedNotice "recovery_proved_notice",
    /// To the contact of a recovery, which may have no account: it can be completed.
    RecoveryOpenNotice "recovery_open_notice",
    /// To the contact: the wait is over, and proofs are missing.
    RecoveryUndecidedNotice "recovery_undecided_notice",
    /// To the contact: it was cancelled.
    RecoveryStoppedNotice "recovery_stopped_notice",
    /// To the contact: an operator refused it.
    RecoveryDeniedNotice "recovery_denied_notice",
    /// A recovery had its effect, and an identifier is about to leave.
    RecoveryCompletedNotice "recovery_completed_notice",
    /// A recovery had its effect, and every identifier stays.
    RecoveryKeptNotice "recovery_kept_notice",
    /// To the contact of a recovery that had its effect: it did not become an identifier.
    RecoveryContactNotice "recovery_contact_notice",
    /// The code, and where there is a page the link, that lets a person set a new password.
    PasswordReset "password_reset",
    /// A reset of the password was asked for at an identifier that is too new to carry one.
    PasswordResetHeldNotice "password_reset_held_notice",
    /// The password was reset.
    PasswordResetNotice "password_reset_notice",
    /// The password of an account was reset that has no second factor yet.
    ResetWithoutFactorNotice "reset_without_factor_notice",
    /// The password was changed.
    PasswordChangedNotice "password_changed_notice",
    /// The account is closing. Value: `closes_at`, when it is gone.
    ClosureNotice "closure_notice",
    /// The account will soon be gone. Value: `closes_at`, when.
    ClosureReminder "closure_reminder",
    /// The account is kept after all.
    ClosureCancelledNotice "closure_cancelled_notice",
    /// The code that proves who holds a number now.
    ClaimCode "claim_code",
    /// Somebody else holds a number of the account. Value: `identifier`, a hint of it.
    ClaimNotice "claim_notice",
    /// The same with what stops the claim. Values: `identifier`, a hint of it; `token`.
    ClaimObjectionNotice "claim_objection_notice",
    /// To whoever holds a number now: no account has it any more.
    NumberReleasedNotice "number_released_notice",
    /// To an address of which no account is known.
    NoAccountNotice "no_account_notice",
    /// To an address that came with an import and that nobody has proved here.
    UnprovedReminder "unproved_reminder",
    /// What an account signs in with. Value: `identifiers`, a hint of each.
    IdentifierReminder "identifier_reminder",
    /// Another account is to be taken into this one. Values: `merges_at`, and `token`, which stops it.
    MergeInNotice "merge_in_notice",
    /// This account is to be taken into another one. Values: `merges_at`, and `token`, which stops it.
    MergeAwayNotice "merge_away_notice",
    /// The same for either, without what stops it. Value: `merges_at`.
    MergeBegunNotice "merge_begun_notice",
    /// Two accounts have become one. Value: `identifier`, a hint of the primary one of the account that stays.
    MergedNotice "merged_notice",
    /// Two accounts stay two: somebody stopped the merge, or they do not go together any more.
    MergeStoppedNotice "merge_stopped_notice",
}

impl MessageKind {
    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it carries a code, and thus goes to a destination that is not proved yet.
    pub fn carries_code(self) -> bool {
        matches!(
            self,
            Self::SignUpCode
                | Self::IdentifierCode
                | Self::FactorCode
                | Self::DeviceToken
                | Self::NewIdentifierCode
                | Self::RecoveryContactCode
                | Self::RecoveryProofCode
                | Self::RecoveryToken
                | Self::PasswordReset
                | Self::ClaimCode
        )
    }

    /// Whether its code is of digits, which a call can read and a phone can fill in.
    pub fn carries_digits(self) -> bool {
        self.carries_code() && !matches!(self, Self::DeviceToken | Self::RecoveryToken)
    }

    /// Whether its mail may show a link; it then says so in words of its own (`.link` in place of `.body`).
    pub fn may_link(self) -> bool {
        matches!(
            self,
            Self::PasswordReset
                | Self::IdentifierLeavesNotice
                | Self::ClaimObjectionNotice
                | Self::RecoveryNotice
                | Self::RecoveryApprovalNotice
                | Self::MergeInNotice
                | Self::MergeAwayNotice
        )
    }

    /// The values that its text needs beside service, time, code and minutes. One by a name in `_at` is a time (RFC 3339)
    /// and is shown in the recipient's zone.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::RecoveryCodeUsedNotice => &["left"],
            Self::FactorEnrolledNotice | Self::FactorRemovedNotice => &["label"],
            Self::FailuresNotice => &["count"],
            Self::IdentifierAddedNotice
            | Self::PrimaryIdentifierNotice
            | Self::IdentifierRemovalNotice
            | Self::IdentifierRemovedNotice
            | Self::ClaimNotice
            | Self::MergedNotice => &["identifier"],
            Self::ClaimObjectionNotice => &["identifier", "token"],
            Self::IdentifierReminder => &["identifiers"],
            Self::IdentifierLeavesNotice | Self::RecoveryNotice | Self::RecoveryApprovalNotice => &["token"],
            Self::ClosureNotice | Self::ClosureReminder => &["closes_at"],
            Self::MergeBegunNotice => &["merges_at"],
            // In the order of their names.
            Self::MergeInNotice | Self::MergeAwayNotice => &["merges_at", "token"],
            _ => &[],
        }
    }
}
