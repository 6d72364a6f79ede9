//! Users' tokens through a component: asymmetric keys from a variable or from an address, and the legacy secret.

use crate::world::{JWT_SECRET, Reply, User, World, claims, root, token};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn fixture(name: &str) -> String {
    std::fs::read_to_string(root().join("functions/_shared/secrets/fixtures").join(name)).unwrap()
}

/// The bytes of a public key, behind its PEM.
fn der(name: &str) -> Vec<u8> {
    let pem = fixture(name);
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

/// The public half of the P-256 key, as a key set shows it: its two coordinates are the key's last 64 bytes.
fn elliptic(id: &str) -> Value {
    let key = der("ec_public.pem");
    let (x, y) = key[key.len() - 64..].split_at(32);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": text(x), "y": text(y) })
}

/// The public half of the RSA key: the modulus stands before the exponent 65537, which takes the last five bytes.
fn rsa(id: &str) -> Value {
    let key = der("rsa_2048_public.pem");
    let (front, exponent) = key.split_at(key.len() - 5);
    assert_eq!(exponent, [2, 3, 1, 0, 1]);
    let modulus = URL_SAFE_NO_PAD.encode(&front[front.len() - 256..]);
    json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": id, "n": modulus, "e": "AQAB" })
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A token of this user, signed with the P-256 key under this id.
fn es256(user: &User<'_>, id: &str) -> String {
    let key = EncodingKey::from_ec_pem(fixture("ec_private.pem").as_bytes()).unwrap();
    signed(user, Algorithm::ES256, id, &key)
}

/// The same with the RSA key.
fn rs256(user: &User<'_>, id: &str) -> String {
    let key = EncodingKey::from_rsa_pem(fixture("rsa_2048_private.pem").as_bytes()).unwrap();
    signed(user, Algorithm::RS256, id, &key)
}

fn signed(user: &User<'_>, algorithm: Algorithm, id: &str, key: &EncodingKey) -> String {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, &claims(user.id), key).unwrap()
}

/// Asks for the caller's own patterns with this token.
async fn shows(world: &World, token: &str) -> Reply {
    Reply::of(world.http.get(world.url("patterns")).bearer_auth(token).send().await.unwrap()).await
}

/// Somebody with one pattern, so that an answer shows whose it is.
async fn with_pattern<'a>(world: &'a World, name: &str, token: impl Fn(&User<'_>) -> String) -> User<'a> {
    let mut user = world.user(name).await;
    user.token = token(&user);
    let pattern = json!({ "name": name, "direction": "bidirectional", "filterConfig": {} });
    user.invoke("patterns", pattern).await.ok();
    user
}

/// The place where the project's keys are published. It can change them and break.
struct Issuer {
    address: String,
    keys: Arc<Mutex<String>>,
    status: Arc<AtomicU16>,
    fetches: Arc<AtomicU64>,
}

impl Issuer {
    async fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            address: listener.local_addr().unwrap().to_string(),
            keys: Arc::new(Mutex::new(set(keys))),
            status: Arc::new(AtomicU16::new(200)),
            fetches: Arc::default(),
        };
        let (keys, status, fetches) = (issuer.keys.clone(), issuer.status.clone(), issuer.fetches.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (body, status) = (keys.lock().unwrap().clone(), status.load(Ordering::Relaxed));
                let fetches = fetches.clone();
                tokio::spawn(async move {
                    let (mut head, mut part) = (Vec::new(), [0; 1024]);
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read(&mut part).await {
                            Ok(count) if count > 0 => head.extend_from_slice(&part[..count]),
                            _ => return,
                        }
                    }
                    fetches.fetch_add(1, Ordering::Relaxed);
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                         connection: close\r\n\r\n{body}"
                    );
                    // The caller may be gone.
                    drop(stream.write_all(answer.as_bytes()).await);
                });
            }
        });
        issuer
    }

    /// A world that takes its keys from here.
    async fn world(&self) -> World {
        let address = format!("http://{}/auth/v1/.well-known/jwks.json", self.address);
        let variables =
            [("jwks_url", address.as_str()), ("jwt_secret", ""), ("development_host", self.address.as_str())];
        World::with(&variables).await
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = set(keys);
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }
}

/// Lets the host throw away every instance that waits for work, with the keys it has kept.
async fn instances_end() {
    tokio::time::sleep(Duration::from_millis(1_300)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_signed_with_a_published_key_let_each_user_in_as_who_they_are() {
    let keys = set(&[elliptic("key-ec"), rsa("key-rsa")]);
    let world = World::with(&[("jwks", &keys)]).await;
    let ana = with_pattern(&world, "ana", |user| es256(user, "key-ec")).await;
    let ben = with_pattern(&world, "ben", |user| rs256(user, "key-rsa")).await;
    let eva = with_pattern(&world, "eva", |user| token(&claims(user.id))).await;

    for (user, name) in [(&ana, "ana"), (&ben, "ben"), (&eva, "eva")] {
        let shown = shows(&world, &user.token).await.ok();
        let names: Vec<&str> =
            shown["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, [name], "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_key_algorithm_and_id_do_not_belong_together_is_refused() {
    let keys = set(&[elliptic("key-ec"), rsa("key-rsa")]);
    let world = World::with(&[("jwks", &keys)]).await;
    let ana = world.user("ana").await;
    let secret = |bytes: &[u8]| EncodingKey::from_secret(bytes);
    let public = fixture("rsa_2048_public.pem");
    let good = es256(&ana, "key-ec");
    let (front, _) = good.rsplit_once('.').unwrap();
    let other = rs256(&ana, "key-rsa");
    let forged = [
        ("the id of the other key", es256(&ana, "key-rsa")),
        ("the id of the other key", rs256(&ana, "key-ec")),
        ("an id that is not published", es256(&ana, "key-old")),
        ("the public key as a secret", signed(&ana, Algorithm::HS256, "key-rsa", &secret(public.as_bytes()))),
        ("the legacy secret under a public key's id", {
            signed(&ana, Algorithm::HS256, "key-ec", &secret(JWT_SECRET.as_bytes()))
        }),
        ("another token's signature", format!("{front}.{}", other.rsplit_once('.').unwrap().1)),
        ("no signature", format!("{front}.")),
    ];

    for (what, token) in forged {
        let reply = shows(&world, &token).await;
        assert_eq!(reply.problem("unauthorized")["status"], 401, "{what}");
    }
    assert_eq!(shows(&world, &good).await.status, 200, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_legacy_secret_tokens_signed_with_it_are_refused() {
    let keys = set(&[elliptic("key-ec")]);
    let world = World::with(&[("jwks", &keys), ("jwt_secret", "")]).await;
    let ana = world.user("ana").await;

    assert_eq!(shows(&world, &es256(&ana, "key-ec")).await.status, 200);
    shows(&world, &ana.token).await.problem("unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn published_keys_are_fetched_once_and_a_new_key_is_known_to_the_next_instance() {
    let issuer = Issuer::start(&[elliptic("key-1")]).await;
    let world = issuer.world().await;
    let ana = with_pattern(&world, "ana", |user| es256(user, "key-1")).await;
    for _ in 0..40 {
        assert_eq!(shows(&world, &ana.token).await.status, 200);
    }
    assert_eq!(issuer.fetches(), 1, "the keys are kept");

    issuer.publish(&[rsa("key-2")]);
    let new = rs256(&ana, "key-2");
    // A key that is not known a moment after the keys were fetched is not worth another look.
    shows(&world, &new).await.problem("unauthorized");
    assert_eq!(issuer.fetches(), 1);
    instances_end().await;

    let shown = shows(&world, &new).await.ok();
    assert_eq!(shown["data"][0]["name"], "ana", "{shown}");
    assert_eq!(issuer.fetches(), 2);
    shows(&world, &ana.token).await.problem("unauthorized");
    assert_eq!(issuer.fetches(), 2, "a key that is withdrawn is not asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_forged_key_ids_makes_few_fetches_and_keeps_nobody_out() {
    let issuer = Issuer::start(&[elliptic("key-1")]).await;
    let world = issuer.world().await;
    let ana = with_pattern(&world, "ana", |user| es256(user, "key-1")).await;
    for n in 0..60 {
        shows(&world, &es256(&ana, &format!("forged-{n}"))).await.problem("unauthorized");
    }
    assert_eq!(issuer.fetches(), 1, "an instance that has just looked does not look again");
    let mut good = 0;
    for wave in 0..10 {
        let forged: Vec<String> = (0..40).map(|n| es256(&ana, &format!("forged-{wave}-{n}"))).collect();
        let flood = join_all(forged.iter().map(|token| shows(&world, token)));
        let (refused, answer) = tokio::join!(flood, shows(&world, &ana.token));
        assert!(refused.iter().all(|reply| reply.status == 401), "{refused:?}");
        good += u32::from(answer.status == 200);
    }

    assert_eq!(good, 10, "the user comes in at any time");
    // 411 requests, at most 128 for an instance; sixteen at once may find an instance without keys.
    let fetches = issuer.fetches();
    assert!(fetches <= 100, "{fetches} fetches for 400 forged tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_fetched_are_a_503_and_are_not_asked_for_by_everybody() {
    let issuer = Issuer::start(&[elliptic("key-1")]).await;
    let world = issuer.world().await;
    let ana = world.user("ana").await;
    let token = es256(&ana, "key-1");
    issuer.answers(500);

    for _ in 0..30 {
        let reply = shows(&world, &token).await;
        assert_eq!(reply.problem("unavailable")["status"], 503);
        assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
        assert!(!reply.text.contains(&issuer.address), "the address is nobody's business: {reply:?}");
    }

    assert_eq!(issuer.fetches(), 1, "an address that failed is left alone for a while");
    issuer.answers(200);
    instances_end().await;
    assert_eq!(shows(&world, &token).await.status, 200);
}
