//! Who is calling.
//!
//! The address is the peer's. Behind configured trusted proxies it is counted from the right of `Forwarded`
//! (RFC 7239) or `X-Forwarded-For`: each proxy wrote down whom it heard, so the walk goes on as long as the
//! writer is trusted, and stops at the first address that is not, or at anything that is not an address. Quotes
//! (`Forwarded` alone has them) are paired from the right, too: one that the caller left open hides nothing of what the
//! proxies wrote after it.

use std::future::Ready;
use std::future::ready;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

use actix_web::FromRequest;
use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::http::header::FORWARDED;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::USER_AGENT;
use actix_web::http::header::X_FORWARDED_FOR;

use crate::audit::Caller;
use crate::config::ForwardedHeader;
use crate::crypto;
use crate::http::context::HttpContext;
use crate::http::problem::Problem;
use crate::internal::Internal;
use crate::text::Language;
use crate::text::is_unseen;

const MAX_USER_AGENT_CHARS: usize = 512;

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Internal::bug("a request came past http::edge").into()))
    }
}

/// Reads the caller off a request. Its id is always ours: one that came in is the caller's invention.
pub(super) fn caller(context: &HttpContext, headers: &HeaderMap, peer: Option<SocketAddr>) -> Caller {
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let languages: Vec<_> = headers.get_all(ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok()).collect();
    Caller {
        ip: address(context, headers, peer),
        user_agent: headers.get(USER_AGENT).map(|value| printable(value.as_bytes())).unwrap_or_default(),
        request_id: crypto::new_id(context.clock.now()),
        language: Language::negotiate(&languages.join(",")),
    }
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !is_unseen(*c)).take(MAX_USER_AGENT_CHARS).collect()
}

fn address(context: &HttpContext, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    match context.forwarded_header {
        ForwardedHeader::Forwarded => walk(context, peer, &hops(headers, &FORWARDED), forwarded_for),
        ForwardedHeader::XForwardedFor => walk(context, peer, &hops(headers, &X_FORWARDED_FOR), node),
    }
}

/// The elements of a list header, the last one first; several lines are one list.
fn hops(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines: Vec<_> = headers.get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let list = lines.join(",");
    let (mut hops, mut end, mut quoted) = (Vec::new(), list.len(), false);
    for (at, c) in list.char_indices().rev() {
        quoted ^= c == '"' && *name == FORWARDED && !is_escaped(&list[..at]);
        if c == ',' && !quoted {
            hops.push(list[at + 1..end].trim().to_owned());
            end = at;
        }
    }
    hops.push(list[..end].trim().to_owned());
    hops
}

/// Whether what follows `before` inside a quoted string is escaped (RFC 9110 §5.6.4).
fn is_escaped(before: &str) -> bool {
    before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn walk(context: &HttpContext, peer: IpAddr, hops: &[String], read: fn(&str) -> Option<IpAddr>) -> IpAddr {
    let mut address = peer;
    for hop in hops {
        match read(hop).filter(|_| context.trusts(address)) {
            Some(next) => address = next,
            None => break,
        }
    }
    address
}

/// The `for` parameter of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut values = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let (value, None) = (values.next()?, values.next()) else { return None };
    node(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// An address, with or without a port, IPv6 with or without brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address =
        text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip())).or_else(bare)?;
    Some(address.to_canonical())
}

/// Whatever a caller puts before what a trusted proxy writes, the proxy is believed; and a stranger never.
#[cfg(any(test, fuzzing))]
pub fn forwarded_property(text: &str) {
    use actix_web::http::header::HeaderValue;

    let Ok(theirs) = HeaderValue::from_bytes(text.as_bytes()) else { return };
    let proxy = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    for (forwarded_header, name, written) in [
        (ForwardedHeader::XForwardedFor, X_FORWARDED_FOR, "203.0.113.9"),
        (ForwardedHeader::Forwarded, FORWARDED, "for=203.0.113.9;host=\"a, \\\"for=6.6.6.6\""),
    ] {
        let trusted_proxies = vec![ipnet::IpNet::from(proxy)];
        let context = HttpContext { trusted_proxies, forwarded_header, ..HttpContext::default() };
        let seen = |values: &[HeaderValue], peer: IpAddr| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(name.clone(), value.clone());
            }
            caller(&context, &headers, Some(SocketAddr::new(peer, 9)))
        };
        let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(seen(std::slice::from_ref(&theirs), stranger).ip, stranger, "{text}");
        let Ok(joined) = HeaderValue::from_bytes(format!("{text}, {written}").as_bytes()) else { return };
        let real = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
        assert_eq!(seen(&[joined], proxy).ip, real, "{text}");
        assert_eq!(seen(&[theirs.clone(), HeaderValue::from_static(written)], proxy).ip, real, "{text}");
    }
    let name = printable(text.as_bytes());
    assert!(!name.contains(is_unseen) && name.chars().count() <= MAX_USER_AGENT_CHARS, "{text}");
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn seen(header: ForwardedHeader, peer: &str, lines: &[(HeaderName, &str)]) -> String {
        let context = HttpContext {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            forwarded_header: header,
            ..HttpContext::default()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        caller(&context, &headers, Some(peer.parse().unwrap())).ip.to_string()
    }

    #[test]
    fn forwarded_headers_are_believed_from_trusted_proxies_only() {
        let x = |value| (X_FORWARDED_FOR, value);
        let f = |value| (FORWARDED, value);
        for (peer, lines, address) in [
            ("192.0.2.1:9", vec![x("1.1.1.1")], "192.0.2.1"),
            ("192.0.2.1:9", vec![f("for=1.1.1.1")], "192.0.2.1"),
            ("10.0.0.1:9", vec![], "10.0.0.1"),
            ("10.0.0.1:9", vec![x("1.1.1.1, 2.2.2.2")], "2.2.2.2"),
            ("10.0.0.1:9", vec![x("1.1.1.1, 2.2.2.2, 10.0.0.2")], "2.2.2.2"),
            ("10.0.0.1:9", vec![x("1.1.1.1"), x("2.2.2.2")], "2.2.2.2"),
            ("10.0.0.1:9", vec![x("10.1.1.1, 10.0.0.2")], "10.1.1.1"),
            ("10.0.0.1:9", vec![x("1.1.1.1, rubbish, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1:9", vec![x("1.1.1.1,")], "10.0.0.1"),
            ("10.0.0.1:9", vec![x("\", 2.2.2.2")], "2.2.2.2"),
            ("10.0.0.1:9", vec![f("\""), f("for=2.2.2.2;host=\"a, \\\"for=6.6.6.6\"")], "2.2.2.2"),
            ("10.0.0.1:9", vec![x("")], "10.0.0.1"),
            ("10.0.0.1:9", vec![x("2.2.2.2:1234")], "2.2.2.2"),
            ("10.0.0.1:9", vec![x("2001:db8::1")], "2001:db8::1"),
            ("10.0.0.1:9", vec![x("[2001:db8::1]")], "2001:db8::1"),
            ("10.0.0.1:9", vec![x("[2001:db8::1]:80")], "2001:db8::1"),
            ("10.0.0.1:9", vec![x("::ffff:2.2.2.2")], "2.2.2.2"),
            ("[::ffff:10.0.0.1]:9", vec![x("2.2.2.2")], "2.2.2.2"),
            ("[fd00::1]:9", vec![f("for=\"[2001:db8::1]:4711\";proto=https")], "2001:db8::1"),
            ("10.0.0.1:9", vec![f("For=1.1.1.1;by=x, proto=http;for=2.2.2.2")], "2.2.2.2"),
            ("10.0.0.1:9", vec![f("for=1.1.1.1, for=unknown")], "10.0.0.1"),
            ("10.0.0.1:9", vec![f("for=1.1.1.1, for=_hidden, for=10.0.0.9")], "10.0.0.9"),
            ("10.0.0.1:9", vec![f("for=1.1.1.1;for=2.2.2.2")], "10.0.0.1"),
            ("10.0.0.1:9", vec![f("for=\"1.1.1.1, 2.2.2.2")], "10.0.0.1"),
        ] {
            let uses_forwarded = lines.first().is_some_and(|(name, _)| *name == FORWARDED);
            let header = if uses_forwarded { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor };
            assert_eq!(seen(header, peer, &lines), address, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_header_that_the_proxies_do_not_write_is_never_read() {
        let lines = [(FORWARDED, "for=1.1.1.1"), (X_FORWARDED_FOR, "2.2.2.2")];
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "10.0.0.1:9", &lines), "2.2.2.2");
        assert_eq!(seen(ForwardedHeader::Forwarded, "10.0.0.1:9", &lines), "1.1.1.1");
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "10.0.0.1:9", &lines[..1]), "10.0.0.1");
    }

    #[test]
    fn a_user_agent_is_printable_and_short() {
        assert_eq!(printable(b"a\x1b[1mb\xff"), "a[1mb\u{fffd}");
        assert_eq!(printable(&b"x".repeat(2000)).len(), MAX_USER_AGENT_CHARS);
    }
}
