//! An opinion on a password, before it is chosen.

use actix_web::post;
use actix_web::web;
use actix_web::web::Data;
use serde::Deserialize;
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::Caller;
use crate::http::ErrorCode;
use crate::http::Json;
use crate::http::Problem;
use crate::http::Reply;
use crate::http::ok;
use crate::internal::Internal;
use crate::password_policy::PasswordContext;
use crate::text::Language;
use crate::text::text;

/// Estimates that may run at once.
static ESTIMATES: Semaphore = Semaphore::const_new(8);

/// A password to judge. It is neither stored nor logged.
#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordCheckRequest {
    /// The candidate.
    #[schema(example = "correct horse battery")]
    password: String,
    /// The address that it is for: a password made of it is refused.
    #[schema(example = "taro@example.jp")]
    identifier: Option<String>,
}

/// The opinion.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordOpinion {
    /// Whether it would be accepted.
    acceptable: bool,
    /// How hard it is to guess, from 0 to 4; advice, not a rule.
    #[schema(minimum = 0, maximum = 4, example = 3)]
    score: u8,
    /// Why it would be refused.
    #[schema(inline)]
    errors: Vec<Remark>,
    /// What would make it better.
    #[schema(inline)]
    suggestions: Vec<Remark>,
}

/// A remark.
#[derive(Serialize, ToSchema)]
pub(super) struct Remark {
    /// For programs; open set.
    #[schema(example = "add_more_words")]
    code: &'static str,
    /// For people.
    #[schema(example = "Add another word or two. Uncommon words are better.")]
    text: String,
}

/// Judge a password before it is chosen.
#[utoipa::path(
    tag = "sign-up", operation_id = "check_password", request_body = PasswordCheckRequest,
    responses((status = 200, description = "The opinion", body = PasswordOpinion)),
    extensions(("x-problems" = json!(["overloaded"])), ("x-limit" = json!("password_check"))),
)]
#[post("/v1/passwords/check")]
pub(super) async fn check(app: Data<App>, caller: Caller, body: Json<PasswordCheckRequest>) -> Reply {
    let language = caller.language;
    let shared = app.clone();
    // The estimate may compute for tens of milliseconds: not on a thread that serves requests, and not many at once.
    let Ok(_turn) = ESTIMATES.try_acquire() else { return Err(Problem::new(ErrorCode::Overloaded).retry_after(1)) };
    let report = web::block(move || {
        let identifiers = body.0.identifier.as_deref();
        let context = PasswordContext { identifiers: identifiers.as_slice(), display_name: None };
        shared.password_policy.check(&body.0.password, context)
    })
    .await
    .map_err(Internal::dependency)??;
    ok(&PasswordOpinion {
        acceptable: report.acceptable,
        score: report.score,
        errors: report.faults.iter().map(|fault| remark(language, "field", fault.code())).collect(),
        suggestions: report.suggestions.iter().map(|one| remark(language, "password-suggestion", one.code())).collect(),
    })
}

fn remark(language: Language, group: &str, code: &'static str) -> Remark {
    Remark { code, text: text(language, &format!("{group}-{}", code.replace('_', "-")), &[]) }
}
