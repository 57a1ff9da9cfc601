//! Counts what a new order would keep from others before it is paid, and refuses what is too much.

use super::{App, Problem};
use crate::{
    domain::{
        Wrong,
        coupon::NotValid,
        holding::{Allowance, Excess, Hold, Holds},
        identity::Customer,
        order::Order,
        settings::Settings,
        time::Timestamp,
    },
    store::{
        entity::{Holdings, Stored},
        keys,
    },
};

/// How often an address that nobody proved is told of orders: once in so many seconds.
const TOLD_SECONDS: i64 = 86_400;

/// Who asks for an order, as it was read.
pub(super) struct Asking<'a> {
    pub customer: &'a Customer,
    /// What is held from the network address already, and which address it is.
    pub address: Option<&'a Stored<Holdings>>,
    pub place: &'a str,
    pub settings: &'a Settings,
}

/// The account, and the network address where it counts, as they are with the order: its transaction saves both.
pub(super) struct Holding {
    pub customer: Customer,
    pub address: Option<Holdings>,
}

/// Whether a mail may tell of another order: an address that nobody proved may be a stranger's.
pub(super) fn may_tell(customer: &Customer, now: Timestamp) -> bool {
    customer.verified_at.is_some() || customer.told_unproved_at.is_none_or(|at| now.since(at) >= TOLD_SECONDS)
}

/// What is held with the order, if that is not too much.
pub(super) async fn hold(app: &App, asking: &Asking<'_>, order: &Order, now: Timestamp) -> Result<Holding, Problem> {
    let customer = asking.customer;
    let proved = customer.verified_at.is_some();
    let units = order.lines.iter().fold(0_u32, |sum, line| sum.saturating_add(line.quantity));
    let hold = Hold { order: order.id, units, until: order.pay_by, coupon: order.coupon.as_ref().map(|c| c.code.clone()) };
    let holds = admitted(app, customer.holds.clone().live(now), &hold, Allowance::of_customer(proved, asking.settings), now).await?;
    let address = if proved {
        None
    } else {
        let held = asking.address.map(|a| a.value.holds.clone()).unwrap_or_default().live(now);
        let holds = admitted(app, held, &Hold { coupon: None, ..hold }, Allowance::of_address(), now).await?;
        let expires_at = holds.last_until().unwrap_or(now);
        Some(Holdings { place: keys::holdings(asking.place).pk, holds, expires_at })
    };
    let told_unproved_at = if proved || order.quiet { customer.told_unproved_at } else { Some(now) };
    Ok(Holding { customer: Customer { holds, told_unproved_at, ..customer.clone() }, address })
}

/// What stands in the way is looked at again before anything is refused: it may be paid or cancelled by now.
async fn admitted(app: &App, held: Holds, hold: &Hold, allowed: Allowance, now: Timestamp) -> Result<Holds, Problem> {
    match held.admit(hold, allowed) {
        Ok(()) => return Ok(held.with(hold.clone())),
        Err(excess @ Excess::TooLarge { .. }) => return Err(refusal(excess, now)),
        Err(_) => {}
    }
    let held = waiting(app, held).await?;
    held.admit(hold, allowed).map_err(|excess| refusal(excess, now))?;
    Ok(held.with(hold.clone()))
}

/// Those whose orders wait for their payment still.
async fn waiting(app: &App, held: Holds) -> Result<Holds, Problem> {
    let orders = self::held(app, &held).await?;
    let waiting: Vec<_> = orders.iter().filter(|o| o.value.is_payable()).map(|o| o.value.id).collect();
    Ok(held.only(|order| waiting.contains(&order)))
}

/// Their orders as they are now, whether they wait or not.
pub(super) async fn held(app: &App, holds: &Holds) -> Result<Vec<Stored<Order>>, Problem> {
    let orders: Vec<_> = holds.orders().collect();
    let mut found = app.store.get_many(orders.iter().map(|order| keys::order(*order))).await?;
    let mut held = Vec::new();
    for order in orders {
        held.extend(found.take::<Order>(&keys::order(order))?);
    }
    Ok(held)
}

fn refusal(excess: Excess, now: Timestamp) -> Problem {
    match excess {
        Excess::TooLarge { most } => {
            let why = format!("at most {most} animals may wait for their payment; who has proved their address may hold more");
            Problem::field("items", Wrong::new("too_many_animals", why))
        }
        Excess::Until(first) => {
            Problem::too_many(first.since(now).max(1)).detail("pay or cancel an order first; who has proved their address may hold more")
        }
        Excess::Coupon => NotValid::HeldByYou.into(),
    }
}
