//! The local host as a process of its own, with the flags of `spin up`.

fn main() -> std::process::ExitCode {
    host::stand_in::run()
}
