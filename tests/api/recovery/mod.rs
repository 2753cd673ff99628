//! `src/recovery`: the slow way back.

mod beginning;
mod completing;
mod contacts;
mod ending;
mod guessing;
mod late;
mod many;
mod outliving;
mod proofs;
mod settling;
mod telling;
mod walks;

use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::TestApp;

pub const HOUR: u64 = 3600;
pub const WAIT: u64 = 72 * HOUR;
/// What enough that was proved late leaves the owner.
pub const NOTICE: u64 = 24 * HOUR;
/// Where the person who lost something can be reached.
pub const CONTACT: &str = "helper@example.jp";
/// A code that nobody was sent.
pub const WRONG: &str = "00000000";

impl TestApp {
    /// Begins a recovery; answers its token. The code to the contact is not read.
    pub async fn start_recovery(&self, identifier: &str, lost: &[&str]) -> String {
        let body = json!({ "identifier": identifier, "contact": CONTACT, "lost": lost });
        let started = self.post("/v1/recoveries", &body).await.ok(202);
        started["recovery_token"].as_str().unwrap().to_owned()
    }

    /// Begins a recovery and proves the contact; answers its token. What the owner is told is not read.
    pub async fn recovery(&self, identifier: &str, lost: &[&str]) -> String {
        let token = self.start_recovery(identifier, lost).await;
        let code = self.contact_code().await;
        assert_eq!(self.verify_contact(&token, &code).await.ok(200)["state"], "waiting");
        token
    }

    /// The code in the newest unread message to the contact that has one; what it is told besides is taken as read.
    pub async fn contact_code(&self) -> String {
        loop {
            if let Some(code) = self.message_to(CONTACT).await["code"].as_str() {
                return code.to_owned();
            }
        }
    }

    /// Gives the code of the contact back.
    pub async fn verify_contact(&self, token: &str, code: &str) -> Answer {
        self.post("/v1/recoveries/verify-contact", &json!({ "recovery_token": token, "code": code })).await
    }

    /// Asks for a code at a destination.
    pub async fn recovery_code_to(&self, token: &str, destination: &str) -> Answer {
        self.post("/v1/recoveries/codes", &json!({ "recovery_token": token, "destination": destination })).await
    }

    /// Proves something.
    pub async fn prove(&self, token: &str, kind: &str, value: &str) -> Answer {
        let body = json!({ "recovery_token": token, "kind": kind, "value": value });
        self.post("/v1/recoveries/proofs", &body).await
    }

    /// Where a recovery stands.
    pub async fn inspect_recovery(&self, token: &str) -> Answer {
        self.post("/v1/recoveries/inspect", &json!({ "recovery_token": token })).await
    }

    /// What a recovery waits for.
    pub async fn recovery_state(&self, token: &str) -> String {
        self.inspect_recovery(token).await.ok(200)["state"].as_str().unwrap().to_owned()
    }

    /// Ends the recoveries of an account.
    pub async fn cancel_recovery(&self, token: &str) -> Answer {
        self.post("/v1/recoveries/cancel", &json!({ "cancel_token": token })).await
    }

    /// Waits until owners and contacts have been told what is due.
    pub async fn due_is_told(&self) {
        self.poll("what is due", async || {
            let due = "SELECT count(*) FROM recoveries WHERE notice_due_at <= $1 OR contact_due_at <= $1";
            let due = sqlx::query_scalar::<_, i64>(due).bind(self.clock.now());
            (due.fetch_one(&self.app.db).await.unwrap() == 0).then_some(())
        })
        .await;
    }

    /// Takes every message as read, once owners and contacts have been told what is due.
    pub async fn ignore_notices(&self) {
        self.due_is_told().await;
        self.ignore_messages().await;
    }

    /// The token of the next notice to an owner; a phone gets words beside it.
    pub async fn cancel_token_to(&self, address: &str) -> String {
        let mut notice = self.message_to(address).await;
        if address.starts_with('+') {
            let other = self.message_to(address).await;
            notice = if other["code"].is_string() { other } else { notice };
        }
        assert!(notice["code"].as_str().unwrap().starts_with("rcc_"), "{notice:#}");
        notice["code"].as_str().unwrap().to_owned()
    }
}

/// The seconds between two times of an answer.
pub fn seconds_from(now: i64, at: &Value) -> i64 {
    let at: chrono::DateTime<chrono::Utc> = at.as_str().unwrap().parse().unwrap();
    at.timestamp() - now
}
