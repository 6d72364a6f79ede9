//! What callers get wrong, by accident or on purpose: a clear refusal, and nothing half done.

use crate::world::{Reply, SECRET_KEY, User, World, claims, now, token};
use platforms::product;
use serde_json::{Value, json};

/// Every function with who may call it, and a method it has.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("delta-sync", "user", "POST"),
    ("scheduled-sync", "secret", "POST"),
    ("queue-drain", "secret", "POST"),
    ("item-search", "user", "POST"),
    ("patterns", "user", "GET"),
    ("sync-list", "user", "GET"),
    ("sync-history", "user", "GET"),
    ("sync-configs", "user", "GET"),
    ("sync-perform", "user", "POST"),
    ("sync-start", "user", "POST"),
    ("sync-stop", "user", "POST"),
    ("sync-status", "user", "GET"),
    ("sync-plan", "user", "POST"),
    ("sync-apply", "user", "POST"),
    ("sync-compare", "user", "POST"),
    ("mapping-preview", "user", "POST"),
    ("run-replay", "user", "POST"),
    ("data-sync", "user", "GET"),
    ("queue-add", "user", "POST"),
    ("queue", "user", "GET"),
    ("conflicts", "user", "GET"),
    ("conflict-resolve", "user", "POST"),
    ("issues", "user", "GET"),
    ("issue-retry", "user", "POST"),
    ("deletes", "user", "GET"),
    ("delete-approve", "user", "POST"),
    ("webhook-receive/00000000-0000-4000-8000-000000000000", "signature", "POST"),
    ("webhook-subscriptions", "user", "GET"),
    ("workflow-sync", "either", "POST"),
    ("workflows", "user", "POST"),
    ("workflow-trigger", "user", "POST"),
    ("executions", "user", "GET"),
    ("execution-report", "user", "GET"),
    ("workflow-registry", "user", "POST"),
    ("execution-poll", "secret", "POST"),
    ("workflow-cleanup", "secret", "POST"),
    ("integrations", "user", "GET"),
    ("integration-test", "user", "POST"),
    ("health", "none", "GET"),
    ("live", "none", "GET"),
    ("ready", "none", "GET"),
    ("metrics", "secret", "GET"),
    ("openapi", "none", "GET"),
];

async fn call(world: &World, method: &str, function: &str, body: &str, headers: &[(&str, String)]) -> Reply {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = world.http.request(method, world.url(function)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    Reply::of(request.send().await.unwrap()).await
}

fn bearer(user: &User<'_>) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", user.token))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_lets_in_whom_it_names_and_nobody_else() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let key = ("apikey", SECRET_KEY.to_owned());
    for (function, door, method) in FUNCTIONS {
        let nobody = call(&world, method, function, "{}", &[]).await;
        let user = call(&world, method, function, "{}", &[bearer(&ana)]).await;
        let system = call(&world, method, function, "{}", std::slice::from_ref(&key)).await;
        let wrong_key =
            call(&world, method, function, "{}", &[("apikey", "sb_secret_wrong_but_long_enough".to_owned())])
                .await;
        let admitted = |reply: &Reply| ![401, 403].contains(&reply.status);
        let seen = (admitted(&nobody), admitted(&user), admitted(&system), admitted(&wrong_key));
        let expected = match *door {
            "user" => (false, true, false, false),
            "secret" => (false, false, true, false),
            "either" => (false, true, true, false),
            "signature" => (false, false, false, false),
            _ => (true, true, true, true),
        };
        let said = [&nobody, &user, &system, &wrong_key].map(|reply| (reply.status, reply.text.clone()));
        assert_eq!(seen, expected, "{function}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_token_opens_a_door() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let good = claims(ana.id);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        token(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        token(&claims)
    };
    let parts: Vec<String> = ana.token.split('.').map(ToOwned::to_owned).collect();
    let header = |text: &str| {
        use base64::Engine;
        format!("{}.{}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text), parts[1], parts[2])
    };
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.extra", ana.token),
        format!("{}x", ana.token),
        ana.token[..ana.token.len() - 2].to_owned(),
        format!("{}.{}.{}", parts[0], parts[1], parts[0]),
        "sb_secret_of_the_tests_long_enough".to_owned(),
        "y".repeat(70_000),
    ];
    for text in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"PS256"}"#,
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":1}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","kid":"../../etc/passwd"}"#,
        r#"{"alg":"HS256","kid":["a"]}"#,
        r#"{"alg":"HS256","jku":"http://127.0.0.1/keys"}"#,
        "{",
        "[]",
        "null",
        "",
    ] {
        forged.push(header(text));
    }
    forged.extend([
        with("exp", json!(now() - 60)),
        with("exp", json!("9999999999")),
        with("exp", json!(null)),
        without("exp"),
        with("nbf", json!(now() + 600)),
        with("iat", json!(now() + 600)),
        with("iss", json!("https://evil.example")),
        without("iss"),
        with("aud", json!("anon")),
        with("aud", json!([])),
        without("aud"),
        with("role", json!("anon")),
        with("role", json!("service_role")),
        with("role", json!(["authenticated"])),
        without("role"),
        without("sub"),
        with("sub", json!("")),
        with("sub", json!("not-a-uuid")),
        with("sub", json!(1)),
    ]);
    assert!(forged.len() >= 40);
    for token in forged {
        let reply =
            call(&world, "POST", "delta-sync", "{}", &[("authorization", format!("Bearer {token}"))]).await;
        assert!([401, 431].contains(&reply.status), "{token}: {reply:?}");
    }
    assert_eq!(ana.invoke("delta-sync", json!({})).await.status, 200, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_ids_are_answered_like_ids_that_do_not_exist() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ben = world.user("ben").await;
    let id = ana.shop().has(product("chair").variant("C", "1.00"));
    let item = ana.lists("product", &[id]).await.remove(0);
    let run = ana.syncs().await["syncHistoryId"].as_str().unwrap().to_owned();
    let account = ana.get("integrations").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let nobody = "00000000-0000-4000-8000-000000000000";
    let strip = |reply: Reply| {
        let mut body = reply.problem("not_found");
        for field in ["instance", "request_id"] {
            body.as_object_mut().unwrap().remove(field);
        }
        (reply.status, body)
    };
    for (function, body) in [
        ("delta-sync", json!({ "syncListIds": ["ID"] })),
        ("queue-add", json!({ "syncListIds": ["ID"] })),
        ("integration-test", json!({ "integrationId": "ACCOUNT" })),
        ("webhook-subscriptions", json!({ "integrationId": "ACCOUNT" })),
        ("item-search", json!({ "integrationId": "ACCOUNT" })),
    ] {
        let text = body.to_string();
        let foreign: Value =
            serde_json::from_str(&text.replace("ID", &item).replace("ACCOUNT", &account)).unwrap();
        let foreign = if text.contains("ACCOUNT") { json!({ "integrationId": account }) } else { foreign };
        let missing = if text.contains("ACCOUNT") {
            json!({ "integrationId": nobody })
        } else {
            json!({ "syncListIds": [nobody] })
        };
        assert_eq!(
            strip(ben.invoke(function, foreign).await),
            strip(ben.invoke(function, missing).await),
            "{function}"
        );
    }
    for (path, id) in [("sync-history?id=", &run), ("integrations?id=", &account)] {
        let (foreign, missing) =
            (ben.get(&format!("{path}{id}")).await, ben.get(&format!("{path}{nobody}")).await);
        assert_eq!(strip(foreign), strip(missing), "{path}");
    }
    let delete = ben.request(reqwest::Method::DELETE, &format!("sync-list?ids={item}"), Value::Null).await;
    delete.problem("not_found");
    assert_eq!(world.db.count("select count(*) from public.sync_list").await, 1, "nothing was removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_refused_with_the_place_that_is_wrong() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let json_type = ("content-type", "application/json".to_owned());
    let send = |body: String| {
        let headers = [bearer(&ana), json_type.clone()];
        let world = &world;
        async move { call(world, "POST", "delta-sync", &body, &headers).await }
    };
    for broken in ["{", "[1,", "nope", "{\"a\":}", "\u{feff}{", "{\"itemType\":\"product\"}x"] {
        assert_eq!(send(broken.to_owned()).await.problem("bad_request")["status"], 400, "{broken}");
    }
    for (wrong, pointer) in [
        (r#"{"nonsense":1}"#, "/nonsense"),
        (r#"{"itemType":"car"}"#, "/itemType"),
        (r#"{"syncListIds":"x"}"#, "/syncListIds"),
        (r#"{"syncListIds":["x"]}"#, "/syncListIds/0"),
        (r#"{"mode":1}"#, "/mode"),
    ] {
        let problem = send(wrong.to_owned()).await.problem("invalid");
        assert_eq!(
            (problem["status"].clone(), problem["errors"][0]["pointer"].clone()),
            (json!(422), json!(pointer)),
            "{problem}"
        );
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!([400, 422].contains(&send(deep).await.status));
    assert_eq!(
        send(format!(r#"{{"itemType":"{}"}}"#, "x".repeat(1_100_000))).await.problem("too_large")["status"],
        413
    );
    assert_eq!(ana.invoke("delta-sync", json!({})).await.status, 200, "the instance lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_there_is_named_with_those_that_are() {
    let world = World::start().await;
    let ana = world.user("ana").await;

    let reply = call(&world, "PUT", "delta-sync", "{}", &[bearer(&ana)]).await;

    reply.problem("method_not_allowed");
    assert!(reply.header("allow").contains("POST"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_its_length_and_its_request() {
    let world = World::start().await;
    for (function, _, method) in FUNCTIONS {
        let reply = call(&world, method, function, "{}", &[("x-request-id", "my-own-id".to_owned())]).await;
        assert_eq!(
            reply.header("content-length").parse::<usize>().ok(),
            Some(reply.text.len()),
            "{function}: {reply:?}"
        );
        assert_eq!(reply.header("x-request-id"), "my-own-id", "{function}");
        assert!(!reply.header("access-control-allow-origin").is_empty(), "{function}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_the_same_key_is_answered_and_not_carried_out_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ben = world.user("ben").await;
    let body = json!({ "name": "Sale", "direction": "shopify-to-netsuite", "filterConfig": { "status": ["active"] } });
    let send = |user: &User<'_>, body: Value| {
        let headers = [
            bearer(user),
            ("idempotency-key", "\"k-1\"".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let (world, body) = (&world, body.to_string());
        async move { call(world, "POST", "patterns", &body, &headers).await }
    };

    let first = send(&ana, body.clone()).await;
    let again = send(&ana, body.clone()).await;
    let other =
        send(&ana, json!({ "name": "Other", "direction": "bidirectional", "filterConfig": {} })).await;
    let somebody_else = send(&ben, body.clone()).await;

    assert_eq!((first.status, again.status), (201, 201), "{again:?}");
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    assert_eq!(other.problem("invalid")["status"], 422);
    assert_eq!(somebody_else.status, 201, "keys are everybody's own");
    assert_eq!(world.db.count("select count(*) from public.saved_search_patterns").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_goes_in_and_never_comes_out() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(product("chair").variant("C", "1.00"));
    ana.lists("product", &[id]).await;
    ana.syncs().await;
    let tba = ana.erp().tba();
    let secrets = [ana.shop().token(), tba.consumer_secret, tba.token_secret];

    let answers = [
        ana.get("integrations").await.text,
        ana.get("sync-history").await.text,
        ana.get("sync-list").await.text,
    ];
    let rows = world.db.text("select string_agg(c::text, ' ') from (select i::text as c from public.integrations as i union all select s::text from sync.credentials as s union all select e::text from public.sync_events as e union all select a::text from public.sync_audit as a) as x").await;
    let logs: String = world.host.logs().into_iter().map(|line| line.text + "\n").collect();

    for secret in secrets {
        for (place, text) in [("answers", answers.join(" ")), ("rows", rows.clone()), ("logs", logs.clone())]
        {
            assert!(!text.contains(&secret), "a secret is in the {place}");
        }
    }
    assert!(rows.contains("v1.k1."), "what is stored is sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_needs_the_credential_again_and_strange_addresses_are_refused() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let account = ana.get("integrations?platform=shopify").await.ok()["data"][0].clone();
    let change =
        json!({ "id": account["id"], "baseUrl": format!("{}x", account["baseUrl"].as_str().unwrap()) });

    let moved = ana.request(reqwest::Method::PUT, "integrations", change).await;

    assert_eq!(moved.problem("invalid")["errors"][0]["pointer"], "/credential");
    for address in [
        "http://169.254.169.254/",
        "https://127.0.0.1/",
        "https://evil.example/",
        "file:///etc/passwd",
        "https://u:p@a.myshopify.com",
        "x",
    ] {
        let credential = json!({ "kind": "access_token", "access_token": "shpat_0" });
        let body =
            json!({ "name": address, "platform": "shopify", "baseUrl": address, "credential": credential });
        assert_eq!(ana.invoke("integrations", body).await.problem("invalid")["status"], 422, "{address}");
    }
}
