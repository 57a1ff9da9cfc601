//! A visit through `/r/{code}`: one write when the code is known to this process.

use super::{App, Problem};
use crate::{
    domain::{
        affiliate::ReferralCode,
        attribution::ClickProof,
        click::{Campaign, Looker, host_of},
        ids::{AffiliateId, ClickId},
        settings::Settings,
        stats::{ActiveDay, KEPT_DAYS},
        time::{Day, Timestamp},
    },
    store::{entity::Click, keys},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How long a code that was looked up, found or not, is not looked up again; and how many are kept.
const FRESH_SECONDS: i64 = 60;
const MOST: usize = 10_000;

/// Codes and settings that this process has looked up lately.
#[derive(Debug, Clone, Default)]
pub struct Known {
    codes: Arc<Mutex<Cache>>,
    /// Affiliates whose day this process has marked as one to be counted.
    marked: Arc<Mutex<HashMap<AffiliateId, Day>>>,
}

/// By folded code: when it was looked up, and what was found.
type Cache = HashMap<String, (Timestamp, Option<Resolved>)>;

#[derive(Debug, Clone, Copy)]
struct Resolved {
    affiliate: AffiliateId,
    referral_days: u16,
    retention_days: u16,
}

/// Who came, as far as that is kept.
#[derive(Debug)]
pub struct Visit<'a> {
    pub address: &'a str,
    pub agent: &'a str,
    pub referrer: Option<&'a str>,
    /// What the browser says that it loads the page for.
    pub purpose: Option<&'a str>,
    pub campaign: Campaign,
}

/// A click that was logged: what to sign into the cookie, and for how long.
#[derive(Debug)]
pub struct Clicked {
    pub proof: ClickProof,
    pub seconds: i64,
}

/// Logs the click; nothing for a code that nobody has.
pub async fn click(app: &App, known: &Known, code: &ReferralCode, visit: &Visit<'_>) -> Result<Option<Clicked>, Problem> {
    let now = app.clock.now();
    let Some(owner) = resolve(app, known, code, now).await? else { return Ok(None) };
    let key = app.referrals.as_ref().ok_or_else(|| Problem::internal("this function has no referral key"))?;
    let id = ClickId::fresh(now, &app.entropy);
    let click = Click {
        id,
        affiliate: owner.affiliate,
        code: code.as_str().into(),
        at: now,
        visitor: key.visitor(visit.address, visit.agent, now),
        looker: Looker::of(visit.agent, visit.purpose),
        referrer: visit.referrer.and_then(host_of),
        campaign: visit.campaign.clone(),
        expires_at: now.plus_days(owner.retention_days.max(KEPT_DAYS)),
    };
    mark(app, known, owner.affiliate, now).await?;
    app.store.append(&click).await?;
    let proof = ClickProof { affiliate: owner.affiliate, click: id, code: code.clone(), at: now };
    Ok(Some(Clicked { proof, seconds: i64::from(owner.referral_days) * 86_400 }))
}

/// Once a day for each affiliate and process: the aggregation is told that there is something to count.
async fn mark(app: &App, known: &Known, affiliate: AffiliateId, now: Timestamp) -> Result<(), Problem> {
    let marked = || known.marked.lock().unwrap_or_else(PoisonError::into_inner);
    if marked().get(&affiliate) == Some(&now.day()) {
        return Ok(());
    }
    app.store.append(&ActiveDay::new(affiliate, now, now)).await?;
    let mut days = marked();
    if days.len() >= MOST {
        days.clear();
    }
    days.insert(affiliate, now.day());
    Ok(())
}

async fn resolve(app: &App, known: &Known, code: &ReferralCode, now: Timestamp) -> Result<Option<Resolved>, Problem> {
    let name = code.folded();
    if let Some((at, resolved)) = known.codes.lock().unwrap_or_else(PoisonError::into_inner).get(&name)
        && now.since(*at) < FRESH_SECONDS
    {
        return Ok(*resolved);
    }
    let code_key = keys::code(code);
    let mut found = app.store.get_many([code_key.clone(), keys::settings()]).await?;
    let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
    let owner = found.take::<crate::domain::affiliate::CodeOwner>(&code_key)?;
    let resolved = owner.map(|o| Resolved {
        affiliate: o.value.affiliate,
        referral_days: settings.referral_days,
        retention_days: settings.click_retention_days,
    });
    let mut cache = known.codes.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= MOST {
        cache.clear();
    }
    cache.insert(name, (now, resolved));
    Ok(resolved)
}
