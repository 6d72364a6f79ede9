//! Hours of the week.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};
use serde::{Deserialize, Serialize};

/// Hours of the week, on the wall: `{"days": ["mon", "fri"], "from": "22:00", "to": "06:00"}`.
///
/// From the first minute on, up to the last one, which is no part of it. Where it ends before it begins, it goes on into
/// the next day; where both are equal, it is the whole day. A day is the one on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Hours", into = "Hours")]
pub struct Window {
    days: Vec<Weekday>,
    from: u32,
    to: u32,
}

/// The written form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    /// Every day, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<String>,
    from: String,
    to: String,
}

/// A window that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no {1}")]
pub struct BadWindow(String, &'static str);

impl Window {
    /// Whether it is open when the wall shows this.
    pub fn is_open(&self, local: NaiveDateTime) -> bool {
        let minute = local.hour().saturating_mul(60).saturating_add(local.minute());
        let (today, yesterday) = (local.weekday(), local.weekday().pred());
        if self.from < self.to {
            return self.has(today) && (self.from..self.to).contains(&minute);
        }
        self.has(today) && minute >= self.from || self.has(yesterday) && minute < self.to
    }

    fn has(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }

    /// The latest minute before this one at which it was open.
    pub(super) fn last_open(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        (0..=8)
            .filter_map(|back| {
                let day: NaiveDate = local.date().checked_sub_days(Days::new(back))?;
                let over_night = self.from >= self.to;
                let end_day = if over_night { day.checked_add_days(Days::new(1))? } else { day };
                let end = at(end_day, self.to)?.checked_sub_signed(chrono::TimeDelta::minutes(1))?;
                let begin = at(day, self.from)?;
                (self.has(day.weekday()) && begin < local).then(|| end.min(local))
            })
            .max()
    }
}

fn at(day: NaiveDate, minute: u32) -> Option<NaiveDateTime> {
    let day = if minute == 1_440 { day.checked_add_days(Days::new(1))? } else { day };
    let minute = minute.checked_rem(1_440)?;
    Some(day.and_time(NaiveTime::from_hms_opt(minute.checked_div(60)?, minute.checked_rem(60)?, 0)?))
}

impl TryFrom<Hours> for Window {
    type Error = BadWindow;

    fn try_from(hours: Hours) -> Result<Self, BadWindow> {
        let minute = |text: &str| {
            let bad = || BadWindow(text.to_owned(), "time of the day: write 09:00");
            if text == "24:00" {
                return Ok(1_440);
            }
            let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| bad())?;
            Ok(time.hour().saturating_mul(60).saturating_add(time.minute()))
        };
        let day = |text: &String| text.parse().map_err(|_| BadWindow(text.clone(), "day of the week"));
        Ok(Self {
            days: hours.days.iter().map(day).collect::<Result<_, _>>()?,
            from: minute(&hours.from)?,
            to: minute(&hours.to)?,
        })
    }
}

impl From<Window> for Hours {
    fn from(window: Window) -> Self {
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self {
            days: window.days.iter().map(|day| day.to_string().to_lowercase()).collect(),
            from: time(window.from),
            to: time(window.to),
        }
    }
}
