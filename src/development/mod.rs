//! What only `sekisho dev` serves: the inbox that catches every message, and an authenticator app for testers.
//!
//! Rules
//! * None of this is mounted by `sekisho serve`, and its document does not describe it.
//! * A page of another site must not read it: there is no CORS here, and the `Host` must be this machine's
//!   ([`local_host_only`]), so that a name that was rebound to 127.0.0.1 reaches nothing.

mod http;
mod inbox_page;

pub use http::local_host_only;
pub use http::routes;
