//! Finds orders for staff: by number, by the customer's address, by affiliate, or among the days of a range.

use super::{App, Problem};
use crate::{
    domain::{
        contact::Email,
        identity::Audience,
        ids::{AffiliateId, CustomerId},
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
    /// An order's number, a customer's address, or words of the order.
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
    if let Ok(email) = Email::parse(words) {
        return of_customer(app, sought, &email, limit, after).await;
    }
    let (mut items, mut after) = (Page::new(Vec::new(), None), after);
    for _ in 0..PAGES {
        let keys = candidates(app, sought, limit - items.len(), after).await?;
        let orders = app.store.behind::<Order>(keys).await?.map(|o| o.value);
        items = orders.filter(|o| sought.is(o) && o.is_meant_by(words)).behind(items);
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

async fn of_customer(app: &App, sought: &Sought, email: &Email, limit: usize, after: Option<Position>) -> Result<Page<Order>, Problem> {
    let login = app.store.login(Audience::Customer, email).await?;
    let Some(id) = login.and_then(|l| CustomerId::parse(&l.value.account)) else { return Ok(Page::new(Vec::new(), None)) };
    let page = app.store.orders_of(id, sought.status, limit, after).await?;
    Ok(page.map(|o| o.value).filter(|o| sought.is(o)))
}
