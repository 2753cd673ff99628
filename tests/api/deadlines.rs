//! `src/http/deadline.rs`, `src/db.rs`, `src/vitals.rs`: what hangs is given up, and told.

use serde_json::json;

use crate::support::test;
use crate::support::test_with;

/// security.md 79 and 86: a lock that nobody gives back is waited for as long as the deadline allows, then nothing
/// has happened.
#[test]
fn a_lock_that_is_never_given_back_is_a_503() {
    test_with(&[("http.deadline_ms", "2000")], async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut holder = app.app.background_db.begin().await.unwrap();
        sqlx::query("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.unwrap();
        let answer = app.refresh(&taro.refresh_token()).await;
        assert_eq!(answer.header("retry-after"), "5");
        let problem = answer.refused(503, "dependency_unavailable").to_string();
        assert!(!problem.contains("lock") && !problem.contains("sessions"), "{problem}");
        holder.rollback().await.unwrap();
        app.refresh(&taro.refresh_token()).await.ok(200);
    });
}

/// design.md §5.12: two seconds from the database's clock are told, five are too many to judge what has expired.
#[test]
fn a_clock_that_differs_makes_a_replica_degraded_then_unready() {
    test(async |app| {
        app.get("/health/ready").await.ok(200);
        app.advance(3);
        let told = app.poll("a replica that sees the difference", async || {
            Some(app.get("/health/ready").await).filter(|answer| answer.body["status"] != "ok")
        });
        assert_eq!(told.await.ok(200), json!({ "status": "degraded", "reasons": ["clock_skew"] }));
        app.advance(3);
        let told = app.poll("a replica that is not ready", async || {
            Some(app.get("/health/ready").await).filter(|answer| answer.status != 200)
        });
        assert_eq!(told.await.ok(503), json!({ "status": "unready", "reasons": ["clock_skew"] }));
    });
}
