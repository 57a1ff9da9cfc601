//! Payouts by hand and by table, the bank that carries the tables out, and the colleague who works against the shop.

use crate::{
    outside::{Row, TableForBank, Transfer},
    plan::{Act, Fault},
    run::Run,
};
use qutab::domain::{
    affiliate::{AffiliateStatus, PayoutAccount},
    ids::PayoutId,
    payout::{Payout, PayoutStatus},
    wallet::Wallet,
};
use qutab::store::keys;
use serde_json::{Value, json};

impl Run<'_> {
    pub async fn known(&self, id: &str) -> Option<Payout> {
        self.w.shop.app.store.payout(PayoutId::parse(id)?).await.ok()?.map(|p| p.value)
    }

    fn net_left(&self, id: &str) -> i64 {
        self.bank.iter().filter(|t| t.payout == id && !t.returned).map(|t| t.amount).sum()
    }

    pub async fn payout(&mut self, of: u32, act: Act, staff: u8, fault: Option<Fault>) {
        let Some(id) = self.payouts.get(&of).cloned() else { return };
        let Some(before) = self.known(&id).await else { return };
        let token = self.staff(staff).await;
        let reference = format!("BCA-{}", self.event);
        let honest = !(self.plan.crook && staff == 1);
        let returned = self.bank.iter().any(|t| t.payout == id && t.returned);
        let (verb, body) = match act {
            Act::Process => ("process", json!({})),
            Act::Approve => ("approve", json!({})),
            Act::Transfer => ("transfer", json!({})),
            Act::Pay | Act::PayLying => ("pay", json!({ "reference": reference })),
            Act::Fail => ("fail", json!({ "reason": "ditolak bank" })),
            Act::Reject => ("reject", json!({ "reason": "perlu diperiksa" })),
            Act::Reverse => ("reverse", json!({ "reason": "dikembalikan bank" })),
            Act::Handmade => return self.handmade(of, &id, staff, fault).await,
        };
        // An honest colleague fails or rejects nothing that the bank has, and pays nothing twice.
        if honest && matches!(act, Act::Fail | Act::Reject | Act::Pay) && (self.exported.contains_key(&id) || self.net_left(&id) != 0) {
            return;
        }
        let path = format!("/api/admin/payouts/{id}/{verb}");
        let answer = self.call(fault, "POST", &path, &token, None, body).await;
        self.tell(format!("staff {staff} {act:?} payout {of}: {} {}", answer.status, answer.body["status"]));
        // The outside sees what was done, also where the process died of it.
        self.calm();
        let Some(after) = self.known(&id).await else { return };
        let took = after != before;
        if took {
            self.hands.entry(id.clone()).or_default().insert(staff);
        }
        match act {
            Act::Pay if took && after.status == PayoutStatus::Paid => {
                let twice = self.exported.contains_key(&id) || self.net_left(&id) != 0;
                self.bank.push(Transfer { payout: id.clone(), amount: after.net.get(), returned: false });
                self.two_people(&id, of, &after);
                // A second transfer at the bank, made by hand beside a table, is nothing that the shop can see.
                if !honest && twice {
                    self.lied.insert(id);
                }
            }
            Act::PayLying if took => drop(self.lied.insert(id)),
            Act::Fail | Act::Reject if took && self.exported.contains_key(&id) && !returned => {
                let alone = self.exported.get(&id) == Some(&staff);
                self.ensure(!alone, "what is at the bank is not ended by who sent it there", || {
                    format!("payout {of} was in a table of staff {staff}, who then ends it")
                });
                self.lied.insert(id);
            }
            Act::Reverse if took && !returned => {
                let at_gateway = after.transfer.is_some() && !self.gateway_reversed(&id);
                self.ensure(!at_gateway, "a gateway transfer comes back by the gateway's word", || format!("payout {of} was reversed by hand"));
                // Whoever took the table sent it; who recorded its references has sent nothing.
                let alone = self.exported.get(&id).map_or(before.decided_by == after.decided_by, |by| *by == staff);
                self.ensure(!alone, "a payout is not reversed by who sent it", || format!("payout {of}, staff {staff}"));
                self.lied.insert(id);
            }
            _ => {}
        }
    }

    fn gateway_reversed(&self, id: &str) -> bool {
        let of = self.w.wire.zendit.payouts().into_iter().filter(|p| p.reference_id == id);
        of.map(|p| p.status).all(|s| s == "REVERSED" || s == "FAILED")
    }

    /// Above the limit two people have had a hand in what leaves.
    fn two_people(&mut self, id: &str, of: u32, payout: &Payout) {
        let people = self.hands.get(id).map_or(0, std::collections::BTreeSet::len);
        let large = payout.gross.get() > 1_000_000;
        self.ensure(!large || people >= 2, "large payouts need two people", || format!("payout {of} of {} left by {people}", payout.gross));
    }

    async fn handmade(&mut self, of: u32, id: &str, staff: u8, fault: Option<Fault>) {
        let token = self.staff(staff).await;
        let already = self.known(id).await.is_some_and(|p| p.status == PayoutStatus::Paid);
        let csv = format!("payout_id,reference\r\n{id},BCA-{}\r\n", self.event);
        let answer = self.call(fault, "POST", "/api/admin/payouts/batch", &token, None, json!({ "action": "pay", "csv": csv })).await;
        self.tell(format!("staff {staff} uploads a table that no export made, with payout {of}: {} {}", answer.status, answer.body["items"][0]));
        self.calm();
        // The gateway's own transfer is recorded by its word, whenever it is asked.
        let by_table = |p: Payout| p.status == PayoutStatus::Paid && p.exported_at.is_none() && p.transfer.is_none();
        let paid = !already && self.known(id).await.is_some_and(by_table);
        let before = self.net_left(id) != 0 || self.lied.contains(id);
        self.ensure(!paid || before, "only what was exported is recorded from a table", || format!("payout {of}"));
        if paid && !before {
            self.lied.insert(id.to_owned());
        }
    }

    pub async fn export(&mut self, staff: u8, fault: Option<Fault>) {
        let token = self.staff(staff).await;
        let answer = self.call(fault, "GET", "/api/admin/payouts/export.csv", &token, None, json!({})).await;
        self.tell(format!("staff {staff} exports the table for the bank: {}", answer.status));
        if answer.status != 200 {
            return;
        }
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        let table = TableForBank::read(&text);
        for row in &table.rows {
            self.may_leave(row, staff).await;
        }
        self.tables.insert(self.event, table);
    }

    /// At the moment of the export: the affiliate approved, the verified account, no debt, two people where it is much.
    async fn may_leave(&mut self, row: &Row, staff: u8) {
        let Some(payout) = self.known(&row.payout).await else { return };
        let store = &self.w.shop.app.store;
        let affiliate = store.affiliate(payout.affiliate).await.ok().flatten();
        let wallet = store.get::<Wallet>(&keys::wallet(payout.affiliate)).await.ok().flatten();
        let account = store.get::<PayoutAccount>(&keys::payout_account(payout.affiliate)).await.ok().flatten();
        let (Some(affiliate), Some(wallet), Some(account)) = (affiliate, wallet, account) else { return };
        let id = &row.payout;
        let first = !self.exported.contains_key(id);
        let rule = "a table holds only what may leave";
        if first {
            self.ensure(affiliate.value.status == AffiliateStatus::Approved, rule, || format!("{id} of a suspended affiliate"));
            let same = row.account.ends_with(&account.value.account.number) && account.value.version == payout.account_version;
            self.ensure(same, rule, || format!("{id} goes to account {}, which is not the one of now", row.account));
            self.ensure(!wallet.value.balance.available.is_negative(), rule, || format!("{id} of an affiliate in debt"));
        }
        let marked = row.again;
        self.ensure(first || marked, "a second table says what was in the first", || format!("{id} is in two tables and nothing says so"));
        self.exported.entry(id.clone()).or_insert(staff);
        self.hands.entry(id.clone()).or_default().insert(staff);
        // Whoever verified the account or asked for it is no second person: so says the shop; here only hands are counted.
        let of = self.payouts.iter().find(|(_, p)| *p == id).map_or(0, |(of, _)| *of);
        self.two_people(id, of, &payout);
    }

    /// The bank carries out some rows of a table; what an earlier table had is not sent to it again.
    pub fn bank_takes(&mut self, table: u32, rows: u8) {
        let Some(found) = self.tables.get(&table).cloned() else { return };
        for (at, row) in found.rows.iter().enumerate().filter(|(at, _)| rows & (1 << (at % 8)) != 0) {
            if self.bank.iter().any(|t| t.payout == row.payout) {
                continue;
            }
            self.tell(format!("the bank transfers row {at} of table {table}: Rp{}", row.amount));
            self.bank.push(Transfer { payout: row.payout.clone(), amount: row.amount, returned: false });
        }
    }

    pub fn bank_returns(&mut self, number: u8) {
        let known = self.bank.len();
        if known == 0 {
            return;
        }
        let at = usize::from(number) % known;
        if !self.bank[at].returned {
            self.bank[at].returned = true;
            self.tell(format!("the bank returns Rp{}", self.bank[at].amount));
        }
    }

    /// Finance fills in the references of what the bank has made, and uploads the table.
    pub async fn upload(&mut self, table: u32, staff: u8, fault: Option<Fault>) {
        let Some(found) = self.tables.get(&table).cloned() else { return };
        let made = |row: &Row| self.bank.iter().any(|t| t.payout == row.payout && !t.returned);
        let Some(csv) = found.filled(made) else { return };
        let token = self.staff(staff).await;
        let answer = self.call(fault, "POST", "/api/admin/payouts/batch", &token, None, json!({ "action": "pay", "csv": csv })).await;
        let outcome: Vec<Value> = answer.body["items"].as_array().into_iter().flatten().map(|i| i["status"].clone()).collect();
        self.tell(format!("staff {staff} uploads table {table} with its references: {} {outcome:?}", answer.status));
    }
}
