//! The codes that messages carry: six digits, or eight for what opens more than a flow, known to the service by an HMAC
//! that is bound to their flow.

use crate::crypto;
use crate::crypto::MacPurpose;
use crate::crypto::MasterKeys;
use crate::ids::FlowId;
use crate::text::fold_width;

/// A new code.
pub fn new_code() -> String {
    crypto::random_digits(6)
}

/// A new code for a reset or a recovery.
pub fn new_long_code() -> String {
    crypto::random_digits(8)
}

/// What is stored of a code.
pub fn code_mac(keys: &MasterKeys, flow: FlowId, code: &str) -> crypto::Mac {
    keys.mac(MacPurpose::Code, &[flow.uuid().as_bytes(), code.as_bytes()])
}

/// Whether a person typed the code of this flow; full-width digits, spaces and hyphens are understood.
pub fn is_code(keys: &MasterKeys, flow: FlowId, typed: &str, mac: &[u8]) -> bool {
    let typed = fold_width(typed).replace([' ', '-'], "");
    keys.verify_mac(MacPurpose::Code, &[flow.uuid().as_bytes(), typed.as_bytes()], mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_in_its_own_flow_only() {
        let keys = MasterKeys::throw_away();
        let (flow, other) = (uuid::Uuid::from_u128(1).into(), uuid::Uuid::from_u128(2).into());
        let mac = code_mac(&keys, flow, "012345");
        for typed in ["012345", "012 345", "012-345", "０１２３４５"] {
            assert!(is_code(&keys, flow, typed, &mac), "{typed}");
        }
        for typed in ["012346", "12345", "", "0123450"] {
            assert!(!is_code(&keys, flow, typed, &mac), "{typed}");
        }
        assert!(!is_code(&keys, other, "012345", &mac));
    }
}
