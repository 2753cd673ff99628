//! The document for people: Swagger UI from the binary itself, without anything from elsewhere.
//!
//! The page may load its own files and call this service, nothing else.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web;
use actix_web::web::Data;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::ErrorCode;
use crate::http::HttpContext;
use crate::http::Problem;
use crate::http::Reply;
use crate::internal::Internal;

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sekisho API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
<style>
body { margin: 0 }
.swagger-ui .info { margin: 2rem 0 }
.swagger-ui .scheme-container { padding: 1rem 0 }
.swagger-ui .response-col_links { display: none }
</style>
</head>
<body>
<main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = r##"const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.onchange = paint;
paint();
window.onload = () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: "none",
  });
};
"##;

/// The files of Swagger UI that the page needs; the others are not served.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// Adds `/docs`, which is not part of the document.
pub fn docs(config: &mut ServiceConfig<'_>) {
    config.route("/docs", web::get().to(page));
    config.route("/docs/{file}", web::get().to(file));
}

async fn page(context: Data<HttpContext>) -> HttpResponse {
    // Swagger UI styles its elements in place; its script runs from its own file alone.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self' {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        context.issuer
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(PAGE)
}

async fn file(name: web::Path<String>) -> Reply {
    if *name == "start.js" {
        return Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/javascript")).body(START));
    }
    if !FILES.contains(&name.as_str()) {
        return Err(Problem::new(ErrorCode::NotFound));
    }
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(&name, config).map_err(|error| Internal::bug(error.to_string()))?;
    let file = file.ok_or_else(|| Internal::bug(format!("Swagger UI lacks {name}")))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, file.content_type));
    if file.gzpipped {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.body(file.bytes.into_owned()))
}
