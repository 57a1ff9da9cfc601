//! Orders with their attempts and refunds.

use super::{
    Page, Position, Range, Store, StoreError,
    entity::{Entity, NumberedOrder, Stored, decode, kind_of},
    keys,
    listing::Days,
};
use crate::domain::{
    identity::Customer,
    ids::{CustomerId, OrderId, RefundId},
    order::{Order, OrderNumber, OrderStatus},
    payment::{Attempt, Notice, Receipt},
    refund::Refund,
    time::{Day, Timestamp},
};

/// Money of an order beside its payment: what came and paid nothing, and what goes back. An order has few of each.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    pub receipts: Vec<Receipt>,
    pub refunds: Vec<Refund>,
}

/// An order with what was asked for, came in and went back.
#[derive(Debug, Clone)]
pub struct OrderBooks {
    pub order: Order,
    pub attempts: Vec<Attempt>,
    pub refunds: Vec<Refund>,
    pub receipts: Vec<Receipt>,
}

/// More receipts, attempts or refunds than any order has.
const MOST: usize = 5_000;

impl Store {
    pub async fn order(&self, id: OrderId) -> Result<Option<Stored<Order>>, StoreError> {
        self.get(&keys::order(id)).await
    }

    /// The order with whoever placed it; nothing once the account is deleted.
    pub async fn order_and_customer(&self, id: OrderId) -> Result<Option<(Order, Customer)>, StoreError> {
        let Some(order) = self.order(id).await? else { return Ok(None) };
        let customer = self.customer(order.value.customer).await?;
        Ok(customer.map(|c| (order.value, c.value)))
    }

    /// The order and one of its attempts, in one read.
    pub async fn order_and_attempt(&self, id: OrderId, number: u32) -> Result<(Option<Stored<Order>>, Option<Stored<Attempt>>), StoreError> {
        let (order, attempt) = (keys::order(id), keys::attempt(id, number));
        let mut found = self.get_many([order.clone(), attempt.clone()]).await?;
        Ok((found.take(&order)?, found.take(&attempt)?))
    }

    /// The order, one of its attempts, and the receipt of an invoice that paid nothing, in one read.
    pub async fn order_of_invoice(
        &self,
        id: OrderId,
        number: u32,
        invoice: &str,
    ) -> Result<(Option<Stored<Order>>, Option<Stored<Attempt>>, Option<Stored<Receipt>>), StoreError> {
        let (order, attempt, receipt) = (keys::order(id), keys::attempt(id, number), keys::receipt(id, invoice));
        let mut found = self.get_many([order.clone(), attempt.clone(), receipt.clone()]).await?;
        Ok((found.take(&order)?, found.take(&attempt)?, found.take(&receipt)?))
    }

    /// The receipts of an order: money that paid nothing.
    pub async fn receipts(&self, id: OrderId) -> Result<Vec<Stored<Receipt>>, StoreError> {
        self.all(Range::of(&keys::order_pk(id)).prefix(keys::RECEIPT_PREFIX), MOST).await
    }

    /// The receipt of one invoice that paid nothing.
    pub async fn receipt(&self, id: OrderId, invoice: &str) -> Result<Option<Stored<Receipt>>, StoreError> {
        self.get(&keys::receipt(id, invoice)).await
    }

    /// The money of an order beside its payment: the two kinds are neighbours in its partition.
    pub async fn money_beside(&self, id: OrderId) -> Result<Beside, StoreError> {
        let (pk, last) = (keys::order_pk(id), format!("{}~", keys::REFUND_PREFIX));
        let (mut beside, mut after) = (Beside::default(), None);
        loop {
            let range = Range::of(&pk).between(keys::RECEIPT_PREFIX.into(), last.clone()).after(after);
            let (items, next) = self.query_items(range).await?.whole()?;
            for item in items {
                match kind_of(&item) {
                    Some(Receipt::KIND) => beside.receipts.push(decode(item)?.value),
                    Some(Refund::KIND) => beside.refunds.push(decode(item)?.value),
                    _ => {}
                }
            }
            after = next;
            if after.is_none() {
                return Ok(beside);
            }
        }
    }

    /// The payment attempts of an order.
    pub async fn attempts(&self, id: OrderId) -> Result<Vec<Stored<Attempt>>, StoreError> {
        self.all(Range::of(&keys::order_pk(id)).prefix(keys::ATTEMPT_PREFIX), MOST).await
    }

    pub async fn attempt(&self, id: OrderId, number: u32) -> Result<Option<Stored<Attempt>>, StoreError> {
        self.get(&keys::attempt(id, number)).await
    }

    pub async fn refund(&self, id: OrderId, refund: RefundId) -> Result<Option<Stored<Refund>>, StoreError> {
        self.get(&keys::refund(id, refund)).await
    }

    /// The refunds of an order.
    pub async fn refunds(&self, id: OrderId) -> Result<Vec<Stored<Refund>>, StoreError> {
        self.all(Range::of(&keys::order_pk(id)).prefix(keys::REFUND_PREFIX), MOST).await
    }

    /// Everything in an order's partition that is about its money; nothing if there is no such order.
    pub async fn order_books(&self, id: OrderId) -> Result<Option<OrderBooks>, StoreError> {
        let (pk, mut order, mut after) = (keys::order_pk(id), None, None);
        let (mut attempts, mut refunds, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let (items, next) = self.query_items(Range::of(&pk).limit(1000).after(after)).await?.whole()?;
            for item in items {
                match kind_of(&item) {
                    Some(Order::KIND) => order = Some(decode::<Order>(item)?.value),
                    Some(Attempt::KIND) => attempts.push(decode::<Attempt>(item)?.value),
                    Some(Refund::KIND) => refunds.push(decode::<Refund>(item)?.value),
                    Some(Receipt::KIND) => receipts.push(decode::<Receipt>(item)?.value),
                    _ => {}
                }
            }
            after = next;
            if after.is_none() {
                return Ok(order.map(|order| OrderBooks { order, attempts, refunds, receipts }));
            }
        }
    }

    /// Refunds that the gateway took before `at` and that are not settled, as the (possibly stale) index knows them.
    pub async fn refunds_sent_before(&self, at: Timestamp, after: Option<Position>) -> Result<Page<Stored<Refund>>, StoreError> {
        self.behind(self.query_keys(Range::by_due(keys::REFUNDS_SENT).until(at).limit(50).after(after)).await?).await
    }

    /// A customer's orders, newest first; only those of `status`, if one is given.
    pub async fn orders_of(
        &self,
        customer: CustomerId,
        status: Option<OrderStatus>,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Page<Stored<Order>>, StoreError> {
        let pk = keys::customer_orders(customer);
        let range = Range::by_owner(&pk).newest_first().limit(limit).after(after);
        self.list(range, |o: &Order| status.is_none_or(|s| o.status == s)).await
    }

    /// The orders placed on a day of Jakarta, by number.
    pub async fn orders_on(&self, day: Day, after: Option<Position>) -> Result<Page<Stored<NumberedOrder>>, StoreError> {
        self.query(Range::of(&keys::order_day(day)).limit(100).after(after)).await
    }

    /// The orders placed on some days, newest day first.
    pub async fn orders_between(&self, days: &Days) -> Result<Page<Stored<NumberedOrder>>, StoreError> {
        self.by_day(days, keys::order_day).await
    }

    /// The order of a number that somebody reads out.
    pub async fn order_numbered(&self, number: &OrderNumber) -> Result<Option<Stored<Order>>, StoreError> {
        let Some(day) = number.day() else { return Ok(None) };
        match self.get::<NumberedOrder>(&keys::Key { pk: keys::order_day(day), sk: number.as_str().into() }).await? {
            Some(numbered) => self.order(numbered.value.order).await,
            None => Ok(None),
        }
    }

    /// What the gateway told of an order, newest first.
    pub async fn notices(&self, id: OrderId) -> Result<Vec<Notice>, StoreError> {
        let newest = self.first(Range::of(&keys::order_pk(id)).prefix(keys::NOTICE_PREFIX).newest_first(), 50).await?;
        Ok(newest.into_iter().map(|n: Stored<Notice>| n.value).collect())
    }

    /// Orders of one shard that were to be paid by `now`, oldest first, as the (possibly stale) index knows them.
    pub async fn unpaid(&self, shard: u8, now: Timestamp, after: Option<Position>) -> Result<Page<Stored<Order>>, StoreError> {
        self.behind(self.query_keys(Range::by_due(&keys::unpaid_shard(shard)).until(now).limit(50).after(after)).await?).await
    }
}
