//! Who is let in.

use super::*;

#[test]
fn a_user_is_let_in_and_answered() {
    let world = Made::new();
    let response = ask("POST", HERE).by_user().body(r#"{"name":"chair"}"#).send(&world, Door::User);
    assert_eq!(response.status(), 200);
    assert_eq!(json_of(&response), json!({"caller": USER, "name": "chair", "ids": [], "path": []}));
    assert_eq!(header(&response, "content-type"), "application/json");
    assert_eq!(header(&response, "content-length"), response.body().len().to_string());
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
    assert_eq!(header(&response, "x-request-id"), "07070707-0707-4707-8707-070707070707");
    let line = world.line();
    assert_eq!(
        (&line["function"], &line["caller"], &line["status"]),
        (&json!("edge"), &json!("user"), &json!(200))
    );
}

#[test]
fn each_door_lets_in_whom_it_should() {
    let user = token(&json!({}));
    let nobody: &[(&str, &str)] = &[];
    let bearer = format!("Bearer {user}");
    let as_user: &[(&str, &str)] = &[("authorization", &bearer)];
    let as_both: &[(&str, &str)] = &[("authorization", &bearer), ("apikey", KEY)];
    let as_system: &[(&str, &str)] = &[("apikey", KEY)];
    let publishable: &[(&str, &str)] = &[("apikey", "sb_publishable_0123456789abcdef")];
    let bad_token: &[(&str, &str)] = &[("authorization", "Bearer x.y.z"), ("apikey", KEY)];
    let key_as_token: &[(&str, &str)] = &[("authorization", "Bearer sb_secret_0123456789abcdefghijkl")];
    let twice: &[(&str, &str)] = &[("apikey", KEY), ("apikey", KEY)];
    let basic: &[(&str, &str)] = &[("authorization", "Basic eDp5"), ("apikey", KEY)];
    let lower: &[(&str, &str)] = &[("authorization", "bearer x")];
    for (shown, none, of_user, of_secret, of_both) in [
        (nobody, 200, 401, 401, 401),
        (as_user, 200, 200, 403, 200),
        (as_both, 200, 200, 200, 200),
        (as_system, 200, 401, 200, 200),
        (publishable, 200, 401, 401, 401),
        (bad_token, 200, 401, 401, 401),
        (key_as_token, 200, 401, 401, 401),
        (twice, 200, 401, 401, 401),
        (basic, 200, 401, 401, 401),
        (lower, 200, 401, 401, 401),
    ] {
        for (door, expected) in [
            (Door::None, none),
            (Door::User, of_user),
            (Door::Secret, of_secret),
            (Door::UserOrSecret, of_both),
        ] {
            let world = Made::new();
            let asked = shown.iter().fold(ask("GET", HERE), |asked, (name, value)| asked.with(name, *value));
            let response = asked.send(&world, door);
            assert_eq!(response.status(), expected, "{door:?} with {shown:?}");
            let line = world.lines.borrow().last().unwrap().clone();
            assert!(!line.contains(KEY) && !line.contains(&user), "{line}");
        }
    }
}

#[test]
fn at_a_door_for_both_a_user_stays_a_user() {
    let response = ask("GET", HERE).by_user().with("apikey", KEY).send(&Made::new(), Door::UserOrSecret);
    assert_eq!(json_of(&response)["caller"], USER);
    let response = ask("GET", HERE).with("apikey", KEY).send(&Made::new(), Door::None);
    assert_eq!(json_of(&response)["caller"], "default");
}

#[test]
fn a_service_role_token_is_a_system_only_where_it_is_switched_on() {
    let legacy = |world: &Made, door| {
        let claims = json!({"iss": "supabase", "role": "service_role", "exp": NOW + 60});
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        ask("GET", HERE).with("authorization", format!("Bearer {token}")).send(world, door)
    };
    assert_eq!(legacy(&Made::new(), Door::Secret).status(), 401);
    let on = Made::new().set("allow_legacy_service_role", "true");
    assert_eq!(json_of(&legacy(&on, Door::Secret))["caller"], "service_role");
    assert_eq!(json_of(&legacy(&on, Door::None))["caller"], "service_role");
    assert_eq!(legacy(&on, Door::User).status(), 401);
}

#[test]
fn what_is_not_set_up_is_said_in_the_log_and_to_nobody_else() {
    for (world, cause) in [
        (Made::new().unset("jwt_issuer"), "issuer"),
        (Made::new().set("jwt_secret", "short"), "32 bytes"),
        (Made::new().set("jwks", "{"), "public keys"),
        (Made::new().set("jwt_secret", "broken"), "no provider"),
    ] {
        let response = ask("GET", HERE).by_user().send(&world, Door::User);
        assert_eq!(response.status(), 503, "{cause}");
        assert!(!header(&response, "retry-after").is_empty());
        assert!(world.line()["cause"].as_str().unwrap().contains(cause));
        assert!(!json_of(&response).to_string().contains(cause));
    }
    let world = Made::new().unset("secret_keys");
    assert_eq!(ask("GET", HERE).with("apikey", KEY).send(&world, Door::Secret).status(), 503);
    assert_eq!(ask("GET", HERE).send(&world, Door::Secret).status(), 401);
    assert_eq!(ask("GET", HERE).send(&Made::new().set("max_body_bytes", "0x10"), Door::None).status(), 500);
}

#[test]
fn public_keys_are_fetched_once_and_an_unknown_key_does_not_fetch_them_again() {
    let world = Made::new().unset("jwt_secret").set("jwks_url", "https://acme.supabase.co/keys");
    let unknown = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";
    let call = || ask("GET", HERE).with("authorization", unknown).send(&world, Door::User).status();
    assert_eq!(call(), 503, "no keys to be had");
    assert_eq!(call(), 503, "and not asked for again at once");
    assert_eq!(world.fetches.get(), 1);

    let world = Made::new().unset("jwt_secret").set("jwks_url", "https://acme.supabase.co/keys");
    *world.jwks.borrow_mut() = Ok(r#"{"keys":[]}"#.to_owned());
    for _ in 0..100 {
        let response = ask("GET", HERE).with("authorization", unknown).send(&world, Door::User);
        assert_eq!(response.status(), 401);
    }
    assert_eq!(world.fetches.get(), 1);
}

#[test]
fn an_expired_token_says_so() {
    let expired = format!("Bearer {}", token(&json!({"exp": NOW - 31})));
    let response = ask("GET", HERE).with("authorization", expired).send(&Made::new(), Door::User);
    assert_eq!(response.status(), 401);
    assert_eq!(header(&response, "www-authenticate"), "Bearer");
    assert_eq!(json_of(&response)["detail"], "The access token has expired.");
}
