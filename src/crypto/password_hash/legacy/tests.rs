//! Hashes of the original programs verify, weak ones are wrapped, greedy ones never run.

use std::time::Duration;

use super::super::HashingConfig;
use super::super::HashingThreads;
use super::super::ImportedHash;
use super::super::NormalisedPassword;
use super::super::Verified;
use super::read;
use crate::clock::Stopwatch;
use crate::metrics::Metrics;

/// Made by tests/witness/hashes.py: maker, password, hash.
const VECTORS: &str = include_str!("../../../../tests/vectors/hashes.tsv");

fn vectors() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    VECTORS.lines().map(|line| {
        let mut fields = line.split('\t');
        (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap())
    })
}

fn password(text: &str) -> NormalisedPassword {
    NormalisedPassword::for_verification(text).unwrap()
}

/// security.md 84: every form that the original programs write verifies, alone or wrapped, and asks to be replaced;
/// what is weak is wrapped.
#[tokio::test]
async fn hashes_of_the_original_programs_verify() {
    let threads = HashingThreads::start(
        &HashingConfig { memory_kib: 64, passes: 2, threads: 1, ..HashingConfig::default() },
        Metrics::default(),
    );
    let (threads, mut wrapped) = (threads.unwrap(), 0);
    for (maker, secret, hash) in vectors() {
        let stored = match ImportedHash::read(hash).unwrap_or_else(|refused| panic!("{maker}: {refused}")) {
            ImportedHash::Kept(text) => text.to_string(),
            ImportedHash::Weak(weak) => {
                wrapped += 1;
                let text = threads.reserve().unwrap().wrap(weak).await.unwrap();
                assert!(
                    text.starts_with("$wrapped$") && text.contains("$argon2id$v=19$m=64,t=2,p=1$"),
                    "{maker}: {text}"
                );
                assert!(matches!(ImportedHash::read(&text), Ok(ImportedHash::Kept(_))), "{maker}: export and import");
                text
            }
        };
        let told_weak =
            ["weak", "md5", "MD5", "sha1", "left out", "ldap_s", "hashlib", "htpasswd", "phpass H", "phpass P", "1001"];
        let told_weak = told_weak.iter().any(|word| maker.contains(word)) && !maker.ends_with("_sha1");
        assert!(!told_weak || stored.starts_with("$wrapped$"), "{maker}: {stored}");
        for (presented, matches) in [(secret, true), ("Correct horse", false), ("", false)] {
            let verified = threads.reserve().unwrap().verify(&password(presented), &stored).await.unwrap();
            assert_eq!(verified, Verified { matches, needs_rehash: matches }, "{maker}: {presented}");
        }
    }
    assert!(wrapped >= 20, "{wrapped}");
}

/// Another system knew no NFKC: the password counts as it was typed.
#[tokio::test]
async fn a_password_is_taken_as_it_was_typed() {
    let threads =
        HashingThreads::start(&HashingConfig { memory_kib: 64, ..HashingConfig::default() }, Metrics::default())
            .unwrap();
    let typed = "ｆｕｌｌ　ｗｉｄｔｈ ½";
    let hash = ::bcrypt::hash_with_salt(typed, 8, [7; 16]).unwrap().to_string();
    for (presented, matches) in [(typed, true), ("full width 1⁄2", false)] {
        let verified = threads.reserve().unwrap().verify(&password(presented), &hash).await.unwrap();
        assert_eq!(verified.matches, matches, "{presented}");
    }
    let long = "x".repeat(super::MAX_PASSWORD_BYTES + 1);
    let hash = ::bcrypt::hash_with_salt(&long[..80], 8, [7; 16]).unwrap().to_string();
    let presented = NormalisedPassword::for_verification(&"é".repeat(129));
    assert!(presented.is_none(), "longer than any password");
    let wide = "関".repeat(super::MAX_PASSWORD_BYTES / 3 + 1);
    assert!(!threads.reserve().unwrap().verify(&password(&wide), &hash).await.unwrap().matches);
}

/// security.md, finding 5: what asks for too much is refused when it is read, and never runs.
#[test]
fn what_asks_for_too_much_is_refused() {
    let watch = Stopwatch::start();
    let digest = "A".repeat(43);
    for hash in [
        "$2b$13$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy".to_owned(),
        "$2b$31$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy".to_owned(),
        format!("$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg${digest}"),
        format!("$scrypt$ln=20,r=8,p=1$c2FsdA${digest}"),
        format!("$scrypt$ln=18,r=8,p=1$c2FsdA${digest}"),
        format!("$scrypt$ln=17,r=8,p=2$c2FsdA${digest}"),
        format!("$scrypt$ln=30,r=4294967295,p=4294967295$c2FsdA${digest}"),
        format!("$scrypt$ln=1,r=4294967295,p=1$c2FsdA${digest}"),
        format!("$scrypt$ln=1,r=1,p=4294967295$c2FsdA${digest}"),
        format!("$fbscrypt$v=1,n=18,r=8,p=1,ss=Bw==,sk={digest}$c2FsdA${digest}"),
        format!("$pbkdf2-sha256$4294967295$c2FsdA${digest}"),
        format!("$pbkdf2-sha256$1300000$c2FsdA${digest}"),
        format!("pbkdf2_sha1$1000000$salt${}", "A".repeat(27)),
        "$5$rounds=999999999$saltsalt$gB7Rt3MZZ88hQGBrxxxxx4qbF0bzQ0yfKQr4e2P.tBV".to_owned(),
        format!("$P${}saltsalt{}", 'S', "A".repeat(22)),
    ] {
        assert!(matches!(ImportedHash::read(&hash), Err("one try would take too long" | "too much memory")), "{hash}");
    }
    assert!(watch.elapsed() < Duration::from_millis(500));
}

#[test]
fn what_is_malformed_is_refused() {
    for hash in [
        "",
        "$",
        "{}",
        "{SSHA}",
        "{SSHA}QSHV",
        "{CRYPT}{CRYPT}{CRYPT}x",
        "{SHA}QSHV85VBtlt90ZWIl+oXzpid0HL9H8OY",
        "plain text",
        "d41d8cd98f00b204e9800998ecf8427",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$2x$10$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy",
        "$2b$10$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6ps",
        "$2b$+9$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy",
        "$2b$03$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy",
        "$2b$10$関所関所関所関所関所関所関所関所関所",
        "$scrypt$ln=0,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=14,r=8,p=1$c2FsdA$AAAA",
        "$scrypt$ln=14,r=0,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$16385$salt$8$1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "$pbkdf2-sha256$0$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$5$rounds=999$saltsalt$XRKjb1eCozT2bTV6Bc5//G37NKoPnVXmZ2J2S7Xu.S9",
        "$P$/saltsaltAAAAAAAAAAAAAAAAAAAAAA",
        "$wrapped$",
        "$wrapped$e30$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$9GOmNMMLXeBRjh7holcB/UvkUd8s8kefXHQZIRzUbkg",
    ] {
        assert!(ImportedHash::read(hash).is_err(), "{hash}");
    }
    assert!(read(&"a".repeat(2_000_000)).is_err());
}
