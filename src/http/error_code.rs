//! The catalogue of every code that an answer can carry.
//!
//! A code is contract: it may be added, never renamed. Each has one status, a page at `/help/problems/<code>`
//! and its texts under `problem-<code>` (`field-<code>` for a field's) in `text/languages`; a test holds that.

use actix_web::http::StatusCode;

macro_rules! error_codes {
    ($($name:ident $code:literal $status:ident,)*) => {
        /// What went wrong with a request as a whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $code, "`")] $name,)*
        }

        impl ErrorCode {
            /// Every code, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as callers see it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The status that it is always answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

error_codes! {
    MalformedRequest "malformed_request" BAD_REQUEST,
    UnsupportedField "unsupported_field" BAD_REQUEST,
    InvalidCursor "invalid_cursor" BAD_REQUEST,
    InvalidCredentials "invalid_credentials" UNAUTHORIZED,
    AccessTokenMissing "access_token_missing" UNAUTHORIZED,
    AccessTokenInvalid "access_token_invalid" UNAUTHORIZED,
    AccessTokenExpired "access_token_expired" UNAUTHORIZED,
    SessionExpired "session_expired" UNAUTHORIZED,
    SessionRevoked "session_revoked" UNAUTHORIZED,
    RefreshTokenInvalid "refresh_token_invalid" UNAUTHORIZED,
    RefreshTokenReused "refresh_token_reused" UNAUTHORIZED,
    InsufficientUserAuthentication "insufficient_user_authentication" UNAUTHORIZED,
    AccountClosed "account_closed" FORBIDDEN,
    AccountSuspended "account_suspended" FORBIDDEN,
    Forbidden "forbidden" FORBIDDEN,
    OriginNotAllowed "origin_not_allowed" FORBIDDEN,
    NotFound "not_found" NOT_FOUND,
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED,
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE,
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE,
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE,
    WrongStep "wrong_step" CONFLICT,
    LastSecondFactor "last_second_factor" CONFLICT,
    LastIdentifier "last_identifier" CONFLICT,
    AlreadyVerified "already_verified" CONFLICT,
    FactorCarriedReset "factor_carried_reset" CONFLICT,
    LimitReached "limit_reached" CONFLICT,
    MergeConflict "merge_conflict" CONFLICT,
    Conflict "conflict" CONFLICT,
    SignInExpired "sign_in_expired" GONE,
    ReauthenticationExpired "reauthentication_expired" GONE,
    SignUpExpired "sign_up_expired" GONE,
    RecoveryTokenInvalid "recovery_token_invalid" GONE,
    CancelTokenInvalid "cancel_token_invalid" GONE,
    ResetTokenInvalid "reset_token_invalid" GONE,
    ClaimTokenInvalid "claim_token_invalid" GONE,
    DeviceTokenInvalid "device_token_invalid" GONE,
    InvalidCode "invalid_code" UNPROCESSABLE_ENTITY,
    InvalidCredential "invalid_credential" UNPROCESSABLE_ENTITY,
    InvalidFields "invalid_fields" UNPROCESSABLE_ENTITY,
    RateLimited "rate_limited" TOO_MANY_REQUESTS,
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS,
    MessageLimitReached "message_limit_reached" TOO_MANY_REQUESTS,
    InternalError "internal_error" INTERNAL_SERVER_ERROR,
    Overloaded "overloaded" SERVICE_UNAVAILABLE,
    DependencyUnavailable "dependency_unavailable" SERVICE_UNAVAILABLE,
    ChannelUnavailable "channel_unavailable" SERVICE_UNAVAILABLE,
}

impl ErrorCode {
    /// The code of this name.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

macro_rules! field_codes {
    ($($name:ident $code:literal,)*) => {
        /// What is wrong with one member of a body or one query parameter (`errors[].code`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FieldCode {
            $(#[doc = concat!("`", $code, "`")] $name,)*
        }

        impl FieldCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as callers see it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

field_codes! {
    // Only in answers of status 400.
    Malformed "malformed",
    WrongType "wrong_type",
    NullNotAllowed "null_not_allowed",
    Duplicate "duplicate",
    TooDeep "too_deep",
    Unsupported "unsupported",
    // `invalid_fields`.
    Required "required",
    UnknownValue "unknown_value",
    UnknownId "unknown_id",
    UnknownClient "unknown_client",
    OutOfRange "out_of_range",
    TooLong "too_long",
    InvalidFormat "invalid_format",
    InvalidCharacters "invalid_characters",
    NotSupported "not_supported",
    InvalidEmail "invalid_email",
    InvalidPhone "invalid_phone",
    CountryCodeRequired "country_code_required",
    PhoneNotSupported "phone_not_supported",
    WrongPassword "wrong_password",
    PasswordTooShort "password_too_short",
    PasswordTooLong "password_too_long",
    PasswordTooCommon "password_too_common",
    PasswordBreached "password_breached",
    PasswordContainsContext "password_contains_context",
    PasswordUnchanged "password_unchanged",
    TokenInvalid "token_invalid",
    // `conflict`.
    PhoneIsFactor "phone_is_factor",
    // `merge_conflict`.
    SameAccount "same_account",
    TooManyIdentifiers "too_many_identifiers",
    TooManyFactors "too_many_factors",
    ChangeWaiting "change_waiting",
    HasRoles "has_roles",
    UnsupportedLocale "unsupported_locale",
    UnknownTimeZone "unknown_time_zone",
}

/// Every code of a hint; its text is `hint-<code>`.
pub const HINTS: [&str; 7] = [
    "caps_lock",
    "num_lock",
    "full_width_input",
    "country_code",
    "saved_password",
    "other_account",
    "migrated_account",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;
    use crate::text::find;

    #[test]
    fn every_code_has_its_texts() {
        let missing = |id: String| find(Language::DEFAULT, &id, &[]).is_none().then_some(id);
        let problems = ErrorCode::ALL.iter().flat_map(|code| {
            ["title", "detail", "help"].map(|part| format!("problem-{}.{part}", code.code().replace('_', "-")))
        });
        let fields = FieldCode::ALL.iter().map(|code| format!("field-{}", code.code().replace('_', "-")));
        let hints = HINTS.iter().map(|code| format!("hint-{}", code.replace('_', "-")));
        assert_eq!(problems.chain(fields).chain(hints).filter_map(missing).collect::<Vec<_>>(), Vec::<String>::new());
    }
}
