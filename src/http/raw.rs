//! A body as it came, for a handler that checks a signature over its bytes before it believes any of it.

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::http::json;
use crate::http::problem::Problem;
use crate::http::query;

/// `application/json` or `application/x-www-form-urlencoded`, unread.
pub struct Raw {
    bytes: Zeroizing<Vec<u8>>,
    form: bool,
}

impl FromRequest for Raw {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = json::is_kind(request.headers(), "application/x-www-form-urlencoded");
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let body = json::whole_body(request, payload, kind);
        Box::pin(async move { Ok(Self { bytes: body.await?, form }) })
    }
}

impl Raw {
    /// What a signature is made of.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fields of a form, in their order; of anything else there are none.
    ///
    /// # Errors
    /// 400 `malformed_request`.
    pub fn form(&self) -> Result<Vec<(String, String)>, Problem> {
        if self.form { query::form(&self.bytes) } else { Ok(Vec::new()) }
    }

    /// Reads JSON as strictly as any body.
    ///
    /// # Errors
    /// 400 or 422, see `http::json`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json::parse(&self.bytes)
    }
}
