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

/// A source with records that change, become visible late, and are listed in pages by `(time, id)`.
#[derive(Debug, Default, Clone)]
struct Source {
    now: i64,
    /// By id: modification time, content, and when it becomes visible.
    rows: BTreeMap<String, (i64, u32, i64)>,
}

impl Source {
    fn page(&self, query: &Query, size: usize) -> Vec<(Cursor, u32)> {
        let mut rows: Vec<(Cursor, u32)> = self
            .rows
            .iter()
            .filter(|(_, (_, _, visible))| *visible <= self.now)
            .map(|(id, (time, content, _))| (place(*time, id), *content))
            .filter(|(row, _)| query.from.is_none_or(|from| row.time >= from))
            .filter(|(row, _)| query.after.as_ref().is_none_or(|after| row > after))
            .collect();
        rows.sort();
        rows.truncate(size);
        rows
    }
}

/// The side that follows it. What it writes is counted; its state is stored page by page, or not at all.
#[derive(Debug, Default, Clone)]
struct Follower {
    cursor: Option<Cursor>,
    open: Option<Progress>,
    seen: BTreeMap<String, u32>,
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
        let progress = self.open.clone().unwrap_or_else(|| Progress::begin(self.cursor.clone()));
        let page = source.page(&progress.query(LOOKBACK), size);
        let source_now = self.clock.then(|| at(source.now));
        between(source);
        if crash == Crash::Read {
            return false;
        }
        let mut seen = self.seen.clone();
        for (count, (row, content)) in page.iter().enumerate() {
            if crash == Crash::Written(count) {
                return false;
            }
            let before = seen.get(&row.id).map(ToString::to_string);
            let before = before.as_deref().map(|hash| Seen { version: None, hash: Some(hash) });
            if is_news(before, &content.to_string()) {
                // The decision compares with the target: what an earlier attempt wrote is not written again.
                if self.target.get(&row.id) != Some(content) {
                    self.target.insert(row.id.clone(), *content);
                    *self.writes.entry((row.id.clone(), *content)).or_default() += 1;
                }
                seen.insert(row.id.clone(), *content);
            }
        }
        let places: Vec<Cursor> = page.into_iter().map(|(row, _)| row).collect();
        self.seen = seen;
        match progress.after(&places, source_now) {
            Some(next) if places.len() == size => self.open = Some(next),
            next => {
                self.cursor = next.unwrap_or(progress).finish();
                self.open = None;
                return false;
            }
        }
        crash != Crash::Recorded
    }

    fn run(&mut self, source: &mut Source, size: usize) {
        while self.step(source, size, Crash::Never, &mut |_| {}) {}
    }
}

#[test]
fn records_with_one_and_the_same_time_all_arrive_across_pages_and_crashes() {
    let rows = (0..1_000).map(|number| (format!("{number:04}"), (100, 1, 0))).collect();
    let mut source = Source { now: 100, rows };
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
fn a_query_asks_for_the_same_time_again_and_goes_back_a_little() {
    let progress = Progress::begin(Some(place(1_000, "x")));
    assert_eq!(progress.query(LOOKBACK), Query { from: Some(at(880)), after: None });
    let next = progress.after(&[place(990, "a"), place(1_010, "b")], None).unwrap();
    assert_eq!(next.query(LOOKBACK), Query { from: Some(at(880)), after: Some(place(1_010, "b")) });
    assert_eq!(Progress::begin(None).query(LOOKBACK), Query { from: None, after: None });
}

#[test]
fn the_cursor_never_goes_back_and_a_source_ahead_of_its_clock_hides_nothing() {
    let progress = Progress::begin(Some(place(1_000, "x")));
    assert_eq!(progress.finish(), Some(place(1_000, "x")));
    let after =
        |seconds, now: Option<i64>| progress.after(&[place(seconds, "a")], now.map(at)).unwrap().finish();
    assert_eq!(after(950, None), Some(place(1_000, "x")));
    assert_eq!(after(1_500, Some(2_000)), Some(place(1_500, "a")));
    assert_eq!(after(2_000, Some(2_000)), Some(place(2_000, "a")));
    assert_eq!(after(9_000, Some(2_000)), Some(place(2_000, "")));
    assert_eq!(after(9_000, Some(500)), Some(place(1_000, "x")));
}

#[test]
fn a_source_that_sends_the_same_page_for_ever_ends_the_run() {
    let page = [place(5, "a"), place(6, "b")];
    let progress = Progress::begin(None).after(&page, None).unwrap();
    assert_eq!(progress.after(&page, None), None);
    assert_eq!(progress.after(&[], None), None);
}

#[derive(Debug, Clone)]
enum Event {
    /// A record changes: its number, and after how many seconds it shows.
    Change(u8, i64),
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
        1 => (0_i64..400).prop_map(Event::Wait),
    ]
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn nothing_is_missed_and_nothing_written_twice_whatever_moves_or_dies(
        events in proptest::collection::vec(any_event(), 0..40), size in 1usize..6, clock in any::<bool>(),
    ) {
        let mut source = Source { now: 1_000, ..Source::default() };
        let (mut follower, mut version) = (Follower { clock, ..Follower::default() }, 0);
        let mut change = |source: &mut Source, row: u8, late: i64| {
            version += 1;
            // A record that shows late shows as it is then: its newest content, with its newest time.
            source.rows.insert(row.to_string(), (source.now, version, source.now + late));
        };
        for event in &events {
            match event {
                Event::Change(row, late) => change(&mut source, *row, *late),
                Event::Wait(seconds) => source.now += seconds,
                Event::Page(crash, moved) => {
                    follower.step(&mut source, size, *crash, &mut |source| {
                        if let Some(row) = moved { change(source, *row, 0) }
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
