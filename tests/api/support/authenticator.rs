//! An authenticator app, written from RFC 4226 and RFC 6238 and not from the service.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use super::TestApp;

/// An app that was given a secret.
pub struct Authenticator {
    key: hmac::Key,
}

impl Authenticator {
    /// The app of a secret in base32, as an enrolment shows it.
    pub fn new(secret: &str) -> Self {
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        assert_eq!(secret.len(), 20, "160 bits");
        Self { key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret) }
    }

    /// What the app shows during a time step (RFC 4226 §5.3).
    pub fn code(&self, step: i64) -> String {
        let tag = hmac::sign(&self.key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 15);
        let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7FFF_FFFF;
        format!("{:06}", word % 1_000_000)
    }
}

impl TestApp {
    /// Moves the clock to the start of the next time step, so that it does not end under the test; answers it.
    pub fn next_step(&self) -> i64 {
        let into = self.clock.now().timestamp() % 30;
        self.advance(u64::try_from(30 - into).unwrap());
        self.clock.now().timestamp() / 30
    }
}
