//! The command line of the stand-in: the flags of `spin up` as far as Syncline uses them, and four of its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::host::{Host, HostConfig};
use crate::logs::Logs;

/// Runs the program to its end. A binary that offers the stand-in calls this from `main`.
///
/// Flags as in `spin up`: `--from`, `--listen`, `--variable k=v` (also `k=@file`, `@file.json`, `@file.toml`),
/// `--runtime-config-file`, `--state-dir`, `--quiet`, `--request-timeout`, `--idle-instance-timeout`,
/// `--max-instance-reuse-count`, `--max-instance-concurrent-reuse-count`. Its own: `--artifacts DIR`,
/// `--development-host HOST:PORT`, `--strict-transactions`.
pub fn run() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let served = config(std::env::args().skip(1)).and_then(|config| runtime.block_on(serve(config)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("Error: {error:#}");
    ExitCode::FAILURE
}

async fn serve(config: HostConfig) -> Result<()> {
    let host = Host::start(config).await?;
    eprintln!("Serving {}", host.url());
    // Like Spin: a signal ends the process at once, and with it every request under way.
    std::future::pending::<()>().await;
    drop(host);
    Ok(())
}

fn config(mut args: impl Iterator<Item = String>) -> Result<HostConfig> {
    let mut config = HostConfig::new("spin.toml");
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 3000));
    config.strict_transactions = false;
    let (mut quiet, mut state_dir) = (false, None);
    while let Some(flag) = args.next() {
        let mut value = || args.next().with_context(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--quiet" | "-q" => quiet = true,
            "--strict-transactions" => config.strict_transactions = true,
            "--from" | "-f" => {
                let usual = HostConfig::new(PathBuf::from(value()?));
                config.manifest_path = usual.manifest_path;
                config.state_dir = usual.state_dir;
            }
            "--listen" => config.listen = value()?.parse().context("--listen")?,
            "--runtime-config-file" => config.runtime_config = Some(value()?.into()),
            "--state-dir" => state_dir = Some(PathBuf::from(value()?)),
            "--artifacts" => config.artifacts = Some(value()?.into()),
            "--development-host" => config.development_hosts.push(value()?),
            "--variable" => variable(&value()?, &mut config.variables)?,
            "--request-timeout" => config.request_timeout = Some(duration(&value()?)?),
            "--idle-instance-timeout" => config.reuse.idle = duration(&value()?)?,
            "--max-instance-reuse-count" => config.reuse.requests = value()?.parse().context(flag.clone())?,
            "--max-instance-concurrent-reuse-count" => {
                config.reuse.concurrent = value()?.parse().context(flag.clone())?;
            }
            _ => bail!("unknown flag {flag:?}"),
        }
    }
    if let Some(folder) = state_dir {
        config.state_dir = folder;
    }
    config.logs = Logs::new(!quiet);
    Ok(config)
}

/// One `--variable`: `name=value`, `name=@file`, or a whole file of them.
fn variable(text: &str, into: &mut BTreeMap<String, String>) -> Result<()> {
    if let Some(path) = text.strip_prefix('@') {
        let file = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        let values: BTreeMap<String, String> = if Path::new(path).extension().is_some_and(|end| end == "json")
        {
            serde_json::from_str(&file)?
        } else {
            toml::from_str(&file)?
        };
        into.extend(values);
        return Ok(());
    }
    let (name, value) = text.split_once('=').with_context(|| format!("--variable {text:?} has no `=`"))?;
    let value = match value.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?,
        None => value.to_owned(),
    };
    into.insert(name.to_owned(), value);
    Ok(())
}

/// `500ms`, `2s`, `1m`.
fn duration(text: &str) -> Result<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().with_context(|| format!("{text:?} is not a duration"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => bail!("{text:?} is not a duration"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_spin_up_are_understood() {
        let args = "--from a/spin.toml --listen 127.0.0.1:4 --variable k=v=w --quiet --request-timeout 2s \
                    --max-instance-concurrent-reuse-count 1 --idle-instance-timeout 500ms";
        let config = config(args.split_whitespace().map(str::to_owned)).unwrap();
        assert_eq!(config.listen.port(), 4);
        assert_eq!(config.variables["k"], "v=w");
        assert_eq!(config.request_timeout, Some(Duration::from_secs(2)));
        assert_eq!((config.reuse.concurrent, config.reuse.idle), (1, Duration::from_millis(500)));
        assert!(!config.strict_transactions);
        assert_eq!(config.state_dir, PathBuf::from("a/target/host"));
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        assert!(config(["--nonsense".to_owned()].into_iter()).is_err());
        assert!(config(["--listen".to_owned()].into_iter()).is_err());
    }
}
