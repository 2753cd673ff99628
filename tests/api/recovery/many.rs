//! Very many recoveries: of one account, of one identifier, of nobody, and those that are over.

use futures_util::future::join_all;
use sekisho::recovery;

use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::count_statements;
use crate::support::test;

const STATEMENTS: &str = "SELECT count(*) FROM statements WHERE on_table = 'recoveries'";
const EVENTS: &str = "SELECT count(*) FROM statements WHERE on_table = 'audit_events'";
const WAITING: &str = "SELECT count(*) FROM recoveries WHERE state = 'waiting'";
const DISPLACED: &str =
    "SELECT count(*) FROM audit_events WHERE kind = 'recovery_cancelled' AND detail ->> 'by' = 'too_many'";

/// Copies of the newest recovery, whose contact was proved a second later; their owners are not told.
async fn copy(app: &TestApp, count: i32) {
    let copies = "INSERT INTO recoveries (id, token_digest, account_id, state, lost, typed_sealed, identifier_mac, contact_mac,
             client_id, code_to_sealed, code_expires_at, resend_after, opens_at, contact_proved_at, created_at, expires_at)
         SELECT gen_random_uuid(), gen_random_uuid()::text::bytea, account_id, state, lost, typed_sealed, identifier_mac,
             contact_mac, client_id, code_to_sealed, code_expires_at, resend_after, opens_at + interval '1 second',
             contact_proved_at + interval '1 second', created_at, expires_at
         FROM (SELECT * FROM recoveries ORDER BY created_at DESC LIMIT 1) AS newest, generate_series(1, $1)";
    sqlx::query(copies).bind(count).execute(&app.app.db).await.unwrap();
}

/// However many strangers have begun, the sign-in that ends them does as much as for one.
#[test]
fn hundreds_of_recoveries_hinder_no_sign_in() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        app.recovery(&person.email, &["phone"]).await;
        app.cancel_token_to(&person.email).await;
        copy(app, 599).await;
        app.advance(1);
        app.start_recovery(&person.email, &["phone"]).await;
        app.ignore_messages().await;
        copy(app, 600).await;
        count_statements(&app.app.db, "recoveries", "UPDATE OF state").await;
        count_statements(&app.app.db, "audit_events", "INSERT").await;
        person.sign_in().await;
        app.message_to(&person.email).await;
        assert_eq!((app.count(STATEMENTS).await, app.count(EVENTS).await), (1, 3), "password, session, recoveries");
        let cancelled = "SELECT count(*) FROM audit_events WHERE kind = 'recovery_cancelled' AND account_id IS NOT NULL
                         AND client_id IS NOT NULL AND detail ->> 'by' = 'sign_in'";
        assert_eq!((app.count(cancelled).await, app.count(WAITING).await), (600, 0));
        let untouched = "SELECT count(*) FROM recoveries WHERE state = 'awaiting_contact' AND account_id IS NOT NULL";
        assert_eq!(app.count(untouched).await, 601, "of these nobody has heard");
        // The next sign-in has nothing to end and says nothing.
        person.sign_in().await;
        app.ignore_notices().await;
        let stopped = "SELECT count(*) FROM outbox WHERE kind = 'recovery_stopped_notice'";
        assert_eq!(app.count(stopped).await, 1, "whoever began them all is told it once");
    });
}

/// One too many displaces another, alike whether or not anybody has the identifier: that tells nothing. Whoever begins one
/// gets it.
#[test]
fn of_one_identifier_fifty_wait_and_the_newest_displaces_another() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        for (identifier, times) in [(person.email.as_str(), 1), ("nobody@example.jp", 2)] {
            let oldest = app.recovery(identifier, &["phone"]).await;
            copy(app, 49).await;
            app.advance(60);
            // The worker holds a row while it tells of it, and whoever makes room passes over what is held.
            app.due_is_told().await;
            let newest = app.start_recovery(identifier, &["email"]).await;
            let code = app.contact_code().await;
            assert_eq!(app.recovery_state(&oldest).await, "waiting", "whose contact is not proved displaces nothing");
            app.verify_contact(&newest, &code).await.ok(200);
            assert_eq!(app.recovery_state(&oldest).await, "cancelled");
            app.prove(&oldest, "password", PASSWORD).await.refused(410, "recovery_token_invalid");
            assert_eq!(app.recovery_state(&newest).await, "waiting");
            assert_eq!((app.count(WAITING).await, app.count(DISPLACED).await), (50 * times, times));
        }
        app.ignore_notices().await;
    });
}

/// Strangers end nothing in which something was proved.
#[test]
fn what_was_proved_keeps_a_recovery_from_being_displaced() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let own = app.recovery(&person.email, &["phone"]).await;
        app.prove(&own, "password", PASSWORD).await.ok(200);
        copy(app, 49).await;
        for times in 1..=3 {
            app.advance(60);
            app.due_is_told().await;
            app.recovery(&person.email, &["phone"]).await;
            assert_eq!((app.count(WAITING).await, app.count(DISPLACED).await), (50, times));
        }
        assert_eq!(app.recovery_state(&own).await, "waiting");
        app.ignore_notices().await;
    });
}

/// Each of several that come at once displaces one.
#[test]
fn fifty_are_fifty_however_many_race() {
    test(async |app| {
        app.recovery("nobody@example.jp", &["phone"]).await;
        copy(app, 49).await;
        app.advance(60);
        let mut begun = Vec::new();
        for _ in 0..6 {
            let token = app.start_recovery("nobody@example.jp", &["phone"]).await;
            begun.push((token, app.contact_code().await));
        }
        let answers = join_all(begun.iter().map(|(token, code)| app.verify_contact(token, code))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!((app.count(WAITING).await, app.count(DISPLACED).await), (50, 6));
        for (token, _) in &begun {
            assert_eq!(app.recovery_state(token).await, "waiting");
        }
        app.ignore_notices().await;
    });
}

#[test]
fn an_operator_lists_them_in_pages() {
    test(async |app| {
        app.recovery("nobody@example.jp", &["phone"]).await;
        copy(app, 4).await;
        let (mut seen, mut after) = (Vec::new(), None);
        for expected in [2, 2, 1, 0] {
            let page = recovery::list(&app.app, after, 2).await.unwrap();
            assert_eq!(page.len(), expected);
            seen.extend(page.iter().map(|listed| listed.id));
            after = seen.last().copied();
        }
        let all = recovery::list(&app.app, None, 100).await.unwrap();
        assert_eq!(all.iter().map(|listed| listed.id).collect::<Vec<_>>(), seen);
    });
}

/// The janitor forgets them in bounded steps, and waits for nobody who holds one.
#[test]
fn those_that_are_over_go_in_bounded_steps() {
    test(async |app| {
        let token = app.recovery("nobody@example.jp", &["phone"]).await;
        copy(app, 2500).await;
        app.advance(91 * 24 * super::HOUR);
        app.due_is_told().await;
        count_statements(&app.app.db, "recoveries", "DELETE").await;
        let mut held = app.app.db.begin().await.unwrap();
        let first = "SELECT FROM recoveries WHERE id = (SELECT id FROM recoveries ORDER BY id LIMIT 1) FOR UPDATE";
        sqlx::query(first).execute(&mut *held).await.unwrap();
        assert_eq!(app.purge().await["recoveries"], 2500);
        assert_eq!(app.count(STATEMENTS).await, 3);
        held.rollback().await.unwrap();
        assert_eq!(app.purge().await["recoveries"], 1);
        app.inspect_recovery(&token).await.refused(410, "recovery_token_invalid");
    });
}
