//! Affiliates, their codes, clicks, commissions, leads and payouts.

use super::{
    Page, Position, Range, Store, StoreError,
    entity::{Click, Referral, SameAccount, SameIdentity, Stored},
    keys::{self, Key},
};
use crate::domain::{
    affiliate::{Affiliate, AffiliateStatus, BankStatus, CodeOwner, PayoutAccount, ReferralCode},
    commission::{Commission, CommissionStatus},
    ids::{AffiliateId, PayoutId, UploadId},
    job::Checkpoint,
    ktp::KtpImage,
    order::Order,
    payout::Payout,
    stats::{ActiveDay, DailyStats, Period},
    time::{Day, Timestamp},
    upload::Upload,
    wallet::{LedgerEntry, Wallet},
};

/// Most others that are named as having the same account or identity.
const SHARING: usize = 20;

impl Store {
    pub async fn affiliate(&self, id: AffiliateId) -> Result<Option<Stored<Affiliate>>, StoreError> {
        self.get(&keys::affiliate(id)).await
    }

    /// Affiliates of one status, oldest application first; only those that `keep` wants.
    pub async fn applications(
        &self,
        status: AffiliateStatus,
        keep: impl Fn(&Affiliate) -> bool,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<Affiliate>>, StoreError> {
        let pk = keys::applications(status.as_str());
        self.list(Range::by_owner(&pk).limit(limit).after(after), |a: &Affiliate| a.status == status && keep(a)).await
    }

    /// The same for a walk through all of them: one page as it comes.
    pub async fn affiliates_who_are(&self, status: AffiliateStatus, after: Option<Position>) -> Result<Page<Stored<Affiliate>>, StoreError> {
        let keys = self.query_keys(Range::by_owner(&keys::applications(status.as_str())).limit(50).after(after)).await?;
        Ok(self.behind::<Affiliate>(keys).await?.filter(|a| a.value.status == status))
    }

    /// Bank accounts whose verification stands so, longest first.
    pub async fn payout_accounts(
        &self,
        status: BankStatus,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<PayoutAccount>>, StoreError> {
        let pk = keys::payout_accounts(status.as_str());
        self.list(Range::by_owner(&pk).limit(limit).after(after), |b: &PayoutAccount| b.status == status).await
    }

    pub async fn code_owner(&self, code: &ReferralCode) -> Result<Option<Stored<CodeOwner>>, StoreError> {
        self.get(&keys::code(code)).await
    }

    pub async fn wallet(&self, id: AffiliateId) -> Result<Option<Stored<Wallet>>, StoreError> {
        self.get(&keys::wallet(id)).await
    }

    pub async fn payout_account(&self, id: AffiliateId) -> Result<Option<Stored<PayoutAccount>>, StoreError> {
        self.get(&keys::payout_account(id)).await
    }

    pub async fn payout(&self, id: PayoutId) -> Result<Option<Stored<Payout>>, StoreError> {
        self.get(&keys::payout(id)).await
    }

    /// The commission of an attributed order.
    pub async fn commission(&self, order: &Order) -> Result<Option<Stored<Commission>>, StoreError> {
        match &order.attribution {
            Some(attribution) => self.get(&keys::commission(attribution.affiliate, order.placed_at, order.id)).await,
            None => Ok(None),
        }
    }

    /// The lead that an attributed order is for its affiliate.
    pub async fn referral(&self, order: &Order) -> Result<Option<Stored<Referral>>, StoreError> {
        match &order.attribution {
            Some(attribution) => self.get(&keys::referral(attribution.affiliate, order.placed_at, order.id)).await,
            None => Ok(None),
        }
    }

    /// An affiliate's commissions, newest order first; only those that `keep` wants.
    pub async fn commissions(
        &self,
        id: AffiliateId,
        keep: impl Fn(&Commission) -> bool,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<Commission>>, StoreError> {
        let pk = keys::affiliate_pk(id);
        self.list(Range::of(&pk).prefix(keys::COMMISSION_PREFIX).newest_first().limit(limit).after(after), keep).await
    }

    /// The newest leads.
    pub async fn latest_referrals(&self, id: AffiliateId, most: usize) -> Result<Vec<Stored<Referral>>, StoreError> {
        self.first(Range::of(&keys::affiliate_pk(id)).prefix(keys::REFERRAL_PREFIX).newest_first(), most).await
    }

    /// The newest lines of the ledger.
    pub async fn latest_entries(&self, id: AffiliateId, most: usize) -> Result<Vec<Stored<LedgerEntry>>, StoreError> {
        self.first(Range::of(&keys::affiliate_pk(id)).prefix(keys::LEDGER_PREFIX).newest_first(), most).await
    }

    pub async fn referrals(&self, id: AffiliateId, limit: usize, after: Option<Position>) -> Result<Page<Stored<Referral>>, StoreError> {
        self.query(Range::of(&keys::affiliate_pk(id)).prefix(keys::REFERRAL_PREFIX).newest_first().limit(limit).after(after)).await
    }

    /// The leads of one day of Jakarta.
    pub async fn referrals_on(&self, id: AffiliateId, day: Day, after: Option<Position>) -> Result<Page<Stored<Referral>>, StoreError> {
        let [from, to] = [day, day.after()].map(|d| format!("{}{}", keys::REFERRAL_PREFIX, d.begins()));
        self.query(Range::of(&keys::affiliate_pk(id)).between(from, to).limit(1000).after(after)).await
    }

    pub async fn ledger(&self, id: AffiliateId, limit: usize, after: Option<Position>) -> Result<Page<Stored<LedgerEntry>>, StoreError> {
        self.query(Range::of(&keys::affiliate_pk(id)).prefix(keys::LEDGER_PREFIX).newest_first().limit(limit).after(after)).await
    }

    /// The entries `from..=to`, oldest first; at most 500 of them, whoever wants more asks on by number.
    pub async fn ledger_between(&self, id: AffiliateId, from: u64, to: u64) -> Result<Vec<Stored<LedgerEntry>>, StoreError> {
        let (first, last) = (keys::ledger(id, from), keys::ledger(id, to.min(from + 499)));
        self.all(Range::of(&first.pk).between(first.sk.clone(), last.sk), 500).await
    }

    pub async fn checkpoint(&self, id: AffiliateId) -> Result<Option<Stored<Checkpoint>>, StoreError> {
        self.get(&keys::checkpoint(id)).await
    }

    pub async fn payouts(&self, id: AffiliateId, limit: usize, after: Option<Position>) -> Result<Page<Stored<Payout>>, StoreError> {
        let pk = keys::affiliate_payouts(id);
        self.list(Range::by_owner(&pk).newest_first().limit(limit).after(after), |_| true).await
    }

    /// One shard of a day's clicks.
    pub async fn clicks(&self, id: AffiliateId, day: Day, shard: u8, after: Option<Position>) -> Result<Page<Stored<Click>>, StoreError> {
        self.query(Range::of(&keys::clicks(id, day, shard)).limit(1000).after(after)).await
    }

    pub async fn daily_stats(&self, id: AffiliateId, day: Day) -> Result<Option<Stored<DailyStats>>, StoreError> {
        self.get(&keys::daily_stats(id, day)).await
    }

    /// Commissions that wait for a person, oldest first.
    pub async fn held(&self, limit: usize, after: Option<Position>) -> Result<Page<Stored<Commission>>, StoreError> {
        self.list(Range::by_owner(keys::HELD).limit(limit).after(after), |c: &Commission| c.status == CommissionStatus::Held).await
    }

    /// Others who have, or had, this bank account.
    pub async fn sharing_account(&self, hash: &str, id: AffiliateId) -> Result<Vec<AffiliateId>, StoreError> {
        let found = self.first(Range::of(&keys::same_accounts(hash)), SHARING).await?;
        Ok(found.iter().map(|s: &Stored<SameAccount>| s.value.affiliate).filter(|other| *other != id).collect())
    }

    /// Others who showed an identity card with this number.
    pub async fn sharing_identity(&self, hash: &str, id: AffiliateId) -> Result<Vec<AffiliateId>, StoreError> {
        let found = self.first(Range::of(&keys::same_identities(hash)), SHARING).await?;
        Ok(found.iter().map(|s: &Stored<SameIdentity>| s.value.affiliate).filter(|other| *other != id).collect())
    }

    pub async fn upload(&self, id: UploadId) -> Result<Option<Stored<Upload>>, StoreError> {
        self.get(&keys::upload(id)).await
    }

    /// The latest pictures of an affiliate's identity cards: the one that is kept first, then as they came, newest first. The
    /// older ones have their end already.
    pub async fn ktp_images(&self, id: AffiliateId) -> Result<Vec<Stored<KtpImage>>, StoreError> {
        let pk = keys::affiliate_pk(id);
        let mut cards: Vec<Stored<KtpImage>> = self.first(Range::of(&pk).prefix(keys::KTP_PREFIX).newest_first(), 20).await?;
        cards.sort_by_key(|card| std::cmp::Reverse(card.value.rank()));
        Ok(cards)
    }

    /// Pictures of identity cards whose time is over, as the (possibly stale) index knows them.
    pub async fn ktp_overdue(&self, now: Timestamp, after: Option<Position>) -> Result<Page<Stored<KtpImage>>, StoreError> {
        self.list(Range::by_due(keys::KTP_RETENTION).until(now).limit(50).after(after), |k: &KtpImage| k.deleted_at.is_none() && k.delete_at <= now)
            .await
    }

    /// The days of a period on which something was counted, oldest first; at most a year and a day.
    pub async fn stats_of(&self, id: AffiliateId, period: Period) -> Result<Vec<DailyStats>, StoreError> {
        let (first, last) = (keys::daily_stats(id, period.from), keys::daily_stats(id, period.to));
        let days = self.first(Range::of(&first.pk).between(first.sk.clone(), last.sk), 400).await?;
        Ok(days.into_iter().map(|d: Stored<DailyStats>| d.value).collect())
    }

    /// Whose days are to be counted, as noticed on `listed_on`.
    pub async fn active_on(&self, listed_on: Day, shard: u8, after: Option<Position>) -> Result<Page<Stored<ActiveDay>>, StoreError> {
        self.query(Range::of(&keys::active_days(listed_on, shard)).limit(100).after(after)).await
    }

    /// The newest clicks of a shard of a day.
    pub async fn latest_clicks(&self, id: AffiliateId, day: Day, shard: u8, limit: usize) -> Result<Vec<Click>, StoreError> {
        let clicks = self.first(Range::of(&keys::clicks(id, day, shard)).newest_first(), limit).await?;
        Ok(clicks.into_iter().map(|c: Stored<Click>| c.value).collect())
    }

    /// Payouts that wait for an admin, oldest first.
    pub async fn open_payouts(
        &self,
        keep: impl Fn(&Payout) -> bool,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<Payout>>, StoreError> {
        self.list(Range::by_due(keys::OPEN_PAYOUTS).limit(limit).after(after), keep).await
    }

    /// Payouts that were requested in the month of `day` and are closed, newest first.
    pub async fn closed_payouts(
        &self,
        day: Day,
        keep: impl Fn(&Payout) -> bool,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<Payout>>, StoreError> {
        let pk = keys::closed_payouts(day);
        self.list(Range::by_due(&pk).newest_first().limit(limit).after(after), |p: &Payout| !p.status.is_open() && keep(p)).await
    }

    /// Orders of one shard whose commission may mature by `now`, as the (possibly stale) index knows them.
    pub async fn maturing(&self, shard: u8, now: Timestamp, after: Option<Position>) -> Result<Page<Key>, StoreError> {
        self.query_keys(Range::by_due(&keys::maturing_shard(shard)).until(now).limit(500).after(after)).await
    }
}
