//! What an affiliate's dashboard asks: in as many round trips for a million clicks as for none.

use super::{Range, Store, StoreError, entity::Stored, keys};
use crate::domain::{
    ids::{AffiliateId, MaterialId},
    job::{JobRuns, Place},
    material::Material,
    stats::{Counts, DailyStats, StatsTotals},
    time::{Day, Timestamp},
    wallet::Wallet,
};

/// Everything that the summary shows.
#[derive(Debug, Clone)]
pub struct Summary {
    pub totals: Counts,
    pub today: Counts,
    /// Up to when the day was counted; nothing before the first count.
    pub as_of: Option<Timestamp>,
    /// Nothing while the application is not approved.
    pub wallet: Option<Wallet>,
}

/// Most materials that there are.
const MATERIALS: usize = 200;

impl Store {
    pub async fn summary(&self, id: AffiliateId, today: Day, job: &str) -> Result<Summary, StoreError> {
        let (totals, day, wallet, run) = (keys::stats_totals(id), keys::daily_stats(id, today), keys::wallet(id), keys::job_run(job));
        let mut found = self.get_many([totals.clone(), day.clone(), wallet.clone(), run.clone()]).await?;
        let day = found.take::<DailyStats>(&day)?.map(|d| d.value);
        let run = found.take::<JobRuns>(&run)?.and_then(|r| r.value.as_of);
        Ok(Summary {
            totals: found.take::<StatsTotals>(&totals)?.map(|t| t.value.counts).unwrap_or_default(),
            as_of: day.as_ref().map(|d| d.as_of).max(run),
            today: day.map(|d| d.counts).unwrap_or_default(),
            wallet: found.take::<Wallet>(&wallet)?.map(|w| w.value),
        })
    }

    /// What is known of a schedule.
    pub async fn job_runs(&self, name: &str) -> Result<Option<Stored<JobRuns>>, StoreError> {
        self.get(&keys::job_run(name)).await
    }

    /// Where a walk stands.
    pub async fn place(&self, name: &str) -> Result<Option<Stored<Place>>, StoreError> {
        self.get(&keys::place(name)).await
    }

    /// Banners and graphics, newest first.
    pub async fn material(&self, id: MaterialId) -> Result<Option<Stored<Material>>, StoreError> {
        self.get(&keys::material(id)).await
    }

    pub async fn materials(&self) -> Result<Vec<Material>, StoreError> {
        let newest = self.first(Range::of(keys::MATERIALS).newest_first(), MATERIALS).await?;
        Ok(newest.into_iter().map(|m: Stored<Material>| m.value).collect())
    }
}
