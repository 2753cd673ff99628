//! What an attacker would like to have: the service's own signing key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sekisho::crypto::SealPurpose;
use serde_json::Value;
use uuid::Uuid;

use super::TestApp;

/// Signs with the key that signs now, so that a refusal is for the one thing that is wrong.
pub struct Forge {
    pair: EcdsaKeyPair,
}

impl Forge {
    /// Opens the newest active key of a server that has one.
    pub async fn of(app: &TestApp) -> Self {
        let row = sqlx::query_as::<_, (Uuid, Vec<u8>)>("SELECT id, private_sealed FROM signing_keys");
        let (id, sealed) = row.fetch_one(&app.app.db).await.unwrap();
        let pkcs8 = app.app.config.master_keys.open(SealPurpose::SigningKey, id.as_bytes(), &sealed).ok().unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap() }
    }

    /// A token with this header and payload.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A token of texts that need not be JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
