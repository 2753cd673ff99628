//! Requests to HTTP providers, and what their answers mean for a message.
//!
//! An answer counts within `messages.timeout_ms`. What a provider writes is not kept, since it often repeats the number; its
//! status and its own error code are.

use std::time::Duration;

use reqwest::Client;
use reqwest::RequestBuilder;
use reqwest::redirect::Policy;

use crate::messages::attempt::Failure;

/// A machine that is there answers a connection at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// The part of an answer that is read; ids and error codes stand in less.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Speaks to providers: follows nobody elsewhere and asks no proxy of the environment.
pub(super) fn client(timeout: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .user_agent(concat!("sekisho/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends a request and reads the answer.
pub(super) async fn post(request: RequestBuilder) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| failure(&error))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES {
        // The status has come, and says whether the message was taken.
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

impl Answer {
    /// Whether the message was taken. A request that is wrong in itself is refused for good; refused credentials, or a
    /// service that is not there, are no fault of the message.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.status {
            200..=299 => Ok(()),
            400 | 413 | 422 => Err(Failure::Permanent(format!("http {}", self.status))),
            _ => Err(Failure::Transient(format!("http {}", self.status))),
        }
    }
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        return Failure::Transient("no connection".to_owned());
    }
    Failure::Unclear(if error.is_timeout() { "timeout" } else { "cut off" }.to_owned())
}
