//! The invariants of the money, from the raw items of the table and the gateway's own records.

use super::Run;
use qutab::{
    domain::{
        affiliate::Affiliate,
        commission::{Commission, CommissionStatus},
        ids::{AffiliateId, OrderId, ProductId},
        money::Rupiah,
        order::{Order, OrderStatus},
        payment::Receipt,
        payout::{Payout, PayoutStatus},
        refund::{Refund, RefundStatus},
        wallet::Wallet,
    },
    store::entity::{Entity, decode},
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Units of the seeded products at the start, by slug.
const START: &[(&str, i64)] = &[("sapi-limosin", 12), ("kambing-standar", 200), ("domba-garut", 60)];

/// The table, read whole.
struct Books {
    orders: HashMap<OrderId, Order>,
    commissions: Vec<Commission>,
    refunds: Vec<Refund>,
    receipts: Vec<Receipt>,
    payouts: Vec<Payout>,
    wallets: HashMap<AffiliateId, Wallet>,
    owed: usize,
}

fn all<E: Entity>(items: &[Value], kind: &str) -> Vec<E> {
    let attributes = |item: &Value| item.as_object().unwrap().iter().map(|(n, v)| (n.clone(), attribute(v))).collect();
    items.iter().filter(|i| i["kind"]["S"] == kind).map(|i| decode::<E>(attributes(i)).unwrap().value).collect()
}

/// The SDK's value of an attribute in DynamoDB's JSON.
fn attribute(json: &Value) -> aws_sdk_dynamodb::types::AttributeValue {
    use aws_sdk_dynamodb::types::AttributeValue as A;
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("S", Value::String(s)) => A::S(s.clone()),
        ("N", Value::String(n)) => A::N(n.clone()),
        ("BOOL", Value::Bool(b)) => A::Bool(*b),
        ("NULL", _) => A::Null(true),
        ("L", Value::Array(list)) => A::L(list.iter().map(attribute).collect()),
        ("M", Value::Object(map)) => A::M(map.iter().map(|(n, v)| (n.clone(), attribute(v))).collect()),
        other => panic!("an attribute of type {other:?}"),
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn sum(amounts: impl Iterator<Item = Rupiah>) -> i64 {
    amounts.map(Rupiah::get).sum()
}

impl Run {
    /// Checks every invariant. The error says which does not hold, and where.
    pub async fn audit(&self) -> Result<(), String> {
        self.w.check_ledgers().await;
        let items = self.w.items();
        let books = Books {
            orders: all::<Order>(&items, "order").into_iter().map(|o| (o.id, o)).collect(),
            commissions: all(&items, "commission"),
            refunds: all(&items, "refund"),
            receipts: all(&items, "receipt"),
            payouts: all(&items, "payout"),
            wallets: all::<Wallet>(&items, "wallet").into_iter().map(|w| (w.affiliate, w)).collect(),
            owed: items.iter().filter(|i| i["kind"]["S"] == "outbox").count(),
        };
        ensure(all::<Affiliate>(&items, "affiliate").len() == books.wallets.len(), || "an affiliate without a wallet".into())?;
        ensure(books.owed == 0, || format!("{} pieces of owed work are left", books.owed))?;
        books.commissions_follow_orders()?;
        books.wallets_are_their_commissions_and_payouts()?;
        books.refunds_stay_within_payments()?;
        self.stock_is_where_it_should_be(&books).await?;
        self.no_money_was_dropped(&books)
    }

    async fn stock_is_where_it_should_be(&self, books: &Books) -> Result<(), String> {
        let mut held: BTreeMap<ProductId, i64> = BTreeMap::new();
        for order in books.orders.values() {
            ensure(order.status != OrderStatus::Pending || order.pay_by > self.w.now(), || format!("{} is pending past its deadline", order.id))?;
            let before_refund = order.history.iter().rev().nth(1).map(|s| s.to);
            let returned = order.status == OrderStatus::Refunded && before_refund == Some(OrderStatus::Paid);
            if order.holds_stock() && !returned {
                for line in &order.lines {
                    *held.entry(line.product).or_default() += i64::from(line.quantity);
                }
            }
        }
        for (slug, start) in START {
            let (left, held) = (self.w.stock(slug).await, held.get(&qutab_local::seed::product_id(slug)).copied().unwrap_or_default());
            ensure(left >= 0 && left + held == *start, || format!("{slug}: {left} on sale and {held} sold or reserved of {start}"))?;
        }
        Ok(())
    }

    /// Every invoice that was paid has paid its order or is a receipt, once.
    fn no_money_was_dropped(&self, books: &Books) -> Result<(), String> {
        for invoice in self.w.wire.zendit.paid() {
            let orders = books.orders.values().filter(|o| o.paid.as_ref().is_some_and(|p| p.invoice == invoice.id)).count();
            let receipts = books.receipts.iter().filter(|r| r.paid.invoice == invoice.id).count();
            ensure(orders + receipts == 1, || format!("invoice {} paid {orders} orders and left {receipts} receipts", invoice.id))?;
        }
        let sent = |r: &&Refund| r.gateway_id.is_some() && !matches!(r.status, RefundStatus::Failed);
        let (sent, at_gateway) = (sum(books.refunds.iter().filter(sent).map(|r| r.amount)), self.w.wire.zendit.refunded());
        ensure(sent == at_gateway, || format!("{sent} was sent back, the gateway says {at_gateway}"))
    }
}

impl Books {
    fn commissions_follow_orders(&self) -> Result<(), String> {
        for order in self.orders.values() {
            let found: Vec<&Commission> = self.commissions.iter().filter(|c| c.order == order.id).collect();
            let expected = usize::from(order.paid.is_some() && order.attribution.is_some());
            ensure(found.len() == expected, || format!("{}: {} commissions, not {expected}", order.id, found.len()))?;
            let Some(commission) = found.first() else { continue };
            let over = order.status == OrderStatus::Refunded;
            ensure(!over || (commission.remaining() == Rupiah::ZERO), || format!("{} is refunded and its commission is not void", order.id))?;
            ensure(commission.voided <= commission.amount, || format!("{}: more voided than earned", order.id))?;
            let early = commission.matured_at.zip(commission.due_at).is_some_and(|(matured, due)| matured < due);
            ensure(!early && (commission.matured_at.is_none() || commission.due_at.is_some()), || format!("{} matured too early", order.id))?;
        }
        Ok(())
    }

    fn wallets_are_their_commissions_and_payouts(&self) -> Result<(), String> {
        for (id, wallet) in &self.wallets {
            let own = || self.commissions.iter().filter(|c| c.affiliate == *id);
            let waiting = |c: &&Commission| matches!(c.status, CommissionStatus::Pending | CommissionStatus::Held);
            let pending = sum(own().filter(waiting).map(Commission::remaining));
            let all = sum(own().map(Commission::remaining));
            let payouts =
                |of: &dyn Fn(PayoutStatus) -> bool| sum(self.payouts.iter().filter(|p| p.affiliate == *id && of(p.status)).map(|p| p.gross));
            let (open, paid) = (payouts(&PayoutStatus::is_open), payouts(&|s| s == PayoutStatus::Paid));
            let b = wallet.balance;
            let said =
                [b.pending.get(), b.reserved.get(), b.paid_out.get(), b.pending.get() + b.available.get() + b.reserved.get() + b.paid_out.get()];
            ensure(said == [pending, open, paid, all], || format!("wallet of {id}: {said:?}, not {:?}", [pending, open, paid, all]))?;
            let count = self.payouts.iter().filter(|p| p.affiliate == *id && p.status.is_open()).count();
            ensure(count <= 1 && wallet.open_payout.is_some() == (count == 1), || format!("{id} has {count} open payouts"))?;
        }
        Ok(())
    }

    fn refunds_stay_within_payments(&self) -> Result<(), String> {
        for order in self.orders.values() {
            let of_order = self.refunds.iter().filter(|r| r.order == order.id && r.of_order && r.status != RefundStatus::Failed);
            let (refunded, paid) = (sum(of_order.map(|r| r.amount)), order.paid.as_ref().map_or(0, |p| p.amount.get()));
            ensure(refunded == order.refunded.get() && refunded <= paid, || {
                format!("{}: {refunded} refunded of {paid}, the order says {}", order.id, order.refunded)
            })?;
        }
        Ok(())
    }
}
