//! One server process and its folder.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::binaries::Binaries;
use super::user::User;
use super::{ADMIN, read_line};
use crate::process::free_port;

/// Settings that every server gets.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = '256MB'
wal_level = logical
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
";

/// Settings of a server whose data nobody will miss. Commits still wait for the operating system to have them (which
/// costs nothing without fsync): a crash of the server alone must lose none, or the fault tests would blame us.
const THROW_AWAY: &str = "
fsync = off
full_page_writes = off
autovacuum_naptime = '10s'
";

#[derive(Debug)]
pub(super) struct Server {
    binaries: Binaries,
    user: User,
    data: PathBuf,
    port: u16,
    /// Waits for the end of this process, however it comes, and then stops the server.
    watcher: Child,
}

impl Server {
    /// Makes the folder a cluster unless it is one already, and starts it on a free port.
    pub(super) fn start(binaries: Binaries, user: User, data: PathBuf, throw_away: bool) -> Result<Self> {
        // The server's processes run elsewhere.
        let data = std::path::absolute(data)?;
        user.make_folder(&data)?;
        if data.join("postmaster.pid").is_file() {
            // Left by a process that was killed together with its watcher.
            let _ = stop(&binaries, user, &data, "fast");
        }
        if !data.join("PG_VERSION").is_file() {
            initialise(&binaries, user, &data, throw_away)?;
        }
        let mut last = None;
        // Between finding a free port and taking it, somebody else may take it.
        for _ in 0..3 {
            let port = free_port()?;
            match launch(&binaries, user, &data, port) {
                Ok(()) => {
                    let watcher = watch(&binaries, user, &data, throw_away)?;
                    return Ok(Self { binaries, user, data, port, watcher });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no port")))
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn restart(&mut self) -> Result<()> {
        stop(&self.binaries, self.user, &self.data, "immediate")?;
        launch(&self.binaries, self.user, &self.data, self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watcher's input ends, it does the rest.
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

fn initialise(binaries: &Binaries, user: User, data: &Path, throw_away: bool) -> Result<()> {
    let locale = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
    let mut initdb = user.command(&binaries.program("initdb"));
    initdb.args(["--username", ADMIN, "--auth", "trust", "--encoding", "UTF8", "--locale", locale]);
    if throw_away {
        initdb.arg("--no-sync");
    }
    checked(initdb.arg("--pgdata").arg(data))?;
    let path = data.join("postgresql.conf");
    let mut settings = std::fs::read_to_string(&path)?;
    settings.push_str(SETTINGS);
    if throw_away {
        settings.push_str(THROW_AWAY);
    }
    // Written in place: the file keeps its owner.
    std::fs::write(&path, settings)?;
    Ok(())
}

fn launch(binaries: &Binaries, user: User, data: &Path, port: u16) -> Result<()> {
    let mut start = user.command(&binaries.program("pg_ctl"));
    start.args([
        "start",
        "--silent",
        "--wait",
        "--timeout",
        "60",
        "--options",
        &format!("-p {port}"),
        "--log",
    ]);
    // A group of its own: Ctrl-C on the terminal is for us, and we stop the server in order.
    start.arg(data.join("server.log")).arg("--pgdata").arg(data).process_group(0);
    checked(&mut start).with_context(|| {
        let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        format!("PostgreSQL does not start: {}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    })
}

pub(super) fn stop(binaries: &Binaries, user: User, data: &Path, mode: &str) -> Result<()> {
    let mut stop = user.command(&binaries.program("pg_ctl"));
    checked(stop.args(["stop", "--silent", "--wait", "--mode", mode, "--pgdata"]).arg(data))
}

/// A shell that reads from this process until it is gone, then stops the server (and removes a throw-away folder). It
/// works for every kind of end: return, panic, `kill -9`; statics are never dropped, so a destructor would not do.
fn watch(binaries: &Binaries, user: User, data: &Path, throw_away: bool) -> Result<Child> {
    let script = "trap '' INT TERM HUP; read -r _; \"$1\" stop --silent --mode \"$2\" --pgdata \"$3\"; \
                  if [ \"$2\" = immediate ]; then rm -rf \"$3\"; fi";
    let mode = if throw_away { "immediate" } else { "fast" };
    let mut shell = user.command(Path::new("sh"));
    shell.args(["-c", script, "sh"]).arg(binaries.program("pg_ctl")).arg(mode).arg(data).process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = shell.spawn().context("cannot start the shell that watches over the server")?;
    if throw_away {
        std::fs::write(data.join("syncline.owner"), std::process::id().to_string())?;
    }
    Ok(child)
}

/// The process that a throw-away folder belongs to.
pub(super) fn owner(data: &Path) -> Option<u32> {
    read_line(&data.join("syncline.owner"))?.parse().ok()
}

fn checked(command: &mut Command) -> Result<()> {
    // The server inherits the outputs of `pg_ctl`; a pipe would stay open as long as it runs.
    let errors = tempfile()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors.1.try_clone()?)
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let said = std::fs::read_to_string(&errors.0).unwrap_or_default();
    let _ = std::fs::remove_file(&errors.0);
    if status.success() { Ok(()) } else { bail!("{}: {}", command.get_program().display(), said.trim()) }
}

fn tempfile() -> Result<(PathBuf, std::fs::File)> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("syncline-pg-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let file = std::fs::File::create(&path)?;
    Ok((path, file))
}
