//! What representation a caller wants (RFC 9110 §12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use actix_web::http::header::HeaderMap;

/// The representations of a problem; either counts as JSON.
const JSON: [&str; 2] = ["application/json", "application/problem+json"];

/// The wishes of an `Accept` header.
pub(super) struct Accept(Vec<(String, f32)>);

impl Accept {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Self(ranges.take(40).filter_map(range).collect())
    }

    /// Whether any of these media types, or JSON, will do. Who says nothing takes anything.
    pub(super) fn allows(&self, media_types: &[String]) -> bool {
        let offered = media_types.iter().map(String::as_str).chain(JSON);
        self.0.is_empty() || offered.into_iter().any(|media_type| self.weight(media_type) > 0.0)
    }

    /// Whether a page is wanted rather than JSON.
    pub(super) fn prefers_html(&self) -> bool {
        let json = JSON.iter().map(|media_type| self.weight(media_type)).fold(0.0, f32::max);
        self.weight("text/html") > json
    }

    /// The weight of the most exact range that covers the media type.
    fn weight(&self, media_type: &str) -> f32 {
        let family = media_type.split('/').next().unwrap_or_default();
        let of = |range: &str| self.0.iter().find(|(known, _)| known == range).map(|(_, weight)| *weight);
        of(media_type).or_else(|| of(&format!("{family}/*"))).or_else(|| of("*/*")).unwrap_or(0.0)
    }
}

fn range(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let media_range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((media_range, weight.map_or(Some(1.0), |weight| weight.parse().ok().filter(|q| (0.0..=1.0).contains(q)))?))
}

/// Whether a request would rather have a page than JSON.
pub fn prefers_html(request: &HttpRequest) -> bool {
    Accept::of(request.headers()).prefers_html()
}

/// Every wish has a weight that the RFC allows.
#[cfg(any(test, fuzzing))]
pub fn accept_property(header: &str) {
    let Ok(value) = header.parse() else { return };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, value);
    let accept = Accept::of(&headers);
    assert!(accept.0.iter().all(|(_, weight)| (0.0..=1.0).contains(weight)), "{header}");
    assert!(!accept.prefers_html() || accept.allows(&["text/html".to_owned()]), "{header}");
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn accept_is_read_as_the_rfc_says() {
        for (header, json, html) in [
            ("", true, false),
            ("*/*", true, false),
            ("application/json", true, false),
            ("application/*;q=0.1", true, false),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true, true),
            ("text/html, application/json", true, false),
            ("text/html", false, true),
            ("application/json;q=0, application/problem+json;q=0, */*", false, true),
            ("image/png", false, false),
            ("rubbish", true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(header));
            let accept = Accept::of(&headers);
            assert_eq!((accept.allows(&[]), accept.prefers_html()), (json, html), "{header}");
        }
    }
}
