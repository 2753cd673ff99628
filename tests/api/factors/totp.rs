//! Authenticator apps. The codes come from an app that shares no code with the service.

use futures_util::future::join_all;

use crate::support::Answer;
use crate::support::test;

/// security.md 27: one code, one sign-in, in this flow or any other.
#[test]
fn a_code_that_was_used_is_wrong() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let code = taro.authenticator.code(app.next_step());
        let (first, second) = (taro.start_sign_in().await, taro.start_sign_in().await);
        app.second_factor(&first, &code).await.ok(201);
        app.second_factor(&first, &code).await.refused(410, "sign_in_expired");
        let problem = app.second_factor(&second, &code).await.refused(422, "invalid_code");
        assert_eq!(problem["attempts_left"], 4);
        app.second_factor(&second, &taro.authenticator.code(app.next_step())).await.ok(201);
    });
}

/// security.md 28.
#[test]
fn the_code_of_the_enrolment_does_not_sign_in() {
    test(async |app| {
        let flow = app.sign_up("taro@example.jp").await;
        let (factor, authenticator) = app.set_up_app(&flow).await;
        let step = app.next_step();
        app.confirm_enrolment(&flow, &factor, &authenticator.code(step)).await.ok(201);
        app.message_to("taro@example.jp").await;
        let flow = app.start_sign_in("taro@example.jp", crate::support::PASSWORD).await.ok(200);
        app.second_factor(&flow, &authenticator.code(step)).await.refused(422, "invalid_code");
        app.second_factor(&flow, &authenticator.code(step - 1)).await.refused(422, "invalid_code");
        app.second_factor(&flow, &authenticator.code(step + 1)).await.ok(201);
    });
}

/// security.md 29: one step either way (RFC 6238 §5.2), and never back.
#[test]
fn codes_of_one_step_before_and_after_are_accepted_in_order() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(300);
        let now = app.next_step();
        for (step, accepted) in [(-2, false), (2, false), (-1, true), (0, true), (1, true), (0, false), (-1, false)] {
            let flow = taro.start_sign_in().await;
            let answer = app.second_factor(&flow, &taro.authenticator.code(now + step)).await;
            if accepted {
                answer.ok(201);
            } else {
                answer.refused(422, "invalid_code");
            }
        }
    });
}

/// A later step voids the ones before it, used or not.
#[test]
fn a_code_older_than_the_newest_used_one_is_wrong() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        app.advance(300);
        let now = app.next_step();
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, &taro.authenticator.code(now + 1)).await.ok(201);
        let flow = taro.start_sign_in().await;
        app.second_factor(&flow, &taro.authenticator.code(now)).await.refused(422, "invalid_code");
    });
}

/// Five wrong codes end the tries of a flow; a new sign-in starts anew.
#[test]
fn after_five_wrong_codes_the_right_one_does_not_count() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        for (typed, left) in [("", 4), ("12345", 3), ("abcdef", 2), ("1234567", 1), ("٠١٢٣٤٥", 0)] {
            let problem = app.second_factor(&flow, typed).await.refused(422, "invalid_code");
            assert_eq!(problem["attempts_left"], left, "{typed}");
        }
        let code = app.totp(&taro.factor).await;
        app.second_factor(&flow, &code).await.refused(429, "too_many_attempts");
        app.recovery_code(&flow, &taro.recovery_codes[0]).await.refused(429, "too_many_attempts");
        app.second_factor(&taro.start_sign_in().await, &code).await.ok(201);
    });
}

#[test]
fn a_code_may_be_typed_as_people_type() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let wide =
            |code: &str| code.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect::<String>();
        let forms: [&dyn Fn(&str) -> String; 4] = [
            &wide,
            &|code| format!("{} {}", &code[..3], &code[3..]),
            &|code| format!("{}　{}", wide(&code[..3]), wide(&code[3..])),
            &|code| format!(" {}-{} ", &code[..3], &code[3..]),
        ];
        for form in forms {
            let code = taro.authenticator.code(app.next_step());
            app.second_factor(&taro.start_sign_in().await, &form(&code)).await.ok(201);
        }
    });
}

/// security.md 31: the app of one person is nothing to another.
#[test]
fn the_code_of_somebody_elses_app_is_wrong() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let hana = app.person("hana@example.jp").await;
        let step = app.next_step();
        let hanas = hana.authenticator.code(step);
        app.second_factor(&taro.start_sign_in().await, &hanas).await.refused(422, "invalid_code");
        app.second_factor(&hana.start_sign_in().await, &hanas).await.ok(201);
        app.second_factor(&taro.start_sign_in().await, &taro.authenticator.code(step)).await.ok(201);
    });
}

/// security.md 27: of 50 flows with one code one opens a session.
#[test]
fn a_code_opens_one_session_however_many_flows_race() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let mut flows = Vec::new();
        for _ in 0..50 {
            flows.push(taro.start_sign_in().await);
        }
        let code = taro.authenticator.code(app.next_step());
        let answers = join_all(flows.iter().map(|flow| app.second_factor(flow, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.refused(422, "invalid_code")["attempts_left"], 4);
        }
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 2);
    });
}

/// A step that answers tokens is strictly once: of 50 uses of one flow one opens a session.
#[test]
fn a_flow_opens_one_session_however_many_race() {
    test(async |app| {
        let taro = app.person("taro@example.jp").await;
        let flow = taro.start_sign_in().await;
        let code = taro.authenticator.code(app.next_step());
        let answers = join_all((0..50).map(|_| app.second_factor(&flow, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        Answer::all(&answers, &[201, 410, 422, 429]);
        assert_eq!(app.count("SELECT count(*) FROM sessions").await, 2);
    });
}
