//! What pages are told of passkeys, and where there are none.

use serde_json::json;

use crate::support::test;
use crate::support::test_with;

#[test]
fn pages_learn_the_domain_and_browsers_the_pages() {
    test(async |app| {
        let shown = app.get("/v1/configuration").await.ok(200);
        assert_eq!(shown["passkey_rp_id"], "localhost");
        assert_eq!(shown["factor_kinds"], json!(["totp", "phone", "passkey"]));
        let answer = app.get("/.well-known/webauthn").await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.ok(200), json!({ "origins": [app.url] }));
    });
}

/// WebAuthn knows domains alone: a service that is reached by its address offers what it can.
#[test]
fn without_a_domain_there_are_no_passkeys() {
    let settings = [("service.issuer", "http://127.0.0.1:8080"), ("client.origins", "http://127.0.0.1:8080")];
    test_with(&settings, async |app| {
        let shown = app.get("/v1/configuration").await.ok(200);
        assert!(shown.get("passkey_rp_id").is_none());
        assert_eq!(shown["factor_kinds"], json!(["totp", "phone"]));
        let flow = app.sign_up("taro@example.jp").await;
        assert_eq!(flow["enrollable"], json!(["totp", "phone"]));
        let body = json!({ "sign_in_token": flow["sign_in_token"], "kind": "passkey" });
        app.post("/v1/sign-ins/enrolments", &body).await.faults(&["/kind not_supported"]);
        app.post("/v1/passkey-sign-ins/options", &json!({})).await.refused(404, "not_found");
    });
}
