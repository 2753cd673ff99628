//! `src/identifiers` and `src/changes`.

mod adding;
mod cancelling;
mod removing;

use sekisho::janitor;
use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::Person;
use crate::support::TestApp;

const PATH: &str = "/v1/account/identifiers";
const TARO: &str = "taro@example.jp";
const HANA: &str = "hana@example.jp";
const OTHER: &str = "taro@example.org";
const PHONE: &str = "+819012345678";
const DAYS_3: u64 = 72 * 3600;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn add(person: &Person<'_>, identifier: &str) -> Answer {
    person.post(PATH, &json!({ "identifier": identifier })).await
}

async fn prove(person: &Person<'_>, id: &Value, code: &str) -> Answer {
    person.post(&format!("{PATH}/{}/verify", text(id)), &json!({ "code": code })).await
}

async fn remove(person: &Person<'_>, id: &Value) -> Answer {
    person.delete(&format!("{PATH}/{}", text(id))).await
}

async fn listed(person: &Person<'_>) -> Vec<Value> {
    person.get(PATH).await.ok(200)["items"].as_array().unwrap().clone()
}

/// Adds an identifier and proves it; every notice is read.
async fn add_proved(app: &TestApp, person: &Person<'_>, identifier: &str) -> Value {
    let begun = add(person, identifier).await.ok(201);
    let proved = prove(person, &begun["identifier"]["id"], &app.code_to(identifier).await).await.ok(200);
    app.ignore_messages().await;
    proved
}

/// The id of the identifier that the account began with.
async fn first_id(person: &Person<'_>) -> Value {
    listed(person).await.last().unwrap()["id"].clone()
}

async fn cancel(app: &TestApp, token: &str) -> Answer {
    app.post("/v1/account/changes/cancel", &json!({ "cancel_token": token })).await
}

/// What the janitor does every minute.
async fn carry_out(app: &TestApp) -> u64 {
    janitor::carry_out(&app.app).await.unwrap()
}
