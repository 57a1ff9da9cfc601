//! Withdrawals: reserved once, then paid once or released once.

use super::{
    Forbidden,
    affiliate::PayoutAccount,
    contact::BankAccount,
    departure::LeavePolicy,
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
        // Only for a transfer of which it turns out that it was made all the same.
        Failed => [Paid],
        Rejected => [Paid],
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
    /// Who took such a table, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exported_by: Vec<AdminId>,
    /// The second person's consent, given before anything leaves.
    #[serde(default)]
    pub approval: Option<Approval>,
}

/// A second person has agreed that this payout may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: AdminId,
    pub at: Timestamp,
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
    /// When its name was first heard: no request was sent after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// Since when the gateway is not asked to take it any more, for it has refused for too long.
    #[serde(default)]
    pub given_up_at: Option<Timestamp>,
}

impl Transfer {
    /// When the gateway may last have been asked to make it.
    pub fn last_request(&self) -> Timestamp {
        self.taken_at.map_or(self.at, |at| at.max(self.at))
    }
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
    #[error("a payout of this size needs a second person's approval before it leaves")]
    SecondPerson,
    #[error("somebody else than who processed the payout and who verified the account has to approve it")]
    NotTheSecondPerson,
    #[error("a colleague who joined, or whose role changed, less than a day ago is not one of the two people")]
    NewColleague,
    #[error("only a payout in processing that has not left is approved")]
    NotToApprove,
    #[error("the gateway makes this transfer and tells what became of it")]
    AtGateway,
    #[error("it is in a table for the bank already, which makes the transfer")]
    Exported,
    #[error("it was never in a table for the bank: record it by itself")]
    NeverExported,
    #[error("the bank may have made this transfer: say `not_transferred` once the bank has confirmed that it has not")]
    MayHaveLeft,
    #[error("another person than the one who sent it records that a transfer failed or came back")]
    OwnTransfer,
    #[error("transfers through the gateway are switched off in the settings")]
    GatewayOff,
    #[error("only a payout in processing is handed to the gateway, and once")]
    NotToHandOver,
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// An admin's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Process,
    Pay {
        reference: TransferReference,
        evidence: Evidence,
    },
    Fail {
        note: Note,
        /// The bank has confirmed that it did not make the transfer of an exported payout.
        not_transferred: bool,
    },
    Reject {
        note: Note,
    },
    /// The bank sent the money back.
    Reverse {
        note: Note,
    },
}

/// What the recording of a payment rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The transfer is made with this decision: it leaves under the guard.
    Now,
    /// The person says that the transfer has left: its true outcome is recorded, whatever has changed since.
    HasLeft,
    /// The table that the bank was given has come back with a reference.
    Table,
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
            exported_by: Vec::new(),
            approval: None,
        };
        Ok((payout, wallet, entry))
    }

    /// Applies `decision`.
    ///
    /// `Process`, and `Pay` of a transfer that is made with it, need an approved affiliate, the account that was copied and
    /// no debt. A transfer that has left is recorded as paid even if these hold no longer, and even if the payout counts as
    /// failed or rejected by then: else its money could be asked for again. Whoever sent a transfer does not record that it
    /// failed or came back. The gateway alone says what became of its transfers.
    pub fn decide(mut self, mut wallet: Wallet, decision: Decision, decider: Decider, policy: &LeavePolicy<'_>) -> Result<Decided, Refusal> {
        let now = policy.now;
        let admin = match (decider, &self.transfer) {
            // What the gateway transfers, the gateway decides.
            (Decider::Admin(_), Some(_)) => return Err(Refusal::AtGateway),
            (Decider::Admin(admin), None) => admin,
            (Decider::Gateway, Some(transfer)) => transfer.by,
            (Decider::Gateway, None) => return Err(Refusal::NotToHandOver),
        };
        let by_hand = decider != Decider::Gateway;
        let released = matches!(self.status, PayoutStatus::Failed | PayoutStatus::Rejected);
        let (to, cause) = match &decision {
            Decision::Process => (PayoutStatus::Processing, None),
            Decision::Pay { .. } if released => (PayoutStatus::Paid, Some(Cause::PayoutPaidAfterRelease { payout: self.id })),
            Decision::Pay { .. } => (PayoutStatus::Paid, Some(Cause::PayoutPaid { payout: self.id })),
            Decision::Fail { .. } => (PayoutStatus::Failed, Some(Cause::PayoutReleased { payout: self.id })),
            Decision::Reject { .. } => (PayoutStatus::Rejected, Some(Cause::PayoutReleased { payout: self.id })),
            Decision::Reverse { .. } => (PayoutStatus::Reversed, Some(Cause::PayoutReversed { payout: self.id })),
        };
        if released && by_hand && self.exported_at.is_none() {
            // Somebody transferred it while a colleague released it: another one than that colleague says so.
            let left = self.processed_by.is_some() && matches!(decision, Decision::Pay { evidence: Evidence::HasLeft, .. });
            if !left {
                return Err(Forbidden { from: self.status.as_str(), to: to.as_str() }.into());
            }
            if self.decided_by == Some(admin) {
                return Err(Refusal::OwnTransfer);
            }
            policy.established(admin)?;
        }
        self.status.step(to)?;
        match &decision {
            Decision::Process => self.may_leave(&wallet)?,
            Decision::Pay { .. } if !by_hand => wallet.note_departure(self.id, self.gross, now),
            Decision::Pay { evidence: Evidence::Now, .. } if self.exported_at.is_none() => (self, wallet) = self.leave(wallet, policy)?,
            Decision::Pay { evidence: Evidence::Table, .. } if self.exported_at.is_none() => return Err(Refusal::NeverExported),
            Decision::Pay { .. } => {
                // It has left by somebody's hand. Above the limit they do not also say so alone.
                if self.exported_at.is_none() && self.lacks_approval(&wallet, policy) {
                    self.is_second_person(admin)?;
                    policy.established(admin)?;
                }
                wallet.note_departure(self.id, self.gross, now);
            }
            Decision::Fail { not_transferred, .. } if by_hand && self.exported_at.is_some() => {
                if !not_transferred {
                    return Err(Refusal::MayHaveLeft);
                }
                self.by_another(admin, policy)?;
            }
            Decision::Reject { .. } if self.exported_at.is_some() => return Err(Refusal::Exported),
            Decision::Reverse { .. } if by_hand => self.by_another(admin, policy)?,
            Decision::Fail { .. } | Decision::Reject { .. } | Decision::Reverse { .. } => {}
        }
        self.status = to;
        match decision {
            Decision::Process => self.processed_by = Some(admin),
            Decision::Pay { reference, .. } => self.reference = Some(reference),
            Decision::Fail { note, .. } | Decision::Reject { note } | Decision::Reverse { note } => self.note = Some(note),
        }
        self.decided_by = Some(admin);
        self.decided_at = Some(now);
        if matches!(self.status, PayoutStatus::Failed | PayoutStatus::Rejected | PayoutStatus::Reversed) {
            wallet.forget_departure(self.id);
        }
        let mut entry = None;
        if let Some(cause) = cause {
            let posted = wallet.post(cause, self.gross, now)?;
            (wallet, entry) = (posted.0, Some(posted.1));
        }
        if !self.status.is_open() && wallet.open_payout == Some(self.id) {
            wallet.open_payout = None;
        }
        Ok(Decided { payout: self, wallet, entry })
    }
}
