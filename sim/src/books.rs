//! The table, read whole, and what must hold within it.

use crate::run::{Run, Wrong};
use aws_sdk_dynamodb::types::AttributeValue;
use qutab::{
    domain::{
        affiliate::Affiliate,
        catalog::StockChange,
        commission::{Commission, CommissionStatus},
        coupon::Coupon,
        ids::{AffiliateId, OrderId, ProductId},
        money::Rupiah,
        order::{Order, OrderStatus},
        payment::Receipt,
        payout::{Payout, PayoutStatus},
        refund::{Refund, RefundStatus},
        shop_stats::ShopTotals,
        wallet::{LedgerEntry, Wallet},
    },
    store::entity::{Entity, decode},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub struct Books {
    pub orders: BTreeMap<OrderId, Order>,
    pub commissions: Vec<Commission>,
    pub refunds: Vec<Refund>,
    pub receipts: Vec<Receipt>,
    pub payouts: Vec<Payout>,
    pub wallets: BTreeMap<AffiliateId, Wallet>,
    pub affiliates: usize,
    pub entries: Vec<LedgerEntry>,
    pub coupons: Vec<Coupon>,
    pub stock: BTreeMap<ProductId, i64>,
    pub added: Vec<StockChange>,
    pub totals: Option<ShopTotals>,
    pub customers: BTreeSet<String>,
    pub tasks: String,
    pub manual_tasks: Vec<String>,
    pub owed: Vec<String>,
}

/// The SDK's value of an attribute in DynamoDB's JSON.
fn attribute(json: &Value) -> AttributeValue {
    use AttributeValue as A;
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

/// What can be read; odd rows cannot.
fn all<E: Entity>(items: &[Value], kind: &str) -> Vec<E> {
    let attributes = |item: &Value| item.as_object().unwrap().iter().map(|(n, v)| (n.clone(), attribute(v))).collect();
    items.iter().filter(|i| i["kind"]["S"] == kind).filter_map(|i| decode::<E>(attributes(i)).ok()).map(|s| s.value).collect()
}

pub fn sum(amounts: impl Iterator<Item = Rupiah>) -> i64 {
    amounts.map(Rupiah::get).sum()
}

impl Books {
    pub fn read(items: &[Value], odd: &BTreeSet<String>) -> Self {
        let strange = |i: &&Value| i["sk"]["S"].as_str().is_some_and(|sk| odd.contains(sk));
        let of = |kind: &'static str| items.iter().filter(move |i| i["kind"]["S"] == kind);
        let text = |v: &Value| v["S"].as_str().unwrap_or_default().to_owned();
        let stock = of("stock").filter_map(|s| Some((ProductId::parse(s["product"]["S"].as_str()?)?, s["available"]["N"].as_str()?.parse().ok()?)));
        Self {
            orders: all::<Order>(items, "order").into_iter().map(|o| (o.id, o)).collect(),
            commissions: all(items, "commission"),
            refunds: all(items, "refund"),
            receipts: all(items, "receipt"),
            payouts: all(items, "payout"),
            wallets: all::<Wallet>(items, "wallet").into_iter().map(|w| (w.affiliate, w)).collect(),
            affiliates: all::<Affiliate>(items, "affiliate").len(),
            entries: all(items, "ledger_entry"),
            coupons: all(items, "coupon"),
            stock: stock.collect(),
            added: all(items, "stock_change"),
            totals: all(items, "shop_totals").pop(),
            customers: of("customer").map(|c| text(&c["id"])).collect(),
            tasks: of("task").map(|t| t["subject"].to_string()).collect::<Vec<_>>().join("\n"),
            manual_tasks: of("task")
                .filter(|t| t["subject"]["M"]["kind"]["S"] == "manual_refund")
                .map(|t| text(&t["subject"]["M"]["refund"]))
                .collect(),
            owed: of("outbox").filter(|i| !strange(i)).map(|i| i["work"].to_string()).collect(),
        }
    }

    pub fn task_names(&self, id: &str) -> bool {
        self.tasks.contains(id)
    }
}

impl Run<'_> {
    /// Checks everything, after it has settled.
    pub async fn audit(mut self, items: &[Value]) -> (Vec<Wrong>, Vec<String>) {
        let result = qutab::app::reconcile::reconcile(&self.w.shop.app, self.w.now(), qutab::app::reconcile::Recount::Full).await;
        let same = result.as_ref().is_ok_and(|r| r.differences.is_empty());
        self.ensure(same, "wallets are the sum of their ledgers", || format!("{result:?}"));
        let books = Books::read(items, &self.odd);
        self.ensure(books.affiliates == books.wallets.len(), "every affiliate has a wallet", || books.affiliates.to_string());
        self.ensure(books.owed.is_empty(), "owed work comes to its end", || books.owed.join(", "));
        self.commissions(&books);
        self.wallets(&books);
        self.stock(&books);
        self.counts(&books);
        self.invoices(&books);
        self.refunds_outside(&books);
        self.payouts_outside(&books);
        self.customers_told(&books);
        (self.wrong, self.story)
    }

    fn commissions(&mut self, books: &Books) {
        for order in books.orders.values() {
            let found: Vec<&Commission> = books.commissions.iter().filter(|c| c.order == order.id).collect();
            let expected = usize::from(order.paid.is_some() && order.attribution.is_some());
            self.ensure(found.len() == expected, "one commission for a paid, attributed order", || {
                format!("{}: {} of {expected}", order.id, found.len())
            });
            let Some(commission) = found.first() else { continue };
            let over = order.status == OrderStatus::Refunded;
            let all_gone = commission.remaining() == Rupiah::ZERO;
            self.ensure(!over || all_gone, "a refunded order earns nothing", || format!("{}", order.id));
            self.ensure(commission.voided <= commission.amount, "no more is taken back than was earned", || format!("{}", order.id));
            let paid = order.paid.as_ref().map_or(0, |p| p.amount.get());
            self.ensure(commission.amount.get() <= paid, "a commission is a part of what was paid", || format!("{}", order.id));
            let exact = commission.amount.get() == paid * 5 / 100;
            self.ensure(exact, "a commission is five percent", || format!("{}: {} of {paid}", order.id, commission.amount));
            let early = commission.matured_at.zip(commission.due_at).is_some_and(|(matured, due)| matured < due);
            let held = commission.matured_at.is_none() || commission.due_at.is_some();
            self.ensure(!early && held, "nothing matures before its time", || format!("{}", order.id));
        }
    }

    fn wallets(&mut self, books: &Books) {
        for (id, wallet) in &books.wallets {
            let own = || books.commissions.iter().filter(|c| c.affiliate == *id);
            let waiting = |c: &&Commission| matches!(c.status, CommissionStatus::Pending | CommissionStatus::Held);
            let pending = sum(own().filter(waiting).map(Commission::remaining));
            let all = sum(own().map(Commission::remaining));
            let of = |of: &dyn Fn(PayoutStatus) -> bool| sum(books.payouts.iter().filter(|p| p.affiliate == *id && of(p.status)).map(|p| p.gross));
            let (open, paid) = (of(&PayoutStatus::is_open), of(&|s| s == PayoutStatus::Paid));
            let b = wallet.balance;
            let whole = b.pending.get() + b.available.get() + b.reserved.get() + b.paid_out.get();
            let said = [b.pending.get(), b.reserved.get(), b.paid_out.get(), whole];
            let counted = [pending, open, paid, all];
            self.ensure(said == counted, "a wallet is its commissions and payouts", || format!("{id}: {said:?}, not {counted:?}"));
            let count = books.payouts.iter().filter(|p| p.affiliate == *id && p.status.is_open()).count();
            let one = count <= 1 && wallet.open_payout.is_some() == (count == 1);
            self.ensure(one, "one payout is open at most", || format!("{id}: {count}"));
            let mut times: Vec<_> = books.entries.iter().filter(|e| e.affiliate == *id).map(|e| (e.number, e.at)).collect();
            times.sort_unstable();
            let back = times.windows(2).find(|w| w[1].1 < w[0].1).map(|w| w[1].0);
            self.ensure(back.is_none(), "the ledger's times never go back", || format!("{id}: entry {back:?}"));
        }
        let empty = books.payouts.iter().find(|p| p.gross == Rupiah::ZERO);
        self.ensure(empty.is_none(), "no payout of nothing", || format!("{:?}", empty.map(|p| p.id)));
    }

    fn stock(&mut self, books: &Books) {
        let mut held: BTreeMap<ProductId, i64> = BTreeMap::new();
        let mut coupons = 0;
        for order in books.orders.values() {
            let overdue = order.status == OrderStatus::Pending && order.pay_by <= self.w.now();
            self.ensure(!overdue, "no order is pending past its deadline", || order.id.to_string());
            let before_refund = order.history.iter().rev().nth(1).map(|s| s.to);
            let returned = order.status == OrderStatus::Refunded && before_refund == Some(OrderStatus::Paid);
            if order.holds_stock() && !returned {
                for line in &order.lines {
                    *held.entry(line.product).or_default() += i64::from(line.quantity);
                }
            }
            coupons += u32::from(order.coupon.is_some() && order.holds_stock());
        }
        for (product, start) in self.units(books) {
            let left = books.stock.get(&product).copied().unwrap_or_default();
            let held = held.get(&product).copied().unwrap_or_default();
            let whole = left >= 0 && left + held == start;
            self.ensure(whole, "stock is on sale or held", || format!("{product}: {left} on sale, {held} held, {start} in all"));
        }
        for coupon in &books.coupons {
            let right = coupon.used <= coupon.limit && coupon.used == coupons;
            self.ensure(right, "a coupon counts the orders that hold it", || format!("{} used, {coupons} hold it", coupon.used));
        }
    }

    /// What the shop counts of itself, when it has caught up, is what there is.
    fn counts(&mut self, books: &Books) {
        let Some(totals) = &books.totals else { return };
        let placed = u64::try_from(books.orders.len()).unwrap();
        let (paid, revenue, refunded) = books.orders.values().fold((0, 0, 0), |(n, r, b), o| {
            let amount = o.paid.as_ref().map_or(0, |p| p.amount.get());
            (n + u64::from(o.paid.is_some()), r + amount, b + o.refunded.get())
        });
        let said = (totals.sums.placed, totals.sums.paid, totals.sums.revenue.get(), totals.sums.refunded.get());
        let counted = (placed, paid, revenue, refunded);
        self.ensure(said == counted, "statistics are a recount", || format!("{said:?}, not {counted:?}"));
    }

    /// Units of each product in all: those of the beginning and those that staff have added since.
    fn units(&self, books: &Books) -> Vec<(ProductId, i64)> {
        let begin = Books::read(&self.people.items, &BTreeSet::new()).stock;
        let added = |product| books.added.iter().filter(|c| c.product == product).map(|c| i64::from(c.units)).sum::<i64>();
        begin.into_iter().map(|(product, units)| (product, units + added(product))).collect()
    }

    /// A refund that is not finished is either on its way or a person's.
    pub fn open_refund(refund: &Refund) -> bool {
        !matches!(refund.status, RefundStatus::Succeeded)
    }
}
