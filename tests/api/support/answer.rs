//! An answer of the service, and what a test asserts of it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: JSON as such, anything else as text, nothing as null.
    pub body: Value,
}

impl Answer {
    /// Reads an answer whole.
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Self { status, headers, body }
    }

    /// The body, when the status is the expected one.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// The problem, when status and code are the expected ones.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{:#}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        if status == 401 {
            assert!(self.header("www-authenticate").starts_with("Bearer "), "{:?}", self.headers);
        }
        self.body
    }

    /// The problem `invalid_fields`, when exactly these members are at fault, each `pointer code`.
    #[track_caller]
    pub fn faults(self, expected: &[&str]) {
        let problem = self.refused(422, "invalid_fields");
        let faults = problem["errors"].as_array().unwrap().iter();
        let place = |fault: &Value| fault["pointer"].as_str().or(fault["parameter"].as_str()).unwrap().to_owned();
        let faults: Vec<String> =
            faults.map(|fault| format!("{} {}", place(fault), fault["code"].as_str().unwrap())).collect();
        assert_eq!(faults, expected);
    }

    /// Checks that each answer has one of these statuses.
    #[track_caller]
    pub fn all(answers: &[Self], statuses: &[u16]) {
        for answer in answers {
            assert!(statuses.contains(&answer.status), "{}: {:#}", answer.status, answer.body);
        }
    }

    /// A header; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
