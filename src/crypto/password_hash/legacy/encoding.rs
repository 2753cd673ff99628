//! The ways in which other systems write bytes.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;

/// Padding or none; whatever bits are left over in the last character.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
/// The alphabet of bcrypt.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);
/// The alphabet of crypt(3), least significant bits first.
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const NOT_BASE64: &str = "not base64";

/// Base64; passlib writes `.` where others write `+`.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, &'static str> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| NOT_BASE64)
}

pub(super) fn bcrypt(text: &str) -> Result<Vec<u8>, &'static str> {
    BCRYPT.decode(text).map_err(|_| NOT_BASE64)
}

/// The value of one character of crypt(3).
pub(super) fn crypt_digit(character: u8) -> Option<u8> {
    CRYPT.iter().position(|known| *known == character).and_then(|at| u8::try_from(at).ok())
}

/// Bytes as crypt(3) writes them: four characters for three bytes, the first one the least significant.
pub(super) fn crypt(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (place, character) in group.iter().enumerate() {
            bits |= u32::from(crypt_digit(*character).ok_or(NOT_BASE64)?) << (6 * place);
        }
        let count = group.len() * 3 / 4;
        bytes.extend(&bits.to_le_bytes()[..count]);
    }
    Ok(bytes)
}

pub(super) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}
