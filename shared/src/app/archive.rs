//! Old clicks: kept in the archive as compressed JSON lines, one file for each day and affiliate, then removed from the table.

use super::{App, Problem};
use crate::{
    domain::{
        ids::{AffiliateId, ClickId},
        time::{Day, Timestamp},
    },
    files::Archive,
    store::{
        entity::Click,
        keys::{self, SHARDS},
    },
};
use std::collections::BTreeMap;

/// How many days back a run looks for what earlier runs have not finished.
const CATCH_UP_DAYS: u16 = 30;
/// Most affiliates' days of one run.
const PER_RUN: usize = 2_000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Archived {
    pub files: usize,
    pub clicks: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// Archives the clicks whose retention is over. Safe to run twice, late, or to be cut off anywhere.
pub async fn archive(app: &App, archive: &Archive, now: Timestamp) -> Result<Archived, Problem> {
    let retention = app.store.settings().await?.click_retention_days;
    let mut done = Archived::default();
    for back in (0..CATCH_UP_DAYS).rev() {
        let day = now.day().minus(retention.saturating_add(back));
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                let page = app.store.active_on(day, shard, after).await?;
                for active in &page.items {
                    if done.files >= PER_RUN {
                        return Ok(Archived { more: true, ..done });
                    }
                    if active.value.day == day {
                        done.clicks += one(app, archive, active.value.affiliate, day).await?;
                        done.files += 1;
                    }
                    // The last step: until then another run begins anew with this one.
                    app.store.delete(&keys::active_day(day, active.value.affiliate, active.value.day)).await?;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
    }
    Ok(done)
}

/// How many affiliates' days a run would archive.
pub async fn due(app: &App, now: Timestamp) -> Result<Archived, Problem> {
    let retention = app.store.settings().await?.click_retention_days;
    let mut due = Archived::default();
    for back in 0..CATCH_UP_DAYS {
        let day = now.day().minus(retention.saturating_add(back));
        for shard in 0..SHARDS {
            let mut after = None;
            loop {
                let page = app.store.active_on(day, shard, after).await?;
                due.files += page.items.iter().filter(|a| a.value.day == day).count();
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
    }
    Ok(due)
}

/// Archives one day of one affiliate: what a run that was cut off has archived already is joined, never replaced.
async fn one(app: &App, archive: &Archive, affiliate: AffiliateId, day: Day) -> Result<usize, Problem> {
    let key = format!("clicks/{day}/{affiliate}.jsonl.gz");
    let mut clicks: BTreeMap<ClickId, Click> = BTreeMap::new();
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let page = app.store.clicks(affiliate, day, shard, after).await?;
            clicks.extend(page.items.into_iter().map(|c| (c.value.id, c.value)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if clicks.is_empty() {
        return Ok(0);
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
    Ok(clicks.len())
}
