//! Finds orders for staff: by number or id, by the customer's address or id, by affiliate, or among the days of a range
//! by words of the order or of its customer.

use super::{App, Problem};
use crate::{
    domain::{
        contact::{Email, Phone},
        identity::{Audience, Customer},
        ids::{AffiliateId, CustomerId, OrderId},
        order::{Order, OrderNumber, OrderStatus},
        time::Day,
    },
    store::{
        Page, Position,
        entity::{Referral, Stored},
        keys,
        listing::Days,
    },
};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Sought {
    pub status: Option<OrderStatus>,
    /// Days that were asked for; who names an order or a customer need not know when it was.
    pub days: Option<(Day, Day)>,
    /// Days that are looked through otherwise.
    pub usual: (Day, Day),
    pub affiliate: Option<AffiliateId>,
    /// An order's number or id, a customer's address or id, or words of the order, the customer's name or phone number.
    pub words: Option<String>,
}

impl Sought {
    fn is(&self, order: &Order) -> bool {
        let day = order.placed_at.day();
        self.status.is_none_or(|s| s == order.status)
            && self.days.is_none_or(|(from, to)| (from..=to).contains(&day))
            && self.affiliate.is_none_or(|a| order.attribution.as_ref().is_some_and(|of| of.affiliate == a))
    }
}

/// Most pages that are read to fill one page of what is sought; who looks for something rare follows the cursor.
const PAGES: usize = 10;

/// One page of orders, newest day first.
pub async fn find(app: &App, sought: &Sought, limit: usize, after: Option<Position>) -> Result<Page<Order>, Problem> {
    let words = sought.words.as_deref().unwrap_or_default();
    if let Some(number) = OrderNumber::parse(words) {
        let found = app.store.order_numbered(&number).await?.map(|o| o.value).filter(|o| sought.is(o));
        return Ok(Page::new(found.into_iter().collect(), None));
    }
    if let Some(id) = OrderId::parse(words) {
        let found = app.store.order(id).await?.map(|o| o.value).filter(|o| sought.is(o));
        return Ok(Page::new(found.into_iter().collect(), None));
    }
    if let Some(id) = CustomerId::parse(words) {
        return of_customer(app, sought, id, limit, after).await;
    }
    if let Ok(email) = Email::parse(words) {
        let login = app.store.login(Audience::Customer, &email).await?;
        let Some(id) = login.and_then(|l| CustomerId::parse(&l.value.account)) else { return Ok(Page::new(Vec::new(), None)) };
        return of_customer(app, sought, id, limit, after).await;
    }
    let (mut items, mut after) = (Page::new(Vec::new(), None), after);
    for _ in 0..PAGES {
        let candidates = candidates(app, sought, limit - items.len(), after).await?;
        let found = app.store.behind::<Order>(candidates).await?.map(|o| o.value).filter(|o| sought.is(o));
        let customers = if words.is_empty() { Vec::new() } else { customers(app, found.rows()).await? };
        let found = found.filter(|o| words.is_empty() || is_meant(o, customers.iter().find(|c| c.id == o.customer), words));
        items = found.behind(items);
        after = items.next().cloned();
        if after.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(items)
}

/// The next orders to look at: an affiliate's, or those of the days.
async fn candidates(app: &App, sought: &Sought, limit: usize, after: Option<Position>) -> Result<Page<keys::Key>, Problem> {
    if let Some(affiliate) = sought.affiliate {
        let page = app.store.referrals(affiliate, limit, after).await?;
        return Ok(page.map(|r: Stored<Referral>| keys::order(r.value.order)));
    }
    let (from, to) = sought.days.unwrap_or(sought.usual);
    let page = app.store.orders_between(&Days { from, to, limit, after }).await?;
    Ok(page.map(|n| keys::order(n.value.order)))
}

/// The customers of some orders, those who are still there, in one read.
async fn customers(app: &App, orders: &[Order]) -> Result<Vec<Customer>, Problem> {
    let keys: Vec<_> = orders.iter().map(|o| keys::profile(&o.customer.to_string())).collect();
    let mut found = app.store.get_many(keys.clone()).await?;
    let mut customers = Vec::new();
    for key in &keys {
        customers.extend(found.take::<Customer>(key)?.map(|c| c.value));
    }
    Ok(customers)
}

/// Whether somebody who looks for `words` means this order or its customer.
fn is_meant(order: &Order, customer: Option<&Customer>, words: &str) -> bool {
    let Some(customer) = customer else { return order.is_meant_by(words) };
    let phone = Phone::parse(words).is_ok_and(|phone| phone == customer.phone);
    let theirs = format!("{} {} {}", customer.name, customer.email, customer.phone).to_lowercase();
    phone || words.to_lowercase().split_whitespace().all(|word| theirs.contains(word) || order.is_meant_by(word))
}

async fn of_customer(app: &App, sought: &Sought, id: CustomerId, limit: usize, after: Option<Position>) -> Result<Page<Order>, Problem> {
    let page = app.store.orders_of(id, sought.status, limit, after).await?;
    Ok(page.map(|o| o.value).filter(|o| sought.is(o)))
}
