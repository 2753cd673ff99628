//! The cookie that carries a refresh token for pages that ask for it.
//!
//! `__Host-` binds it to this very host; `SameSite=Strict` and `HttpOnly` keep other sites and scripts away.
//! Whoever reads it also calls [`crate::http::require_listed_origin`].

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::cookie::SameSite;

/// Its name.
/// Its name.
pub const REFRESH_COOKIE: &str = "__Host-sekisho_refresh";

/// The cookie with a token, kept for `lifetime`.
pub fn refresh_cookie(token: String, lifetime: Duration) -> Cookie<'static> {
    let max_age = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Cookie::build(REFRESH_COOKIE, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(actix_web::cookie::time::Duration::seconds(max_age))
        .finish()
}

/// The cookie that makes the browser forget it.
pub fn clear_refresh_cookie() -> Cookie<'static> {
    refresh_cookie(String::new(), Duration::ZERO)
}

/// The token that came in the cookie.
pub fn refresh_token_from_cookie(request: &HttpRequest) -> Option<String> {
    request.cookie(REFRESH_COOKIE).map(|cookie| cookie.value().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_bound_to_host_and_site() {
        assert_eq!(
            refresh_cookie("srt_x".to_owned(), Duration::from_mins(1)).to_string(),
            "__Host-sekisho_refresh=srt_x; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60"
        );
        assert!(clear_refresh_cookie().to_string().contains("Max-Age=0"));
    }
}
