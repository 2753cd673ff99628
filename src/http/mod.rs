//! HTTP: bodies in, answers and problems out, and what is the same for every request.
//!
//! * A handler takes [`Json`], [`OptionalJson`] or [`Query`] (strict, with pointers), or [`Raw`] where a signature is
//!   judged first, and the [`Caller`](crate::audit::Caller), and answers with [`ok`], [`created`],
//!   [`accepted`], [`no_content`] or a [`Problem`].
//! * [`edge()`] is the outermost middleware: ids, log span, 405, 406, unknown parameters, CORS, security headers,
//!   the words of problems. It finds its [`HttpContext`] in the application.
//! * Nothing here knows a feature.

mod accept;
mod answer;
mod client;
mod context;
mod cors;
mod cursor;
mod deadline;
mod edge;
mod error_code;
mod json;
mod page;
mod problem;
mod query;
mod raw;
mod refresh_cookie;
mod render;
mod routes;
mod unread;

#[cfg(any(test, fuzzing))]
pub use accept::accept_property;
pub use accept::prefers_html;
pub use answer::Reply;
pub use answer::accepted;
pub use answer::created;
pub use answer::no_content;
pub use answer::ok;
pub use answer::outcome;
#[cfg(any(test, fuzzing))]
pub use client::forwarded_property;
pub use context::HttpContext;
pub use cors::require_listed_origin;
pub use cursor::Items;
pub use cursor::Limit;
pub use cursor::Page;
pub use cursor::cursor_behind;
#[cfg(any(test, fuzzing))]
pub use cursor::cursor_property;
pub use edge::edge;
pub use error_code::ErrorCode;
pub use error_code::FieldCode;
pub use error_code::HINTS;
pub use json::Json;
pub use json::NoMembers;
pub use json::OptionalJson;
#[cfg(any(test, fuzzing))]
pub use json::json_property;
pub use page::Block;
pub use page::page;
pub use page::page_of;
pub use problem::Problem;
pub use query::Query;
#[cfg(any(test, fuzzing))]
pub use query::query_property;
pub use raw::Raw;
pub use refresh_cookie::REFRESH_COOKIE;
pub use refresh_cookie::clear_refresh_cookie;
pub use refresh_cookie::refresh_cookie;
pub use refresh_cookie::refresh_token_from_cookie;
pub use render::ProblemBody;
pub use render::ProblemFault;
pub use render::ProblemHint;
pub use render::problem_body;
pub use render::text_id;
pub use routes::Operation;
pub use routes::Routes;

/// The application's service of last resort: 404.
///
/// # Errors
/// Always `not_found`.
pub fn not_found() -> std::future::Ready<Result<actix_web::HttpResponse, Problem>> {
    std::future::ready(Err(Problem::new(ErrorCode::NotFound)))
}

#[cfg(test)]
mod tests;
