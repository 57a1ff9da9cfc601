//! The books from outside: money at the gateway and in the bank against what the shop says of it.

use crate::{
    books::{Books, sum},
    run::Run,
};
use qutab::domain::{
    commission::Commission,
    order::{Order, OrderStatus},
    payout::PayoutStatus,
    refund::{Refund, RefundStatus},
};

const STUCK_DAYS: i64 = 14;

fn live(status: &str) -> bool {
    status != "FAILED" && status != "REVERSED"
}

impl Run<'_> {
    /// Every invoice that was paid and told of has paid its order or is a receipt that somebody deals with.
    pub fn invoices(&mut self, books: &Books) {
        for invoice in self.w.wire.zendit.paid() {
            let of = books.orders.values().filter(|o| o.paid.as_ref().is_some_and(|p| p.invoice == invoice.id)).count();
            let receipts: Vec<_> = books.receipts.iter().filter(|r| r.paid.invoice == invoice.id).collect();
            let found = of + receipts.len();
            let right = |o: &&Order| {
                o.paid.as_ref().is_some_and(|p| p.invoice == invoice.id && p.amount == o.total && Some(o.total.get()) == invoice.paid_amount)
            };
            let wrong = of - books.orders.values().filter(right).count();
            self.ensure(wrong == 0, "an order is paid with what it costs", || format!("{} with {:?}", invoice.id, invoice.paid_amount));
            let told = self.notices.iter().any(|n| n.subject().0 == invoice.id && n.delivered);
            let shown = || format!("{}: {of} orders, {} receipts", invoice.id, receipts.len());
            self.ensure(found <= 1, "a payment pays once", shown);
            self.ensure(found >= 1 || !told, "no announced money is forgotten", shown);
            for receipt in receipts {
                let back = books.refunds.iter().any(|r| r.order == receipt.order && !r.of_order && r.invoice == invoice.id);
                let cared = back || books.task_names(&invoice.id);
                self.ensure(cared, "surplus money has a refund or a task", || invoice.id.clone());
            }
        }
    }

    /// What went back, at the gateway and by hand, never exceeds what came in, and both sides agree or a person knows.
    pub fn refunds_outside(&mut self, books: &Books) {
        let at_gateway = self.w.wire.zendit.refunds();
        for invoice in self.w.wire.zendit.paid() {
            let by_gateway: i64 = at_gateway.iter().filter(|r| r.invoice_id == invoice.id && live(&r.status)).map(|r| r.amount).sum();
            let own = |r: &&Refund| r.invoice == invoice.id && self.by_hand.iter().any(|h| h.refund == r.id.to_string());
            let by_hand = sum(books.refunds.iter().filter(own).map(|r| r.amount));
            let paid = invoice.paid_amount.unwrap_or_default();
            let shown = || format!("{}: {by_gateway} by the gateway and {by_hand} by hand of {paid}", invoice.id);
            self.ensure(by_gateway + by_hand <= paid, "no more goes back than came in", shown);
        }
        for refund in &books.refunds {
            let id = refund.id.to_string();
            let own: Vec<_> = at_gateway.iter().filter(|r| r.reference_id.as_deref().is_some_and(|reference| reference.contains(&id))).collect();
            let alive = own.iter().filter(|r| live(&r.status)).count();
            self.ensure(alive <= 1, "a refund is sent once", || format!("{id}: {alive} at the gateway"));
            let by_hand = self.by_hand.iter().any(|h| h.refund == id);
            self.ensure(alive == 0 || !by_hand, "a refund is sent once", || format!("{id}: by the gateway and by hand"));
            // An order may end with nothing going back: then the gateway is not asked.
            let asked = refund.proof.is_none() && refund.amount.get() > 0;
            let said = matches!(refund.status, RefundStatus::Succeeded | RefundStatus::Sent) && asked;
            let agrees = said == (alive == 1) || by_hand || books.task_names(&id);
            self.ensure(agrees, "both sides agree about a refund, or a person is told", || {
                format!("{id} of {} is {}, and at the gateway {:?}", refund.amount, refund.status, own.iter().map(|r| &r.status).collect::<Vec<_>>())
            });
            let waited = self.w.now().since(refund.requested_at) / 86_400 >= STUCK_DAYS;
            let open = matches!(refund.status, RefundStatus::Sent | RefundStatus::Requested);
            self.ensure(!open || !waited || books.task_names(&id), "no refund waits without end", || format!("{id} is {}", refund.status));
            let task = books.manual_tasks.contains(&id);
            let manual = refund.status == RefundStatus::Manual;
            self.ensure(!task || manual, "a task ends with its cause", || format!("{id} is {}, and a person is to transfer it", refund.status));
        }
        for order in books.orders.values() {
            let of_order = books.refunds.iter().filter(|r| r.order == order.id && r.of_order && r.status != RefundStatus::Failed);
            let (refunded, paid) = (sum(of_order.map(|r| r.amount)), order.paid.as_ref().map_or(0, |p| p.amount.get()));
            let right = refunded == order.refunded.get() && refunded <= paid;
            self.ensure(right, "an order counts its refunds", || format!("{}: {refunded} of {paid}, it says {}", order.id, order.refunded));
        }
    }

    /// What left for an affiliate, by the gateway and by the bank, is what was paid out, and never more than was earned.
    pub fn payouts_outside(&mut self, books: &Books) {
        let at_gateway = self.w.wire.zendit.payouts();
        let left = |id: &str| {
            let gateway: i64 = at_gateway.iter().filter(|p| p.reference_id.contains(id) && live(&p.status)).map(|p| p.amount).sum();
            let bank: i64 = self.bank.iter().filter(|t| t.payout == id && !t.returned).map(|t| t.amount).sum();
            gateway + bank
        };
        let left: Vec<(String, i64)> = books.payouts.iter().map(|p| (p.id.to_string(), left(&p.id.to_string()))).collect();
        for (payout, (id, left)) in books.payouts.iter().zip(&left) {
            let own: Vec<_> = at_gateway.iter().filter(|p| p.reference_id.contains(id.as_str()) && live(&p.status)).collect();
            self.ensure(own.len() <= 1, "a transfer is made once", || format!("{id}: {} at the gateway", own.len()));
            if self.lied.contains(id) {
                continue;
            }
            let under_way = payout.status == PayoutStatus::Processing && payout.transfer.is_some();
            let said = if payout.status == PayoutStatus::Paid { payout.net.get() } else { 0 };
            let agrees = said == *left || (under_way && *left == payout.net.get()) || books.task_names(id);
            self.ensure(agrees, "what left is what is recorded as paid", || format!("{id} is {}, and {left} of {} left", payout.status, payout.net));
            let waited = payout.transfer.as_ref().is_some_and(|t| self.w.now().since(t.at) / 86_400 >= STUCK_DAYS);
            self.ensure(!under_way || !waited || books.task_names(id), "no transfer waits without end", || id.clone());
        }
        for affiliate in books.wallets.keys() {
            let own = books.payouts.iter().zip(&left).filter(|(p, _)| p.affiliate == *affiliate);
            let left: i64 = own.map(|(_, (_, left))| left).sum();
            let earned = sum(books.commissions.iter().filter(|c| c.affiliate == *affiliate).map(|c: &Commission| c.amount));
            self.ensure(left <= earned, "nobody gets more than was ever earned", || format!("{affiliate}: {left} left, {earned} earned"));
        }
    }

    /// Money is kept for nobody, and whoever gets some back is told.
    pub fn customers_told(&mut self, books: &Books) {
        for order in books.orders.values() {
            let there = books.customers.contains(&order.customer.to_string());
            let open = matches!(order.status, OrderStatus::Pending | OrderStatus::Paid | OrderStatus::Processing | OrderStatus::Distributed);
            self.ensure(there || !open, "no open order is nobody's", || format!("{} is {}", order.id, order.status));
            let owed = books.receipts.iter().filter(|r| r.order == order.id).any(|receipt| {
                let of = |r: &&Refund| r.order == order.id && !r.of_order && r.invoice == receipt.paid.invoice;
                !books.refunds.iter().filter(of).any(|r| r.status == RefundStatus::Succeeded)
            });
            let open_refund = books.refunds.iter().any(|r| r.order == order.id && Self::open_refund(r));
            // Money of the wrong amount is a person's, also when it comes after the account is gone.
            let waits = owed && !there && !open_refund && !books.task_names(&order.id.to_string());
            self.ensure(!waits, "nobody is deleted while money is owed to them", || order.id.to_string());
            let sent = |r: &&Refund| r.order == order.id && !r.of_order && r.status == RefundStatus::Succeeded;
            let surplus = books.refunds.iter().filter(sent).count();
            if there && surplus > 0 {
                let mails = self.w.wire.mailbox.all();
                let told =
                    mails.iter().any(|m| m.text.contains(order.number.as_str()) && (m.text.contains("kembali") || m.subject.contains("engembali")));
                self.ensure(told, "whoever gets money back is told", || order.id.to_string());
            }
        }
    }
}
