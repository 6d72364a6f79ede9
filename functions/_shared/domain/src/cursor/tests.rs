use super::*;
use crate::testing::cases;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn place(seconds: i64, id: &str) -> Cursor {
    Cursor { time: at(seconds), id: id.to_owned() }
}

/// How far a listing looks back in these tests.
const LOOKBACK: TimeDelta = TimeDelta::minutes(2);

/// In which order a source lists. Both are those of real platforms, and both go on behind the last record of a page.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Oldest change first: a record that changes meanwhile comes again.
    #[default]
    Time,
    /// By id: a record that changes behind a page does not come again.
    Id,
}

/// A source with records that change and become visible late.
#[derive(Debug, Default, Clone)]
struct Source {
    now: i64,
    order: Order,
    /// By id: modification time, content, and when it becomes visible.
    rows: BTreeMap<String, (i64, u32, i64)>,
}

impl Source {
    /// One page, and the token of the next where there is one.
    fn page(&self, progress: &Progress, size: usize) -> (Vec<(Cursor, u32)>, Option<String>) {
        let from = progress.since(LOOKBACK);
        let key = |row: &Cursor| match self.order {
            Order::Time => format!("{:010} {}", row.time.timestamp(), row.id),
            Order::Id => row.id.clone(),
        };
        let mut rows: Vec<(String, Cursor, u32)> = self
            .rows
            .iter()
            .filter(|(_, (_, _, visible))| *visible <= self.now)
            .map(|(id, (time, content, _))| (place(*time, id), *content))
            .filter(|(row, _)| from.is_none_or(|from| row.time >= from))
            .map(|(row, content)| (key(&row), row, content))
            .filter(|(key, ..)| progress.page.as_ref().is_none_or(|behind| key > behind))
            .collect();
        rows.sort();
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|(key, ..)| key.clone());
        (rows.into_iter().map(|(_, row, content)| (row, content)).collect(), next)
    }
}

/// The side that follows it. What it writes is counted; its state is stored page by page, or not at all.
#[derive(Debug, Default, Clone)]
struct Follower {
    progress: Progress,
    /// What the target platform holds, and how often each content was written there.
    target: BTreeMap<String, u32>,
    writes: BTreeMap<(String, u32), u32>,
    /// Whether the source tells its time.
    clock: bool,
}

/// Where a run dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    Never,
    /// After the page was read.
    Read,
    /// After this many records of the page were written, before any of it was recorded.
    Written(usize),
    /// After the page was recorded.
    Recorded,
}

impl Follower {
    /// One page of a run. True when the run is not over.
    fn step(
        &mut self,
        source: &mut Source,
        size: usize,
        crash: Crash,
        between: &mut dyn FnMut(&mut Source),
    ) -> bool {
        let (page, next) = source.page(&self.progress, size);
        let source_now = self.clock.then(|| at(source.now));
        between(source);
        if crash == Crash::Read {
            return false;
        }
        for (count, (row, content)) in page.iter().enumerate() {
            if crash == Crash::Written(count) {
                return false;
            }
            // The decision compares with the target: what an earlier attempt wrote is not written again.
            if self.target.get(&row.id) != Some(content) {
                self.target.insert(row.id.clone(), *content);
                *self.writes.entry((row.id.clone(), *content)).or_default() += 1;
            }
        }
        let newest = page.into_iter().map(|(row, _)| row).max();
        self.progress = self.progress.after(newest, source_now, next);
        self.progress.page.is_some() && crash != Crash::Recorded
    }

    fn run(&mut self, source: &mut Source, size: usize) {
        while self.step(source, size, Crash::Never, &mut |_| {}) {}
    }
}

#[test]
fn records_with_one_and_the_same_time_all_arrive_across_pages_and_crashes() {
    let rows = (0..1_000).map(|number| (format!("{number:04}"), (100, 1, 0))).collect();
    let mut source = Source { now: 100, rows, ..Source::default() };
    let mut follower = Follower::default();
    for page in 0..20 {
        for crash in [Crash::Read, Crash::Written(page), Crash::Written(49), Crash::Recorded] {
            follower.step(&mut source, 50, crash, &mut |_| {});
        }
    }
    follower.run(&mut source, 50);
    assert_eq!(follower.target.len(), 1_000);
    assert!(follower.writes.values().all(|count| *count == 1), "nothing twice");
}

#[test]
fn a_listing_goes_back_a_little_and_stays_the_same_for_all_its_pages() {
    let progress = Progress::begin(Some(place(1_000, "x")));
    assert_eq!(progress.since(LOOKBACK), Some(at(880)));
    assert_eq!(progress.since(-LOOKBACK), Some(at(1_000)), "never forward");
    let next = progress.after(Some(place(1_010, "b")), None, Some("2".to_owned()));
    assert_eq!((next.since(LOOKBACK), next.page.as_deref()), (Some(at(880)), Some("2")));
    assert_eq!(Progress::begin(None).since(LOOKBACK), None);
}

#[test]
fn the_cursor_never_goes_back_and_a_source_ahead_of_its_clock_hides_nothing() {
    let progress = Progress::begin(Some(place(1_000, "x")));
    assert_eq!(progress.after(None, Some(at(2_000)), None), progress, "nothing was shown");
    let after = |seconds, now: Option<i64>| {
        progress.after(Some(place(seconds, "a")), now.map(at), None).start.unwrap()
    };
    assert_eq!(after(950, None), place(1_000, "x"));
    assert_eq!(after(1_500, Some(2_000)), place(1_500, "a"));
    assert_eq!(after(2_000, Some(2_000)), place(2_000, "a"));
    assert_eq!(after(9_000, Some(2_000)), place(2_000, ""));
    assert_eq!(after(9_000, Some(500)), place(1_000, "x"));
}

#[test]
fn what_changes_behind_a_page_while_a_long_listing_goes_on_is_in_the_next_one() {
    let rows = ["a", "b", "c"].map(|id| (id.to_owned(), (100, 1, 0))).into();
    let mut source = Source { now: 1_000, order: Order::Id, rows };
    let mut follower = Follower { clock: true, ..Follower::default() };
    follower.step(&mut source, 1, Crash::Never, &mut |source| {
        source.rows.insert("a".to_owned(), (1_000, 2, 0));
    });
    source.now = 5_000;
    source.rows.insert("c".to_owned(), (5_000, 2, 0));
    follower.run(&mut source, 1);
    assert_eq!((follower.target["a"], follower.target["c"]), (1, 2), "it was read before it changed");
    follower.run(&mut source, 1);
    assert_eq!(follower.target["a"], 2);
}

#[derive(Debug, Clone)]
enum Event {
    /// A record changes: its number, and after how many seconds it shows.
    Change(u8, i64),
    /// A record changes, and its time is so many seconds ahead of the source's clock.
    Ahead(u8, i64),
    /// A page is worked on; the run dies there, or a record moves while it is.
    Page(Crash, Option<u8>),
    Wait(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let crash = prop_oneof![
        6 => Just(Crash::Never), 1 => Just(Crash::Read), 2 => (0usize..5).prop_map(Crash::Written), 1 => Just(Crash::Recorded),
    ];
    prop_oneof![
        4 => (0u8..12, prop_oneof![3 => Just(0_i64), 1 => 0_i64..=120]).prop_map(|(row, late)| Event::Change(row, late)),
        4 => (crash, proptest::option::of(0u8..12)).prop_map(|(crash, moved)| Event::Page(crash, moved)),
        1 => (0u8..12, 0_i64..2_000).prop_map(|(row, ahead)| Event::Ahead(row, ahead)),
        1 => (0_i64..400).prop_map(Event::Wait),
    ]
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn nothing_is_missed_and_nothing_written_twice_whatever_moves_or_dies(
        events in proptest::collection::vec(any_event(), 0..40), size in 1usize..6, clock in any::<bool>(),
        order in prop_oneof![Just(Order::Time), Just(Order::Id)],
    ) {
        let mut source = Source { now: 1_000, order, ..Source::default() };
        let (mut follower, mut version) = (Follower { clock, ..Follower::default() }, 0);
        let mut change = |source: &mut Source, row: u8, late: i64, ahead: i64| {
            version += 1;
            // A record that shows late shows as it is then: its newest content, with its newest time.
            source.rows.insert(row.to_string(), (source.now + ahead, version, source.now + late));
        };
        for event in &events {
            match event {
                Event::Change(row, late) => change(&mut source, *row, *late, 0),
                // Without the source's clock nobody can tell.
                Event::Ahead(row, ahead) => change(&mut source, *row, 0, if clock { *ahead } else { 0 }),
                Event::Wait(seconds) => source.now += seconds,
                Event::Page(crash, moved) => {
                    follower.step(&mut source, size, *crash, &mut |source| {
                        if let Some(row) = moved { change(source, *row, 0, 0) }
                    });
                }
            }
        }
        // Everything shows within the look-back; then two quiet runs.
        source.now += 120;
        follower.run(&mut source, size);
        follower.run(&mut source, size);
        for (id, (_, content, _)) in &source.rows {
            prop_assert_eq!(follower.target.get(id), Some(content), "{} was missed", id);
        }
        prop_assert!(follower.writes.values().all(|count| *count == 1));
    }
}
