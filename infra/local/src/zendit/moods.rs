//! The gateway's answers for a while: what it refuses, forgets, hides or has lost.

use super::Zendit;

impl Zendit {
    /// Refuses refunds and payouts with a status and a code, or takes them again.
    pub fn refuse(&self, with: Option<(u16, &str)>) {
        self.state.change(|s| s.refusing = with.map(|(status, code)| (status, code.to_owned())));
    }

    /// Forgets the idempotency keys of what it has taken so far.
    pub fn forget_keys(&self) {
        self.state.change(|s| {
            s.refunds.values_mut().for_each(|r| r.key.clear());
            s.payouts.values_mut().for_each(|p| p.key.clear());
        });
    }

    /// Leaves refunds and payouts out of its lists, or shows them again.
    pub fn hide_lists(&self, hide: bool) {
        self.state.change(|s| s.hiding = hide);
    }

    /// Finds no refund or payout that it has taken, by id nor by name; or finds them again.
    pub fn lose_everything(&self, lose: bool) {
        self.state.change(|s| s.lost = lose);
    }
}
