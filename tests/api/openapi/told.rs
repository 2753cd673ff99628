//! What the document tells that follows from the source: names, open sets, what any body can be refused with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reqwest::Method;
use sekisho::audit::EventKind;
use sekisho::config::Mode;
use sekisho::http::ErrorCode;
use sekisho::http::FieldCode;
use sekisho::http::HINTS;

use super::ID;
use super::PUBLIC;
use super::id;
use super::of;
use super::operations;
use crate::support::test;

/// Name → files, of every type with a schema. What is made for unit tests alone is left out.
fn schemas(folder: &Path, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            schemas(&path, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let derives =
            text.split("#[derive(").skip(1).filter(|rest| rest.split(')').next().unwrap().contains("ToSchema"));
        for rest in derives {
            let lines = rest.lines().map(str::trim).take_while(|line| !line.is_empty());
            let mut items = lines.clone().filter(|line| !line.starts_with(['#', '/']));
            let name = items.find_map(|line| line.split_once("struct ").or(line.split_once("enum ")));
            let renamed = lines.clone().find_map(|line| line.strip_prefix("#[schema(as = ")?.split([')', ',']).next());
            let name =
                renamed.or(name.map(|(_, name)| name)).unwrap_or_else(|| panic!("{}: {rest:.80}", path.display()));
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            found.entry(name.to_owned()).or_default().push(path.display().to_string());
        }
    }
}

/// One of two schemas of one name would stand for both.
#[test]
fn no_two_schemas_share_a_name() {
    let mut found = BTreeMap::new();
    schemas(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 80, "{}", found.len());
    assert!(found.contains_key("Problem") && found.contains_key("InspectRecoveryRequest"));
    let shared: Vec<_> = found.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

/// Generators must not make enums of what may grow, so what is known is told in words.
#[test]
fn open_sets_are_strings_with_their_known_values_in_words() {
    let document = of(Mode::Production);
    let told = |schema: &str, member: &str| {
        let member = &document["components"]["schemas"][schema]["properties"][member];
        assert_eq!((&member["type"], member.get("enum")), (&"string".into(), None), "{schema}");
        member["description"].as_str().unwrap().to_owned()
    };
    let all = |words: &str, codes: &mut dyn Iterator<Item = &'static str>| {
        codes.for_each(|code| assert!(words.contains(&format!("`{code}`")), "{code}: {words}"));
    };
    all(&told("Problem", "code"), &mut ErrorCode::ALL.iter().map(|code| code.code()));
    all(&told("ProblemFault", "code"), &mut FieldCode::ALL.iter().map(|code| code.code()));
    all(&told("ProblemHint", "code"), &mut HINTS.into_iter());
    let events = told("AccountEvent", "kind");
    all(&events, &mut ["signed_in", "password_reset", "limits_reset", EventKind::MergeBegun.name()].into_iter());
    for kind in ["sign_up_started", "accounts_exported", "signing_key_made", "message_retried"] {
        assert!(!events.contains(kind), "{kind} is of no account");
    }
    let text = document.to_string();
    assert_eq!(
        text.matches("What happened; open set.").count(),
        text.matches("What happened; open set. Known").count()
    );
    assert!(!text.contains("x-open-set"));
    assert!(document["info"]["description"].as_str().unwrap().contains("text/html"));
}

/// `src/accounts/one_proof.rs`: every operation that can be told so tells of it.
#[test]
fn what_carried_a_reset_is_documented_where_it_is_refused() {
    let document = of(Mode::Production);
    let tell: Vec<_> = operations(&document)
        .into_iter()
        .filter(|(_, _, one)| one["x-problems"].as_array().unwrap().contains(&"factor_carried_reset".into()))
        .map(|(_, _, one)| id(one).to_owned())
        .collect();
    let expected =
        ["reauthenticate", "send_reauthentication_code", "send_factor_code", "start_enrolment", "complete_sign_in"];
    assert_eq!(tell, expected);
}

/// A body that may be left out is read all the same.
#[test]
fn every_post_refuses_what_is_no_json_as_it_documents() {
    test(async |app| {
        let person = app.person("taro@example.jp").await;
        let document = of(Mode::Production);
        let posts = operations(&document).into_iter().filter(|(method, ..)| method == "POST");
        for (_, path, operation) in posts {
            for status in ["413", "415"] {
                assert!(operation["responses"].get(status).is_some(), "{path} {status}");
            }
            if PUBLIC.contains(&id(operation)) {
                continue;
            }
            let request = app.request(Method::POST, &path.replace("{id}", ID)).bearer_auth(person.access());
            let large = request.try_clone().unwrap().json(&"x".repeat(20_000));
            app.send(large).await.refused(413, "body_too_large");
            let text = request.header("content-type", "text/plain").body("x");
            app.send(text).await.refused(415, "unsupported_media_type");
        }
    });
}

/// What need not be sent is not demanded by the document either.
#[test]
fn a_body_without_a_member_that_is_needed_may_be_left_out() {
    let document = of(Mode::Production);
    for (path, schema) in [
        ("/v1/passkey-sign-ins/options", "PasskeySignInOptionsRequest"),
        ("/v1/sessions/refresh", "RefreshRequest"),
        ("/v1/sessions/sign-out", "SignOutRequest"),
        ("/v1/account/identifiers/{id}/resend", "IdentifierResend"),
    ] {
        let body = &document["paths"][path]["post"]["requestBody"];
        assert_ne!(body["required"], true, "{path}");
        let reference = format!("#/components/schemas/{schema}");
        assert_eq!(body["content"]["application/json"]["schema"]["$ref"], reference, "{path}");
    }
}
