//! A walk through lists that may be longer than one run can take. Where a run stops, the next one goes on; at the end
//! the walk begins anew. So nothing that stays at the front of a list hides what is behind it.
//!
//! A page's end is kept before its rows are worked on: rows on which a run dies wait for the next lap, the others do not
//! wait for them. A row that this version cannot read (an item of the next version after a rollback, or damage) is set
//! apart: counted as `odd`, told to a person once, by a task that its key names, and passed over. It fails no run, for
//! an alarm that rings every five minutes until a release is out tells nobody anything.

use super::{App, Problem, metrics::Metric};
use crate::{
    domain::{
        job::{Place, Subject, Task},
        time::Timestamp,
    },
    store::{Page, Position, StoreError, entity::Corrupt, keys::SHARDS, transaction::Commit},
};
use std::fmt::Display;

/// How much of its work a run may do at once. Schedules take what their time allows.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Rows after which a lap stops.
    pub rows: usize,
    /// When every lap stops, however much time its schedule has.
    pub until: Option<Timestamp>,
}

impl Default for Share {
    fn default() -> Self {
        Self { rows: usize::MAX, until: None }
    }
}

/// How often the place is kept while a run goes on.
const KEEP_SECONDS: i64 = 20;
/// How old what is known of the last whole lap may become.
const STALE_SECONDS: i64 = 3_600;

/// What a run has not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed {
    pub failed: usize,
    pub odd: usize,
}

impl Missed {
    /// What went wrong with one row. The others go on.
    pub async fn note(&mut self, app: &App, problem: Problem) {
        match problem.odd {
            Some(corrupt) => self.odd(app, vec![*corrupt]).await,
            None => self.failed += 1,
        }
    }

    /// Counts rows that cannot be read, and opens a task for each that nobody was told of.
    pub async fn odd(&mut self, app: &App, odd: Vec<Corrupt>) {
        for corrupt in odd {
            tracing::error!(%corrupt, "a row was set apart");
            self.odd += 1;
            let row = Subject::OddRow { item: corrupt.kind.into(), digest: corrupt.digest };
            match app.store.create(&Task::new(row, app.clock.now())).await {
                Ok(Commit::Done) => Metric::OddRows.one(),
                Ok(Commit::Lost(_)) => {}
                Err(error) => tracing::error!(%error, "nobody was told of an odd row in this run"),
            }
        }
    }

    pub const fn and(self, other: Self) -> Self {
        Self { failed: self.failed + other.failed, odd: self.odd + other.odd }
    }
}

/// The shards of every sharded list.
pub fn shards() -> Vec<u8> {
    (0..SHARDS).collect()
}

/// How a lap ended, for now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    pub missed: Missed,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "four independent switches of a walk, each read in one place")]
pub struct Lap<'a, L> {
    app: &'a App,
    place: Place,
    lists: Vec<L>,
    at: usize,
    after: Option<Position>,
    rows: usize,
    pages: usize,
    until: Timestamp,
    kept_at: Timestamp,
    dry: bool,
    more: bool,
    remembers: bool,
    notes: bool,
    pub missed: Missed,
}

impl<L: std::fmt::Debug> std::fmt::Debug for Lap<'_, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lap").field("place", &self.place).field("lists", &self.lists).finish_non_exhaustive()
    }
}

/// Whether the walk of this name has come to its end on the day of `now`: then nothing is due before the next.
pub async fn is_whole(app: &App, name: &str, now: Timestamp) -> Result<bool, Problem> {
    let place = place(app, name).await?;
    Ok(place.begun_at.is_none() && place.whole_as_of.is_some_and(|at| at.day() >= now.day()))
}

/// Where a walk stands. A place that cannot be read is none: the walk begins anew.
pub async fn place(app: &App, name: &str) -> Result<Place, Problem> {
    match app.store.place(name).await {
        Ok(read) => Ok(read.map_or_else(|| Place::start(name), |p| p.value)),
        Err(StoreError::Corrupt(corrupt)) => {
            tracing::error!(%corrupt, "a walk begins anew");
            Ok(Place::start(name))
        }
        Err(error) => Err(error.into()),
    }
}

impl<'a, L: Display + Clone> Lap<'a, L> {
    /// Goes on where the walk of this name stands, for at most `seconds`.
    pub async fn go_on(app: &'a App, name: &str, lists: Vec<L>, seconds: i64) -> Result<Self, Problem> {
        Ok(Self::from(app, place(app, name).await?, lists, seconds))
    }

    /// Goes on from a place that was read before.
    pub fn from(app: &'a App, place: Place, lists: Vec<L>, seconds: i64) -> Self {
        let now = app.clock.now();
        let (at, after) = place.list.as_ref().and_then(|name| lists.iter().position(|l| l.to_string() == *name)).map_or((0, None), |at| {
            let after = (!place.after.is_empty()).then(|| Position(place.after.clone()));
            (at, after)
        });
        let mut place = place;
        if at == 0 && after.is_none() {
            place.carry = None;
        }
        let until = app.share.until.map_or(now.plus_seconds(seconds), |at| at.min(now.plus_seconds(seconds)));
        Self {
            app,
            place,
            lists,
            at,
            after,
            rows: 0,
            pages: 0,
            until,
            kept_at: now,
            dry: false,
            more: false,
            remembers: false,
            notes: false,
            missed: Missed::default(),
        }
    }

    /// Keeps as of when the walk was last whole, for whoever decides by that what the next one goes through.
    pub fn noting(self) -> Self {
        Self { notes: true, ..self }
    }

    /// Keeps what is carried also when the walk is whole, for the next one to begin with.
    pub fn remembering(self) -> Self {
        Self { remembers: true, ..self }
    }

    /// Looks at everything from the beginning, and writes nothing.
    pub fn dry(app: &'a App, lists: Vec<L>, seconds: i64) -> Self {
        Self { dry: true, ..Self::from(app, Place::start(""), lists, seconds) }
    }

    /// Whether this run has had its time: what is left of a page waits for the next walk.
    pub fn is_late(&self) -> bool {
        self.app.clock.now() >= self.until
    }

    /// The list and the place of the next page; nothing at the end, or when this run has had its share.
    pub fn go(&mut self) -> Option<(L, Option<Position>)> {
        let list = self.lists.get(self.at)?.clone();
        if self.pages > 0 && (self.rows >= self.app.share.rows || self.app.clock.now() >= self.until) {
            self.more = true;
            return None;
        }
        Some((list, self.after.clone()))
    }

    /// Takes the page that was read there: its rows to work on. Odd ones are set apart.
    pub async fn turn<T>(&mut self, page: Result<Page<T>, StoreError>) -> Result<Vec<T>, Problem> {
        self.pages += 1;
        let (rows, odd, next) = match page {
            // What was kept is no place of this list any more.
            Err(StoreError::Astray) if self.after.is_some() => {
                self.after = None;
                return Ok(Vec::new());
            }
            page => page?.apart(),
        };
        self.rows += rows.len() + odd.len();
        if self.dry {
            self.missed.odd += odd.len();
        } else {
            self.missed.odd(self.app, odd).await;
        }
        self.at += usize::from(next.is_none());
        self.after = next;
        if self.app.clock.now().since(self.kept_at) >= KEEP_SECONDS {
            self.keep().await?;
        }
        Ok(rows)
    }

    /// As [`Lap::turn`], for rows that each may take long and are left when the run is late: each minute another row of the
    /// page comes first, so that those that hang do not always take the time of the same others.
    pub async fn turn_by_turn<T>(&mut self, page: Result<Page<T>, StoreError>) -> Result<Vec<T>, Problem> {
        let mut rows = self.turn(page).await?;
        if let Some(first) = usize::try_from(self.app.clock.now().unix() / 60).unwrap_or_default().checked_rem(rows.len()) {
            rows.rotate_left(first);
        }
        Ok(rows)
    }

    /// Whether this run only looks.
    pub const fn is_dry(&self) -> bool {
        self.dry
    }

    /// What went wrong with one row.
    pub async fn missed(&mut self, problem: Problem) {
        if self.dry { self.missed.failed += 1 } else { self.missed.note(self.app, problem).await }
    }

    /// What the walk has gathered so far, for walks that add up.
    pub fn carried(&self) -> Option<&str> {
        self.place.carry.as_deref()
    }

    pub fn carry(&mut self, gathered: String) {
        self.place.carry = Some(gathered);
    }

    async fn keep(&mut self) -> Result<(), Problem> {
        self.kept_at = self.app.clock.now();
        if self.dry {
            return Ok(());
        }
        self.place.begun_at.get_or_insert(self.kept_at);
        self.place.list = self.lists.get(self.at).map(ToString::to_string);
        self.place.after = self.after.clone().map(|p| p.0).unwrap_or_default();
        Ok(self.app.store.append(&self.place).await?)
    }

    /// When a walk began that earlier runs have not finished.
    pub const fn begun_at(&self) -> Option<Timestamp> {
        self.place.begun_at
    }

    /// Whether the walk has come to its end.
    pub const fn is_over(&self) -> bool {
        self.at >= self.lists.len()
    }

    /// Keeps where the walk stands: the place to go on from, or that it was whole as of `now`.
    pub async fn end(mut self, now: Timestamp) -> Result<Ended, Problem> {
        let ended = Ended { missed: self.missed, more: self.more };
        if self.dry {
            return Ok(ended);
        }
        if !self.is_over() {
            self.keep().await?;
            return Ok(ended);
        }
        let stale = self.notes && self.place.whole_as_of.is_none_or(|at| now.since(at) >= STALE_SECONDS || at.day() != now.day());
        if stale || self.place.begun_at.is_some() || self.place.carry.is_some() {
            let carry = self.place.carry.take().filter(|_| self.remembers);
            self.place = Place { whole_as_of: Some(now).max(self.place.whole_as_of), carry, ..Place::start(&self.place.name) };
            self.app.store.append(&self.place).await?;
        }
        Ok(ended)
    }
}
