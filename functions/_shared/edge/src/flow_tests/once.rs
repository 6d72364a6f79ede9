//! Idempotency keys, deadlines and defects.

use super::*;

#[test]
fn the_same_key_does_the_work_once_and_for_one_caller_only() {
    let world = Made::new();
    let put = |body: &'static str| ask("PUT", HERE).by_user().with("idempotency-key", "k-1").body(body);
    let first = put("{}").send(&world, Door::UserOrSecret);
    assert_eq!((first.status().as_u16(), header(&first, "idempotent-replayed")), (202, ""));
    let again = put(" {} ").send(&world, Door::UserOrSecret);
    assert_eq!((again.status().as_u16(), header(&again, "idempotent-replayed")), (202, "true"));
    assert_eq!(again.body(), first.body());
    assert_eq!(header(&again, "location"), header(&first, "location"));
    assert_eq!(put(r#"{"name":"x"}"#).send(&world, Door::UserOrSecret).status(), 422);
    let other = ask("PUT", HERE).with("apikey", KEY).with("idempotency-key", "k-1").body(r#"{"name":"x"}"#);
    assert_eq!(header(&other.send(&world, Door::UserOrSecret), "idempotent-replayed"), "");
    assert_eq!(
        ask("PUT", HERE).by_user().with("idempotency-key", "a b").send(&world, Door::User).status(),
        400
    );
}

#[test]
fn a_key_whose_request_is_at_work_is_asked_to_wait() {
    let world = Made::new();
    let put = || ask("PUT", HERE).by_user().with("idempotency-key", "k-1").send(&world, Door::User);
    put();
    for kept in world.kept.borrow_mut().values_mut() {
        kept.1 = None;
    }
    let response = put();
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (409, "3"));
}

#[test]
fn at_the_open_door_keys_are_not_looked_at() {
    let world = Made::new();
    assert_eq!(ask("POST", HERE).with("idempotency-key", "a b").send(&world, Door::None).status(), 200);
    assert!(world.kept.borrow().is_empty());
}

#[test]
fn a_defect_is_logged_and_not_told() {
    let world = Made::new();
    let response = ask("PATCH", HERE).send(&world, Door::None);
    assert_eq!(response.status(), 500);
    assert!(!json_of(&response).to_string().contains("canary"));
    let line = world.line();
    assert_eq!((&line["level"], &line["code"]), (&json!("error"), &json!("internal")));
    assert!(line["cause"].as_str().unwrap().contains("canary"));
}

#[test]
fn what_takes_too_long_is_cut_off_and_may_be_tried_again() {
    let world = Made { in_time: false, ..Made::new() };
    let mut routes = Routes::default();
    routes.add(Method::POST, endless);
    let response =
        ask("POST", HERE).by_user().with("idempotency-key", "k").send_to(&world, Door::User, routes);
    assert_eq!(response.status(), 503);
    assert!(!header(&response, "retry-after").is_empty());
    assert!(world.kept.borrow().is_empty());
    assert_eq!(world.line()["cause"], "the deadline passed");
}
