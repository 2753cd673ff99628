//! `src/account_life`: what happened to my account.

use reqwest::Method;
use sekisho::ids::AccountId;
use serde_json::Value;
use serde_json::json;

use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::test;
use crate::support::test_with;

const EVENTS: &str = "/v1/account/events";

async fn listed(person: &Person<'_>, query: &str) -> Vec<Value> {
    person.get(&format!("{EVENTS}{query}")).await.ok(200)["items"].as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_person_sees_what_happened_to_their_account_newest_first() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        app.start_sign_in("taro@example.jp", "another phrase").await.refused(401, "invalid_credentials");
        taro.tokens = taro.sign_in().await;
        taro.patch("/v1/account", &json!({ "display_name": "Taro" })).await.ok(200);
        let events = listed(&taro, "").await;
        let mut expected = vec!["profile_changed", "signed_in", "password_verified", "sign_in_failed"];
        assert_eq!(kinds(&events)[..4], expected);
        expected = kinds(&events)[4..].to_vec();
        expected.sort_unstable();
        assert_eq!(expected, ["account_created", "factor_enrolled", "signed_in"]);
        let signed_in = &events[1];
        assert_eq!(signed_in["session_id"], taro.tokens["session_id"]);
        assert_eq!(
            (&signed_in["amr"], &signed_in["client_id"]),
            (&json!(["pwd", "otp", "mfa"]), &json!("first-party"))
        );
        assert!(signed_in["ip"].as_str().unwrap().parse::<std::net::IpAddr>().unwrap().is_loopback());
        let enrolled = events.iter().find(|event| event["kind"] == "factor_enrolled").unwrap();
        assert_eq!((&enrolled["factor_id"], &enrolled["factor_kind"]), (&json!(taro.factor), &json!("totp")));
    });
}

/// security.md 63, for events: one's own only, and no cursor of another's list.
#[test]
fn events_of_others_are_not_seen() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let mine = listed(&taro, "").await;
        assert!(!mine.is_empty());
        let hers = listed(&hana, "").await;
        assert!(listed_ids(&mine).iter().all(|id| !listed_ids(&hers).contains(id)));
        let page = hana.get(&format!("{EVENTS}?limit=1")).await.ok(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        taro.get(&format!("{EVENTS}?cursor={cursor}")).await.refused(400, "invalid_cursor");
        app.get(EVENTS).await.refused(401, "access_token_missing");
    });
}

fn listed_ids(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["id"].clone()).collect()
}

#[test]
fn events_come_in_pages() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let all = listed_ids(&listed(&taro, "").await);
        let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = taro.get(&format!("{EVENTS}{query}")).await.ok(200);
            seen.extend(listed_ids(page["items"].as_array().unwrap()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, all);
        taro.get(&format!("{EVENTS}?limit=0")).await.faults(&["limit out_of_range"]);
        taro.get(&format!("{EVENTS}?page=2")).await.refused(400, "unsupported_field");
    });
}

/// An event names kinds and ids: neither address nor code, and not from where an operator acted.
#[test]
fn events_carry_no_secret_and_no_operator() {
    test_with(&[("limits.enabled", "true")], async |app| {
        let taro = app.person("taro@example.jp").await;
        let id = taro.tokens["account_id"].as_str().unwrap().to_owned();
        let caller = sekisho::audit::Caller::on_this_machine(&app.clock, "sekisho limits");
        let event = sekisho::audit::Event::new(sekisho::audit::EventKind::LimitsReset, &caller);
        let event = event.account(AccountId::from(id.parse::<uuid::Uuid>().unwrap()));
        let event = event.detail(json!({ "reason": "asked", "secret": "planted", "factor_id": "not an id" }));
        let mut tx = app.app.begin().await.unwrap();
        sekisho::audit::record(&mut tx, &app.clock, event).await.unwrap();
        app.app.commit(tx).await.unwrap();
        let text = taro.get(EVENTS).await.ok(200).to_string();
        for word in ["sekisho limits", "planted", "not an id", "taro@example.jp", PASSWORD] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        let newest = &listed(&taro, "?limit=1").await[0];
        assert_eq!((&newest["kind"], &newest["reason"]), (&json!("limits_reset"), &json!("asked")));
        assert!(newest.get("ip").is_none() && newest.get("user_agent").is_none());
        let refused = app.with_token("x.y.z", Method::GET, EVENTS, None).await;
        refused.refused(401, "access_token_invalid");
    });
}
