//! Help for people: a page for every problem.
//!
//! `/help/problems/<code>` is the `type` of a problem, so whoever looks at one finds out what it means and what
//! to do, in the language of `?lang=` or of the browser. A code that is not in the catalogue is 404.

mod http;

pub use http::routes;
