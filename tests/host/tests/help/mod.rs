//! A world for each test: a database, a host with the probe in it, an upstream server.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails with its test")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use host::{Cluster, Host, HostConfig};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// A running host with the probe, and a database of its own.
pub struct World {
    pub host: Host,
    pub config: HostConfig,
}

impl World {
    /// Starts one. `name` names the database.
    pub async fn start(name: &str, change: impl FnOnce(&mut HostConfig)) -> Self {
        let cluster = cluster();
        cluster.create(name).await.unwrap();
        let url = cluster.database(name);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("probe");
        let mut config = HostConfig::new(folder.join("spin.toml"))
            .variable("database_url", url)
            .variable("database_address", format!("127.0.0.1:{}", cluster.port()));
        config.runtime_config = Some(folder.join("runtime-config.toml"));
        config.artifacts = Some(probe().to_path_buf());
        config.state_dir = target().join("host");
        change(&mut config);
        let host = Host::start(config.clone()).await.unwrap();
        Self { host, config }
    }
}

/// The one cluster of this test process.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start_own(None).unwrap())
}

fn target() -> PathBuf {
    host::build::workspace_root().unwrap().join("target")
}

/// Builds the probe once and returns the folder of its file.
fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| {
        let folder = target().join("probe");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--target-dir"])
            .arg(&folder);
        cargo.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("probe/Cargo.toml"));
        assert!(cargo.status().unwrap().success(), "the probe cannot be built");
        folder.join("wasm32-wasip2/release")
    })
}

/// Sends a request; returns status and body.
pub async fn send(request: http::request::Builder, body: &str) -> (u16, String) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub async fn get(world: &World, path: &str) -> (u16, String) {
    send(http::Request::get(format!("{}{path}", world.host.url())), "").await
}

pub async fn post(world: &World, path: &str, body: &str) -> (u16, String) {
    send(http::Request::post(format!("{}{path}", world.host.url())), body).await
}

/// A server that answers with the request it got.
pub struct Upstream(std::net::SocketAddr);

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(echo);
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self(address)
    }

    pub fn address(&self) -> String {
        self.0.to_string()
    }
}

async fn echo(
    request: http::Request<hyper::body::Incoming>,
) -> Result<http::Response<Full<Bytes>>, std::convert::Infallible> {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", value.to_str().unwrap_or("?"));
    }
    let status = if request.uri().path() == "/redirect" { 302 } else { 200 };
    let response = http::Response::builder().status(status).header("location", "http://elsewhere.example/");
    Ok(response.body(Full::new(Bytes::from(text))).unwrap())
}
