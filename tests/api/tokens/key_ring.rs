//! The signing keys of `src/tokens`: published before they sign, kept until their last token has died.

use futures_util::future::join_all;
use reqwest::Method;
use sekisho::tokens::refresh_key_ring;

use super::kids;
use crate::support::TestApp;
use crate::support::header;
use crate::support::test;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// What every replica does by itself twice a minute.
async fn keep(app: &TestApp) {
    refresh_key_ring(&app.app).await.ok().unwrap();
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.with_token(token, Method::GET, "/v1/account", None).await.status
}

/// security.md 54: two keys during a rotation; a token is good to its end, and no validator meets an unknown key.
#[test]
fn keys_are_rotated_without_a_token_lost() {
    test(async |app| {
        let first = kids(app).await;
        assert_eq!(first.len(), 1);
        app.advance(28 * DAY - 2 * HOUR);
        keep(app).await;
        assert_eq!(kids(app).await, first, "not yet");
        app.advance(2 * HOUR);
        keep(app).await;
        let both = kids(app).await;
        assert_eq!((both.len(), &both[0]), (2, &first[0]), "the next one is published 48 h ahead");
        assert_ne!(both[0], both[1]);

        let taro = app.person("taro@example.jp").await;
        assert_eq!(kid(&taro.access()), both[0], "and does not sign yet");
        app.advance(2 * DAY - 120);
        let old = app.refresh(&taro.refresh_token()).await.ok(200);
        let old_access = old["access_token"].as_str().unwrap();
        assert_eq!(kid(old_access), both[0]);
        app.advance(120);
        let new = app.refresh(old["refresh_token"].as_str().unwrap()).await.ok(200);
        let new_access = new["access_token"].as_str().unwrap();
        assert_eq!(kid(new_access), both[1]);
        assert_eq!((status(app, old_access).await, status(app, new_access).await), (200, 200));

        app.advance(179);
        keep(app).await;
        assert_eq!(status(app, old_access).await, 200, "to its end");
        app.advance(10 * 60);
        assert_eq!(kids(app).await, [both[1].clone()], "the old key is gone");
        let refused = app.with_token(old_access, Method::GET, "/v1/account", None).await;
        refused.refused(401, "access_token_invalid");
        app.advance(2 * DAY);
        keep(app).await;
        assert_eq!(app.count("SELECT count(*) FROM signing_keys").await, 1, "and forgotten");
    });
}

/// However many replicas find that a key is due, one is made.
#[test]
fn replicas_make_one_next_key() {
    test(async |app| {
        app.advance(29 * DAY);
        let replicas: Vec<_> = (0..10).map(|_| app.replica()).collect();
        join_all(replicas.iter().map(async |replica| refresh_key_ring(replica).await.ok().unwrap())).await;
        keep(app).await;
        assert_eq!(app.count("SELECT count(*) FROM signing_keys").await, 2);
        assert_eq!(kids(app).await.len(), 2);
    });
}

/// A service that was off for months still publishes a key before it signs with it.
#[test]
fn a_late_rotation_is_published_ahead_too() {
    test(async |app| {
        let first = kids(app).await;
        app.advance(120 * DAY);
        keep(app).await;
        let taro = app.person("taro@example.jp").await;
        assert_eq!(kid(&taro.access()), first[0]);
        app.advance(2 * DAY);
        let new = app.refresh(&taro.refresh_token()).await.ok(200);
        assert_eq!(kid(new["access_token"].as_str().unwrap()), kids(app).await[1]);
    });
}

#[test]
fn nothing_but_the_public_half_is_readable_in_the_database() {
    test(async |app| {
        let sealed =
            "SELECT count(*) FROM signing_keys WHERE position('\\x2a8648ce3d0301'::bytea IN private_sealed) > 0";
        assert_eq!(app.count(sealed).await, 0, "the name of its curve stands in every PKCS#8 key");
        assert_eq!(app.count("SELECT count(*) FROM signing_keys").await, 1);
    });
}
