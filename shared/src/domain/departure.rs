//! The guard of money that leaves: one act of the domain for paying, handing over to the gateway and writing into the bank's
//! table.

use super::{
    ids::AdminId,
    payout::{Approval, Payout, PayoutStatus, Refusal, Transfer},
    settings::Settings,
    staff::Admin,
    time::Timestamp,
    wallet::{Standing, Wallet},
};

/// What has left to an affiliate within so long counts against the limit of one person.
const RECENT_SECONDS: i64 = 7 * 86_400;

/// The settings and the people on which it depends whether money may leave.
#[derive(Debug, Clone, Copy)]
pub struct LeavePolicy<'a> {
    pub settings: &'a Settings,
    /// Those whose standing was read for this decision; anybody else counts as new.
    pub staff: &'a [Admin],
    pub now: Timestamp,
}

impl LeavePolicy<'_> {
    pub(super) fn established(&self, id: AdminId) -> Result<(), Refusal> {
        let is = self.staff.iter().any(|a| a.id == id && a.is_established(self.now));
        if is { Ok(()) } else { Err(Refusal::NewColleague) }
    }
}

impl Payout {
    /// The one guard of money that leaves, whichever way it goes: an approved affiliate, the account that was verified when
    /// the payout was requested, no debt, and the second person's approval where the limit asks for it.
    pub(super) fn leave(self, mut wallet: Wallet, policy: &LeavePolicy<'_>) -> Result<(Self, Wallet), Refusal> {
        if let Some(refusal) = self.obstacle(&wallet, policy) {
            return Err(refusal);
        }
        wallet.note_departure(self.id, self.gross, policy.now);
        Ok((self, wallet))
    }

    /// Hands the transfer to the gateway.
    pub fn handed_over(self, wallet: Wallet, admin: AdminId, policy: &LeavePolicy<'_>) -> Result<(Self, Wallet), Refusal> {
        if !policy.settings.gateway_payouts {
            return Err(Refusal::GatewayOff);
        }
        if self.status != PayoutStatus::Processing || self.transfer.is_some() {
            return Err(Refusal::NotToHandOver);
        }
        if self.exported_at.is_some() {
            return Err(Refusal::Exported);
        }
        let (mut handed, wallet) = self.leave(wallet, policy)?;
        handed.transfer = Some(Transfer { by: admin, at: policy.now, gateway_id: None, taken_at: None, given_up_at: None });
        Ok((handed, wallet))
    }

    /// Puts it into a table for the bank. A later table may hold it again.
    pub fn exported(self, wallet: Wallet, admin: AdminId, policy: &LeavePolicy<'_>) -> Result<(Self, Wallet), Refusal> {
        if self.status != PayoutStatus::Processing || self.transfer.is_some() {
            return Err(Refusal::AtGateway);
        }
        let (mut exported, wallet) = self.leave(wallet, policy)?;
        exported.exported_at.get_or_insert(policy.now);
        if !exported.exported_by.contains(&admin) {
            exported.exported_by.push(admin);
        }
        Ok((exported, wallet))
    }

    /// A second person agrees, before anything leaves.
    pub fn approved(mut self, by: AdminId, policy: &LeavePolicy<'_>) -> Result<Self, Refusal> {
        if self.status != PayoutStatus::Processing || self.transfer.is_some() || self.exported_at.is_some() {
            return Err(Refusal::NotToApprove);
        }
        self.is_second_person(by)?;
        for person in [Some(by), self.processed_by].into_iter().flatten() {
            policy.established(person)?;
        }
        self.approval = Some(Approval { by, at: policy.now });
        Ok(self)
    }

    /// Whether it may not leave without an approval that it does not have: with what has left to this affiliate within
    /// seven days it is above the limit.
    pub fn lacks_approval(&self, wallet: &Wallet, policy: &LeavePolicy<'_>) -> bool {
        let recently = wallet.departed_since(policy.now.plus_seconds(-RECENT_SECONDS), self.id);
        let above = recently.and_then(|sum| sum.plus(self.gross)).map_or(true, |sum| sum > policy.settings.second_person_limit(policy.now));
        above && self.approval.is_none()
    }

    /// The first of the reasons why it may not leave now.
    pub fn obstacle(&self, wallet: &Wallet, policy: &LeavePolicy<'_>) -> Option<Refusal> {
        self.may_leave(wallet).err().or_else(|| self.lacks_approval(wallet, policy).then_some(Refusal::SecondPerson))
    }

    pub(super) fn may_leave(&self, wallet: &Wallet) -> Result<(), Refusal> {
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

    /// Neither who put it into processing nor who verified the account.
    pub(super) fn is_second_person(&self, admin: AdminId) -> Result<(), Refusal> {
        let involved = self.processed_by == Some(admin) || self.verified_by == Some(admin);
        if involved { Err(Refusal::NotTheSecondPerson) } else { Ok(()) }
    }

    /// Another person than the one who sent it: whoever took the table, or else recorded the payment.
    pub(super) fn by_another(&self, admin: AdminId, policy: &LeavePolicy<'_>) -> Result<(), Refusal> {
        let sent = if self.exported_by.is_empty() { self.decided_by == Some(admin) } else { self.exported_by.contains(&admin) };
        if sent { Err(Refusal::OwnTransfer) } else { policy.established(admin) }
    }
}
