//! What the numbers were measured on, and what is not a sync: memory, sizes, build times.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::spawn_blocking;

/// The machine while it was measured.
pub(crate) struct Machine {
    /// The load when it began and when it ended.
    pub(crate) begun: Option<String>,
    pub(crate) ended: Option<String>,
    /// Peak memory before and after the syncs, in KiB.
    pub(crate) memory: (Option<u64>, Option<u64>),
    /// What `cargo dev --once` said.
    pub(crate) once: Option<Once>,
}

/// A run of `cargo dev --once`.
pub(crate) struct Once {
    /// From its start to its end.
    pub(crate) took: Duration,
    /// Its line of JSON.
    pub(crate) line: Value,
}

/// The size of one component, in bytes.
pub(crate) struct Size {
    pub(crate) name: String,
    pub(crate) raw: u64,
    pub(crate) gzipped: u64,
}

/// How long the components' build took.
pub(crate) struct Build {
    pub(crate) cold: Duration,
    pub(crate) warm: Duration,
}

/// The processors that may be used.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The average number of runnable processes in the last 1, 5 and 15 minutes; `None` where there is no `/proc`.
pub(crate) fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

/// The most memory this process ever held, in KiB; `None` where there is no `/proc`.
pub(crate) fn peak_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Lets [`peak_memory`] begin anew, where the system can.
pub(crate) fn forget_peak_memory() {
    // Nothing is lost where it cannot: the peak is that of all runs so far, then.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Runs `cargo dev --once` in a process of its own.
pub(crate) async fn once() -> Result<Once> {
    eprintln!("cargo dev --once …");
    let begun = Instant::now();
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["--once", "--port", "0"]).stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = program.output().await.context("cannot run this program again")?;
    let took = begun.elapsed();
    ensure!(output.status.success(), "cargo dev --once failed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().last().unwrap_or_default();
    Ok(Once { took, line: serde_json::from_str(line).context("cargo dev --once printed no line of JSON")? })
}

/// Builds the components as they are deployed and weighs each.
pub(crate) async fn sizes() -> Result<Vec<Size>> {
    eprintln!("building the components with the release profile …");
    spawn_blocking(|| {
        let folder = host::build::build_components("release")?;
        let names = host::build::components(&host::build::workspace_root()?)?;
        names.into_iter().map(|name| weigh(&folder, name)).collect()
    })
    .await?
}

fn weigh(folder: &Path, name: String) -> Result<Size> {
    let file = folder.join(format!("{}.wasm", name.replace('-', "_")));
    let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(Size { name, raw: length(&bytes), gzipped: length(&gzip.finish()?) })
}

/// Builds the components into an empty folder, and once more with nothing changed. The folder is removed.
pub(crate) async fn build_times() -> Result<Build> {
    eprintln!("building the components into an empty folder …");
    spawn_blocking(|| {
        let folder = host::build::workspace_root()?.join("target/bench-build");
        let build = || -> Result<Duration> {
            let begun = Instant::now();
            host::build::build_components_into("quick", &folder)?;
            Ok(begun.elapsed())
        };
        // Left by a run that was stopped.
        let _ = std::fs::remove_dir_all(&folder);
        let times = build().and_then(|cold| Ok(Build { cold, warm: build()? }));
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        times
    })
    .await?
}

impl Once {
    pub(crate) fn json(&self) -> Value {
        json!({ "tookMs": crate::sync::millis(self.took), "line": self.line })
    }
}
