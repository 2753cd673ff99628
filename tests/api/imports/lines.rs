//! Lines that come twice, collide, or are no lines.

use futures_util::future::join_all;
use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use super::BCRYPT;
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

/// One line, read; why it was refused, or nothing.
async fn refused(app: &TestApp, line: &Value) -> Option<String> {
    let report = import(&app.app, &Export::lines(std::slice::from_ref(line)), ONCE).await.unwrap();
    report.findings.into_iter().next().map(|finding| finding.reason)
}

#[test]
fn the_same_file_twice_changes_nothing_the_second_time() {
    test(async |app| {
        let lines: Vec<_> = (0..1200).map(|n| person(&n.to_string(), &format!("u{n}@example.jp"), BCRYPT)).collect();
        bring(app, &lines).await;
        let before = rows(&app.app.db).await;
        let again = import(&app.app, &Export::lines(&lines), ONCE).await.unwrap();
        assert_eq!(again.counts, counts(0, 1200, 0, 0));
        let mut after = rows(&app.app.db).await;
        assert_eq!(after.remove("import_runs"), Some(2));
        assert!(after.iter().all(|(table, count)| before[table] == *count), "{before:?} {after:?}");
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'account_imported'").await, 1200);
    });
}

/// The race of "an `external_id` is imported once" and of "an identifier has one account".
#[test]
fn imports_that_race_make_each_account_once() {
    test(async |app| {
        let replicas = [app.replica(), app.replica(), app.replica()];
        let line = |run: usize, n: usize| {
            // Half of the lines are the same in all files, half claim the same address for another account.
            let id = if n.is_multiple_of(2) { n.to_string() } else { format!("{run}-{n}") };
            person(&id, &format!("u{n}@example.jp"), BCRYPT)
        };
        let export = |run: usize| Export::lines(&(0..600).map(|n| line(run, n)).collect::<Vec<_>>());
        let exports: Vec<_> = (0..3).map(export).collect();
        let runs = replicas.iter().zip(&exports).map(|(replica, export)| import(replica, export, ONCE));
        let reports: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(reports.iter().map(|report| report.counts.imported).sum::<u64>(), 600);
        assert_eq!(reports.iter().map(|report| report.counts.skipped).sum::<u64>(), 600);
        assert_eq!(reports.iter().map(|report| report.counts.parked).sum::<u64>(), 600);
        assert_eq!(app.count("SELECT count(*) FROM identifiers").await, 600);
    });
}

/// Nobody's account is merged or changed; what is parked comes in once the way is free.
#[test]
fn what_somebody_else_has_is_parked() {
    test(async |app| {
        app.sign_up("taro@example.jp").await;
        let with_login = |id: &str, email: &str, login: &str| {
            let mut line = person(id, email, BCRYPT);
            line["legacy_login"] = json!(login);
            line
        };
        let two = json!({ "external_id": "4", "password_hash": BCRYPT, "identifiers": [
            { "kind": "email", "value": "jiro@example.jp" }, { "kind": "phone", "value": "090-1234-5678", "country": "JP" },
        ] });
        let mut phone = two.clone();
        (phone["external_id"], phone["identifiers"][0]["value"]) = (json!("5"), json!("saburo@example.jp"));
        let export = Export::lines(&[
            person("1", "Taro@Example.JP", BCRYPT),
            with_login("2", "hanako@example.jp", "hana"),
            with_login("3", "hanae@example.jp", " ＨＡＮＡ "),
            two,
            phone,
        ]);
        let report = import(&app.app, &export, ONCE).await.unwrap();
        assert_eq!(report.counts, counts(2, 0, 3, 0));
        let taro: Uuid = sqlx::query_scalar("SELECT account_id FROM identifiers WHERE value = 'taro@example.jp'")
            .fetch_one(&app.app.db)
            .await
            .unwrap();
        let found = [
            &format!("1 parked /identifiers/0: taken by account {taro}"),
            "3 parked /legacy_login: taken by line 2",
            "5 parked /identifiers/1: taken by line 4",
        ];
        assert_eq!(told(&report.findings), found);
        assert_eq!(app.count("SELECT count(*) FROM import_findings WHERE outcome = 'parked'").await, 3);
        sqlx::query("DELETE FROM legacy_logins WHERE lookup_key = 'hana'").execute(&app.app.db).await.unwrap();
        let again = import(&app.app, &export, ONCE).await.unwrap();
        assert_eq!(again.counts, counts(1, 2, 2, 0));
        assert!(again.findings[1].reason.starts_with("/identifiers/1: taken by account "), "{:?}", again.findings);
    });
}

#[test]
fn what_is_no_line_is_refused_by_its_number() {
    test(async |app| {
        let mut file = Vec::new();
        let good = |n: usize| format!("{}\n", person(&n.to_string(), &format!("u{n}@example.jp"), BCRYPT)).into_bytes();
        file.extend(good(1));
        file.extend(b"not json\n\n   \n");
        file.extend(vec![b'x'; 10 * 1024 * 1024]);
        file.push(b'\n');
        file.extend(b"\0\0\0\n");
        file.extend(br#"{"external_id":"a\u0000b","identifiers":[]}"#);
        file.extend(b"\n\xff\xfe\n");
        file.extend("[".repeat(60_000).into_bytes());
        file.push(b'\n');
        file.extend(good(2));
        file.extend(good(3).strip_suffix(b"\n").unwrap());
        let report = import(&app.app, &Export::of(&file), ONCE).await.unwrap();
        assert_eq!(report.counts, counts(3, 0, 0, 6));
        let lines: Vec<_> = report.findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 5, 6, 7, 8, 9]);
        assert_eq!(report.findings[1].reason, "longer than 64 KiB");
        assert!(report.findings.iter().all(|finding| finding.external_id.is_none()));
        assert_eq!(import(&app.app, &Export::of(b""), ONCE).await.unwrap().counts, counts(0, 0, 0, 0));
    });
}

/// What editors and other systems write without meaning anything by it is no fault.
#[test]
fn a_byte_order_mark_and_an_empty_name_are_passed_over() {
    test(async |app| {
        let mut line = person("1", "taro@example.jp", BCRYPT);
        line["display_name"] = json!(" ");
        let report = import(&app.app, &Export::of(format!("\u{feff}{line}\n").as_bytes()), ONCE).await.unwrap();
        assert_eq!((told(&report.findings), report.counts), (Vec::new(), counts(1, 0, 0, 0)));
        assert_eq!(app.count("SELECT count(*) FROM accounts WHERE display_name IS NULL").await, 1);
    });
}

/// A person with one member changed is refused, for this reason, which does not repeat the value.
async fn is_refused(app: &TestApp, member: &str, value: Value, reason: &str) {
    let mut line = person("1", "taro@example.jp", BCRYPT);
    line[member] = value;
    let told = refused(app, &line).await.unwrap_or_else(|| panic!("{line} was taken"));
    assert!(told.starts_with(reason) && !told.contains("hunter2"), "{line}: {told}");
}

/// What is no such thing at all is told with its place and what is expected there.
#[test]
fn a_member_of_another_form_is_named() {
    test(async |app| {
        for (member, value, reason) in [
            ("password", json!("hunter2"), "unknown field `password`"),
            ("external_id", json!(7), "/external_id: a string is expected"),
            ("must_change_password", json!("hunter2"), "/must_change_password: a boolean is expected"),
            ("created_at", json!("hunter2"), "/created_at: a time is written like 2019-04-01T09:00:00+09:00"),
            ("created_at", json!(1_554_076_800), "/created_at: an RFC 3339 formatted date and time string is expected"),
            (
                "identifiers",
                json!([{ "kind": "hunter2", "value": "a@example.jp" }]),
                "/identifiers/0/kind: `email` or `phone` is expected",
            ),
            (
                "identifiers",
                json!([{ "kind": "email", "value": "a@example.jp" }, {
                    "kind": "email", "value": "a, expected hunter2 at line 1", "verified_at": "2019-04-01 hunter2" }]),
                "/identifiers/1/verified_at: a time is written like 2019-04-01T09:00:00+09:00",
            ),
            ("identifiers", json!([{ "kind": "email", "hunter": 2 }]), "/identifiers/0: unknown field `hunter`"),
            ("roles", json!(", expected hunter2 at line 1"), "/roles: a sequence is expected"),
            ("phones", json!([{ "number": "+819012345678" }]), "/phones/0: missing field `verified_at`"),
        ] {
            is_refused(app, member, value, reason).await;
        }
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
    });
}

/// Each member has its bounds, and no finding repeats a value.
#[test]
fn members_out_of_bounds_are_refused() {
    test(async |app| {
        let app_of = |secret: &str| json!([{ "secret": secret }]);
        let good = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        for (member, value, reason) in [
            ("external_id", json!(""), "/external_id: empty, too long, or with characters that are not seen"),
            ("password_hash", json!("!hunter2"), "/password_hash: no password is behind this: leave the hash out"),
            ("password_hash", json!(""), "/password_hash: no password is behind this: leave the hash out"),
            ("identifiers", json!([]), "/identifiers: 1 to 10 are needed"),
            ("identifiers", json!([{ "kind": "email", "value": "hunter2" }]), "/identifiers/0: invalid_email"),
            ("identifiers", json!([{ "kind": "phone", "value": "a@example.jp" }]), "/identifiers/0: not of its kind"),
            (
                "identifiers",
                json!([{ "kind": "phone", "value": "090-1234-5678" }]),
                "/identifiers/0: country_code_required",
            ),
            (
                "identifiers",
                json!([{ "kind": "email", "value": "a@example.jp", "verified_at": "2999-01-01T00:00:00Z" }]),
                "/identifiers/0: verified in the future",
            ),
            (
                "identifiers",
                json!([{ "kind": "email", "value": "a@example.jp" }, { "kind": "email", "value": "A@example.jp" }]),
                "/identifiers/1: twice",
            ),
            ("display_name", json!("a\0b"), "/display_name: has characters that are not seen"),
            ("display_name", json!("x".repeat(101)), "/display_name: too_long"),
            ("locale", json!("xx"), "/locale: unsupported_locale"),
            ("time_zone", json!("Mars/Olympus"), "/time_zone: unknown_value"),
            ("created_at", json!("2999-01-01T00:00:00Z"), "/created_at: in the future"),
            ("roles", json!(["Admin, admin"]), "/roles: invalid"),
            ("legacy_login", json!("hunter2@example.jp"), "/legacy_login: invalid"),
            ("totp", app_of("JBSWY3DPEHPK3PXP"), "/totp/0: the secret is too short or too long"),
            ("totp", app_of("hunter2!"), "/totp/0: the secret is not base32"),
            (
                "totp",
                json!([{ "secret": good, "digits": 8 }]),
                "/totp/0: only SHA1, 6 digits and 30 seconds are supported",
            ),
            (
                "totp",
                json!([{ "secret": good, "algorithm": "SHA256" }]),
                "/totp/0: only SHA1, 6 digits and 30 seconds are supported",
            ),
            (
                "phones",
                json!([{ "number": "+81312345678", "verified_at": "2020-01-01T00:00:00Z" }]),
                "/phones/0: phone_not_supported",
            ),
        ] {
            is_refused(app, member, value, reason).await;
        }
        let mut line = person("1", "taro@example.jp", BCRYPT);
        line["identifiers"][0].as_object_mut().unwrap().remove("verified_at");
        line["totp"] = app_of(good);
        assert_eq!(refused(app, &line).await.unwrap(), "/identifiers: a factor needs them all verified");
        line.as_object_mut().unwrap().retain(|member, _| !["totp", "password_hash"].contains(&member.as_str()));
        let told = "/password_hash: needed where no identifier is verified";
        assert_eq!(refused(app, &line).await.unwrap(), told, "nobody could get in");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 0);
    });
}
