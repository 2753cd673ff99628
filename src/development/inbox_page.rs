//! The inbox for people.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::http::Block;
use crate::http::Items;
use crate::http::page_of;
use crate::messages::InboxItem;
use crate::text::Language;
use crate::text::text;

pub(super) fn show(items: &Items<InboxItem>, language: Language) -> HttpResponse {
    let say = |id| text(language, id, &[]);
    let mut blocks = vec![Block::Text(say("inbox-intro")), Block::Link("/dev/inbox".to_owned(), say("inbox-reload"))];
    if items.items.is_empty() {
        blocks.push(Block::Text(say("inbox-empty")));
    }
    for item in &items.items {
        let at = item.at.format("%Y-%m-%d %H:%M:%S UTC");
        blocks.push(Block::Heading(item.subject.clone()));
        blocks.push(Block::Note(format!("{} · {} · {at}", item.channel.name(), item.to)));
        blocks.extend(item.code.clone().map(Block::Code));
        blocks.push(Block::Quote(item.text.clone()));
    }
    page_of(&say("inbox-site"), StatusCode::OK, language, &say("inbox-title"), &blocks)
}
