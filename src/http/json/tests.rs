use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Channel {
    Email,
    Sms,
}

#[derive(Debug, Deserialize)]
struct Inner {
    count: u8,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its reading is looked at")]
struct Body {
    identifier: String,
    password: Option<String>,
    channel: Option<Channel>,
    inner: Option<Inner>,
    list: Option<Vec<String>>,
    id: Option<uuid::Uuid>,
    flag: Option<bool>,
    open: Option<serde_json::Value>,
}

fn refusal(text: impl AsRef<[u8]>) -> (ErrorCode, FieldCode, String) {
    let problem = parse::<Body>(text.as_ref()).expect_err("must be refused");
    let fault = &problem.parts().faults[0];
    let crate::http::problem::Place::Pointer(pointer) = &fault.place else { panic!("no pointer") };
    (problem.code(), fault.code, pointer.clone())
}

#[test]
fn a_body_that_fits_is_read() {
    let body: Body = parse(
        br#"{"identifier":"a","password":"\u200b\u0007","channel":"sms","inner":{"count":5.0},"list":["x"],
             "id":"01890a5d-ac96-774b-bcce-b302099a8057","flag":true,"open":{"a":[1,-1,1.5]}}"#,
    )
    .unwrap();
    assert!(matches!(body.channel, Some(Channel::Sms)));
    assert_eq!(body.inner.unwrap().count, 5);
    assert_eq!(body.password.unwrap(), "\u{200b}\u{7}");
}

#[test]
fn what_is_not_json_is_malformed() {
    use FieldCode::*;
    for (text, code, pointer) in [
        ("", Malformed, ""),
        (" ", Malformed, ""),
        ("{", Malformed, ""),
        ("{}x", Malformed, ""),
        ("\u{feff}{}", Malformed, ""),
        (r#"{"identifier":NaN}"#, Malformed, "/identifier"),
        (r#"{"identifier":1e999}"#, Malformed, "/identifier"),
        (r#"{"identifier":"\ud800"}"#, Malformed, "/identifier"),
        (r#"{"identifier":"\udc00\ud800"}"#, Malformed, "/identifier"),
        (r#"{"list":["a","\u0000"]}"#, Malformed, "/list/1"),
        (r#"{"inner":{"x":null}}"#, NullNotAllowed, "/inner/x"),
        ("null", NullNotAllowed, ""),
        (r#"{"a/b~":1,"a/b~":2}"#, Duplicate, "/a~1b~0"),
        (r#"{"open":{"a":1,"\u0061":1}}"#, Duplicate, "/open/a"),
        ("[]", WrongType, ""),
        ("3", WrongType, ""),
        (r#"{"identifier":1}"#, WrongType, "/identifier"),
        (r#"{"list":{}}"#, WrongType, "/list"),
        (r#"{"list":["a",1]}"#, WrongType, "/list/1"),
        (r#"{"inner":{"count":"1"}}"#, WrongType, "/inner/count"),
        (r#"{"inner":{"count":1.5}}"#, WrongType, "/inner/count"),
        (r#"{"inner":[1]}"#, WrongType, "/inner"),
        (r#"{"flag":"true"}"#, WrongType, "/flag"),
        (r#"{"channel":{"email":1}}"#, WrongType, "/channel"),
    ] {
        assert_eq!(refusal(text), (ErrorCode::MalformedRequest, code, pointer.to_owned()), "{text}");
    }
    assert_eq!(refusal(b"{\"identifier\":\"\xff\"}").0, ErrorCode::MalformedRequest);
}

#[test]
fn a_null_inside_of_a_credential_counts_as_absent_and_nowhere_else() {
    #[derive(Deserialize)]
    struct WithCredential {
        credential: serde_json::Value,
    }
    let read = |text: &str| parse::<WithCredential>(text.as_bytes());
    let body =
        read(r#"{"credential":{"a":null,"response":{"userHandle":null,"x":1},"list":[{"y":null}]}}"#).ok().unwrap();
    assert_eq!(body.credential, serde_json::json!({ "response": { "x": 1 }, "list": [{}] }));
    for text in [
        r#"{"credential":null}"#,
        r#"{"credential":{"list":[null]}}"#,
        r#"{"x":{"credential":{"a":null}}}"#,
        r#"{"credential":{},"other":{"a":null}}"#,
        r#"{"credential":{"a":null,"a":null}}"#,
        r#"[{"credential":{"a":null}}]"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn an_unknown_member_is_named() {
    for (text, pointer) in [(r#"{"x":1}"#, "/x"), (r#"{"identifier":"a","inner":{"count":1,"y":2}}"#, "/inner/y")] {
        assert_eq!(refusal(text), (ErrorCode::UnsupportedField, FieldCode::Unsupported, pointer.to_owned()), "{text}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_pointed_at() {
    use FieldCode::*;
    for (text, code, pointer) in [
        ("{}", Required, "/identifier"),
        (r#"{"inner":{}}"#, Required, "/inner/count"),
        (r#"{"channel":"fax"}"#, UnknownValue, "/channel"),
        (r#"{"inner":{"count":256}}"#, OutOfRange, "/inner/count"),
        (r#"{"inner":{"count":-1}}"#, OutOfRange, "/inner/count"),
        (r#"{"inner":{"count":1e30}}"#, OutOfRange, "/inner/count"),
        (r#"{"id":"no"}"#, InvalidFormat, "/id"),
        (r#"{"identifier":"a\u202eb"}"#, InvalidCharacters, "/identifier"),
        (r#"{"identifier":"a\u200bb"}"#, InvalidCharacters, "/identifier"),
        (r#"{"list":["\u0085"]}"#, InvalidCharacters, "/list/0"),
        (r#"{"open":{"a":"\ufeff"}}"#, InvalidCharacters, "/open/a"),
    ] {
        assert_eq!(refusal(text), (ErrorCode::InvalidFields, code, pointer.to_owned()), "{text}");
    }
}

#[test]
fn depth_is_bounded_and_hostile_bodies_are_refused() {
    let nested = |depth: usize| format!(r#"{{"open":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(refusal(nested(31)).1, FieldCode::Required);
    assert_eq!(refusal(nested(32)).1, FieldCode::TooDeep);
    let many = (0..2000).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",");
    for body in [nested(8000), "[".repeat(16_000), format!("{{{many},\"0\":1}}"), format!("[{}1]", "1,".repeat(8000))] {
        refusal(&body);
    }
    assert!(refusal(format!(r#"{{"{}":1}}"#, "n".repeat(10_000))).2.len() < 200);
}
