//! Pages for people: problems in a browser and the help centre.
//!
//! A page is one file: its style stands in it and is allowed by its hash, and nothing else may load.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::header::REFERRER_POLICY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::crypto;
use crate::text::Language;
use crate::text::escape;
use crate::text::text;

const STYLE: &str = include_str!("page.css");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// One paragraph or list of a page.
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A list; an entry is a name (or nothing) and what is said about it.
    List(Vec<(String, String)>),
    /// A heading below the page's own.
    Heading(String),
    /// Words as they stand, lines kept.
    Quote(String),
    /// A code to be copied.
    Code(String),
    /// A smaller line about what stands around it.
    Note(String),
    /// A link with its words.
    Link(String, String),
}

/// A page of the help for people who sign in; everything is escaped here.
pub fn page(status: StatusCode, language: Language, heading: &str, blocks: &[Block]) -> HttpResponse {
    page_of(&text(language, "page-name", &[]), status, language, heading, blocks)
}

/// A page with the name of what it belongs to and a heading.
pub fn page_of(name: &str, status: StatusCode, language: Language, heading: &str, blocks: &[Block]) -> HttpResponse {
    let blocks: String = blocks.iter().map(block).collect();
    let (tag, heading, name) = (language.tag(), escape(heading), escape(name));
    let html = format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{heading} · {name}</title>\
         <style>{STYLE}</style></head><body><header>{name}</header><main><h1>{heading}</h1>{blocks}</main></body>\
         </html>\n"
    );
    HttpResponseBuilder::new(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(html)
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(words) => format!("<p>{}</p>", escape(words)),
        Block::Heading(words) => format!("<h2>{}</h2>", escape(words)),
        Block::Quote(words) => format!("<pre>{}</pre>", escape(words)),
        Block::Code(words) => format!("<p><strong>{}</strong></p>", escape(words)),
        Block::Note(words) => format!("<p><small>{}</small></p>", escape(words)),
        Block::Link(address, words) => format!("<p><a href=\"{}\">{}</a></p>", escape(address), escape(words)),
        Block::List(entries) => format!("<ul>{}</ul>", entries.iter().map(entry).collect::<String>()),
    }
}

fn entry((name, words): &(String, String)) -> String {
    let name = if name.is_empty() { String::new() } else { format!("<code>{}</code> ", escape(name)) };
    format!("<li>{name}{}</li>", escape(words))
}
