//! The pages.

use actix_web::get;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LANGUAGE;
use actix_web::http::header::HeaderValue;
use actix_web::web;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::Caller;
use crate::http::Block;
use crate::http::ErrorCode;
use crate::http::FieldCode;
use crate::http::Problem;
use crate::http::Query;
use crate::http::Reply;
use crate::http::page;
use crate::http::text_id;
use crate::text::Language;
use crate::text::text;

/// Adds the pages.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show_problem);
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// The language of the page; the browser's when left out.
    #[param(example = "en")]
    lang: Option<String>,
}

/// What a problem means and what to do.
#[utoipa::path(
    tag = "help", operation_id = "show_problem_help",
    params(("code" = String, Path, description = "A problem's `code`", example = "invalid_code"), PageQuery),
    responses((
        status = 200, description = "A page", body = String, content_type = "text/html",
        example = json!("<!doctype html><html lang=\"en\"><head><title>The code is not right</title></head></html>")
    )),
)]
#[get("/help/problems/{code}")]
async fn show_problem(code: web::Path<String>, caller: Caller, query: Query<PageQuery>) -> Reply {
    let code = ErrorCode::parse(&code).ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
    let unsupported = || Problem::new(ErrorCode::InvalidFields).parameter_fault("lang", FieldCode::UnsupportedLocale);
    let language =
        query.0.lang.as_deref().map_or(Ok(caller.language), |tag| Language::parse(tag).ok_or_else(unsupported))?;
    let id = text_id(code);
    let part = |part: &str| text(language, &format!("{id}.{part}"), &[]);
    let status = text(language, "page-code", &[("code", code.code()), ("status", code.status().as_str())]);
    let mut answer = page(StatusCode::OK, language, &part("title"), &[Block::Text(part("help")), Block::Note(status)]);
    answer.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    Ok(answer)
}
