//! `src/limits/spend`: what messages to phones may cost, and whom that does not stop.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::PASSWORD;
use crate::support::TestApp;
use crate::support::test_with;

const LIMITED: [(&str, &str); 2] = [("limits.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
const TARO: &str = "+819012345678";

/// A sign-up from a network of its own.
async fn sign_up(app: &TestApp, number: &str) -> Answer {
    let digits: u64 = number[1..].parse().unwrap();
    sign_up_from(app, number, &format!("10.{}.{}.{}", digits / 62_500 % 250, digits / 250 % 250, digits % 250)).await
}

async fn sign_up_from(app: &TestApp, number: &str, from: &str) -> Answer {
    let body = json!({ "identifier": number, "password": PASSWORD });
    app.send(app.request(Method::POST, "/v1/sign-ups").header("x-forwarded-for", from).json(&body)).await
}

/// Signs up by phone, with the same phone as second factor.
async fn person(app: &TestApp, number: &str) {
    let started = sign_up(app, number).await.ok(202);
    let flow = app.verify(started["sign_up_token"].as_str().unwrap(), &app.code_to(number).await).await.ok(200);
    app.advance(30);
    let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": number });
    let begun = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
    let factor = begun["enrolment"]["factor_id"].as_str().unwrap();
    app.confirm_enrolment(&flow, factor, &app.code_to(number).await).await.ok(201);
    app.ignore_messages().await;
}

/// Asks for the code of a second factor.
async fn ask_for_code(app: &TestApp, number: &str) -> Answer {
    let flow = app.start_sign_in(number, PASSWORD).await.ok(200);
    let phone = flow["factors"].as_array().unwrap().iter().find(|factor| factor["kind"] == "phone").unwrap();
    let body = json!({ "sign_in_token": flow["sign_in_token"], "factor_id": phone["id"], "channel": "sms" });
    app.post("/v1/sign-ins/codes", &body).await
}

/// The code of a second factor still reaches its owner.
async fn signs_in(app: &TestApp, number: &str) {
    ask_for_code(app, number).await.ok(202);
    app.code_to(number).await;
}

fn refused(answer: Answer) -> Value {
    answer.refused(429, "message_limit_reached")
}

/// security.md 9: ten thousand numbers would cost no more than a few, and stop nobody who has an account.
#[test]
fn strangers_spend_their_own_budget_and_no_more() {
    let terms = [("phone.unproved_per_day", "30"), ("phone.country_per_day", "30"), ("metrics.listen", "127.0.0.1:0")];
    let settings = [LIMITED.as_slice(), &terms].concat();
    test_with(&settings, async |app| {
        person(app, TARO).await;
        let mut sent = 0;
        for nth in 1000..1040 {
            let answer = sign_up(app, &format!("+8180{nth:04}1111")).await;
            if answer.status == 202 { sent += 1 } else { drop(refused(answer)) }
        }
        assert_eq!(sent, 28, "thirty, less two of the person who came before");
        let problem = refused(sign_up(app, "+14155550123").await);
        assert!((1..=86_401).contains(&problem["retry_after"].as_u64().unwrap()), "{problem}");
        app.ignore_messages().await;
        signs_in(app, TARO).await;
        let metrics = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        for (budget, cost) in [("unproved", 30), ("proved", 1), ("notices", 1)] {
            let line = format!("sekisho_message_spend_total{{budget=\"{budget}\"}} {cost}");
            assert!(metrics.lines().any(|said| said == line), "{line} in\n{metrics}");
        }
        app.advance(86_400);
        sign_up(app, "+818011112222").await.ok(202);
        app.ignore_messages().await;
    });
}

#[test]
fn a_country_has_its_price_and_a_budget_of_its_own() {
    let prices = [("phone.prices", "JP=10,US=1"), ("phone.country_per_day", "20"), ("phone.unproved_per_day", "1000")];
    test_with(&[LIMITED.as_slice(), &prices].concat(), async |app| {
        for number in ["+818011112222", "+818033334444"] {
            sign_up(app, number).await.ok(202);
        }
        refused(sign_up(app, "+818055556666").await);
        sign_up(app, "+14155550123").await.ok(202);
        // What was refused is not counted.
        let spent = app.app.spend.spent(app.clock.now().date_naive()).await.unwrap();
        let costs: Vec<_> = spent.iter().map(|row| (row.scope.as_str(), row.key.as_str(), row.cost)).collect();
        assert_eq!(costs, [("all", "", 21), ("country", "JP", 20), ("country", "US", 1)]);
        app.ignore_messages().await;
    });
}

/// A block whose codes do not come back is closed; its neighbour is not, nor is who has an account in it.
#[test]
fn a_block_from_which_no_code_comes_back_is_closed_alone() {
    test_with(&LIMITED, async |app| {
        person(app, TARO).await;
        let mut sent = 0;
        for nth in 0..30 {
            let answer = sign_up(app, &format!("+8190{}{nth:04}", &TARO[5..9])).await;
            if answer.status == 202 { sent += 1 } else { drop(refused(answer)) }
        }
        assert_eq!(sent, 18, "twenty, two of which came back before");
        app.ignore_messages().await;
        let day = app.app.spend.spent(app.clock.now().date_naive()).await.unwrap();
        let closed: Vec<_> = day.iter().filter(|row| row.scope == "block").map(|row| row.key.as_str()).collect();
        assert_eq!(closed, ["+81901234"]);
        sign_up(app, "+819022220001").await.ok(202);
        app.ignore_messages().await;
        signs_in(app, TARO).await;
        app.post("/v1/password-resets", &json!({ "identifier": TARO })).await.ok(202);
        assert_eq!(app.code_to(TARO).await.len(), 8, "a reset that an owner needs");
    });
}

/// A block whose codes come back stays open.
#[test]
fn a_block_from_which_codes_come_back_stays_open() {
    test_with(&LIMITED, async |app| {
        for nth in 0..30 {
            let number = format!("+81807777{nth:04}");
            let started = sign_up(app, &number).await.ok(202);
            if nth % 3 == 0 {
                let code = app.code_to(&number).await;
                app.verify(started["sign_up_token"].as_str().unwrap(), &code).await.ok(200);
            }
        }
        app.ignore_messages().await;
    });
}

/// security.md 9: one network asks for so many, whatever the numbers.
#[test]
fn a_network_asks_for_so_many_messages_to_phones() {
    let settings = [LIMITED.as_slice(), &[("phone.country_per_day", "100000"), ("phone.unproved_per_day", "100000")]];
    test_with(&settings.concat(), async |app| {
        let mut admitted = 0;
        let refused = loop {
            if admitted % 50 == 0 {
                app.advance(60);
            }
            let answer = sign_up_from(app, &format!("+8180{}1111", 1000 + admitted), "203.0.113.9").await;
            if answer.status != 202 {
                break answer;
            }
            admitted += 1;
        };
        assert!((100..=110).contains(&admitted), "{admitted} of a hundred, and what the time gave back");
        assert_eq!(refused.header("ratelimit-policy"), "\"phone_message\";q=100;w=3600");
        refused.refused(429, "message_limit_reached");
        let mail = json!({ "identifier": "hana@example.jp", "password": PASSWORD });
        app.send(app.request(Method::POST, "/v1/sign-ups").header("x-forwarded-for", "203.0.113.9").json(&mail))
            .await
            .ok(202);
        app.ignore_messages().await;
    });
}

#[test]
fn however_many_race_no_more_than_the_budget_is_spent() {
    let settings =
        [LIMITED.as_slice(), &[("phone.unproved_per_day", "20"), ("phone.country_per_day", "1000")]].concat();
    test_with(&settings, async |app| {
        let numbers: Vec<String> = (1000..1050).map(|nth| format!("+8180{nth:04}1111")).collect();
        let answers = join_all(numbers.iter().map(|number| sign_up(app, number))).await;
        let sent = answers.iter().filter(|answer| answer.status == 202).count();
        assert!(sent <= 20, "{sent} of twenty");
        app.ignore_messages().await;
        assert_eq!(app.count("SELECT cost FROM phone_spend WHERE scope = 'all'").await, i64::try_from(sent).unwrap());
    });
}

/// One number can be the factor of many accounts, and gets no more codes for that.
#[test]
fn one_number_gets_so_many_codes_however_many_accounts_have_it() {
    test_with(&LIMITED, async |app| {
        let accounts = ["taro@example.jp", "hana@example.jp"];
        for email in accounts {
            let flow = app.sign_up(email).await;
            let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "phone", "phone": TARO });
            let begun = app.post("/v1/sign-ins/enrolments", &body).await.ok(201);
            let factor = begun["enrolment"]["factor_id"].as_str().unwrap();
            app.confirm_enrolment(&flow, factor, &app.code_to(TARO).await).await.ok(201);
        }
        for nth in 0..10 {
            ask_for_code(app, accounts[nth % 2]).await.ok(202);
        }
        refused(ask_for_code(app, accounts[0]).await);
        refused(ask_for_code(app, accounts[1]).await);
        app.ignore_messages().await;
    });
}

/// What is counted aside needs no connection that the requests themselves hold.
#[test]
fn with_few_connections_requests_do_not_wait_for_each_other() {
    test_with(&[LIMITED.as_slice(), &[("database.max_connections", "2")]].concat(), async |app| {
        let numbers: Vec<String> = (0..8).map(|nth| format!("+81901234567{nth}")).collect();
        for number in &numbers {
            person(app, number).await;
        }
        for answer in join_all(numbers.iter().map(|number| ask_for_code(app, number))).await {
            answer.ok(202);
        }
        app.ignore_messages().await;
    });
}

/// A notice to a phone costs what a code does, and is paid from a budget of its own. When that is spent notices stay away; what
/// they would tell of happens all the same, and codes go on. Strangers bring notices about: they spend nothing else.
#[test]
fn notices_to_phones_spend_a_budget_of_their_own() {
    let terms = [("phone.notices_per_day", "2"), ("phone.proved_per_day", "1")];
    test_with(&[LIMITED.as_slice(), &terms].concat(), async |app| {
        let notices =
            "SELECT coalesce(sum(cost), 0)::bigint FROM phone_spend WHERE scope = 'all' AND budget = 'notices'";
        let proved = "SELECT coalesce(sum(cost), 0)::bigint FROM phone_spend WHERE scope = 'all' AND budget = 'proved'";
        let taro = app.person(TARO).await;
        assert_eq!(app.count(notices).await, 1);
        for nth in 0..20 {
            let body = json!({ "identifier": TARO, "password": "another horse battery" });
            let request =
                app.request(Method::POST, "/v1/sign-ins").header("x-forwarded-for", format!("203.0.113.{nth}"));
            app.send(request.json(&body)).await.refused(401, "invalid_credentials");
        }
        app.message_to(TARO).await;
        assert_eq!(app.count(notices).await, 2);
        let change = json!({ "current_password": PASSWORD, "new_password": "tidal mango ledger vowel" });
        taro.post("/v1/account/password", &change).await.ok(204);
        person(app, "+819087654321").await;
        assert_eq!((app.count(notices).await, app.count(proved).await), (2, 0));
        signs_in(app, "+819087654321").await;
        assert_eq!(app.count(proved).await, 1);
        refused(ask_for_code(app, "+819087654321").await);
    });
}

/// A reset that is not paid for any more leaves the one before it as it was.
#[test]
fn a_reset_that_does_not_leave_voids_none() {
    test_with(&[LIMITED.as_slice(), &[("phone.notices_per_day", "2")]].concat(), async |app| {
        person(app, TARO).await;
        let spent = "SELECT coalesce(sum(cost), 0)::bigint FROM phone_spend WHERE scope = 'all' AND budget = 'notices'";
        assert_eq!(app.count(spent).await, 1, "one is left");
        let asked = app.post("/v1/password-resets", &json!({ "identifier": TARO })).await.ok(202);
        let code = app.code_to(TARO).await;
        app.post("/v1/password-resets", &json!({ "identifier": TARO })).await.ok(202);
        app.poll("the second", async || {
            (app.count("SELECT count(*) FROM outbox WHERE kind = 'password_reset' AND state = 'dropped'").await == 1)
                .then_some(())
        })
        .await;
        assert_eq!(app.count(spent).await, 2, "what is refused is not counted");
        let body = json!({ "method": "code", "password_reset_token": asked["password_reset_token"], "code": code,
                           "new_password": "tidal mango ledger vowel" });
        app.post("/v1/password-resets/confirm", &body).await.ok(204);
    });
}

/// The counts of a day are kept for a while, and then purged.
#[test]
fn old_counts_are_purged() {
    test_with(&LIMITED, async |app| {
        sign_up(app, TARO).await.ok(202);
        app.ignore_messages().await;
        assert_eq!(app.purge().await["phone_spend"], 0);
        app.advance(92 * 86_400);
        assert_eq!(app.purge().await["phone_spend"], 3);
    });
}
