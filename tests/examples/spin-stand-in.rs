//! The local host as a process of its own, for tests that kill it. Takes the flags of `spin up` that the project uses.

use std::process::ExitCode;

fn main() -> ExitCode {
    host::stand_in::run()
}
