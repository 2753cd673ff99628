//! `src/imports`: people of another system come over, and get in.

mod gone;
mod hashes;
mod lines;
mod sign_in;

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use sekisho::app::App;
use sekisho::audit::Caller;
use sekisho::crypto;
use sekisho::imports;
use sekisho::imports::Counts;
use sekisho::imports::Finding;
use sekisho::imports::ImportError;
use sekisho::imports::Options;
use sekisho::imports::Report;
use sekisho::text::Language;
use serde_json::Value;
use serde_json::json;

use crate::support::Folder;
use crate::support::TestApp;

pub const ONCE: Options = Options { dry_run: false, resume: false };
pub const DRY: Options = Options { dry_run: true, resume: false };

/// A file that goes with the test.
pub struct Export {
    pub folder: Folder,
    pub path: PathBuf,
}

impl Export {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path()).unwrap();
        let path = folder.path().join("people.ndjson");
        fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    /// Of these lines.
    pub fn lines(lines: &[Value]) -> Self {
        let mut text = Vec::new();
        for line in lines {
            writeln!(text, "{line}").unwrap();
        }
        Self::of(&text)
    }
}

pub fn caller(app: &App) -> Caller {
    Caller {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: "a test".to_owned(),
        request_id: crypto::new_id(app.clock.now()),
        language: Language::DEFAULT,
    }
}

pub async fn import(app: &App, export: &Export, options: Options) -> Result<Report, ImportError> {
    imports::import(app, &caller(app), &export.path, options, |_| {}).await
}

/// Imports lines of which every one must become an account.
pub async fn bring(app: &TestApp, lines: &[Value]) {
    let report = import(&app.app, &Export::lines(lines), ONCE).await.unwrap();
    assert_eq!((report.counts, told(&report.findings)), (counts(lines.len() as u64, 0, 0, 0), Vec::new()));
}

pub fn counts(imported: u64, skipped: u64, parked: u64, refused: u64) -> Counts {
    Counts { imported, skipped, parked, refused }
}

/// `line outcome reason` of each.
pub fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|found| format!("{} {} {}", found.line, found.outcome.name(), found.reason)).collect()
}

/// Somebody with a proved address and a password.
pub fn person(external_id: &str, email: &str, hash: &str) -> Value {
    json!({
        "external_id": external_id, "password_hash": hash, "created_at": "2015-04-01T09:00:00+09:00",
        "identifiers": [{ "kind": "email", "value": email, "verified_at": "2016-01-01T00:00:00Z" }],
    })
}

/// Of the password "correct horse battery", by `htpasswd -nbBC 8`.
pub const BCRYPT: &str = "$2y$08$IsESSf9byOJo66WCL2RN4eUOFlTFbSg0rRumplspr1Lv5VElx5pFy";
