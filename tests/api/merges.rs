//! `src/account_life`: two accounts of one person become one.

use futures_util::future::join_all;
use sekisho::clock::Clock;
use sekisho::janitor;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::Person;
use crate::support::TestApp;
use crate::support::rows;
use crate::support::test;

const MERGES: &str = "/v1/account/merges";
const CANCEL: &str = "/v1/account/changes/cancel";
const HOUR: u64 = 3600;

async fn merge(into: &Person<'_>, other: &str, dry_run: bool) -> Answer {
    into.post(MERGES, &json!({ "other_access_token": other, "dry_run": dry_run })).await
}

async fn carry_out(app: &TestApp) -> u64 {
    janitor::carry_out(&app.app).await.unwrap()
}

async fn cancel(app: &TestApp, token: &Value) -> Answer {
    app.post(CANCEL, &json!({ "cancel_token": token })).await
}

/// Begins a merge of Hana's account into Taro's; answers the tokens that stop it, Taro's first.
async fn begun(app: &TestApp, taro: &Person<'_>, hana: &Person<'_>) -> [Value; 2] {
    merge(taro, &hana.access(), false).await.ok(202);
    [app.message_to(&taro.email).await["code"].clone(), app.message_to(&hana.email).await["code"].clone()]
}

async fn add_phone(app: &TestApp, person: &Person<'_>, number: &str) {
    let added = person.post("/v1/account/factors", &json!({ "kind": "phone", "phone": number })).await.ok(201);
    let code = app.code_to(number).await;
    let path = format!("/v1/account/factors/{}/confirm", added["factor_id"].as_str().unwrap());
    person.post(&path, &json!({ "method": "code", "code": code })).await.ok(200);
    app.ignore_messages().await;
}

/// The codes of what is wrong with the other account.
fn clashes(answer: Answer) -> Vec<String> {
    let problem = answer.refused(409, "merge_conflict");
    problem["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dry_run_tells_what_would_move_and_changes_nothing() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        let before = rows(&app.app.db).await;
        let plan = merge(&taro, &hana.access(), true).await.ok(200);
        assert_eq!(
            (&plan["account_id"], &plan["other_account_id"]),
            (&taro.tokens["account_id"], &hana.tokens["account_id"])
        );
        assert_eq!(plan["identifiers"].as_array().unwrap().len(), 1);
        assert_eq!(plan["identifiers"][0]["value"], "hana@example.jp");
        let factors = plan["factors"].as_array().unwrap();
        assert_eq!(factors.len(), 1, "not the recovery codes");
        assert_eq!((&factors[0]["id"], &plan["clashes"]), (&json!(hana.factor), &json!([])));
        assert_eq!(rows(&app.app.db).await, before);
        app.advance(80 * HOUR);
        assert_eq!(carry_out(app).await, 0);
    });
}

#[test]
fn after_seventy_two_hours_two_accounts_are_one() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let hana_tablet = hana.sign_in().await;
        begun(app, &taro, &hana).await;
        for person in [&taro, &hana] {
            let change = &person.get("/v1/account").await.ok(200)["pending_changes"][0];
            assert_eq!((&change["kind"], &change["account_id"]), (&json!("account_merge"), &taro.tokens["account_id"]));
            assert_eq!(change["other_account_id"], hana.tokens["account_id"]);
        }
        app.advance(72 * HOUR - 60);
        assert_eq!(carry_out(app).await, 0);
        app.advance(61);
        assert_eq!(carry_out(app).await, 1);
        for address in ["taro@example.jp", "hana@example.jp"] {
            let merged = app.message_to(address).await;
            assert!(
                merged["text"].as_str().unwrap().contains("password of the account of t•••@example.jp"),
                "{merged}"
            );
        }

        for token in [hana.refresh_token(), hana_tablet["refresh_token"].as_str().unwrap().to_owned()] {
            app.refresh(&token).await.refused(401, "refresh_token_invalid");
        }
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        let account = taro.get("/v1/account").await.ok(200);
        let values: Vec<_> = account["identifiers"].as_array().unwrap().iter().map(|own| &own["value"]).collect();
        assert_eq!(values, ["taro@example.jp", "hana@example.jp"]);
        assert_eq!(account["pending_changes"], json!([]));
        assert_eq!(account["identifiers"][0]["primary"], true);
        let factors = taro.get("/v1/account/factors").await.ok(200)["items"].as_array().unwrap().clone();
        let label = |id: &str| factors.iter().find(|factor| factor["id"] == id).unwrap()["label"].clone();
        assert_eq!(label(&taro.factor), "Authenticator app");
        assert_eq!(label(&hana.factor), "Authenticator app (h•••@example.jp)", "two of one name can be told apart");

        // Either address, the password of the account that stayed, either factor; not the other's recovery codes.
        let flow = app.start_sign_in("hana@example.jp", PASSWORD).await.ok(200);
        app.recovery_code(&flow, &hana.recovery_codes[0]).await.refused(422, "invalid_code");
        let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "factor_id": hana.factor, "code": app.totp(&hana.factor).await });
        let tokens = app.post("/v1/sign-ins/second-factor", &body).await.ok(201);
        assert_eq!(tokens["account_id"], taro.tokens["account_id"]);
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 1);
        assert_eq!(app.count("SELECT count(*) FROM closed_accounts WHERE merged_into IS NOT NULL").await, 1);
        assert_eq!(app.purge().await["erased_accounts"], 1);
        assert_eq!(carry_out(app).await, 0);
    });
}

/// security.md 37: whoever is signed in to one account proves the other one by a fresh token of it, and by nothing else.
#[test]
fn the_other_account_is_proved_by_a_fresh_token_of_it() {
    test(async |app| {
        let mut taro = app.person("taro@example.jp").await;
        let mut hana = app.person("hana@example.jp").await;
        let id = &hana.tokens["account_id"];
        taro.post(MERGES, &json!({ "dry_run": true })).await.faults(&["/other_access_token required"]);
        taro.post(MERGES, &json!({ "account_id": id, "dry_run": false }))
            .await
            .faults(&["/other_access_token required"]);
        taro.post(MERGES, &json!({ "other_access_token": "x" })).await.faults(&["/dry_run required"]);
        let named =
            json!({ "other_access_token": hana.access(), "account_id": taro.tokens["account_id"], "dry_run": true });
        taro.post(MERGES, &named).await.faults(&["/account_id unknown_id"]);
        assert_eq!(clashes(merge(&taro, &taro.access(), true).await), ["same_account"]);

        let body = json!({ "refresh_token": hana.refresh_token(), "audience": "https://orders.example.com" });
        let narrowed = app.post("/v1/sessions/refresh", &body).await.ok(200);
        let ended = hana.sign_in().await;
        app.post("/v1/sessions/sign-out", &json!({ "refresh_token": ended["refresh_token"] })).await.ok(204);
        let bad = [
            &narrowed["access_token"],
            &ended["access_token"],
            &narrowed["refresh_token"],
            &json!("x.y.z"),
            &json!(""),
        ];
        for token in bad.map(|token| token.as_str().unwrap()) {
            for dry_run in [true, false] {
                merge(&taro, token, dry_run).await.faults(&["/other_access_token token_invalid"]);
            }
        }
        app.advance(601);
        hana.tokens = app.refresh(narrowed["refresh_token"].as_str().unwrap()).await.ok(200);
        taro.tokens = app.refresh(&taro.refresh_token()).await.ok(200);
        merge(&taro, &hana.access(), false).await.refused(401, "insufficient_user_authentication");
        taro.tokens = taro.sign_in().await;
        merge(&taro, &hana.access(), false).await.faults(&["/other_access_token token_invalid"]);
        merge(&taro, &hana.reauthenticate().await, true).await.ok(200);
        assert_eq!(app.count("SELECT count(*) FROM pending_changes").await, 0);
    });
}

#[test]
fn a_merge_can_be_stopped_from_either_side() {
    test(async |app| {
        for side in [0, 1] {
            let people = [
                app.person(&format!("taro{side}@example.jp")).await,
                app.person(&format!("hana{side}@example.jp")).await,
            ];
            let tokens = begun(app, &people[0], &people[1]).await;
            cancel(app, &tokens[side]).await.ok(204);
            let (stopper, other) = (&people[side], &people[1 - side]);
            let notice = app.message_to(&stopper.email).await;
            assert_eq!(notice["subject"], "Your Sekisho account will not become one with another");
            app.message_to(&other.email).await;
            stopper.get("/v1/account").await.refused(401, "session_revoked");
            app.start_sign_in(&stopper.email, PASSWORD).await.refused(401, "invalid_credentials");
            let account = other.get("/v1/account").await.ok(200);
            assert_eq!(account["pending_changes"], json!([]));
            cancel(app, &tokens[1 - side]).await.refused(410, "cancel_token_invalid");
        }
        app.advance(73 * HOUR);
        assert_eq!(carry_out(app).await, 0);
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 4);
    });
}

#[test]
fn accounts_that_do_not_go_together_stay_two() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        let (jiro, saburo) = (app.person("jiro@example.jp").await, app.person("saburo@example.jp").await);
        let grant = "UPDATE accounts SET roles = '{support}' WHERE id::text = $1";
        sqlx::query(grant).bind(saburo.tokens["account_id"].as_str().unwrap()).execute(&app.app.db).await.unwrap();
        assert_eq!(clashes(merge(&jiro, &saburo.access(), false).await), ["has_roles"]);
        assert_eq!(app.count("SELECT count(*) FROM pending_changes").await, 0);

        merge(&taro, &jiro.access(), false).await.ok(202);
        for (into, other) in [(&taro, &hana), (&hana, &taro), (&hana, &jiro), (&jiro, &hana), (&taro, &jiro)] {
            let found = clashes(merge(into, &other.access(), false).await);
            assert!(found.contains(&"change_waiting".to_owned()), "{found:?}");
        }
        assert_eq!(app.count("SELECT count(*) FROM pending_changes").await, 1);
        app.ignore_messages().await;
    });
}

/// What has changed while the merge waited is judged again; then both owners are told that nothing happened.
#[test]
fn accounts_that_do_not_go_together_any_more_stay_two() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        begun(app, &taro, &hana).await;
        let grant = "UPDATE accounts SET roles = '{support}' WHERE id::text = $1";
        sqlx::query(grant).bind(hana.tokens["account_id"].as_str().unwrap()).execute(&app.app.db).await.unwrap();
        app.advance(72 * HOUR);
        assert_eq!(carry_out(app).await, 1);
        app.message_to("taro@example.jp").await;
        app.message_to("hana@example.jp").await;
        hana.start_sign_in().await;
        assert_eq!(app.count("SELECT count(*) FROM accounts").await, 2);
        assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE kind = 'merge_dropped'").await, 1);
        assert_eq!(carry_out(app).await, 0);
    });
}

/// Both rows are locked in the order of their ids, so of two merges that cross one is begun and the other refused.
#[test]
fn of_two_merges_that_cross_one_is_begun() {
    test(async |app| {
        for round in 0..5 {
            let taro = app.person(&format!("taro{round}@example.jp")).await;
            let hana = app.person(&format!("hana{round}@example.jp")).await;
            let (of_taro, of_hana) = (taro.access(), hana.access());
            let crossing = (0..6)
                .map(|turn| if turn % 2 == 0 { merge(&taro, &of_hana, false) } else { merge(&hana, &of_taro, false) });
            let answers = join_all(crossing).await;
            assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
            for answer in answers.into_iter().filter(|answer| answer.status != 202) {
                assert_eq!(clashes(answer), ["change_waiting"]);
            }
        }
        assert_eq!(app.count("SELECT count(*) FROM pending_changes WHERE state = 'waiting'").await, 5);
        app.ignore_messages().await;
    });
}

/// A closing account is not taken in, whichever came first.
#[test]
fn of_a_merge_and_a_closure_that_race_the_closure_holds() {
    test(async |app| {
        let mut both = 0;
        for round in 0..5 {
            let taro = app.person(&format!("taro{round}@example.jp")).await;
            let hana = app.person(&format!("hana{round}@example.jp")).await;
            let (of_hana, body) = (hana.access(), json!({}));
            let (merged, closed) = tokio::join!(merge(&taro, &of_hana, false), hana.post("/v1/account/closure", &body));
            closed.ok(202);
            if merged.status == 202 {
                both += 1;
            } else {
                merged.faults(&["/other_access_token token_invalid"]);
            }
        }
        app.ignore_messages().await;
        app.advance(72 * HOUR);
        assert_eq!(carry_out(app).await, both, "dropped, and told");
        app.ignore_messages().await;
        assert_eq!(app.count("SELECT count(*) FROM accounts WHERE status = 'closing'").await, 5);
        assert_eq!(app.count("SELECT count(*) FROM closed_accounts").await, 0);
    });
}

/// A replica whose clock is ahead carries the merge out while its owner stops it: one of both has an effect, wholly.
#[test]
fn of_stopping_and_carrying_out_that_race_exactly_one_has_an_effect() {
    test(async |app| {
        let mut tokens = Vec::new();
        for round in 0..5 {
            let taro = app.person(&format!("taro{round}@example.jp")).await;
            let hana = app.person(&format!("hana{round}@example.jp")).await;
            tokens.push(begun(app, &taro, &hana).await[round % 2].clone());
        }
        app.advance(72 * HOUR - 60);
        let ahead = Clock::system();
        ahead.advance((app.clock.now() - ahead.now()).to_std().unwrap() + std::time::Duration::from_mins(2));
        let (first, second) = (app.replica_by(&ahead), app.replica_by(&ahead));
        // Carried out from the oldest on and stopped from the newest on: they meet on the way.
        let stopping = async {
            let mut stopped = Vec::new();
            for token in tokens.iter().rev() {
                stopped.push(cancel(app, token).await);
            }
            stopped
        };
        let (stopped, ..) = tokio::join!(stopping, async { janitor::carry_out(&first).await.unwrap() }, async {
            janitor::carry_out(&second).await.unwrap()
        },);
        let kept = stopped.iter().filter(|answer| answer.status == 204).count();
        for answer in stopped.into_iter().filter(|answer| answer.status != 204) {
            answer.refused(410, "cancel_token_invalid");
        }
        let kept = i64::try_from(kept).unwrap();
        for (query, expected) in [
            ("SELECT count(*) FROM pending_changes WHERE state = 'cancelled'", kept),
            ("SELECT count(*) FROM pending_changes WHERE state = 'applied'", 5 - kept),
            ("SELECT count(*) FROM closed_accounts", 5 - kept),
            ("SELECT count(*) FROM accounts", 5 + kept),
            ("SELECT count(*) FROM identifiers", 10),
        ] {
            assert_eq!(app.count(query).await, expected, "{query}");
        }
        // What the replicas ahead have to say is due by their clock.
        app.advance(180);
        app.ignore_messages().await;
    });
}

/// A phone that was proved in both accounts tells that they are one person's; merging still needs a token of each.
#[test]
fn accounts_with_one_phone_are_named_as_mergeable() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        let stranger = app.person("stranger@example.jp").await;
        let mergeable = async |person: &Person<'_>| person.get("/v1/account").await.ok(200)["mergeable"].clone();
        add_phone(app, &taro, "+819012345678").await;
        assert_eq!(mergeable(&hana).await, json!([]));
        add_phone(app, &hana, "+819012345678").await;
        assert_eq!(mergeable(&taro).await, json!([hana.tokens["account_id"]]));
        assert_eq!(mergeable(&hana).await, json!([taro.tokens["account_id"]]));
        assert_eq!(mergeable(&stranger).await, json!([]));
        let body = json!({ "account_id": hana.tokens["account_id"], "dry_run": true });
        taro.post(MERGES, &body).await.faults(&["/other_access_token required"]);
        // What suggests the merge is not what stops it: the phone of both stays one.
        merge(&taro, &hana.access(), false).await.ok(202);
        app.advance(72 * HOUR);
        assert_eq!(carry_out(app).await, 1);
        let phones = "SELECT count(*) FROM phone_factors";
        assert_eq!(app.count(phones).await, 1);
        app.ignore_messages().await;
    });
}

/// Whoever proves anew whose the account is wants none of what somebody else may have begun in it.
#[test]
fn a_reset_and_a_recovery_end_a_merge_that_waits() {
    test(async |app| {
        let (taro, mut hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        begun(app, &taro, &hana).await;
        let (_, asked, code) = app.reset_message(&hana.email).await;
        app.reset_by_code(&asked, &code, "tidal mango ledger vowel").await.ok(204);
        let told = app.message_to(&taro.email).await;
        assert!(told["subject"].as_str().unwrap().contains("stay apart"), "{told:#}");
        app.ignore_messages().await;
        assert_eq!(taro.get("/v1/account").await.ok(200)["pending_changes"], json!([]));

        let flow = app.start_sign_in(&hana.email, "tidal mango ledger vowel").await.ok(200);
        hana.tokens = app.second_factor(&flow, &app.totp(&hana.factor).await).await.ok(201);
        merge(&taro, &hana.access(), false).await.ok(202);
        let token = app.recovery(&hana.email, &["second_factor"]).await;
        app.prove(&token, "password", "tidal mango ledger vowel").await.ok(200);
        app.prove(&token, "recovery_code", &hana.recovery_codes[0]).await.ok(200);
        app.advance(72 * HOUR);
        app.complete_recovery(&token, None).await.ok(200);
        assert_eq!(carry_out(app).await, 0);
        app.ignore_notices().await;
    });
}

/// What was added lately is told of a merge, as are phones that are factors, and does not stop it.
#[test]
fn an_address_that_was_added_lately_does_not_stop_a_merge() {
    test(async |app| {
        let (taro, hana) = (app.person("taro@example.jp").await, app.person("hana@example.jp").await);
        let identifiers = "/v1/account/identifiers";
        let added = hana.post(identifiers, &json!({ "identifier": "hana@example.org" })).await.ok(201);
        let path = format!("{identifiers}/{}/verify", added["identifier"]["id"].as_str().unwrap());
        hana.post(&path, &json!({ "code": app.code_to("hana@example.org").await })).await.ok(200);
        add_phone(app, &taro, "+819012345678").await;
        let tokens = begun(app, &taro, &hana).await;
        assert!(tokens.iter().all(Value::is_string), "{tokens:?}");
        for address in ["hana@example.org", "+819012345678"] {
            let notice = app.message_to(address).await;
            assert!(notice.get("code").is_none() && notice.get("link").is_none(), "{notice}");
        }
        assert_eq!(app.count("SELECT count(*) FROM cancel_tokens").await, 2);
    });
}
