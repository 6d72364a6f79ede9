//! What a component sees of the host, and that its faults are Spin's. The component is `probe/`.

mod help;

use help::{Upstream, World, get, post, send};
use host::{HostConfig, Source};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn health_static_answers_and_unknown_paths() {
    let world = World::start("basics", |_| {}).await;
    assert_eq!(get(&world, "/.well-known/spin/health").await, (200, "OK".into()));
    assert_eq!(get(&world, "/fixed").await, (404, "nothing here".into()));
    assert_eq!(get(&world, "/nowhere").await, (404, String::new()));
    world.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_environment_are_those_of_the_manifest_only() {
    let world = World::start("variables", |_| {}).await;
    assert_eq!(post(&world, "/probe/variable", "greeting").await.1, r#"Ok("hello world")"#);
    assert!(post(&world, "/probe/variable", "database_address").await.1.contains("Undefined"));
    assert!(post(&world, "/probe/variable", "No__Name").await.1.contains("InvalidName"));
    assert_eq!(get(&world, "/probe/environment").await.1, r#"[("GIVEN", "yes")]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_absolute_and_forged_headers_come_first() {
    let world = World::start("headers", |_| {}).await;
    let request = http::Request::get(format!("{}/item/%41b/echo?q=1", world.host.url()))
        .header("spin-client-addr", "6.6.6.6:1");
    let (status, text) = send(request, "").await;
    assert_eq!(status, 200);
    assert!(text.starts_with(&format!("{}/item/%41b/echo?q=1\n", world.host.url())), "{text}");
    let (forged, own) = (text.find("6.6.6.6:1").unwrap(), text.rfind("\"127.0.0.1:").unwrap());
    assert!(forged < own, "{text}");
    assert!(text.contains(r#""spin-path-match-item-name": "%41b""#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_many_requests_and_a_panic_is_an_empty_500() {
    let world = World::start("reuse", |_| {}).await;
    for expected in ["1", "2", "3"] {
        assert_eq!(get(&world, "/probe/count").await.1, expected);
    }
    assert_eq!(get(&world, "/probe/panic").await, (500, String::new()));
    assert_eq!(get(&world, "/probe/count").await.1, "1");
    let lines = world.host.logs();
    assert!(lines.iter().any(|line| line.source == Source::Stderr && line.text.contains("on purpose")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_takes_neighbours_along_unless_each_has_its_own_instance() {
    // Who shares an instance with whom is the host's to say, so a neighbour may be lucky; not ten times in a row.
    let shared = World::start("panic-shared", |config| config.reuse.concurrent = 16).await;
    let mut lost = false;
    for _ in 0..10 {
        lost = lost || !neighbours_survive(&shared).await;
    }
    assert!(lost, "a panic never took a neighbour along");
    let apart = World::start("panic-apart", |config| config.reuse.concurrent = 1).await;
    for _ in 0..3 {
        assert!(neighbours_survive(&apart).await, "a panic took a neighbour of another instance along");
    }
}

/// Whether three requests that wait for the database outlive a panic.
async fn neighbours_survive(world: &World) -> bool {
    get(world, "/probe/count").await;
    let url = world.host.url();
    let wait =
        |_| tokio::spawn(send(http::Request::post(format!("{url}/probe/execute")), "select pg_sleep(1)"));
    let sleepers: Vec<_> = (0..3).map(wait).collect();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(get(world, "/probe/panic").await.0, 500);
    let mut all = true;
    for sleeper in sleepers {
        all &= matches!(sleeper.await, Ok((200, _)));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_instance_wait_side_by_side() {
    let world = World::start("side-by-side", |_| {}).await;
    get(&world, "/probe/count").await;
    let begun = Instant::now();
    let url = world.host.url();
    let sleep = |_| {
        let request = http::Request::post(format!("{url}/probe/execute"));
        tokio::spawn(send(request, "select pg_sleep(0.5)"))
    };
    let sleepers: Vec<_> = (0..20).map(sleep).collect();
    for sleeper in sleepers {
        assert_eq!(sleeper.await.unwrap(), (200, "Ok(1)".into()));
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_can_be_read_at_once() {
    let world = World::start("print", |_| {}).await;
    post(&world, "/probe/print", "a\nb").await;
    let lines: Vec<_> = world.host.logs().into_iter().map(|line| (line.source, line.text)).collect();
    for expected in [(Source::Stdout, "out a"), (Source::Stdout, "b"), (Source::Stderr, "err a")] {
        assert!(lines.contains(&(expected.0, expected.1.to_owned())), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outbound_requests_obey_allow_list_and_block_list() {
    let upstream = Upstream::start().await;
    let address = upstream.address();
    let world = World::start("outbound", |config| allow(config, &address)).await;
    let (_, text) = post(&world, "/probe/get", &format!("http://{address}/a")).await;
    assert!(text.starts_with("200 OK"), "{text}");
    let (_, text) = post(&world, "/probe/post", &format!("http://{address}/b")).await;
    assert!(text.contains("transfer-encoding: chunked") && text.contains("/b"), "{text}");
    for (target, reason) in [
        ("http://elsewhere.example/", "HttpRequestDenied"),
        ("http://localhost:1/", "DestinationIpProhibited"),
        ("http://169.254.169.254/", "DestinationIpProhibited"),
        ("https://no-such-name.invalid/", "DnsError"),
    ] {
        let (_, text) = post(&world, "/probe/get", target).await;
        assert!(text.contains(reason), "{target}: {text}");
    }
    assert_eq!(world.host.outbound_requests_of("second"), 0);
    assert!(world.host.outbound_requests_of("probe") >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_handed_to_the_component() {
    let upstream = Upstream::start().await;
    let address = upstream.address();
    let world = World::start("redirect", |config| allow(config, &address)).await;
    let (_, text) = post(&world, "/probe/get", &format!("http://{address}/redirect")).await;
    assert!(text.starts_with("302"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stand_in_process_serves_and_can_be_killed() {
    let world = World::start("process", |_| {}).await;
    let process = host::Process::start(&world.config).await.unwrap();
    let request = http::Request::post(format!("{}/probe/query", process.url()));
    assert_eq!(send(request, "select 1 as a").await.0, 200);
    let status = process.kill().unwrap();
    assert!(!status.success());
}

fn allow(config: &mut HostConfig, address: &str) {
    config.variables.insert("development_host".into(), address.to_owned());
    config.development_hosts.push(address.to_owned());
}
