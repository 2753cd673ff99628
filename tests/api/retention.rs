//! `src/janitor`: what is kept for how long.

use serde_json::json;

use crate::imports;
use crate::support::count_statements;
use crate::support::test;
use crate::support::test_with;

const DAY: u64 = 86_400;

#[test]
fn sign_ups_that_nobody_verified_go_after_a_day() {
    test(async |app| {
        app.start_sign_up("taro@example.jp").await;
        app.ignore_messages().await;
        app.advance(DAY - 60);
        assert_eq!(app.purge().await["sign_ups"], 0);
        app.advance(61);
        assert_eq!(app.purge().await["sign_ups"], 1);
        assert_eq!(app.count("SELECT count(*) FROM sign_ups").await, 0);
    });
}

#[test]
fn enrolments_and_burnt_ids_go_when_nothing_depends_on_them() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        taro.post("/v1/account/factors", &json!({ "kind": "totp" })).await.ok(201);
        assert!(app.count("SELECT count(*) FROM consumed_flows").await > 0);
        let before = app.purge().await;
        assert_eq!((before["enrolments"], before["consumed_flows"]), (0, 0));
        app.advance(601);
        assert_eq!(app.purge().await["enrolments"], 1);
        app.advance(2 * DAY);
        assert!(app.purge().await["consumed_flows"] > 0);
        assert_eq!(app.count("SELECT count(*) FROM factors").await, 1);
        taro.sign_in().await;
    });
}

#[test]
fn sessions_go_thirty_days_after_their_end() {
    test_with(&[("client.idle_lifetime_secs", "864000")], async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let ended = taro.sign_in().await;
        app.post("/v1/sessions/sign-out", &json!({ "refresh_token": ended["refresh_token"] })).await.ok(204);
        let idle = taro.sign_in().await;
        // The first one is kept alive; one was ended at once, and one is over after ten days.
        for _ in 0..4 {
            app.advance(9 * DAY);
            taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        }
        assert_eq!(app.purge().await["sessions"], 1);
        app.advance(5 * DAY);
        assert_eq!(app.purge().await["sessions"], 1);
        app.refresh(idle["refresh_token"].as_str().unwrap()).await.refused(401, "refresh_token_invalid");
        app.refresh(&taro.refresh_token()).await.ok(200);
    });
}

#[test]
fn what_was_sent_is_forgotten_after_thirty_days() {
    test(async |app| {
        app.person("taro@example.jp").await;
        app.advance(29 * DAY);
        assert_eq!(app.purge().await["outbox"], 0);
        app.advance(2 * DAY);
        assert_eq!(app.purge().await["outbox"], 2);
        assert_eq!(app.count("SELECT count(*) FROM outbox").await, 0);
    });
}

#[test]
fn addresses_of_events_are_cut_after_ninety_days_and_events_go_after_four_hundred() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let events = app.count("SELECT count(*) FROM audit_events").await;
        app.advance(89 * DAY);
        assert_eq!(app.purge().await["event_addresses"], 0);
        app.advance(2 * DAY);
        let purged = app.purge().await;
        assert_eq!(purged["event_addresses"], events.unsigned_abs());
        assert_eq!(app.purge().await["event_addresses"], 0, "once");
        taro.tokens = taro.sign_in().await;
        let listed = taro.get("/v1/account/events").await.ok(200);
        let listed = listed["items"].as_array().unwrap();
        assert_eq!((&listed[0]["ip"], &listed[2]["ip"]), (&json!("127.0.0.1"), &json!("127.0.0.0/24")));

        app.advance(308 * DAY);
        assert_eq!(app.purge().await["events"], 0);
        app.advance(2 * DAY);
        assert_eq!(app.purge().await["events"], events.unsigned_abs());
        taro.sign_in().await;
    });
}

/// A run and what it found go with the events of its time, finished or not.
#[test]
fn runs_of_imports_go_with_the_events() {
    test(async |app| {
        let mut lines = vec![imports::person("one", "hana@example.jp", imports::BCRYPT)];
        lines.extend((0..2500).map(|number| json!({ "external_id": number.to_string() })));
        let run = imports::import(&app.app, &imports::Export::lines(&lines), imports::ONCE).await.unwrap();
        assert_eq!(run.counts, imports::counts(1, 0, 0, 2500));
        app.advance(399 * DAY);
        assert_eq!(app.purge().await["imports"], 0);
        let again = imports::Export::lines(&lines[..1]);
        imports::import(&app.app, &again, imports::ONCE).await.unwrap();
        app.advance(2 * DAY);
        count_statements(&app.app.db, "import_findings", "DELETE").await;
        assert_eq!(app.purge().await["imports"], 2501);
        assert_eq!(app.count("SELECT count(*) FROM import_findings").await, 0);
        assert_eq!(app.count("SELECT count(*) FROM import_runs").await, 1);
        let steps = app.count("SELECT count(*) FROM statements WHERE on_table = 'import_findings'").await;
        assert!(steps >= 3, "{steps} statements");
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
    });
}

#[test]
fn how_long_is_a_setting() {
    let settings = [
        ("retention.sessions_days", "1"),
        ("retention.events_days", "3"),
        ("retention.addresses_days", "2"),
        ("retention.messages_days", "1"),
    ];
    test_with(&settings, async |app| {
        let taro = app.person("taro@example.jp").await;
        let access = taro.access();
        app.with_token(&access, reqwest::Method::POST, "/v1/sessions/sign-out", None).await.ok(204);
        app.advance(DAY + 60);
        let purged = app.purge().await;
        assert_eq!((purged["sessions"], purged["outbox"], purged["event_addresses"]), (1, 2, 0));
        app.advance(DAY);
        let purged = app.purge().await;
        assert_eq!((purged["event_addresses"] > 0, purged["events"]), (true, 0));
        app.advance(DAY);
        assert!(app.purge().await["events"] > 0);
    });
}

/// However much there is, no statement touches more than a thousand rows, and what somebody holds is passed over.
#[test]
fn a_purge_goes_in_bounded_steps_and_waits_for_nobody() {
    test_with(&[("metrics.listen", "127.0.0.1:0")], async |app| {
        let insert = "INSERT INTO consumed_flows SELECT gen_random_uuid(), $1 FROM generate_series(1, 2500)";
        sqlx::query(insert).bind(app.clock.now()).execute(&app.app.db).await.unwrap();
        let token = app.start_sign_up("taro@example.jp").await;
        app.start_sign_up("hana@example.jp").await;
        app.ignore_messages().await;
        app.advance(3 * DAY);
        let mut held = app.app.db.begin().await.unwrap();
        sqlx::query("SELECT FROM sign_ups WHERE lookup_key = 'taro@example.jp' FOR UPDATE")
            .execute(&mut *held)
            .await
            .unwrap();
        let purged = app.purge().await;
        assert_eq!((purged["consumed_flows"], purged["sign_ups"]), (2500, 1));
        held.rollback().await.unwrap();
        assert_eq!(app.purge().await["sign_ups"], 1);
        app.verify(&token, "000000").await.refused(410, "sign_up_expired");

        let text =
            reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        assert!(text.contains("sekisho_purged_rows_total{kind=\"consumed_flows\"} 2500"), "{text}");
        assert!(text.contains("sekisho_purged_rows_total{kind=\"sign_ups\"} 2"), "{text}");
        assert!(text.contains("sekisho_janitor_ran_timestamp_seconds{kind=\"events\"}"), "{text}");
    });
}

/// Replicas purge at the same time; each row goes once and none of them fails.
#[test]
fn replicas_that_purge_at_once_share_the_work() {
    test(async |app| {
        let insert = "INSERT INTO consumed_flows SELECT gen_random_uuid(), $1 FROM generate_series(1, 3000)";
        sqlx::query(insert).bind(app.clock.now()).execute(&app.app.db).await.unwrap();
        app.advance(3 * DAY);
        let replica = app.replica();
        let (one, other) = tokio::join!(app.purge(), sekisho::janitor::purge(&replica));
        let other: u64 = other.unwrap().into_iter().filter(|(kind, _)| *kind == "consumed_flows").map(|(_, n)| n).sum();
        assert_eq!(one["consumed_flows"] + other + app.purge().await["consumed_flows"], 3000);
    });
}
