//! `src/help`.

use reqwest::Method;
use sekisho::http::ErrorCode;

use crate::support::test;

#[test]
fn every_code_has_a_page_for_people() {
    test(async |app| {
        for code in ErrorCode::ALL {
            let answer = app.get(&format!("/help/problems/{}", code.code())).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
            let page = answer.body.as_str().unwrap();
            assert!(page.contains("<h1>") && page.contains(code.code()) && page.contains("lang=\"en\""), "{page}");
            assert!(!page.contains("problem-"), "a text is missing: {page}");
        }
    });
}

#[test]
fn an_unknown_code_or_language_is_refused() {
    test(async |app| {
        app.get("/help/problems/no_such_code").await.refused(404, "not_found");
        app.get("/help/problems/Not_Found").await.refused(404, "not_found");
        app.get("/help/problems").await.refused(404, "not_found");
        app.get("/help/problems/not_found?lang=tlh").await.faults(&["lang unsupported_locale"]);
        app.get("/help/problems/not_found?language=en").await.refused(400, "unsupported_field");
    });
}

#[test]
fn the_language_is_the_named_one_or_the_browsers() {
    test(async |app| {
        for (path, wish) in [("?lang=en", "ja"), ("", "en-GB"), ("", "tlh")] {
            let request = app.request(Method::GET, &format!("/help/problems/not_found{path}"));
            let answer = app.send(request.header("accept-language", wish)).await;
            assert_eq!((answer.status, answer.header("content-language")), (200, "en"));
            assert!(answer.body.as_str().unwrap().contains("<html lang=\"en\">"));
        }
    });
}

#[test]
fn the_type_of_a_problem_opens_its_page() {
    test(async |app| {
        let problem = app.get("/v1/account").await.refused(401, "access_token_missing");
        let path = problem["type"].as_str().unwrap().strip_prefix(&app.url).unwrap();
        let page = app.get(path).await.ok(200);
        assert!(page.as_str().unwrap().contains(problem["title"].as_str().unwrap()), "{page}");
    });
}
