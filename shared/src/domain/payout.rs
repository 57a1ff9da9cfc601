//! Withdrawals: reserved once, then paid once or released once.

use super::{
    Forbidden,
    affiliate::PayoutAccount,
    contact::BankAccount,
    ids::{AdminId, AffiliateId, PayoutId, UploadId},
    money::{Overflow, Rupiah},
    settings::Settings,
    status,
    text::{Note, TransferReference},
    time::{Day, Timestamp},
    wallet::{Cause, LedgerEntry, Standing, Wallet},
};
use serde::{Deserialize, Serialize};

status! {
    PayoutStatus {
        Requested = "requested", Processing = "processing", Paid = "paid",
        Rejected = "rejected", Failed = "failed", Reversed = "reversed",
    }
    steps {
        Requested => [Processing, Rejected],
        Processing => [Paid, Failed, Rejected],
        Paid => [Reversed],
    }
}

impl PayoutStatus {
    /// An open payout holds its reservation.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Processing)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub id: PayoutId,
    pub affiliate: AffiliateId,
    pub status: PayoutStatus,
    /// What leaves the balance; `net` is what is transferred, `withheld` the tax between them.
    pub gross: Rupiah,
    pub withheld: Rupiah,
    pub net: Rupiah,
    /// A copy of the account as it was verified when the payout was requested.
    pub account: BankAccount,
    pub account_version: u32,
    /// Who verified that account: a later change of the affiliate's account does not take them out of the matter.
    #[serde(default)]
    pub verified_by: Option<AdminId>,
    pub requested_at: Timestamp,
    /// What the request asked for, to tell a repeated request from another one under the same key.
    pub asked: Option<Rupiah>,
    #[serde(default)]
    pub processed_by: Option<AdminId>,
    #[serde(default)]
    pub decided_by: Option<AdminId>,
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    #[serde(default)]
    pub reference: Option<TransferReference>,
    #[serde(default)]
    pub note: Option<Note>,
    /// The picture that proves the transfer.
    #[serde(default)]
    pub proof: Option<UploadId>,
    /// The gateway makes the transfer, and tells what becomes of it.
    #[serde(default)]
    pub transfer: Option<Transfer>,
    /// When it was first in a table for the bank: from then on it is the bank's, and never the gateway's as well.
    #[serde(default)]
    pub exported_at: Option<Timestamp>,
}

/// A transfer in the gateway's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who handed it over.
    pub by: AdminId,
    pub at: Timestamp,
    /// The gateway's name for it, once it has taken it.
    #[serde(default)]
    pub gateway_id: Option<String>,
    /// Since when the gateway is not asked to take it any more, for it has refused for too long.
    #[serde(default)]
    pub given_up_at: Option<Timestamp>,
}

/// Who decides: a person, or the gateway that tells what became of its transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    Admin(AdminId),
    Gateway,
}

/// Why no payout can be requested now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NotEligible {
    #[error("the affiliate account is not active")]
    NotApproved,
    #[error("the bank account is not verified")]
    BankNotVerified,
    #[error("another payout is still open")]
    PayoutOpen,
    #[error("the amount is below the minimum")]
    BelowMinimum,
    #[error("the available balance is too small")]
    InsufficientBalance,
    #[error("payouts are requested on other days of the month")]
    OutsideWindow,
}

/// Every reason at once why `amount` cannot be requested; empty when it can.
pub fn obstacles(wallet: &Wallet, amount: Rupiah, settings: &Settings, today: Day) -> Vec<NotEligible> {
    let checks = [
        (wallet.standing != Standing::Approved, NotEligible::NotApproved),
        (wallet.bank.is_none(), NotEligible::BankNotVerified),
        (wallet.open_payout.is_some(), NotEligible::PayoutOpen),
        // Settings of earlier versions may hold a minimum of zero.
        (amount < settings.minimum_payout.max(Rupiah::new(1)), NotEligible::BelowMinimum),
        (amount > wallet.balance.available, NotEligible::InsufficientBalance),
        (settings.payout_window.is_some_and(|w| !w.contains(today)), NotEligible::OutsideWindow),
    ];
    checks.into_iter().filter_map(|(bad, why)| bad.then_some(why)).collect()
}

/// Why an admin's decision on a payout cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Step(#[from] Forbidden),
    #[error("the affiliate is not approved")]
    NotApproved,
    #[error("the bank account has changed since the payout was requested")]
    BankChanged,
    #[error("the available balance is below zero")]
    Clawback,
    #[error("a payout of this size needs a second person")]
    SecondPerson,
    #[error("the gateway makes this transfer and tells what became of it")]
    AtGateway,
    #[error("it is in a table for the bank already, which makes the transfer")]
    Exported,
    #[error("transfers through the gateway are switched off in the settings")]
    GatewayOff,
    #[error("only a payout in processing is handed to the gateway, and once")]
    NotToHandOver,
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// What an admin decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Process,
    Pay {
        reference: TransferReference,
        /// The money is gone already: its true outcome is recorded, whatever has changed since.
        has_left: bool,
    },
    Fail {
        note: Note,
    },
    Reject {
        note: Note,
    },
    /// The bank sent the money back.
    Reverse {
        note: Note,
    },
}

/// The payout, the wallet and the ledger entry after a decision.
#[derive(Debug, Clone)]
pub struct Decided {
    pub payout: Payout,
    pub wallet: Wallet,
    pub entry: Option<LedgerEntry>,
}

impl Payout {
    /// Reserves `amount`. The caller has found no obstacles for this wallet and account.
    pub fn request(
        id: PayoutId,
        wallet: Wallet,
        bank: PayoutAccount,
        amount: Rupiah,
        asked: Option<Rupiah>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(Self, Wallet, LedgerEntry), Overflow> {
        let (mut wallet, entry) = wallet.post(Cause::PayoutRequested { payout: id }, amount, now)?;
        wallet.open_payout = Some(id);
        let withheld = amount.percent(settings.withholding)?;
        let payout = Self {
            id,
            affiliate: wallet.affiliate,
            status: PayoutStatus::Requested,
            gross: amount,
            withheld,
            net: amount.minus(withheld)?,
            account: bank.account,
            account_version: bank.version,
            verified_by: wallet.bank.map(|b| b.by),
            requested_at: now,
            asked,
            processed_by: None,
            decided_by: None,
            decided_at: None,
            reference: None,
            note: None,
            proof: None,
            transfer: None,
            exported_at: None,
        };
        Ok((payout, wallet, entry))
    }

    /// Applies `decision` by `admin`.
    ///
    /// `Process` and `Pay` need an approved affiliate, the account that was copied, and no debt; `Pay` above the
    /// limit needs another person than the one who processed it and than the one who verified the account. A transfer
    /// that has left is recorded as paid even if the first three hold no longer: else its money could be asked for again.
    /// `Fail` and `Reverse` record what happened to a transfer, whatever else has changed.
    ///
    /// What the gateway transfers, the gateway decides; a person records only that the bank sent it back.
    pub fn decide(mut self, wallet: Wallet, decision: Decision, decider: Decider, settings: &Settings, now: Timestamp) -> Result<Decided, Refusal> {
        let admin = match (decider, &self.transfer) {
            (Decider::Admin(_), Some(_)) if self.status == PayoutStatus::Processing => return Err(Refusal::AtGateway),
            (Decider::Admin(admin), _) => admin,
            (Decider::Gateway, Some(transfer)) => transfer.by,
            (Decider::Gateway, None) => return Err(Refusal::NotToHandOver),
        };
        let (to, cause) = match &decision {
            Decision::Process => (PayoutStatus::Processing, None),
            Decision::Pay { .. } => (PayoutStatus::Paid, Some(Cause::PayoutPaid { payout: self.id })),
            Decision::Fail { .. } => (PayoutStatus::Failed, Some(Cause::PayoutReleased { payout: self.id })),
            Decision::Reject { .. } => (PayoutStatus::Rejected, Some(Cause::PayoutReleased { payout: self.id })),
            Decision::Reverse { .. } => (PayoutStatus::Reversed, Some(Cause::PayoutReversed { payout: self.id })),
        };
        self.status = self.status.step(to)?;
        if matches!(decision, Decision::Process | Decision::Pay { has_left: false, .. }) {
            self.may_leave(&wallet)?;
        }
        if matches!(decision, Decision::Pay { .. }) && decider != Decider::Gateway {
            self.second_person(admin, settings, now)?;
        }
        match decision {
            Decision::Process => self.processed_by = Some(admin),
            Decision::Pay { reference, .. } => self.reference = Some(reference),
            Decision::Fail { note } | Decision::Reject { note } | Decision::Reverse { note } => self.note = Some(note),
        }
        self.decided_by = Some(admin);
        self.decided_at = Some(now);
        let (mut wallet, entry) = match cause {
            Some(cause) => wallet.post(cause, self.gross, now).map(|(w, e)| (w, Some(e)))?,
            None => (wallet, None),
        };
        if !self.status.is_open() && wallet.open_payout == Some(self.id) {
            wallet.open_payout = None;
        }
        Ok(Decided { payout: self, wallet, entry })
    }

    /// Hands the transfer to the gateway: under the conditions of a payment, which cannot be asked again afterwards.
    pub fn handed_over(mut self, wallet: &Wallet, admin: AdminId, settings: &Settings, now: Timestamp) -> Result<Self, Refusal> {
        if !settings.gateway_payouts {
            return Err(Refusal::GatewayOff);
        }
        if self.status != PayoutStatus::Processing || self.transfer.is_some() {
            return Err(Refusal::NotToHandOver);
        }
        if self.exported_at.is_some() {
            return Err(Refusal::Exported);
        }
        self.may_leave(wallet)?;
        self.second_person(admin, settings, now)?;
        self.transfer = Some(Transfer { by: admin, at: now, gateway_id: None, given_up_at: None });
        Ok(self)
    }

    fn may_leave(&self, wallet: &Wallet) -> Result<(), Refusal> {
        if wallet.standing != Standing::Approved {
            return Err(Refusal::NotApproved);
        }
        if wallet.bank.map(|b| b.version) != Some(self.account_version) {
            return Err(Refusal::BankChanged);
        }
        if wallet.balance.available.is_negative() {
            return Err(Refusal::Clawback);
        }
        Ok(())
    }

    /// Puts it into a table for the bank; again is the same. Nothing for what the gateway transfers.
    pub fn exported(mut self, now: Timestamp) -> Option<Self> {
        if self.status != PayoutStatus::Processing || self.transfer.is_some() {
            return None;
        }
        self.exported_at.get_or_insert(now);
        Some(self)
    }

    fn second_person(&self, admin: AdminId, settings: &Settings, now: Timestamp) -> Result<(), Refusal> {
        let involved = self.processed_by == Some(admin) || self.verified_by == Some(admin);
        if self.gross > settings.second_person_limit(now) && involved { Err(Refusal::SecondPerson) } else { Ok(()) }
    }
}
