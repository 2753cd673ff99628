//! A software authenticator and the browser in front of it, written from WebAuthn Level 3 and RFC 8949, not from the
//! service. It is as honest as a test lets it be: whatever it claims can be bent before it signs.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

/// User present.
pub const UP: u8 = 1;
/// User verified.
pub const UV: u8 = 1 << 2;
/// May be backed up.
pub const BE: u8 = 1 << 3;
/// Is backed up.
pub const BS: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// What browser and authenticator say.
pub struct Claims {
    /// `type` of the client data.
    pub kind: String,
    /// As the options have it, in base64url.
    pub challenge: String,
    /// The page's.
    pub origin: String,
    /// Whether the page is framed by another site.
    pub cross_origin: bool,
    /// What the authenticator hashes.
    pub rp_id: String,
    /// Of the authenticator data.
    pub flags: u8,
    /// The signature count.
    pub count: u32,
    /// `userHandle`, in base64url.
    pub user_handle: Option<String>,
    /// `id` and `rawId`, in base64url.
    pub id: String,
    /// `type` of the credential.
    pub credential_kind: String,
    /// What is signed with.
    pub pair: Option<EcdsaKeyPair>,
}

/// A passkey.
pub struct Passkey {
    pair: EcdsaKeyPair,
    id: [u8; 16],
    user_handle: String,
    rp_id: String,
    origin: String,
    count: u32,
    flags: u8,
}

fn random() -> [u8; 16] {
    sekisho::crypto::random_bytes()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A definite head of a CBOR item.
fn head(major: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short @ 0..=23) => vec![major << 5 | short],
        Ok(byte) => vec![major << 5 | 0x18, byte],
        Err(_) => [vec![major << 5 | 0x19], u16::try_from(length).unwrap().to_be_bytes().to_vec()].concat(),
    }
}

fn cbor_text(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

/// A key pair that no passkey has.
pub fn other_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

impl Passkey {
    /// Makes one for these creation options, on a page of this origin; answers it and the credential.
    pub fn make(options: &Value, origin: &str, bend: impl FnOnce(&mut Claims)) -> (Self, Value) {
        let mut passkey = Self {
            pair: other_key(),
            id: random(),
            user_handle: text(&options["user"]["id"]),
            rp_id: text(&options["rp"]["id"]),
            origin: origin.to_owned(),
            count: 0,
            flags: UP | UV,
        };
        let mut claims = passkey.claims("webauthn.create", options);
        bend(&mut claims);
        (passkey.flags, passkey.count) = (claims.flags, claims.count);
        let credential = passkey.registration(&claims);
        (passkey, credential)
    }

    /// Registers the same key again, for other options.
    pub fn again(&self, options: &Value) -> Value {
        let mut claims = self.claims("webauthn.create", options);
        claims.flags = UP | UV;
        self.registration(&claims)
    }

    /// Answers request options; it counts.
    pub fn answer(&mut self, options: &Value) -> Value {
        self.answer_with(options, |_| {})
    }

    /// Answers request options with something bent.
    pub fn answer_with(&mut self, options: &Value, bend: impl FnOnce(&mut Claims)) -> Value {
        if self.count > 0 {
            self.count += 1;
        }
        let mut claims = self.claims("webauthn.get", options);
        bend(&mut claims);
        let (data, client) = (authenticator_data(&claims, &[]), client_data(&claims));
        let signed = [data.clone(), sha256(client.as_bytes())].concat();
        let signature = claims.pair.as_ref().unwrap_or(&self.pair).sign(&SystemRandom::new(), &signed).unwrap();
        let mut response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
        });
        if let Some(handle) = &claims.user_handle {
            response["userHandle"] = json!(handle);
        }
        credential(&claims, &response)
    }

    fn registration(&self, claims: &Claims) -> Value {
        let data = authenticator_data(claims, &self.attested());
        let object = [
            head(5, 3),
            cbor_text("fmt"),
            cbor_text("none"),
            cbor_text("attStmt"),
            head(5, 0),
            cbor_text("authData"),
            cbor_bytes(&data),
        ];
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data(claims)),
            "attestationObject": URL_SAFE_NO_PAD.encode(object.concat()),
            "transports": ["internal", "a way that nobody knows"],
            "publicKeyAlgorithm": -7,
        });
        credential(claims, &response)
    }

    /// The id, in base64url.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }

    /// What it has signed so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Makes it count from here on.
    pub fn set_count(&mut self, count: u32) {
        self.count = count;
    }

    fn claims(&self, kind: &str, options: &Value) -> Claims {
        Claims {
            kind: kind.to_owned(),
            challenge: text(&options["challenge"]),
            origin: self.origin.clone(),
            cross_origin: false,
            rp_id: self.rp_id.clone(),
            flags: self.flags,
            count: self.count,
            user_handle: Some(self.user_handle.clone()),
            id: self.id(),
            credential_kind: "public-key".to_owned(),
            pair: None,
        }
    }

    /// Attested credential data: a zero AAGUID, the id, and the public key as a COSE key (RFC 9053 §7.1.1).
    fn attested(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        let key = [
            head(5, 5),
            vec![1, 2],
            vec![3, 0x26],
            vec![0x20, 1],
            vec![0x21],
            cbor_bytes(x),
            vec![0x22],
            cbor_bytes(y),
        ];
        [vec![0; 16], vec![0, 16], self.id.to_vec(), key.concat()].concat()
    }
}

fn credential(claims: &Claims, response: &Value) -> Value {
    json!({
        "id": claims.id, "rawId": claims.id, "type": claims.credential_kind, "response": response,
        "clientExtensionResults": { "credProps": { "rk": true } }, "authenticatorAttachment": "platform",
    })
}

fn client_data(claims: &Claims) -> String {
    json!({
        "type": claims.kind, "challenge": claims.challenge, "origin": claims.origin, "crossOrigin": claims.cross_origin,
        "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
    })
    .to_string()
}

fn authenticator_data(claims: &Claims, attested: &[u8]) -> Vec<u8> {
    let flags = claims.flags | if attested.is_empty() { 0 } else { ATTESTED };
    [sha256(claims.rp_id.as_bytes()), vec![flags], claims.count.to_be_bytes().to_vec(), attested.to_vec()].concat()
}
