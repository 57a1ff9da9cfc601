//! An affiliate's money: four accounts against the house, changed only by ledger entries.
//!
//! The wallet is the running total of its ledger. Entry number `n` and the wallet that counts `n` entries are
//! written in one transaction under the condition that the wallet was still the one that was read, so the total
//! equals the sum of the entries by construction. The wallet is also the home of everything that a payout depends
//! on (standing, bank account version, open payout): one item, one condition.

use super::{
    ids::{AdminId, AffiliateId, OrderId, PayoutId, RefundId},
    money::{Overflow, Rupiah},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    House,
    Pending,
    Available,
    Reserved,
    PaidOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub account: Account,
    pub amount: Rupiah,
}

/// What moved the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// An attributed order was paid.
    Earned {
        order: OrderId,
        /// When the order was placed: with it the commission is found.
        placed_at: Timestamp,
        /// When it was paid; noticed perhaps later.
        paid_at: Timestamp,
    },
    /// The hold is over for these orders' commissions; only the count is kept, the commissions carry the rest.
    Matured {
        commissions: u32,
    },
    /// A refund took back a commission that was still pending.
    VoidedPending {
        order: OrderId,
        refund: RefundId,
    },
    /// A person took back a commission that was held.
    VoidedHeld {
        order: OrderId,
    },
    /// A refund took back a commission that had matured: the clawback, where it was already paid out.
    VoidedAvailable {
        order: OrderId,
        refund: RefundId,
    },
    PayoutRequested {
        payout: PayoutId,
    },
    PayoutPaid {
        payout: PayoutId,
    },
    /// Rejected or failed.
    PayoutReleased {
        payout: PayoutId,
    },
    /// The bank sent the money back after it was paid.
    PayoutReversed {
        payout: PayoutId,
    },
    /// A transfer turned out to have been made although the payout had been released: it comes out of what is available,
    /// below zero where it has to.
    PayoutPaidAfterRelease {
        payout: PayoutId,
    },
}

impl Cause {
    /// As people and programs read it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Earned { .. } => "earned",
            Self::Matured { .. } => "matured",
            Self::VoidedPending { .. } => "voided_pending",
            Self::VoidedHeld { .. } => "voided_held",
            Self::VoidedAvailable { .. } => "voided_available",
            Self::PayoutRequested { .. } => "payout_requested",
            Self::PayoutPaid { .. } => "payout_paid",
            Self::PayoutReleased { .. } => "payout_released",
            Self::PayoutReversed { .. } => "payout_reversed",
            Self::PayoutPaidAfterRelease { .. } => "payout_paid_after_release",
        }
    }

    const fn accounts(&self) -> (Account, Account) {
        match self {
            Self::Earned { .. } => (Account::House, Account::Pending),
            Self::Matured { .. } => (Account::Pending, Account::Available),
            Self::VoidedPending { .. } | Self::VoidedHeld { .. } => (Account::Pending, Account::House),
            Self::VoidedAvailable { .. } => (Account::Available, Account::House),
            Self::PayoutRequested { .. } => (Account::Available, Account::Reserved),
            Self::PayoutPaid { .. } => (Account::Reserved, Account::PaidOut),
            Self::PayoutReleased { .. } => (Account::Reserved, Account::Available),
            Self::PayoutReversed { .. } => (Account::PaidOut, Account::Available),
            Self::PayoutPaidAfterRelease { .. } => (Account::Available, Account::PaidOut),
        }
    }
}

/// One immutable line of the ledger: all legs of one cause, summing to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub affiliate: AffiliateId,
    /// 1, 2, 3, ... without a gap.
    pub number: u64,
    /// When it was posted: entries are in time as they are in number.
    pub at: Timestamp,
    pub cause: Cause,
    pub legs: [Leg; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Approved,
    Suspended,
}

/// The verified bank account, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedBank {
    pub version: u32,
    pub by: AdminId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub affiliate: AffiliateId,
    pub standing: Standing,
    #[serde(flatten)]
    pub balance: Balance,
    /// How many ledger entries there are.
    pub entries: u64,
    #[serde(default)]
    pub bank: Option<VerifiedBank>,
    #[serde(default)]
    pub open_payout: Option<PayoutId>,
    /// Another affiliate has the same bank account: every sale is looked at.
    #[serde(default)]
    pub shares_bank: bool,
    /// Another affiliate showed an identity card with the same number.
    #[serde(default)]
    pub shares_identity: bool,
    /// What has left lately, oldest first: it counts against the limit of one person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departures: Vec<Departure>,
    /// Parts taken back of commissions that had matured, oldest first: it brings those behind them nearer to their payout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<TakenBack>,
    /// When the last entry was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
}

/// A part of a matured commission that a refund took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// The commission's place at that moment: how much was left of what had matured up to and with it.
    pub place: Rupiah,
    pub amount: Rupiah,
    pub at: Timestamp,
}

/// The sum paid out, for showing which commissions it has paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaidOut {
    sum: Rupiah,
    taken_back: Vec<TakenBack>,
}

impl PaidOut {
    /// Whether a commission is paid: of `covered_by` when it matured, at `matured_at`.
    pub fn covers(&self, covered_by: Rupiah, matured_at: Timestamp) -> bool {
        place(&self.taken_back, covered_by, matured_at).is_ok_and(|place| place <= self.sum)
    }
}

/// The place of a commission now: each taking back before or of it has lowered it.
fn place(taken_back: &[TakenBack], covered_by: Rupiah, matured_at: Timestamp) -> Result<Rupiah, Overflow> {
    let mut since = taken_back.iter().filter(|t| t.at >= matured_at);
    since.try_fold(covered_by, |p, taken| if taken.place <= p { p.minus(taken.amount) } else { Ok(p) })
}

/// Money of a payout that was sent on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    pub payout: PayoutId,
    pub amount: Rupiah,
    pub at: Timestamp,
}

/// How many departures a wallet remembers: more than one affiliate can have in the days that count.
const DEPARTURES: usize = 20;
/// Takings back that it remembers one by one.
const TAKEN_BACK: usize = 20;

/// The sums of the accounts; what the house owes or has paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub pending: Rupiah,
    /// Below zero after a clawback.
    pub available: Rupiah,
    pub reserved: Rupiah,
    pub paid_out: Rupiah,
}

impl Balance {
    /// This balance with one leg added.
    pub fn with(mut self, leg: Leg) -> Result<Self, Overflow> {
        let account = match leg.account {
            Account::House => return Ok(self),
            Account::Pending => &mut self.pending,
            Account::Available => &mut self.available,
            Account::Reserved => &mut self.reserved,
            Account::PaidOut => &mut self.paid_out,
        };
        *account = account.plus(leg.amount)?;
        Ok(self)
    }

    /// Both together.
    pub fn plus(self, other: &Self) -> Result<Self, Overflow> {
        Ok(Self {
            pending: self.pending.plus(other.pending)?,
            available: self.available.plus(other.available)?,
            reserved: self.reserved.plus(other.reserved)?,
            paid_out: self.paid_out.plus(other.paid_out)?,
        })
    }

    /// What has matured and was not taken back: available, on its way, or paid out.
    pub fn matured(&self) -> Result<Rupiah, Overflow> {
        Rupiah::sum([self.available, self.reserved, self.paid_out])
    }

    /// This balance as it was before `entry`.
    pub fn without(self, entry: &LedgerEntry) -> Result<Self, Overflow> {
        entry.legs.iter().try_fold(self, |balance, leg| balance.with(Leg { amount: leg.amount.negated()?, ..*leg }))
    }

    /// The sum of a stretch of the ledger, starting from this balance.
    pub fn replay<'a>(self, entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Result<Self, Overflow> {
        entries.into_iter().flat_map(|e| e.legs).try_fold(self, Self::with)
    }
}

impl Wallet {
    pub fn open(affiliate: AffiliateId) -> Self {
        Self {
            affiliate,
            standing: Standing::Approved,
            balance: Balance::default(),
            entries: 0,
            bank: None,
            open_payout: None,
            shares_bank: false,
            shares_identity: false,
            departures: Vec::new(),
            taken_back: Vec::new(),
            last_at: None,
        }
    }

    /// Remembers that the money of a payout has left. When there are too many, the oldest two become one that is as young
    /// as the younger: the sum of the days that count never comes out too small.
    pub fn note_departure(&mut self, payout: PayoutId, amount: Rupiah, at: Timestamp) {
        if self.departures.iter().any(|d| d.payout == payout) {
            return;
        }
        self.departures.push(Departure { payout, amount, at });
        while self.departures.len() > DEPARTURES {
            let oldest = self.departures.remove(0);
            if let Some(next) = self.departures.first_mut() {
                next.amount = next.amount.plus(oldest.amount).unwrap_or(next.amount);
            }
        }
    }

    /// The money of a payout has not left, or has come back.
    pub fn forget_departure(&mut self, payout: PayoutId) {
        self.departures.retain(|d| d.payout != payout);
    }

    /// Remembers that `amount` was taken back of a commission that matured at `matured_at` and was of `covered_by` then. When
    /// there are too many, the oldest two become one that lowers less: a commission may be shown as paid too late, never too
    /// early.
    pub fn note_taken_back(&mut self, covered_by: Rupiah, matured_at: Timestamp, amount: Rupiah, at: Timestamp) -> Result<(), Overflow> {
        let place = place(&self.taken_back, covered_by, matured_at)?;
        self.taken_back.push(TakenBack { place, amount, at });
        while self.taken_back.len() > TAKEN_BACK {
            let oldest = self.taken_back.remove(0);
            if let Some(next) = self.taken_back.first_mut() {
                next.amount = next.amount.plus(oldest.amount)?;
                next.place = next.place.max(oldest.place);
                next.at = next.at.min(oldest.at);
            }
        }
        Ok(())
    }

    pub fn paid_out(&self) -> PaidOut {
        PaidOut { sum: self.balance.paid_out, taken_back: self.taken_back.clone() }
    }

    /// The sum of the other payouts that have left after `since`.
    pub fn departed_since(&self, since: Timestamp, other_than: PayoutId) -> Result<Rupiah, Overflow> {
        Rupiah::sum(self.departures.iter().filter(|d| d.at > since && d.payout != other_than).map(|d| d.amount))
    }

    /// The wallet after `cause` moved `amount`, and the entry that says so. They are written together. Whoever decided
    /// before the last entry and writes after it is dated as that one: times never fall while numbers rise.
    pub fn post(mut self, cause: Cause, amount: Rupiah, at: Timestamp) -> Result<(Self, LedgerEntry), Overflow> {
        let (from, to) = cause.accounts();
        let legs = [Leg { account: from, amount: amount.negated()? }, Leg { account: to, amount }];
        for leg in legs {
            self.balance = self.balance.with(leg)?;
        }
        self.entries += 1;
        let at = self.last_at.map_or(at, |last| last.max(at));
        self.last_at = Some(at);
        let entry = LedgerEntry { affiliate: self.affiliate, number: self.entries, at, cause, legs };
        Ok((self, entry))
    }
}
