//! Signatures of messages to providers, and of what providers tell us.

use chrono::DateTime;
use chrono::Utc;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use secrecy::SecretString;

use crate::crypto;

/// The header of a webhook's signature, ours and theirs: `t=<seconds since 1970>,v1=<hex>`, where the second part is
/// HMAC-SHA-256, under the shared secret, of `<t>.<body>`.
pub const WEBHOOK_SIGNATURE: &str = "Sekisho-Signature";
/// The header of Twilio's: base64 of HMAC-SHA-1, under the account's token, of the URL and the fields in the order of
/// their names.
pub const TWILIO_SIGNATURE: &str = "X-Twilio-Signature";

/// A signature counts for so long, so that a recorded request is soon worthless.
const TOLERANCE_SECS: i64 = 300;

/// Signs a body.
pub(super) fn signature(secret: &SecretString, now: DateTime<Utc>, body: &[u8]) -> String {
    let at = now.timestamp().to_string();
    format!("t={at},v1={}", HEXLOWER.encode(&mac(secret, &at, body)))
}

fn mac(secret: &SecretString, at: &str, body: &[u8]) -> Vec<u8> {
    crypto::hmac_sha256(secret, &[at.as_bytes(), b".", body])
}

/// Whether a body was signed with the secret, not long before or after `now`.
pub fn is_signed(secret: &SecretString, header: &str, (body, now): (&[u8], DateTime<Utc>)) -> bool {
    let parts = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
    let Some((at, given)) = parts else { return false };
    let recent = at.parse::<i64>().is_ok_and(|at| at.abs_diff(now.timestamp()) <= TOLERANCE_SECS.unsigned_abs());
    let given = HEXLOWER.decode(given.as_bytes());
    recent && given.is_ok_and(|given| crypto::equal_in_constant_time(&mac(secret, at, body), &given))
}

/// Whether Twilio signed a request to this URL with these fields.
pub fn is_signed_by_twilio(token: &SecretString, url: &str, fields: &[(String, String)], header: &str) -> bool {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable();
    let mut parts = vec![url.as_bytes()];
    parts.extend(fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    let given = BASE64.decode(header.as_bytes());
    given.is_ok_and(|given| crypto::equal_in_constant_time(&crypto::hmac_sha1(token, &parts), &given))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// The example of Twilio's documentation ("Validating requests").
    #[test]
    fn the_published_example_is_signed() {
        let token = SecretString::from("12345");
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let mut fields = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        fields.reverse();
        assert!(is_signed_by_twilio(&token, url, &fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!is_signed_by_twilio(
            &token,
            "https://mycompany.com/myapp.php",
            &fields,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        ));
        fields[0].1.push('3');
        assert!(!is_signed_by_twilio(&token, url, &fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!is_signed_by_twilio(&token, url, &fields, ""));
    }

    #[test]
    fn a_signature_holds_for_its_body_secret_and_time() {
        let (secret, other) = (SecretString::from("0123456789abcdef"), SecretString::from("0123456789abcdeg"));
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let header = signature(&secret, now, b"body");
        for (secret, header, body, after_secs, signed) in [
            (&secret, header.as_str(), "body", 0, true),
            (&secret, &header, "body", 300, true),
            (&secret, &header, "body", 301, false),
            (&secret, &header, "body", -301, false),
            (&secret, &header, "bodx", 0, false),
            (&other, &header, "body", 0, false),
            (&secret, "", "body", 0, false),
            (&secret, "t=,v1=", "body", 0, false),
            (&secret, &header.replace("t=", "t=0"), "body", 0, false),
            (&secret, &header[..header.len() - 2], "body", 0, false),
        ] {
            let now = now + TimeDelta::seconds(after_secs);
            assert_eq!(is_signed(secret, header, (body.as_bytes(), now)), signed, "{header} {body} {after_secs}");
        }
    }
}
