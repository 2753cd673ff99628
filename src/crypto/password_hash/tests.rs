//! The rules of the module's prose, on cheap parameters where the cost is not the point.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use argon2::Params;

use crate::clock::Stopwatch;
use crate::internal::InternalKind;
use crate::metrics::Metrics;

use super::algorithm;
use super::algorithm::Argon2Hash;
use super::algorithm::Memory;
use super::*;

/// Made by argon2-cffi 25.1.0 (the reference implementation in C).
const FOREIGN: [(&str, &str); 4] = [
    (
        "correct horse battery staple",
        "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0",
    ),
    (
        "correct horse battery staple",
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$mtB7vZKFuEQDVzeZe5lTtf3BPC1e5BL1UKy7IW/SpV0",
    ),
    ("関所の合言葉é", "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$9GOmNMMLXeBRjh7holcB/UvkUd8s8kefXHQZIRzUbkg"),
    ("legacy password", "$argon2i$v=19$m=128,t=3,p=1$bGVnYWN5c2FsdA$aisPpbDK9uw2wFnXCArevxLf8uBQs/+MxUlwOjo/zQM"),
];

fn cheap() -> HashingConfig {
    HashingConfig { memory_kib: 64, passes: 2, threads: 2, ..HashingConfig::default() }
}

fn threads(config: &HashingConfig) -> HashingThreads {
    HashingThreads::start(config, Metrics::default()).expect("the threads start")
}

fn password(text: &str) -> NormalisedPassword {
    NormalisedPassword::for_verification(text).expect("short enough")
}

fn is_bug<T>(result: &Result<T, HashingError>) -> bool {
    matches!(result, Err(HashingError::Internal(internal)) if internal.kind() == InternalKind::Bug)
}

/// Keeps a thread busy until the sender is dropped.
async fn block(slot: HashingSlot, until: mpsc::Receiver<()>) -> Result<(), HashingError> {
    slot.run(move |_, _| {
        let _ = until.recv();
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hash_is_verified_by_its_own_password_alone() {
    let threads = threads(&cheap());
    let phc = threads.reserve().unwrap().hash(&password("correct horse")).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{phc}");
    let again = threads.reserve().unwrap().hash(&password("correct horse")).await.unwrap();
    assert_ne!(phc, again, "every hash has its own salt");
    for (presented, matches) in [("correct horse", true), ("correct horsE", false), ("", false)] {
        let verified = threads.reserve().unwrap().verify(&password(presented), &phc).await.unwrap();
        assert_eq!(verified, Verified { matches, needs_rehash: false });
    }
    let dummy = threads.reserve().unwrap().verify_dummy(&password("correct horse")).await.unwrap();
    assert!(!dummy.matches);
}

/// security.md 84: other parameters, algorithms and memory sizes verify, and ask to be replaced.
#[tokio::test]
async fn hashes_of_other_programs_verify_whatever_their_parameters() {
    let threads = threads(&cheap());
    for (secret, phc) in FOREIGN {
        let needs_rehash = !phc.contains("$argon2id$v=19$m=64,t=2,p=1$");
        let verified = threads.reserve().unwrap().verify(&password(secret), phc).await.unwrap();
        assert_eq!(verified, Verified { matches: true, needs_rehash }, "{phc}");
        let verified = threads.reserve().unwrap().verify(&password("wrong"), phc).await.unwrap();
        assert_eq!(verified, Verified { matches: false, needs_rehash: false }, "{phc}");
    }
}

/// security.md, finding 5.
#[tokio::test]
async fn a_stored_hash_out_of_bounds_never_runs() {
    let threads = threads(&cheap());
    let tail = "$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0";
    let watch = Stopwatch::start();
    for head in [
        "$argon2id$v=19$m=4194304,t=2,p=1",
        "$argon2id$v=19$m=131073,t=1,p=1",
        "$argon2id$v=19$m=65536,t=5,p=1",
        "$argon2id$v=19$m=64,t=17,p=1",
        "$argon2id$v=19$m=64,t=4294967295,p=1",
        "$argon2id$v=19$m=65536,t=1,p=17",
        "$argon2id$v=19$m=64,t=0,p=1",
        "$argon2id$v=19$m=7,t=1,p=1",
        "$argon2id$v=19$m=64,t=1",
        "$argon2id$v=19$m=64,t=1,p=1,keyid=Zm9v",
        "$argon2id$v=18$m=64,t=1,p=1",
        "$2b$12",
    ] {
        let phc = format!("{head}{tail}");
        assert!(is_bug(&threads.reserve().unwrap().verify(&password("x"), &phc).await), "{phc}");
    }
    for phc in ["", "plain", "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA", &"$argon2id".repeat(100_000)] {
        assert!(is_bug(&threads.reserve().unwrap().verify(&password("x"), phc).await));
    }
    assert!(watch.elapsed() < Duration::from_secs(1));
}

#[test]
fn the_configuration_is_held_to_the_same_bounds() {
    let start = |config| HashingThreads::start(&config, Metrics::default());
    assert!(matches!(
        start(HashingConfig { memory_kib: 131_073, ..cheap() }),
        Err(HashingStartError::Parameters { .. })
    ));
    assert!(matches!(start(HashingConfig { lanes: 0, ..cheap() }), Err(HashingStartError::Parameters { .. })));
    assert!(matches!(start(HashingConfig { threads: 0, ..cheap() }), Err(HashingStartError::NoThreads)));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_recovers() {
    let threads = threads(&HashingConfig { threads: 1, queue: 3, ..cheap() });
    let (release, until) = mpsc::channel();
    let blocked = tokio::spawn(block(threads.reserve().unwrap(), until));
    let second = threads.reserve().unwrap();
    let third = threads.reserve().unwrap();
    let watch = Stopwatch::start();
    let Err(HashingError::Overloaded { retry_after_secs }) = threads.reserve() else { panic!("let in") };
    assert!(watch.elapsed() < Duration::from_millis(50));
    assert!((1..=60).contains(&retry_after_secs));
    assert_eq!((threads.queue_depth(), threads.refused_total()), (3, 1), "a refusal takes no place");
    drop(third);
    assert!(threads.reserve().is_ok(), "an unused slot goes back");
    drop(release);
    blocked.await.unwrap().unwrap();
    second.verify_dummy(&password("x")).await.unwrap();
    assert_eq!(threads.queue_depth(), 0);
}

#[tokio::test]
async fn who_would_wait_past_the_deadline_is_refused() {
    let threads = threads(&HashingConfig { threads: 1, deadline: Duration::from_millis(10), ..cheap() });
    let slow = |slot: HashingSlot| {
        slot.run(|memory, params| {
            let watch = Stopwatch::start();
            while watch.elapsed() < Duration::from_millis(40) {
                memory.verify_dummy(b"slow", params)?;
            }
            Ok(())
        })
    };
    for _ in 0..8 {
        slow(threads.reserve().unwrap()).await.unwrap();
    }
    let running = threads.reserve().expect("an idle thread is never refused");
    assert!(matches!(threads.reserve(), Err(HashingError::Overloaded { retry_after_secs: 1 })));
    drop(running);
}

#[tokio::test]
async fn a_job_whose_caller_has_gone_is_skipped() {
    let threads = threads(&HashingConfig { threads: 1, ..cheap() });
    let (release, until) = mpsc::channel();
    let blocked = tokio::spawn(block(threads.reserve().unwrap(), until));
    // The task begins only now; else the thread would be free for the next job.
    tokio::task::yield_now().await;
    let ran = Arc::new(AtomicUsize::new(0));
    let count = |slot: HashingSlot| {
        let ran = Arc::clone(&ran);
        slot.run(move |_, _| {
            ran.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    };
    let gone = count(threads.reserve().unwrap());
    tokio::select! {
        biased;
        _ = gone => panic!("the only thread is busy"),
        () = std::future::ready(()) => {}
    }
    drop(release);
    count(threads.reserve().unwrap()).await.unwrap();
    blocked.await.unwrap().unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_panic_loses_one_job_and_no_thread() {
    let threads = threads(&HashingConfig { threads: 1, ..cheap() });
    for _ in 0..3 {
        let lost: Result<(), _> = threads.reserve().unwrap().run(|_, _| panic!("on purpose")).await;
        assert!(is_bug(&lost));
    }
    assert_eq!(threads.queue_depth(), 0);
    threads.reserve().unwrap().hash(&password("still here")).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hashing_yields_to_everything_else() {
    let niceness = || rustix::process::getpriority_process(None).unwrap();
    let hashing = threads(&cheap()).reserve().unwrap().run(move |_, _| Ok(niceness())).await.unwrap();
    assert!(hashing > niceness(), "{hashing}");
    let beside = std::thread::spawn(|| {
        stand_back().unwrap();
        rustix::process::getpriority_process(None).unwrap()
    });
    let beside = beside.join().unwrap();
    assert!(beside > hashing, "{beside}");
}

#[tokio::test]
async fn a_flood_is_served_from_the_memory_of_the_threads() {
    let threads = threads(&HashingConfig { deadline: Duration::from_mins(1), ..cheap() });
    let seen = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
    let jobs: Vec<_> = (0..200)
        .map(|_| {
            let seen = Arc::clone(&seen);
            let slot = threads.reserve().unwrap();
            tokio::spawn(slot.run(move |memory, params| {
                memory.verify_dummy(b"x", params)?;
                seen.lock().unwrap().insert(memory.location());
                Ok(())
            }))
        })
        .collect();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert!(seen.lock().unwrap().len() <= 2, "200 jobs, two threads, two pieces of memory");
}

#[test]
fn a_hash_that_needs_more_memory_gives_it_back() {
    let params = Params::new(64, 2, 1, None).unwrap();
    let mut memory = Memory::new(&params);
    let before = memory.location();
    let stored = Argon2Hash::read(FOREIGN[1].1).unwrap();
    assert!(memory.verify(FOREIGN[1].0.as_bytes(), &stored, &params).unwrap().matches);
    assert_eq!(memory.location(), before);
}

#[tokio::test]
async fn the_last_handle_stops_the_threads_and_loses_what_waits() {
    let threads = threads(&HashingConfig { threads: 1, ..cheap() });
    let late = threads.reserve().unwrap();
    threads.clone().reserve().unwrap().verify_dummy(&password("a clone stops nothing")).await.unwrap();
    drop(threads);
    assert!(is_bug(&late.verify_dummy(&password("x")).await));
}

/// Recovery codes outlive every change of configuration: the vector (argon2-cffi, m=8192 t=1 p=1) may never change.
#[tokio::test]
async fn derived_bytes_do_not_depend_on_the_configuration() {
    let expected = "3fda47863ff6bd94fced7a2fc8a2a0705a59b499651193a7a1b464e9480b0b28";
    for config in [cheap(), HashingConfig { memory_kib: 128, passes: 3, ..cheap() }] {
        let derived =
            threads(&config).reserve().unwrap().derive(b"A1B2C3D4E5F6G7H8", b"0123456789abcdef").await.unwrap();
        assert_eq!(data_encoding::HEXLOWER.encode(&derived), expected);
    }
}

/// The bound on work keeps the dearest hash that can be stored below 400 ms on an idle core.
#[test]
fn the_bounds_admit_what_the_field_uses() {
    for (memory_kib, passes, lanes) in [
        (47_104, 1, 1),
        (19_456, 2, 1),
        (12_288, 3, 1),
        (9_216, 4, 1),
        (7_168, 5, 1),
        (65_536, 3, 4),
        (65_536, 4, 1),
        (16_384, 2, 1),
    ] {
        assert!(algorithm::bounded(memory_kib, passes, lanes).is_ok());
    }
}

/// security.md 13 and 17.
#[test]
fn presented_passwords_are_normalised_and_bounded_before_any_hash() {
    assert_eq!(password("caf\u{e9}").expose(), password("cafe\u{301}").expose());
    assert_eq!(password("ｐａｓｓ").expose(), "pass");
    assert_eq!(password("  kept  ").expose(), "  kept  ");
    assert!(NormalisedPassword::for_verification(&"😀".repeat(128)).is_some());
    assert!(NormalisedPassword::for_verification(&"a".repeat(129)).is_none());
    assert!(NormalisedPassword::for_verification(&"e\u{301}".repeat(128)).is_some());
    // One code point that becomes eighteen: the length that counts is the one that is hashed.
    assert!(NormalisedPassword::for_verification(&"\u{fdfa}".repeat(8)).is_none());
    assert!(NormalisedPassword::for_verification(&"a".repeat(10 << 20)).is_none());
}
