//! Recovery codes at sign-in.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::support::test;

/// security.md 34: shown once, ten of them, none twice, and stored as digests alone.
#[test]
fn ten_codes_are_shown_once() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        assert_eq!(taro.recovery_codes.iter().collect::<BTreeSet<_>>().len(), 10);
        for code in &taro.recovery_codes {
            let groups: Vec<_> = code.split('-').collect();
            assert_eq!(groups.len(), 4, "{code}");
            let readable = |c: char| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(c);
            assert!(groups.iter().all(|group| group.len() == 4 && group.chars().all(readable)), "{code}");
        }
        assert!(taro.sign_in().await.get("recovery_codes").is_none());
        assert_eq!(app.count("SELECT count(*) FROM recovery_codes WHERE length(digest) = 32").await, 10);
    });
}

/// security.md 35.
#[test]
fn a_recovery_code_signs_in_once_and_its_owner_is_told() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = &taro.recovery_codes[3];
        let first = taro.start_sign_in().await;
        let tokens = app.recovery_code(&first, code).await.ok(201);
        assert_eq!(tokens["recovery_codes_left"], 9);
        let notice = app.message_to("taro@example.jp").await;
        assert!(notice.get("code").is_none(), "{notice}");
        assert_eq!(app.count("SELECT count(*) FROM outbox WHERE kind = 'recovery_code_used_notice'").await, 1);
        let problem = app.recovery_code(&taro.start_sign_in().await, code).await.refused(422, "invalid_code");
        assert_eq!(problem["attempts_left"], 4);
        app.recovery_code(&first, &taro.recovery_codes[4]).await.refused(410, "sign_in_expired");
        assert_eq!(taro.sign_in().await["recovery_codes_left"], 9);
    });
}

/// security.md 35.
#[test]
fn somebody_elses_recovery_code_is_wrong() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let hanas = &hana.recovery_codes[0];
        app.recovery_code(&taro.start_sign_in().await, hanas).await.refused(422, "invalid_code");
        app.recovery_code(&hana.start_sign_in().await, hanas).await.ok(201);
        app.message_to("hana@example.jp").await;
    });
}

/// Case, width, hyphens and letters that look like digits do not matter.
#[test]
fn a_recovery_code_may_be_typed_as_people_type() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let wide =
            |code: &str| code.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect::<String>();
        let forms: [&dyn Fn(&str) -> String; 6] = [
            &str::to_lowercase,
            &|code| code.replace('-', ""),
            &|code| format!(" {} ", code.replace('-', " ")),
            &|code| wide(code),
            &|code| wide(&code.to_lowercase()).replace('－', "　"),
            &|code| code.replace('0', "O").replace('1', "l"),
        ];
        for (code, form) in taro.recovery_codes.iter().zip(forms) {
            app.recovery_code(&taro.start_sign_in().await, &form(code)).await.ok(201);
            app.message_to("taro@example.jp").await;
        }
        assert_eq!(taro.get("/v1/account/recovery-codes").await.ok(200)["remaining"], 4);
    });
}

#[test]
fn what_is_no_recovery_code_is_a_wrong_one() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = &taro.recovery_codes[0];
        let flow = taro.start_sign_in().await;
        let long = format!("{code}0");
        for (typed, left) in [("", 4), (&code[..18], 3), (&long, 2), ("UUUU-UUUU-UUUU-UUUU", 1), ("日本語", 0)] {
            let problem = app.recovery_code(&flow, typed).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left, "{typed}");
        }
        app.recovery_code(&flow, code).await.refused(429, "too_many_attempts");
        app.recovery_code(&taro.start_sign_in().await, code).await.ok(201);
        app.message_to("taro@example.jp").await;
    });
}

/// security.md 35: of 50 flows with one code one opens a session.
#[test]
fn a_recovery_code_opens_one_session_however_many_flows_race() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut flows = Vec::new();
        for _ in 0..50 {
            flows.push(taro.start_sign_in().await);
        }
        let code = &taro.recovery_codes[0];
        let answers = join_all(flows.iter().map(|flow| app.recovery_code(flow, code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(422, "invalid_code");
        }
        app.message_to("taro@example.jp").await;
        assert_eq!(taro.get("/v1/account/recovery-codes").await.ok(200)["remaining"], 9);
    });
}

/// Once all are used, they are no way in; the app is.
#[test]
fn used_up_codes_are_no_factor() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        for (used, code) in taro.recovery_codes.iter().enumerate() {
            let tokens = app.recovery_code(&taro.start_sign_in().await, code).await.ok(201);
            assert_eq!(tokens["recovery_codes_left"], 9 - used);
            app.message_to("taro@example.jp").await;
        }
        let flow = taro.start_sign_in().await;
        assert_eq!(flow["next"], "second_factor");
        assert_eq!(flow["factors"].as_array().unwrap().len(), 1);
        app.recovery_code(&flow, &taro.recovery_codes[0]).await.refused(422, "invalid_code");
        assert_eq!(taro.get("/v1/account").await.ok(200)["second_factor_kinds"], serde_json::json!(["totp"]));
        taro.sign_in().await;
    });
}
