//! A progress bar on standard error.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// How wide the bar is.
const WIDTH: u64 = 30;

/// The progress of one piece of work. Drawn over itself in a terminal; a few lines in all elsewhere.
#[derive(Debug)]
pub(crate) struct Bar {
    label: String,
    total: u64,
    begun: Instant,
    terminal: bool,
    /// The quarter that was printed last, where there is no terminal.
    quarter: u64,
}

impl Bar {
    pub(crate) fn new(label: impl Into<String>, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { label: label.into(), total: total.max(1), begun: Instant::now(), terminal, quarter: 0 }
    }

    /// Shows that so many are done.
    pub(crate) fn show(&mut self, done: u64) {
        let done = done.min(self.total);
        if self.terminal {
            self.draw(done);
            return;
        }
        let quarter = share(done, self.total, 4);
        if quarter > self.quarter {
            self.quarter = quarter;
            eprintln!(
                "{}: {done} of {} ({:.1} s)",
                self.label,
                self.total,
                self.begun.elapsed().as_secs_f64()
            );
        }
    }

    /// Takes the bar away: what follows says how it ended.
    pub(crate) fn clear(&self) {
        if self.terminal {
            eprint!("\r\u{1b}[K");
            let _ = std::io::stderr().flush();
        }
    }

    fn draw(&self, done: u64) {
        let full = share(done, self.total, WIDTH);
        let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
        let seconds = self.begun.elapsed().as_secs_f64();
        eprint!("\r{} {bar} {done}/{} {seconds:.1} s\u{1b}[K", self.label, self.total);
        // Nothing depends on a bar that cannot be drawn.
        let _ = std::io::stderr().flush();
    }
}

/// How many of `parts` equal parts of `total` are done.
fn share(done: u64, total: u64, parts: u64) -> u64 {
    done.saturating_mul(parts).checked_div(total).unwrap_or(0).min(parts)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_last_part_is_full_only_at_the_end() {
        assert_eq!(share(0, 10, 4), 0);
        assert_eq!(share(9, 10, 4), 3);
        assert_eq!(share(10, 10, 4), 4);
        assert_eq!(share(11, 10, 4), 4);
        assert_eq!(share(1, 0, 4), 0);
    }
}
