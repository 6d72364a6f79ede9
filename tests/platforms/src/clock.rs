//! The time the simulated platforms live in.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, SubsecRound, Utc};

/// A clock that tests may set, move and stop. It runs with the machine's clock until told otherwise.
///
/// Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug, Clone, Copy)]
enum Hands {
    /// So far ahead of the machine's clock.
    Running(Duration),
    /// Stopped at this time.
    Stopped(DateTime<Utc>),
}

impl Default for Hands {
    fn default() -> Self {
        Self::Running(Duration::zero())
    }
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        match *self.hands.lock().unwrap_or_else(PoisonError::into_inner) {
            Hands::Running(ahead) => Utc::now() + ahead,
            Hands::Stopped(at) => at,
        }
    }

    /// The time now as the platforms store it: whole seconds.
    pub fn second(&self) -> DateTime<Utc> {
        self.now().trunc_subsecs(0)
    }

    /// Sets the time. A running clock runs on from there, a stopped one stays there.
    pub fn set(&self, time: DateTime<Utc>) {
        self.turn(|hands| match hands {
            Hands::Running(_) => Hands::Running(time - Utc::now()),
            Hands::Stopped(_) => Hands::Stopped(time),
        });
    }

    /// Moves the time, forwards or backwards.
    pub fn advance(&self, by: Duration) {
        self.turn(|hands| match hands {
            Hands::Running(ahead) => Hands::Running(ahead + by),
            Hands::Stopped(at) => Hands::Stopped(at + by),
        });
    }

    /// Stops the clock where it is.
    pub fn stop(&self) {
        let now = self.now();
        self.turn(|_| Hands::Stopped(now));
    }

    /// Lets a stopped clock run on from where it stands.
    pub fn run(&self) {
        let now = self.now();
        self.turn(|_| Hands::Running(now - Utc::now()));
    }

    fn turn(&self, change: impl FnOnce(Hands) -> Hands) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        *hands = change(*hands);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_told() {
        let clock = Clock::default();
        clock.stop();
        let before = clock.now();
        clock.advance(Duration::seconds(90));
        assert_eq!(clock.now() - before, Duration::seconds(90));
    }

    #[test]
    fn a_running_clock_runs_on_from_the_time_it_was_set_to() {
        let clock = Clock::default();
        let then = Utc::now() - Duration::days(400);
        clock.set(then);
        assert!(clock.now() - then < Duration::seconds(5));
    }
}
