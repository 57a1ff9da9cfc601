//! Old clicks: kept in the archive as compressed JSON lines, one file for each day and affiliate, then removed from the table.

use super::{
    App, Problem,
    lap::{self, Lap, Missed, shards},
};
use crate::{
    domain::{
        ids::{AffiliateId, ClickId},
        job::Place,
        stats::KEPT_DAYS,
        time::{Day, Timestamp},
    },
    files::Archive,
    store::{
        entity::{Click, Corrupt},
        keys,
    },
};
use std::collections::BTreeMap;

/// How many days back a run looks for what earlier runs have not finished.
const CATCH_UP_DAYS: u16 = 30;
/// How long a run goes on; its function may take a quarter of an hour.
const SECONDS: i64 = 780;
const JOB: &str = "click-archive";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Archived {
    pub files: usize,
    pub clicks: usize,
    /// Affiliates' days that could not be archived in this run; the others are, and these stay marked.
    pub failed: usize,
    /// Rows that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// A shard of a day's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    day: Day,
    shard: u8,
}

impl std::fmt::Display for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.day, self.shard)
    }
}

/// The marks of all days whose retention is over, oldest first: of the last weeks, and of as long as marks live where the
/// retention was lowered since the last whole walk, or where that was too long ago.
fn lists(retention: u16, place: &Place, now: Timestamp) -> Vec<Marks> {
    let usual = place.carry.as_deref() == Some(&retention.to_string())
        && place.whole_as_of.is_some_and(|at| at.day().days_until(now.day()) < i64::from(CATCH_UP_DAYS));
    let back = if usual { CATCH_UP_DAYS } else { KEPT_DAYS.saturating_sub(retention).max(CATCH_UP_DAYS) };
    let days = (0..back).rev().map(|back| now.day().minus(retention.saturating_add(back)));
    days.flat_map(|day| shards().into_iter().map(move |shard| Marks { day, shard })).collect()
}

/// Archives the clicks whose retention is over. Safe to run twice, late, or to be cut off anywhere.
pub async fn archive(app: &App, archive: &Archive, now: Timestamp) -> Result<Archived, Problem> {
    let retention = app.store.settings().await?.click_retention_days;
    let place = lap::place(app, JOB).await?;
    let lists = lists(retention, &place, now);
    let mut done = Archived::default();
    let mut lap = Lap::from(app, place, lists, SECONDS).remembering().noting();
    lap.carry(retention.to_string());
    while let Some((Marks { day, shard }, after)) = lap.go() {
        for active in lap.turn(app.store.active_on(day, shard, after).await).await? {
            match one(app, archive, active.value.affiliate, active.value.day, day, &mut lap.missed).await {
                Ok(Some(clicks)) => {
                    done.clicks += clicks;
                    done.files += 1;
                }
                Ok(None) => {}
                Err(problem) => {
                    tracing::error!(affiliate = %active.value.affiliate, %day, cause = problem.cause(), "clicks not archived in this run");
                    lap.missed(problem).await;
                }
            }
        }
    }
    let ended = lap.end(now).await?;
    Ok(Archived { failed: ended.missed.failed, odd: ended.missed.odd, more: ended.more, ..done })
}

/// How many affiliates' days a run would archive.
pub async fn due(app: &App, now: Timestamp) -> Result<Archived, Problem> {
    let retention = app.store.settings().await?.click_retention_days;
    let lists = lists(retention, &lap::place(app, JOB).await?, now);
    let (mut due, mut lap) = (Archived::default(), Lap::dry(app, lists, SECONDS));
    while let Some((Marks { day, shard }, after)) = lap.go() {
        due.files += lap.turn(app.store.active_on(day, shard, after).await).await?.iter().filter(|a| a.value.day == day).count();
    }
    let ended = lap.end(now).await?;
    Ok(Archived { odd: ended.missed.odd, more: ended.more, ..due })
}

/// Archives what is listed on a day, and forgets the mark: the last step, until then another run begins anew with this
/// one. An odd click stays in the table, with the mark that names its day.
async fn one(app: &App, archive: &Archive, affiliate: AffiliateId, day: Day, listed_on: Day, missed: &mut Missed) -> Result<Option<usize>, Problem> {
    let mut archived = None;
    if day == listed_on {
        let (clicks, odd) = one_day(app, archive, affiliate, day).await?;
        archived = Some(clicks);
        if !odd.is_empty() {
            missed.odd(app, odd).await;
            return Ok(archived);
        }
    }
    app.store.delete(&keys::active_day(listed_on, affiliate, day)).await?;
    Ok(archived)
}

/// Archives one day of one affiliate: what a run that was cut off has archived already is joined, never replaced.
async fn one_day(app: &App, archive: &Archive, affiliate: AffiliateId, day: Day) -> Result<(usize, Vec<Corrupt>), Problem> {
    let key = format!("clicks/{day}/{affiliate}.jsonl.gz");
    let mut clicks: BTreeMap<ClickId, Click> = BTreeMap::new();
    let mut odd = Vec::new();
    for shard in shards() {
        let mut after = None;
        loop {
            let (page, mut unreadable, next) = app.store.clicks(affiliate, day, shard, after).await?.apart();
            clicks.extend(page.into_iter().map(|c| (c.value.id, c.value)));
            odd.append(&mut unreadable);
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    if clicks.is_empty() {
        return Ok((0, odd));
    }
    let mut all: BTreeMap<ClickId, Click> = archive.read(&key).await?.into_iter().map(|c: Click| (c.id, c)).collect();
    let known = all.len();
    all.extend(clicks.iter().map(|(id, click)| (*id, click.clone())));
    if all.len() > known {
        archive.put(&key, all.values()).await?;
    }
    for click in clicks.values() {
        app.store.delete(&keys::click(affiliate, click.at, click.id)).await?;
    }
    Ok((clicks.len(), odd))
}
