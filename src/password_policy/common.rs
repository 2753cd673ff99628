//! The commonest passwords, compiled in. Where the list comes from and its licence: `NOTICE` in this folder.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

/// The 19,640 commonest, less those that are too short anyway: lower case, NFKC, one a line.
const LIST: &str = include_str!("common_passwords.txt");

static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| LIST.lines().collect());

/// Whether this is one of the commonest passwords, whatever its case. All of it is compared, as NIST says:
/// a long phrase may well contain a common password.
pub(super) fn is_common(normalised: &str) -> bool {
    COMMON.contains(Zeroizing::new(normalised.to_lowercase()).as_str())
}
