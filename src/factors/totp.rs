//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, thirty seconds, as every app understands them.

use chrono::DateTime;
use chrono::Utc;
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::Algorithm;
use totp_rs::Builder;
use totp_rs::Secret;
use totp_rs::Totp;

use super::model::TotpSetup;
use crate::internal::Internal;
use crate::text::fold_width;

/// 160 bits (RFC 4226 §4 R6).
pub(super) const SECRET_BYTES: usize = 20;
/// Steps that may be accepted before and after the present one (RFC 6238 §5.2).
const SKEW: u16 = 1;
const STEP_SECS: u64 = 30;
const DIGITS: u8 = 6;

/// A code in its only form: six ASCII digits.
pub(super) struct TotpCode(String);

impl TotpCode {
    /// Reads what a person typed: full-width digits are folded, spaces and hyphens dropped. Anything else is a
    /// code that cannot be right.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let code: String =
            fold_width(typed.get(..typed.len().min(64))?).chars().filter(|c| !" -".contains(*c)).collect();
        (code.len() == usize::from(DIGITS) && code.bytes().all(|b| b.is_ascii_digit())).then_some(Self(code))
    }
}

#[cfg(any(test, fuzzing))]
impl TotpCode {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

fn totp(secret: &[u8], issuer: &str, account: &str) -> Result<Totp, Internal> {
    // The label of an otpauth URI is `issuer:account`, so neither part may hold a colon.
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(STEP_SECS)
        .with_secret(Secret::new(secret.into()))
        .with_issuer(Some(issuer.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(Internal::bug)
}

fn seconds(now: DateTime<Utc>) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or(0)
}

/// The time step that the code belongs to, if it is right about now.
pub(super) fn matching_step(secret: &[u8], code: &TotpCode, now: DateTime<Utc>) -> Result<Option<i64>, Internal> {
    let step = totp(secret, "", "")?.check(&code.0, seconds(now));
    step.map(|step| i64::try_from(step).map_err(Internal::bug)).transpose()
}

/// The code of a time step.
pub(super) fn code_of_step(secret: &[u8], step: i64) -> Result<String, Internal> {
    let step = u64::try_from(step).map_err(Internal::bug)?;
    Ok(totp(secret, "", "")?.generate(step * STEP_SECS).to_string())
}

/// The time step of a moment, and how many seconds it has left.
pub(super) fn step_at(now: DateTime<Utc>) -> (i64, u64) {
    let seconds = seconds(now);
    (i64::try_from(seconds / STEP_SECS).unwrap_or(i64::MAX), STEP_SECS - seconds % STEP_SECS)
}

/// What a person needs to set up their app.
pub(super) fn setup(secret: &[u8], issuer: &str, account: &str) -> Result<TotpSetup, Internal> {
    let totp = totp(secret, issuer, account)?;
    let otpauth_uri = totp.to_url().map_err(Internal::bug)?;
    let qr_svg =
        QrCode::new(&otpauth_uri).map_err(Internal::bug)?.render::<svg::Color<'_>>().min_dimensions(220, 220).build();
    Ok(TotpSetup { secret: totp.secret().to_base32(), otpauth_uri, qr_svg })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238 appendix B, cut to six digits.
    #[test]
    fn the_published_vectors_match() {
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(code_of_step(SECRET, time / 30).unwrap(), code);
            let code = TotpCode::parse(code).unwrap();
            assert_eq!(matching_step(SECRET, &code, at(time)).unwrap(), Some(time / 30));
        }
    }

    /// security.md 29: one step either way, no more.
    #[test]
    fn the_window_is_one_step_either_way() {
        let code = TotpCode::parse(&code_of_step(SECRET, 100).unwrap()).unwrap();
        for (step, accepted) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(matching_step(SECRET, &code, at(step * 30)).unwrap(), accepted.then_some(100), "at {step}");
        }
    }

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        for typed in ["123456", "123 456", "１２３４５６", "123-456", "１２３　４５６"] {
            assert_eq!(TotpCode::parse(typed).unwrap().0, "123456", "{typed}");
        }
        for typed in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-1+234"] {
            assert!(TotpCode::parse(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn the_uri_names_issuer_and_account() {
        let shown = setup(SECRET, "Sekisho: test", "taro@example.jp").unwrap();
        assert!(shown.otpauth_uri.starts_with("otpauth://totp/"), "{}", shown.otpauth_uri);
        assert!(shown.otpauth_uri.contains(&shown.secret) && shown.otpauth_uri.contains("issuer="));
        assert!(shown.qr_svg.contains("<svg"));
    }
}
