//! `src/passwords`: changed by who knows the old one, reset by who gets a message.

mod change;
mod one_proof;
mod races;
mod refusals;
mod reset;
mod staged;

use serde_json::Value;
use serde_json::json;

use crate::support::Answer;
use crate::support::TestApp;

pub const NEW: &str = "tidal mango ledger vowel";
const EMAIL: &str = "taro@example.jp";
const PHONE: &str = "+819012345678";

impl TestApp {
    /// Asks for a reset; answers the token of the request.
    pub async fn ask_for_reset(&self, identifier: &str) -> String {
        let asked = self.post("/v1/password-resets", &json!({ "identifier": identifier })).await.ok(202);
        asked["password_reset_token"].as_str().unwrap().to_owned()
    }

    /// Sets a new password by code.
    pub async fn reset_by_code(&self, token: &str, code: &str, new: &str) -> Answer {
        let body = json!({ "method": "code", "password_reset_token": token, "code": code, "new_password": new });
        self.post("/v1/password-resets/confirm", &body).await
    }

    /// Sets a new password by link.
    pub async fn reset_by_link(&self, token: &str, new: &str) -> Answer {
        let body = json!({ "method": "link", "reset_token": token, "new_password": new });
        self.post("/v1/password-resets/confirm", &body).await
    }

    /// Looks at a link.
    pub async fn inspect_reset(&self, token: &str) -> Answer {
        self.post("/v1/password-resets/inspect", &json!({ "reset_token": token })).await
    }

    /// Asks for a reset and reads the message; answers the token of its link, and the token and code of the request.
    pub async fn reset_message(&self, identifier: &str) -> (String, String, String) {
        let asked = self.ask_for_reset(identifier).await;
        let message = self.message_to(identifier).await;
        (link_token(&message), asked, message["code"].as_str().unwrap().to_owned())
    }
}

/// What stands behind the `#` of the link of a message; empty when there is none.
fn link_token(message: &Value) -> String {
    message["link"]
        .as_str()
        .and_then(|link| link.split_once('#'))
        .map_or_else(String::new, |(_, token)| token.to_owned())
}

fn other_than(code: &str) -> &'static str {
    if code == "00000000" { "00000001" } else { "00000000" }
}
