//! `src/cli`: the binary itself, as an operator runs it.

mod accounts;
mod dev;
mod hanging;
mod janitor;
mod keys;
mod limits;
mod messages;
mod recoveries;
mod redis_faults;
mod replicas;
mod resets;
mod serve;
mod stores;

pub use stores::Surroundings;

use crate::support::Environment;
use crate::support::fails;
use crate::support::run;

/// The document of `serve` needs neither settings nor stores; it describes nothing of `dev`.
#[test]
fn the_document_is_printed_without_any_settings() {
    let printed = run(&["openapi"], &Environment::new());
    assert!(printed.status.success());
    let document: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v1/sign-ins"));
    assert!(!paths.keys().any(|path| path.starts_with("/dev") || path.starts_with("/docs")));
}

#[test]
fn an_unknown_command_is_refused() {
    for arguments in
        [&[][..], &["serv"], &["serve", "--limits", "off"], &["dev", "--limits", "no"], &["dev", "--port", "x"]]
    {
        let output = run(arguments, &Environment::new());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

/// src/config: nothing starts without its secrets, and one look tells the operator everything.
#[test]
fn serve_tells_every_missing_setting_at_once() {
    let told = fails(&["serve"], &Environment::new());
    for name in ["service.issuer", "database.url", "redis.url", "keys.master", "mail.smtp_url", "mail.from"] {
        assert!(told.contains(&format!("`{name}`")), "{name} in {told}");
    }
    assert!(told.contains("SEKISHO_KEYS__MASTER_FILE"), "{told}");
}

/// src/config: the environment wins over the file, a faulty value is not repeated when it may be a secret.
#[test]
fn serve_tells_every_unsafe_setting_at_once_and_no_secret() {
    let file = crate::support::Folder::new();
    std::fs::create_dir(file.path()).unwrap();
    let path = file.path().join("sekisho.toml");
    let text = "[service]\nissuer = \"http://auth.example.com\"\n[limits]\nenabled = false\n[keys]\nmaster = \"hunter2\"\n\
                [redis]\nurl = \"redis://cache.example.com/\"\n[http]\nworkers = 0\nworker = 1\n[password]\nmemory_kib = 8\n\
                [database]\nurl = \"postgres://sekisho:hunter2@db/sekisho\"\n[mail]\nfrom = \"a@example.com\"\n";
    std::fs::write(&path, text).unwrap();
    let arguments = ["serve", "--config", path.to_str().unwrap()];
    let told = fails(&arguments, &Environment::from([("http.workers", "2".to_owned())]));
    let names = [
        "service.issuer",
        "limits.enabled",
        "keys.master",
        "redis.url",
        "http.worker",
        "password.memory_kib",
        "mail.smtp_url",
    ];
    for name in names {
        assert!(told.contains(&format!("`{name}`")), "{name} in {told}");
    }
    assert_eq!(told.lines().count(), names.len() + 1, "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    std::fs::write(&path, "[keys]\nmaster = hunter2\n").unwrap();
    let told = fails(&arguments, &Environment::new());
    assert!(told.contains("line 2") && !told.contains("hunter2"), "{told}");
    let told = fails(&["serve", "--config", "/nowhere/sekisho.toml"], &Environment::new());
    assert!(told.contains("/nowhere/sekisho.toml"), "{told}");
    let told = fails(&["serve"], &Environment::from([("keys.master_file", "/nowhere/key".to_owned())]));
    assert!(told.contains("/nowhere/key"), "{told}");
}

/// A table that cannot be filled is not begun.
#[test]
fn a_list_prints_nothing_before_a_fault() {
    for arguments in [&["recoveries", "list"][..], &["keys", "list"], &["messages", "list"], &["janitor", "--once"]] {
        let output = run(arguments, &Environment::new());
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{arguments:?}");
    }
}

#[test]
fn migrate_needs_a_database_and_says_which_setting() {
    let told = fails(&["migrate"], &Environment::new());
    assert!(told.contains("`database.url`"), "{told}");
    let nobody = "postgres://sekisho:hunter2@127.0.0.1:1/sekisho".to_owned();
    let told = fails(&["migrate"], &Environment::from([("database.url", nobody)]));
    assert!(told.contains("cannot migrate") && !told.contains("hunter2"), "{told}");
}
