//! What every request and answer has.

use super::*;

#[test]
fn a_preflight_needs_nobody() {
    let world = Made::new().set("allowed_origins", "https://app.example");
    let response = ask("OPTIONS", HERE).with("origin", "https://app.example").send(&world, Door::User);
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    assert_eq!(header(&response, "access-control-allow-origin"), "https://app.example");
    assert!(header(&response, "access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(header(&response, "content-length"), "0");
    let other = ask("OPTIONS", HERE).with("origin", "https://evil.example").send(&world, Door::User);
    assert_eq!(header(&other, "access-control-allow-origin"), "");
    assert_eq!(header(&other, "vary"), "Origin");
}

#[test]
fn errors_carry_the_same_headers_as_answers() {
    let world = Made::new().set("allowed_origins", "https://app.example");
    let response = ask("GET", HERE)
        .with("origin", "https://app.example")
        .with("x-request-id", "mine-1")
        .send(&world, Door::User);
    assert_eq!(response.status(), 401);
    assert_eq!(header(&response, "access-control-allow-origin"), "https://app.example");
    assert!(header(&response, "access-control-expose-headers").contains("retry-after"));
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "x-request-id"), "mine-1");
    assert_eq!(json_of(&response)["request_id"], "mine-1");
}

#[test]
fn a_request_id_that_is_none_is_replaced() {
    for id in ["", "two words", &"x".repeat(129), "a\"b"] {
        let response = ask("GET", HERE).with("x-request-id", id).send(&Made::new(), Door::None);
        assert_eq!(header(&response, "x-request-id"), "07070707-0707-4707-8707-070707070707");
    }
}

#[test]
fn methods_that_are_not_there_are_named() {
    for method in ["TRACE", "PROPFIND", "CONNECT"] {
        let response = ask(method, HERE).send(&Made::new(), Door::None);
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
    }
    let head = ask("HEAD", HERE).send(&Made::new(), Door::None);
    assert_eq!(
        (head.status().as_u16(), header(&head, "content-length")),
        (200, head.body().len().to_string().as_str())
    );
}

#[test]
fn the_query_and_the_path_come_along() {
    let response = ask("GET", "https://host/functions/v1/echo/a%20b/c?ids=1,2&ids=3&forceFunctionRegion=x")
        .send(&Made::new(), Door::None);
    assert_eq!(
        json_of(&response),
        json!({"caller": "anonymous", "name": null, "ids": [1, 2, 3], "path": ["a b", "c"]})
    );
    assert_eq!(ask("GET", "https://host/functions/v1/echo//x").send(&Made::new(), Door::None).status(), 404);
}

#[test]
fn wrong_input_is_refused_before_anything_is_done() {
    let world = Made::new();
    for (body, status) in
        [("{", 400), (r#"{"user_id":"x"}"#, 422), (r#"{"name":7}"#, 422), (r#"{"name":"a","name":"b"}"#, 400)]
    {
        let response =
            ask("POST", HERE).by_user().with("idempotency-key", "k").body(body).send(&world, Door::User);
        assert_eq!(response.status(), status, "{body}");
    }
    assert!(world.kept.borrow().is_empty());
}

#[test]
fn a_body_over_the_cap_is_refused_with_and_without_a_length() {
    let world = Made::new().set("max_body_bytes", "10");
    assert_eq!(ask("POST", HERE).body("          ").send(&world, Door::None).status(), 200);
    assert_eq!(ask("POST", HERE).body("           ").send(&world, Door::None).status(), 413);
    let announced = ask("POST", HERE).with("content-length", "99999999999").body("{}");
    assert_eq!(announced.send(&world, Door::None).status(), 413);
}

#[test]
fn a_removal_answers_with_nothing() {
    let response = ask("DELETE", HERE).by_user().send(&Made::new(), Door::User);
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    assert_eq!(header(&response, "content-length"), "0");
    let system = ask("DELETE", HERE).with("apikey", KEY).send(&Made::new(), Door::UserOrSecret);
    assert_eq!(system.status(), 403);
}

#[test]
fn a_signed_message_is_handed_over_as_it_came() {
    let mut routes = Routes::default();
    routes.add(Method::POST, delivered);
    let asked = ask("POST", "https://host/functions/v1/webhook-receive/7")
        .with("x-signature", "s")
        .body(b"\xff not json".to_vec());
    let response = asked.send_to(&Made::new(), Door::Signature, routes);
    assert_eq!(json_of(&response), json!({"bytes": 10, "signature": true}));
}
