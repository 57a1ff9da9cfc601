//! What an affiliate earns on one order.

use super::{
    Forbidden, Wrong,
    attribution::{Attribution, FrozenRule},
    ids::{AffiliateId, OrderId},
    money::{Overflow, Rupiah},
    order::{OrderLine, OrderNumber},
    settings::CommissionRule,
    signal::Signal,
    status,
    time::Timestamp,
    wallet::PaidOut,
};
use serde::{Deserialize, Serialize};

status! {
    /// `held` waits for an admin's decision; `void` is the end and is never undone.
    CommissionStatus { Held = "held", Pending = "pending", Available = "available", Void = "void" }
    steps {
        Held => [Pending, Void],
        Pending => [Available, Void],
        Available => [Void],
    }
}

/// At most one for an order; its key is the order's id under the affiliate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    pub affiliate: AffiliateId,
    pub order: OrderId,
    pub order_number: OrderNumber,
    pub status: CommissionStatus,
    /// The amount paid, on which the commission is reckoned.
    pub basis: Rupiah,
    pub rule: FrozenRule,
    /// What was earned; never changed afterwards.
    pub amount: Rupiah,
    /// How much of it refunds have taken back.
    pub voided: Rupiah,
    pub placed_at: Timestamp,
    pub paid_at: Timestamp,
    /// Set when the order is completed: the first moment at which this may mature.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    #[serde(default)]
    pub matured_at: Option<Timestamp>,
    /// Once so much has been paid out to the affiliate, payouts cover this commission and all that matured before it.
    #[serde(default)]
    pub covered_by: Option<Rupiah>,
    /// Why it is, or was, held for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    #[serde(default)]
    pub void_because: Option<VoidReason>,
}

/// Why a commission was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The order was refunded.
    Refunded,
    /// An admin decided on a signal.
    Decided,
}

/// Where a commission stands as people see it: `paid` is derived, for payouts reserve an amount and no commissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Held,
    Pending,
    Available,
    Paid,
    Void,
}

impl Shown {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "held" => Ok(Self::Held),
            "pending" => Ok(Self::Pending),
            "available" => Ok(Self::Available),
            "paid" => Ok(Self::Paid),
            "void" => Ok(Self::Void),
            _ => Err(Wrong::new("unknown_value", "must be one of held, pending, available, paid, void")),
        }
    }
}

/// Why a commission cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotVoidable {
    #[error(transparent)]
    Step(#[from] Forbidden),
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Commission {
    /// What is left of it.
    pub fn remaining(&self) -> Rupiah {
        // `voided` never exceeds `amount`, so this cannot overflow.
        self.amount.minus(self.voided).unwrap_or(Rupiah::ZERO)
    }

    /// Completion of the order starts the end of the hold: `max(paid_at + hold, completed_at)`.
    pub fn completed(mut self, at: Timestamp) -> Self {
        if matches!(self.status, CommissionStatus::Pending | CommissionStatus::Held) {
            self.due_at = Some(at.max(self.paid_at.plus_days(self.rule.hold_days)));
        }
        self
    }

    /// Whether the daily run may make it available.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.status == CommissionStatus::Pending && self.due_at.is_some_and(|due| due <= now)
    }

    pub fn matured(mut self, now: Timestamp, covered_by: Rupiah) -> Result<Self, Forbidden> {
        self.status = self.status.step(CommissionStatus::Available)?;
        self.matured_at = Some(now);
        self.covered_by = Some(covered_by);
        Ok(self)
    }

    /// A person has looked at the signals and found nothing wrong.
    pub fn released(mut self) -> Result<Self, Forbidden> {
        self.status = self.status.step(CommissionStatus::Pending)?;
        Ok(self)
    }

    /// A person has looked at the signals and takes it back; with how much that is.
    pub fn decided_void(mut self) -> Result<(Self, Rupiah), NotVoidable> {
        let taken = self.remaining();
        self.voided = self.voided.plus(taken)?;
        self.status = self.status.step(CommissionStatus::Void)?;
        self.void_because = Some(VoidReason::Decided);
        Ok((self, taken))
    }

    /// Its standing for an affiliate to whom so much has been paid.
    pub fn shown(&self, paid_out: &PaidOut) -> Shown {
        match self.status {
            CommissionStatus::Held => Shown::Held,
            CommissionStatus::Pending => Shown::Pending,
            CommissionStatus::Available if self.covered_by.zip(self.matured_at).is_some_and(|(sum, at)| paid_out.covers(sum, at)) => Shown::Paid,
            CommissionStatus::Available => Shown::Available,
            CommissionStatus::Void => Shown::Void,
        }
    }

    /// The commission after refunds of `refunded` out of `paid`, and how much that takes back now.
    /// `ends`: the whole order is over, whatever was refunded. Cumulative, so that the last part comes out exact.
    pub fn voided_by(mut self, refunded: Rupiah, paid: Rupiah, ends: bool) -> Result<(Self, Rupiah), NotVoidable> {
        let target = if ends || refunded >= paid { self.amount } else { self.amount.fraction(refunded.get(), paid.get())? };
        let taken = target.max(self.voided).minus(self.voided)?;
        self.voided = self.voided.plus(taken)?;
        if self.voided == self.amount && (ends || refunded >= paid) {
            self.status = self.status.step(CommissionStatus::Void)?;
            self.void_because = Some(VoidReason::Refunded);
        }
        Ok((self, taken))
    }
}

/// What an order of these lines earns on `paid`: each special product on its part of what was paid, the rest by the rule
/// of the order. Never more than `paid`.
pub fn earned(attribution: &Attribution, lines: &[OrderLine], paid: Rupiah) -> Result<Rupiah, Overflow> {
    let subtotal = lines.iter().try_fold(Rupiah::ZERO, |sum, line| sum.plus(line.price()?))?;
    let (mut earned, mut rest) = (Rupiah::ZERO, paid);
    for line in lines {
        let Some(special) = attribution.special.iter().find(|s| s.product == line.product) else { continue };
        let part = paid.fraction(line.price()?.get(), subtotal.get())?;
        earned = earned.plus(special.rule.earned_on(part)?)?;
        rest = rest.minus(part)?;
    }
    if rest > Rupiah::ZERO {
        earned = earned.plus(attribution.rule.rule.earned_on(rest)?)?;
    }
    Ok(earned.min(paid))
}

impl CommissionRule {
    /// What `paid` earns: never more than `paid`, never below zero.
    pub fn earned_on(self, paid: Rupiah) -> Result<Rupiah, Overflow> {
        let earned = match self {
            Self::Percent { rate } => paid.percent(rate)?,
            Self::Flat { amount } => amount,
        };
        Ok(earned.min(paid).max(Rupiah::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::BasisPoints;

    fn void_after_a_refund() -> Commission {
        let rule = FrozenRule { rule: CommissionRule::Percent { rate: BasisPoints::new(500).unwrap() }, version: 1, hold_days: 30 };
        let at = Timestamp::from_unix(1_800_000_000);
        let commission = Commission {
            affiliate: AffiliateId::named(&["a"]),
            order: OrderId::named(&["o"]),
            order_number: OrderNumber::parse("QTB-261123-AB2C").unwrap(),
            status: CommissionStatus::Pending,
            basis: Rupiah::new(1_000_000),
            rule,
            amount: Rupiah::new(50_000),
            voided: Rupiah::ZERO,
            placed_at: at,
            paid_at: at,
            due_at: None,
            matured_at: None,
            covered_by: None,
            signals: Vec::new(),
            void_because: None,
        };
        commission.voided_by(Rupiah::new(1_000_000), Rupiah::new(1_000_000), true).unwrap().0
    }

    #[test]
    fn void_is_the_end_and_keeps_its_reason() {
        let void = void_after_a_refund();
        assert_eq!((void.status, void.void_because), (CommissionStatus::Void, Some(VoidReason::Refunded)));
        assert!(matches!(void.clone().decided_void(), Err(NotVoidable::Step(_))), "a decision does not write over the refund");
        assert!(matches!(void.voided_by(Rupiah::new(1_000_000), Rupiah::new(1_000_000), true), Err(NotVoidable::Step(_))));
    }
}
