//! What can be written after `cargo dev`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::bench;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Runs all of Syncline on this machine: builds the components, starts Postgres, simulated platforms and the local host,
fills a demo world, syncs it, and stays up. Changes of the sources are built and loaded. Ctrl-C stops everything.

Usage: cargo dev [OPTIONS]
       cargo dev doctor         says what is missing on this machine
       cargo dev bench          measures; `cargo dev bench --help` says what and how
       cargo dev requirements   says which wishes a test shows

Options:
  --once         Sync once, print a line of JSON with the figures, stop everything. The exit code is 0 only if all items
                 were synced.
  --port N       Port of the host; 3000 unless given, 0 for a free one. Everything listens on 127.0.0.1 only.
  --data DIR     Keep the database in DIR between runs: people, lists, history, keys. The simulated platforms remember
                 nothing, so their links are forgotten at the start and the next sync makes them anew.
  --real FILE    Real accounts instead of simulated ones. Nothing is written to them before you put items on the list.
                 FILE is JSON ({\"NAME\": \"value\", …}) or lines of NAME=value; the environment provides what it leaves out.
                 `--real env` reads the environment alone. Names:
                   SHOPIFY_SHOP            acme.myshopify.com
                   SHOPIFY_ACCESS_TOKEN    or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET
                   NETSUITE_ACCOUNT        1234567 or 1234567_SB1
                   NETSUITE_CONSUMER_KEY, NETSUITE_CONSUMER_SECRET, NETSUITE_TOKEN, NETSUITE_TOKEN_SECRET
                   or NETSUITE_CLIENT_ID, NETSUITE_CERTIFICATE_ID, NETSUITE_PRIVATE_KEY_FILE (PKCS #8 PEM, P-256;
                   NETSUITE_ALGORITHM=PS256 for an RSA key)
                   NETSUITE_CONFIG         JSON with further settings (functions/_shared/connectors/README.md)
  --verbose      Show what the components print from the start, not only after the first sync.
  --help         This.

Environment: DATABASE_URL names a Postgres to use instead of one of our own (15 or newer, a superuser, no TLS; not one
on which Syncline is installed); SYNCLINE_HOST=spin runs a real `spin` from the PATH.";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Print which wishes are shown.
    Requirements,
    /// Look at the machine.
    Doctor,
    /// Measure.
    Bench(bench::Options),
    /// Print [`bench::HELP`].
    BenchHelp,
    /// Start everything.
    Up(Options),
}

/// How to start.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) once: bool,
    pub(crate) port: u16,
    pub(crate) data: Option<PathBuf>,
    /// Where real credentials are.
    pub(crate) real: Option<PathBuf>,
    pub(crate) verbose: bool,
}

/// Reads the arguments.
pub(crate) fn parse(arguments: &[String]) -> Result<Command> {
    if let Some((_, rest)) = arguments.split_first().filter(|(first, _)| *first == "bench") {
        return bench::parse(rest);
    }
    let mut options = Options { once: false, port: 3000, data: None, real: None, verbose: false };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            inline.clone().or_else(|| rest.next().cloned()).with_context(|| format!("{name} needs a value"))
        };
        match name {
            "--help" | "-h" | "help" => return Ok(Command::Help),
            "requirements" => return Ok(Command::Requirements),
            "doctor" => return Ok(Command::Doctor),
            "--once" => options.once = true,
            "--verbose" => options.verbose = true,
            "--port" => {
                let text = value()?;
                options.port = text.parse().with_context(|| format!("{text:?} is no port"))?;
            }
            "--data" => options.data = Some(value()?.into()),
            "--real" => options.real = Some(value()?.into()),
            _ => bail!("there is no {argument:?}; `cargo dev --help` says what there is"),
        }
    }
    Ok(Command::Up(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(arguments: &[&str]) -> Result<Options> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        match parse(&arguments)? {
            Command::Up(options) => Ok(options),
            other => bail!("{other:?}"),
        }
    }

    #[test]
    fn a_value_may_follow_its_name_or_an_equals_sign() {
        assert_eq!(up(&["--port", "4000"]).unwrap().port, 4000);
        assert_eq!(up(&["--port=4000", "--once"]).unwrap().port, 4000);
        assert_eq!(up(&[]).unwrap().port, 3000);
    }

    #[test]
    fn what_is_not_known_or_has_no_value_is_refused() {
        for wrong in [&["--prot", "1"][..], &["--port"], &["--port", "many"], &["now"]] {
            assert!(up(wrong).is_err(), "{wrong:?}");
        }
    }
}
