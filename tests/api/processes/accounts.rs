//! `src/cli/accounts`: people are moved over while the service runs.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;
use sqlx::PgPool;

use super::stores::Surroundings;
use crate::imports::BCRYPT;
use crate::imports::Export;
use crate::imports::person;
use crate::support::Environment;
use crate::support::PASSWORD;
use crate::support::Process;
use crate::support::fails;
use crate::support::spawn;
use crate::support::told;
use crate::support::until;

fn import(path: &str, options: &[&str], environment: &Environment) -> String {
    told(&[&["accounts", "import", path], options].concat(), environment)
}

fn lines_of(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The README's example: judged, brought over, and signed in.
#[tokio::test(flavor = "multi_thread")]
async fn people_are_brought_over_while_the_service_runs() {
    let around = Surroundings::migrated().await;
    let server = Process::serve(&around.environment).await;
    let export = Export::lines(&[
        person("1", "taro@example.jp", BCRYPT),
        person("2", "taro@example.jp", BCRYPT),
        json!({ "external_id": "3", "identifiers": [], "colour": "red" }),
    ]);
    let path = export.path.to_str().unwrap();
    let dry = import(path, &["--dry-run"], &around.environment);
    let found = "line 2 (2) parked: /identifiers/0: taken by line 1\nline 3 (3) refused: unknown field `colour`\n";
    let would = "nothing was changed; an import would end with: 1 imported, 0 skipped, 1 parked, 1 refused\n";
    assert_eq!(dry, format!("{found}{would}"));
    let report = export.folder.path().join("report.ndjson");
    let options = ["--report", report.to_str().unwrap()];
    assert_eq!(import(path, &options, &around.environment), "1 imported, 0 skipped, 1 parked, 1 refused\n");
    let expected = json!([
        { "line": 2, "external_id": "2", "outcome": "parked", "reason": "/identifiers/0: taken by line 1" },
        { "line": 3, "external_id": "3", "outcome": "refused", "reason": "unknown field `colour`" },
    ]);
    assert_eq!(json!(lines_of(&report)), expected);
    let again = import(path, &[], &around.environment);
    assert!(again.ends_with("0 imported, 1 skipped, 1 parked, 1 refused\n"), "{again}");
    let wrong = Export::lines(&[json!({ "colour": "red" }), json!({ "external_id": 4, "colour": "red" })]);
    let arguments = ["accounts", "import", wrong.path.to_str().unwrap()];
    assert!(fails(&arguments, &around.environment).contains("not one line"), "a file of something else");
    let body = json!({ "identifier": "taro@example.jp", "password": PASSWORD });
    assert_eq!(server.post("/v1/sign-ins", &body).await.ok(200)["next"], "verify_identifier");

    let told = fails(&["accounts", "import", path, "--resume"], &around.environment);
    assert!(told.contains("nothing to resume"), "{told}");
    let told = fails(&["accounts", "import", "/nowhere/people.ndjson"], &around.environment);
    assert!(told.contains("cannot be read"), "{told}");
    for pipe in ["-", "/dev/stdin"] {
        let told = fails(&["accounts", "import", pipe], &around.environment);
        assert!(told.contains("must be a file"), "{told}");
    }
    let empty = Export::of(b"\n");
    let told = fails(&["accounts", "import", empty.path.to_str().unwrap()], &around.environment);
    assert!(told.contains("not one line"), "{told}");
    around.embedded.stop().await.unwrap();
}

/// A report overwrites nothing, least of all the file that is imported.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_goes_into_a_file_of_its_own() {
    let around = Surroundings::migrated().await;
    let export = Export::lines(&[person("1", "taro@example.jp", BCRYPT), json!({ "external_id": "2" })]);
    let path = export.path.to_str().unwrap();
    let before = fs::read(path).unwrap();
    let other = export.folder.path().join("report.ndjson");
    fs::hard_link(path, &other).unwrap();
    for report in [path, other.to_str().unwrap()] {
        let told = fails(&["accounts", "import", path, "--report", report], &around.environment);
        assert!(told.contains("cannot write"), "{told}");
        assert_eq!(fs::read(path).unwrap(), before);
    }
    fs::remove_file(&other).unwrap();
    let told = import(path, &["--report", other.to_str().unwrap()], &around.environment);
    assert_eq!((told.as_str(), lines_of(&other).len()), ("1 imported, 0 skipped, 0 parked, 1 refused\n", 1));
    around.embedded.stop().await.unwrap();
}

/// An export that did not come to its end leaves nothing that could be taken for one, and nothing in the way of the next.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_there_whole_or_not_at_all() {
    let around = Surroundings::migrated().await;
    let export = Export::lines(&[person("1", "taro@example.jp", BCRYPT), person("2", "hanako@example.jp", BCRYPT)]);
    import(export.path.to_str().unwrap(), &[], &around.environment);
    let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
    let last = "UPDATE passwords SET hash_sealed = $1 WHERE account_id = (SELECT max(id::text)::uuid FROM accounts)";
    sqlx::query(last).bind(Some([0_u8].as_slice())).execute(&db).await.unwrap();
    let path = export.folder.path().join("accounts.ndjson");
    let arguments = ["accounts", "export", path.to_str().unwrap()];
    fails(&arguments, &around.environment);
    let files = || fs::read_dir(export.folder.path()).unwrap().count();
    assert_eq!(files(), 1, "the file that was imported");
    sqlx::query(last).bind(None::<&[u8]>).execute(&db).await.unwrap();
    // What a kill leaves.
    fs::write(export.folder.path().join("accounts.ndjson.unfinished"), "{").unwrap();
    let exported = told(&arguments, &around.environment);
    assert_eq!(exported, "2 exported; left out: 0 without an identifier, 0 that are not active\n");
    assert_eq!((lines_of(&path).len(), files()), (2, 2));
    around.embedded.stop().await.unwrap();
}

/// security.md 87: killed in the middle, then resumed, every line has its effect once.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_goes_on_where_it_was() {
    const PEOPLE: u64 = 20_000;
    let around = Surroundings::migrated().await;
    let db = PgPool::connect(around.embedded.database_url()).await.unwrap();
    // One line in a thousand collides with the one before it.
    let address = |n: u64| if n % 1000 == 999 { n - 1 } else { n };
    let line = |n: u64| person(&n.to_string(), &format!("u{}@example.jp", address(n)), BCRYPT);
    let export = Export::lines(&(0..PEOPLE).map(line).collect::<Vec<_>>());
    let path = export.path.to_str().unwrap();
    let accounts = async || {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM accounts");
        count.fetch_one(&db).await.unwrap().unsigned_abs()
    };
    let mut child = spawn(&["accounts", "import", path], &around.environment);
    until("the first accounts", async || (accounts().await > 0).then_some(())).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let before = accounts().await;
    assert!(before < PEOPLE - 20, "killed too late: {before}");
    let text = import(path, &["--resume"], &around.environment);
    assert!(text.ends_with("19980 imported, 0 skipped, 20 parked, 0 refused\n"), "{text}");
    assert_eq!(text.lines().count(), 21, "what was found before the kill is reported too");
    assert_eq!(accounts().await, 19_980);
    let told = fails(&["accounts", "import", path, "--resume"], &around.environment);
    assert!(told.contains("nothing to resume"), "{told}");
    around.embedded.stop().await.unwrap();
}

/// What one installation exports another one imports, under another master key, and both export the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_an_import() {
    let (here, there) = (Surroundings::migrated().await, Surroundings::migrated().await);
    let mut full = person("1", "taro@example.jp", BCRYPT);
    full["display_name"] = json!("太郎");
    full["roles"] = json!(["support", "editor"]);
    full["legacy_login"] = json!("Taro_99");
    full["must_change_password"] = json!(true);
    full["totp"] = json!([{ "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "label": "Old phone" }]);
    full["phones"] = json!([{ "number": "+819012345678", "verified_at": "2020-01-01T00:00:00Z", "label": "Phone" }]);
    let unproved = json!({
        "external_id": "2", "identifiers": [{ "kind": "email", "value": "a@example.jp" }], "password_hash": BCRYPT,
    });
    let weak = person("3", "hanako@example.jp", "3fcd04bcf7cd5d7f9b8a8d1d6e6e6d1e");
    let export = Export::lines(&[full.clone(), unproved, weak]);
    let path = export.path.to_str().unwrap();
    assert!(import(path, &[], &here.environment).starts_with("3 imported"));
    let exported = |around: &Surroundings, name: &str| {
        let path = export.folder.path().join(name);
        let file = path.to_str().unwrap();
        assert!(told(&["accounts", "export", file], &around.environment).starts_with("3 exported; left out: 0 "));
        assert!(fails(&["accounts", "export", file], &around.environment).contains("cannot write"), "it is there");
        let mut lines = lines_of(&path);
        lines.sort_by_key(|line| line["external_id"].to_string());
        (file.to_owned(), lines)
    };
    let (file, lines) = exported(&here, "here.ndjson");
    assert!(import(&file, &[], &there.environment).starts_with("3 imported"));
    assert_eq!(exported(&there, "there.ndjson").1, lines);
    assert!(lines[2]["password_hash"].as_str().unwrap().starts_with("$wrapped$"), "{}", lines[2]);
    for member in
        ["external_id", "password_hash", "display_name", "roles", "legacy_login", "must_change_password", "totp"]
    {
        assert_eq!(lines[0][member], full[member], "{member}");
    }
    here.embedded.stop().await.unwrap();
    there.embedded.stop().await.unwrap();
}
