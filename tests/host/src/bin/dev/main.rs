//! `cargo dev`: the whole of Syncline on this machine, with simulated platforms or real ones. `--help` says more.
#![expect(clippy::print_stdout, reason = "what this program prints is what it is for")]

mod api;
mod bar;
mod bench;
mod customers;
mod demo;
mod doctor;
mod guide;
mod keys;
mod options;
mod real;
// The binary has only the report; the checks of the same file are for the tests.
#[path = "../../../../requirements.rs"]
mod requirements;
mod session;
mod sync;
mod watch;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use options::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell says of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let begun = Instant::now();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match options::parse(&arguments).and_then(|command| run(command, begun)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo dev: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, begun: Instant) -> Result<ExitCode> {
    let options = match command {
        Command::Help => {
            println!("{}", options::HELP);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Requirements => {
            print!("{}", requirements::report());
            return Ok(ExitCode::SUCCESS);
        }
        Command::Doctor => return Ok(if doctor::check()? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Command::BenchHelp => {
            println!("{}", bench::HELP);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Bench(options) => return wait_for(bench::run(&options), INTERRUPTED),
        Command::Up(options) => options,
    };
    let stopped = if options.once { INTERRUPTED } else { 0 };
    wait_for(session::run(&options, begun), stopped)
}

/// Runs this to its end, or until somebody stops it; then the exit code is `stopped`.
fn wait_for(work: impl Future<Output = Result<ExitCode>>, stopped: u8) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        let interrupted = interrupted()?;
        tokio::select! {
            code = work => code,
            // Dropping the session stops the host, the platforms and the server, in this order.
            () = interrupted => {
                eprintln!("\nstopped");
                Ok(ExitCode::from(stopped))
            }
        }
    });
    // A build that is under way must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

/// Waits for Ctrl-C, or for the polite request to end that a supervisor sends.
fn interrupted() -> Result<impl Future<Output = ()>> {
    let mut keys = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut end = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = keys.recv() => {}
            _ = end.recv() => {}
        }
    })
}
