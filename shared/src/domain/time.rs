//! Moments in UTC, days of Asia/Jakarta (UTC+7, no daylight saving), and the two sources that are passed in:
//! the clock and the entropy.

use jiff::{SignedDuration, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// A moment, whole seconds, stored and sent as RFC 3339 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "jiff::Timestamp", into = "jiff::Timestamp")]
pub struct Timestamp(i64);

const JAKARTA: Offset = Offset::constant(7);
/// Years 0001 to 9999: what the calendar library can hold, less a margin.
const RANGE: std::ops::RangeInclusive<i64> = -62_000_000_000..=253_000_000_000;

impl Timestamp {
    /// Seconds since 1970, held inside the years that a calendar can show.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(*RANGE.start(), *RANGE.end()))
    }

    pub const fn unix(self) -> i64 {
        self.0
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self::from_unix(t.as_second()))
    }

    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    pub fn plus_days(self, days: u16) -> Self {
        self.plus_seconds(i64::from(days) * 86_400)
    }

    /// The day on which this moment falls in Jakarta.
    pub fn day(self) -> Day {
        Day(JAKARTA.to_datetime(self.into()).date())
    }

    /// For people: `23 November 2026 10.15 WIB`.
    pub fn in_jakarta(self) -> String {
        const MONTHS: [&str; 12] =
            ["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"];
        let at = JAKARTA.to_datetime(self.into());
        let month = usize::try_from(at.month() - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or_default();
        format!("{} {month} {} {:02}.{:02} WIB", at.day(), at.year(), at.hour(), at.minute())
    }

    /// The signed seconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(t: jiff::Timestamp) -> Self {
        Self::from_unix(t.as_second())
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(t: Timestamp) -> Self {
        Self::UNIX_EPOCH.saturating_add(SignedDuration::from_secs(t.0)).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from(*self).fmt(f)
    }
}

/// A calendar day in Jakarta, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(Date);

impl Day {
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    pub const fn new(year: i16, month: i8, day: i8) -> Self {
        Self(jiff::civil::date(year, month, day))
    }

    /// Calendar days from this day to `later`; negative when `later` has passed.
    pub fn days_until(self, later: Self) -> i64 {
        later.0.duration_since(self.0).as_hours() / 24
    }

    /// The day before; the calendar's first day stays.
    pub fn before(self) -> Self {
        self.0.yesterday().map_or(self, Self)
    }

    /// The day after; the calendar's last day stays.
    pub fn after(self) -> Self {
        self.0.tomorrow().map_or(self, Self)
    }

    /// So many days earlier.
    pub fn minus(self, days: u16) -> Self {
        self.0.checked_sub(jiff::Span::new().days(i64::from(days))).map_or(self, Self)
    }

    /// The Monday of its week.
    pub fn monday(self) -> Self {
        let since = u16::try_from(self.0.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.minus(since)
    }

    /// 1 to 31.
    pub fn of_month(self) -> u8 {
        u8::try_from(self.0.day()).unwrap_or(1)
    }

    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    pub fn last_of_month(self) -> Self {
        Self(self.0.last_of_month())
    }

    /// When this day begins in Jakarta.
    pub fn begins(self) -> Timestamp {
        JAKARTA.to_timestamp(self.0.at(0, 0, 0, 0)).map_or(Timestamp(0), Into::into)
    }

    /// `YYMMDD`, as order numbers carry it.
    pub fn compact(self) -> String {
        format!("{:02}{:02}{:02}", self.0.year().rem_euclid(100), self.0.month(), self.0.day())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where "now" comes from. Only `runtime` makes one that reads the system's clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// Where random bits come from. Only `runtime` makes one that reads the system's source.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// `length` characters drawn evenly from `alphabet` (at most 256 of them), without modulo bias.
    pub fn text(&self, length: usize, alphabet: &[u8]) -> String {
        let fair = 256 - 256 % alphabet.len().max(1);
        let mut text = String::with_capacity(length);
        while text.len() < length {
            for byte in self.bytes::<16>() {
                let at = usize::from(byte);
                if at < fair
                    && text.len() < length
                    && let Some(character) = alphabet.get(at % alphabet.len())
                {
                    text.push(char::from(*character));
                }
            }
        }
        text
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
