//! The application in a process of its own, which can be killed: the stand-in, or a real `spin up`.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::host::HostConfig;
use crate::logs::{LogLine, Logs, Source};

/// How long a start may take; a cold cache compiles.
const START: Duration = Duration::from_mins(2);

/// A host in another process. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    logs: Logs,
}

impl Process {
    /// Starts the application and waits until `/.well-known/spin/health` says `OK`.
    ///
    /// The program is `spin` from the PATH with `SYNCLINE_HOST=spin`. Else it is `SYNCLINE_STAND_IN` if set, or
    /// `spin-stand-in` beside the running program (as Cargo lays them out), whose `main` is [`crate::stand_in::run`].
    ///
    /// # Errors
    /// When the program is missing or ends before it is ready; the message has its last lines.
    pub async fn start(config: &HostConfig) -> Result<Self> {
        let address = match config.listen.port() {
            0 => SocketAddr::new(config.listen.ip(), free_port()?),
            _ => config.listen,
        };
        let mut command = command(config, address)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        follow(child.stdout.take(), Source::Stdout, &config.logs);
        follow(child.stderr.take(), Source::Stderr, &config.logs);
        let mut process = Self { child, address, logs: config.logs.clone() };
        process.wait_until_ready().await?;
        Ok(process)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn logs(&self) -> Vec<LogLine> {
        self.logs.all()
    }

    /// Kills it at once (SIGKILL): no destructor runs, requests under way are cut.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Asks it to end (SIGTERM), as a deployment does. Spin ends at once, without waiting for requests.
    pub async fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let until = Instant::now() + START;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                // The readers of the pipes are other threads; give them the time to hand over the reason.
                tokio::time::sleep(Duration::from_millis(50)).await;
                let lines: Vec<String> =
                    self.logs.all().iter().rev().take(10).map(|l| l.text.clone()).collect();
                bail!(
                    "the host ended with {status}: {}",
                    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
            if healthy(self.address).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        bail!("the host at {} was not ready in {} s", self.address, START.as_secs())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(config: &HostConfig, address: SocketAddr) -> Result<Command> {
    let real = crate::real_spin();
    let mut command = if real { Command::new("spin") } else { Command::new(stand_in()?) };
    if real {
        command.arg("up");
    } else {
        command.arg("--state-dir").arg(&config.state_dir);
        if config.strict_transactions {
            command.arg("--strict-transactions");
        }
        if let Some(folder) = &config.artifacts {
            command.arg("--artifacts").arg(folder);
        }
        for pair in &config.development_hosts {
            command.arg("--development-host").arg(pair);
        }
    }
    // Spin puts stack traces into the errors that components see.
    command.env_remove("RUST_BACKTRACE");
    command.arg("--from").arg(&config.manifest_path).arg("--listen").arg(address.to_string());
    if let Some(path) = &config.runtime_config {
        command.arg("--runtime-config-file").arg(path);
    }
    for (name, value) in &config.variables {
        let mut pair = OsString::from(name);
        pair.push("=");
        pair.push(value);
        command.arg("--variable").arg(pair);
    }
    let reuse = config.reuse;
    command.arg("--max-instance-reuse-count").arg(reuse.requests.to_string());
    command.arg("--max-instance-concurrent-reuse-count").arg(reuse.concurrent.to_string());
    command.arg("--idle-instance-timeout").arg(format!("{}ms", reuse.idle.as_millis()));
    if let Some(timeout) = config.request_timeout {
        command.arg("--request-timeout").arg(format!("{}ms", timeout.as_millis()));
    }
    Ok(command)
}

/// The stand-in's program, which Cargo builds beside the tests: `target/debug/spin-stand-in`.
fn stand_in() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SYNCLINE_STAND_IN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let name = format!("spin-stand-in{}", std::env::consts::EXE_SUFFIX);
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.with_context(|| format!("no {name} near {}: `cargo build -p host` makes it", own.display()))
}

fn follow(stream: Option<impl Read + Send + 'static>, source: Source, logs: &Logs) {
    let (Some(stream), logs) = (stream, logs.clone()) else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            logs.push("host", source, line);
        }
    });
}

/// A port of this machine that nobody listens on at present.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

async fn healthy(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream
            .write_all(
                b"GET /.well-known/spin/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            )
            .await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        std::io::Result::Ok(reply.starts_with("HTTP/1.1 200") && reply.ends_with("OK"))
    };
    tokio::time::timeout(Duration::from_secs(2), ask).await.is_ok_and(|done| done.unwrap_or(false))
}

/// Whether a program of this name is on the PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| Path::is_file(file))
}
