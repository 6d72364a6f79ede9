//! What components print, line by line.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::broadcast;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How many lines are kept; older ones are forgotten.
const KEPT: usize = 100_000;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output of the component.
    Stdout,
    /// Standard error of the component; a panic's message is here.
    Stderr,
    /// The host's own remark about the component: a trap, an open transaction.
    Host,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Name of the component in the manifest.
    pub component: String,
    /// Which stream.
    pub source: Source,
    /// The text, without its line end.
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.source == Source::Host { "!" } else { "|" };
        write!(f, "{} {mark} {}", self.component, self.text)
    }
}

/// Collects the lines of one host. Clones share the same collection.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    lines: Mutex<VecDeque<LogLine>>,
    live: broadcast::Sender<LogLine>,
    echo: bool,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").finish_non_exhaustive()
    }
}

impl Logs {
    /// An empty collection. With `echo`, each line is also written to the standard error of this process.
    pub fn new(echo: bool) -> Self {
        let (live, _) = broadcast::channel(1024);
        Self(Arc::new(Inner { lines: Mutex::default(), live, echo }))
    }

    /// All lines so far, oldest first.
    pub fn all(&self) -> Vec<LogLine> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The lines from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<LogLine> {
        self.0.live.subscribe()
    }

    /// Adds a line.
    pub fn push(&self, component: &str, source: Source, text: impl Into<String>) {
        let line = LogLine { component: component.to_owned(), source, text: text.into() };
        if self.0.echo {
            eprintln!("{line}");
        }
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(line.clone());
        drop(lines);
        // Nobody listening is the usual case.
        let _ = self.0.live.send(line);
    }
}

/// One standard stream of one instance.
#[derive(Clone)]
pub(crate) struct LineStream(Arc<Mutex<Lines>>);

struct Lines {
    logs: Logs,
    component: String,
    source: Source,
    open: Vec<u8>,
}

impl LineStream {
    pub(crate) fn new(logs: Logs, component: &str, source: Source) -> Self {
        Self(Arc::new(Mutex::new(Lines { logs, component: component.to_owned(), source, open: Vec::new() })))
    }

    fn take(&self, bytes: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.open.extend_from_slice(bytes);
        while let Some(end) = lines.open.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = lines.open.drain(..=end).collect();
            line.pop();
            lines.emit(&line);
        }
    }
}

impl Lines {
    fn emit(&self, line: &[u8]) {
        self.logs.push(&self.component, self.source, String::from_utf8_lossy(line));
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.open.is_empty() {
            let rest = std::mem::take(&mut self.open);
            self.emit(&rest);
        }
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // The default would hand lines to a background task, so that a test could look before they arrive.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_the_last_one_needs_no_end() {
        let logs = Logs::new(false);
        let stream = LineStream::new(logs.clone(), "hello", Source::Stdout);
        stream.take(b"one\ntw");
        stream.take(b"o\nthree");
        drop(stream);
        let texts: Vec<String> = logs.all().into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["one", "two", "three"]);
    }
}
