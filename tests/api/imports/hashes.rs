//! Every form of hash that other systems write, from the file to the second sign-in.

use sekisho::crypto::SealPurpose;
use serde_json::json;
use uuid::Uuid;

use super::DRY;
use super::Export;
use super::ONCE;
use super::bring;
use super::counts;
use super::import;
use super::person;
use super::told;
use crate::support::TestApp;
use crate::support::rows;
use crate::support::test;

/// Made by tests/witness/hashes.py: maker, password, hash.
const VECTORS: &str = include_str!("../../vectors/hashes.tsv");

fn vectors() -> Vec<(&'static str, &'static str, &'static str)> {
    let fields = VECTORS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    fields.map(|fields| (fields[0], fields[1], fields[2])).collect()
}

/// What is stored for an imported account, opened.
async fn stored(app: &TestApp, external_id: &str) -> String {
    let row = sqlx::query_as::<_, (Uuid, Vec<u8>)>(
        "SELECT a.id, p.hash_sealed FROM accounts a JOIN passwords p ON p.account_id = a.id WHERE a.external_id = $1",
    );
    let (id, sealed) = row.bind(external_id).fetch_one(&app.app.db).await.unwrap();
    let opened = app.app.config.master_keys.open(SealPurpose::PasswordHash, id.as_bytes(), &sealed).unwrap();
    String::from_utf8(opened.to_vec()).unwrap()
}

/// security.md 84: whatever the other system hashed with, the password signs in, a wrong one does not, and from then on
/// the stored hash is ours.
#[test]
fn every_form_signs_in_and_is_argon2id_afterwards() {
    test(async |app| {
        let vectors = vectors();
        let email = |n: usize| format!("user{n}@example.jp");
        let lines: Vec<_> = (0..vectors.len()).map(|n| person(&n.to_string(), &email(n), vectors[n].2)).collect();
        bring(app, &lines).await;
        for (n, (maker, password, hash)) in vectors.into_iter().enumerate() {
            let before = stored(app, &n.to_string()).await;
            assert!(before.starts_with("$wrapped$") || hash.ends_with(&before), "{maker}: {before}");
            app.start_sign_in(&email(n), "not this one, I think").await.refused(401, "invalid_credentials");
            assert_eq!(stored(app, &n.to_string()).await, before, "{maker}: a wrong password changes nothing");
            for _ in 0..2 {
                let flow = app.start_sign_in(&email(n), password).await.ok(200);
                assert_eq!(flow["next"], "verify_identifier", "{maker}");
                let after = stored(app, &n.to_string()).await;
                assert!(after.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{maker}: {after}");
            }
        }
    });
}

/// security.md, finding 5: what would take gigabytes or minutes is refused by the line that it stands in.
#[test]
fn a_hash_out_of_bounds_is_never_stored() {
    test(async |app| {
        let digest = "A".repeat(43);
        let hashes = [
            format!("$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg${digest}"),
            "$2b$31$MVTonK2ZOKZYa0GSK39Pk.PxCuo4BdIDh27y.qRWUryIj36xx6psy".to_owned(),
            format!("$scrypt$ln=20,r=8,p=1$c2FsdA${digest}"),
            format!("$pbkdf2-sha256$4294967295$c2FsdA${digest}"),
            "hunter2".to_owned(),
        ];
        let lines: Vec<_> = hashes.iter().map(|hash| person(hash, "taro@example.jp", hash)).collect();
        let report = import(&app.app, &Export::lines(&lines), ONCE).await.unwrap();
        assert_eq!(report.counts, counts(0, 0, 0, 5));
        assert_eq!(
            told(&report.findings),
            [
                "1 refused /password_hash: too much memory",
                "2 refused /password_hash: one try would take too long",
                "3 refused /password_hash: too much memory",
                "4 refused /password_hash: one try would take too long",
                "5 refused /password_hash: not a known form of hash",
            ]
        );
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
    });
}

/// Weak hashes are not even computed in a dry run, and nothing is written.
#[test]
fn a_dry_run_judges_and_changes_nothing() {
    test(async |app| {
        bring(app, &[person("1", "taro@example.jp", super::BCRYPT)]).await;
        let before = rows(&app.app.db).await;
        let taro: Uuid = sqlx::query_scalar("SELECT id FROM accounts").fetch_one(&app.app.db).await.unwrap();
        let export = Export::lines(&[
            person("1", "taro@example.jp", super::BCRYPT),
            person("2", "TARO@example.jp", super::BCRYPT),
            person("3", "hanako@example.jp", "5f4dcc3b5aa765d61d8327deb882cf99"),
            person("4", "ｈａｎａｋｏ＠example.jp", super::BCRYPT),
            json!({ "external_id": "5" }),
        ]);
        let dry = import(&app.app, &export, DRY).await.unwrap();
        assert_eq!(rows(&app.app.db).await, before);
        let real = import(&app.app, &export, ONCE).await.unwrap();
        assert_eq!((dry.counts, &dry.findings), (real.counts, &real.findings));
        assert_eq!(real.counts, counts(1, 1, 2, 1));
        assert_eq!(
            told(&real.findings),
            [
                format!("2 parked /identifiers/0: taken by account {taro}"),
                "4 parked /identifiers/0: taken by line 3".to_owned(),
                "5 refused missing field `identifiers`".to_owned(),
            ]
        );
    });
}
