//! People who use the service, a method a verb.

use reqwest::Method;
use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Authenticator;
use super::TestApp;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// Someone with an account, a second factor and a session.
pub struct Person<'a> {
    app: &'a TestApp,
    /// The address.
    pub email: String,
    /// The authenticator app.
    pub factor: String,
    /// What the authenticator app shows.
    pub authenticator: Authenticator,
    /// The newest tokens.
    pub tokens: Value,
    /// The ten recovery codes.
    pub recovery_codes: Vec<String>,
}

impl TestApp {
    /// Begins a sign-up; answers its token.
    pub async fn start_sign_up(&self, email: &str) -> String {
        let started = self.post("/v1/sign-ups", &json!({ "identifier": email, "password": PASSWORD })).await.ok(202);
        text(&started, "sign_up_token")
    }

    /// Gives the code of a sign-up back.
    pub async fn verify(&self, sign_up_token: &str, code: &str) -> Answer {
        self.post("/v1/sign-ups/verify", &json!({ "sign_up_token": sign_up_token, "code": code })).await
    }

    /// Signs up and verifies; answers the flow, which asks for an enrolment.
    pub async fn sign_up(&self, email: &str) -> Value {
        let token = self.start_sign_up(email).await;
        let code = self.code_to(email).await;
        self.verify(&token, &code).await.ok(200)
    }

    /// Begins the enrolment of an authenticator app; answers the factor's id.
    pub async fn start_enrolment(&self, flow: &Value) -> String {
        self.set_up_app(flow).await.0
    }

    /// Begins the enrolment of an authenticator app; answers the factor's id and the app.
    pub async fn set_up_app(&self, flow: &Value) -> (String, Authenticator) {
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "totp" });
        let started = self.post("/v1/sign-ins/enrolments", &body).await.ok(201);
        let enrolment = &started["enrolment"];
        (text(enrolment, "factor_id"), Authenticator::new(&text(&enrolment["totp"], "secret")))
    }

    /// Confirms an enrolment.
    pub async fn confirm_enrolment(&self, flow: &Value, factor: &str, code: &str) -> Answer {
        let body =
            json!({ "sign_in_token": flow["sign_in_token"], "factor_id": factor, "method": "code", "code": code });
        self.post("/v1/sign-ins/enrolments/confirm", &body).await
    }

    /// Gives identifier and password.
    pub async fn start_sign_in(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/sign-ins", &json!({ "identifier": email, "password": password })).await
    }

    /// Gives a code of an authenticator app.
    pub async fn second_factor(&self, flow: &Value, code: &str) -> Answer {
        let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "code", "code": code });
        self.post("/v1/sign-ins/second-factor", &body).await
    }

    /// Gives a recovery code.
    pub async fn recovery_code(&self, flow: &Value, code: &str) -> Answer {
        let body = json!({ "sign_in_token": flow["sign_in_token"], "method": "recovery_code", "recovery_code": code });
        self.post("/v1/sign-ins/second-factor", &body).await
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/v1/sessions/refresh", &json!({ "refresh_token": token })).await
    }

    /// Someone who has signed up and enrolled an authenticator app. Their messages so far are read.
    pub async fn person(&self, email: &str) -> Person<'_> {
        let flow = self.sign_up(email).await;
        let (factor, authenticator) = self.set_up_app(&flow).await;
        let code = self.totp(&factor).await;
        let tokens = self.confirm_enrolment(&flow, &factor, &code).await.ok(201);
        self.message_to(email).await;
        let recovery_codes = tokens["recovery_codes"].as_array().unwrap().iter();
        let recovery_codes = recovery_codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        Person { app: self, email: email.to_owned(), factor, authenticator, tokens, recovery_codes }
    }
}

impl Person<'_> {
    /// The access token.
    pub fn access(&self) -> String {
        text(&self.tokens, "access_token")
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> String {
        text(&self.tokens, "refresh_token")
    }

    /// A flow that asks for the second factor.
    pub async fn start_sign_in(&self) -> Value {
        self.app.start_sign_in(&self.email, PASSWORD).await.ok(200)
    }

    /// Signs in with password and authenticator app; answers the tokens.
    pub async fn sign_in(&self) -> Value {
        let flow = self.start_sign_in().await;
        let code = self.app.totp(&self.factor).await;
        self.app.second_factor(&flow, &code).await.ok(201)
    }

    /// Proves again who they are; answers the access token.
    pub async fn reauthenticate(&self) -> String {
        let body = json!({ "method": "code", "password": PASSWORD, "code": self.app.totp(&self.factor).await });
        text(&self.post("/v1/reauthentications", &body).await.ok(200), "access_token")
    }

    /// GET with the access token.
    pub async fn get(&self, path: &str) -> Answer {
        self.app.with_token(&self.access(), Method::GET, path, None).await
    }

    /// POST with the access token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.app.with_token(&self.access(), Method::POST, path, Some(body)).await
    }

    /// PATCH with the access token.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.app.with_token(&self.access(), Method::PATCH, path, Some(body)).await
    }

    /// DELETE with the access token.
    pub async fn delete(&self, path: &str) -> Answer {
        self.app.with_token(&self.access(), Method::DELETE, path, None).await
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value:#}")).to_owned()
}
