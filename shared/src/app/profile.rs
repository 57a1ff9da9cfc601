//! A customer's own data: changed, or erased with everything that names the person.

use super::{App, Code, Problem, ROUNDS, credentials, holding};
use crate::{
    domain::{
        contact::Phone,
        identity::{Audience, Customer, Language, LinkPurpose},
        ids::{CustomerId, OrderId},
        order::{Order, OrderStatus, Recipient, Shohibul},
        refund::{Refund, RefundStatus},
        text::{PersonName, Place},
    },
    secrets::password::Password,
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// What may be changed; what is not given stays.
#[derive(Debug, Default)]
pub struct Changes {
    pub name: Option<PersonName>,
    pub phone: Option<Phone>,
    pub address: Option<Place>,
    pub language: Option<Language>,
}

/// Most orders that are looked through when an account is deleted.
const MOST_ORDERS: usize = 2_000;
/// Sessions that end in the transaction that deletes the account.
const SESSIONS: usize = 80;
/// What stands where a name was.
const ERASED: &str = "Dihapus";

pub async fn change(app: &App, id: CustomerId, changes: Changes) -> Result<Customer, Problem> {
    for _ in 0..ROUNDS {
        let read = app.store.customer(id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
        let before = read.value.clone();
        let after = Customer {
            name: changes.name.clone().unwrap_or(before.name),
            former_phones: match &changes.phone {
                Some(new) => before.phone.clone().into_former(new, before.former_phones),
                None => before.former_phones,
            },
            phone: changes.phone.clone().unwrap_or(before.phone),
            address: changes.address.clone().or(before.address),
            language: changes.language.unwrap_or(before.language),
            ..read.value.clone()
        };
        match app.store.save(&read, &after).await? {
            Commit::Done => return Ok(after),
            Commit::Lost(_) => {}
        }
    }
    Err(Problem::unavailable("the profile kept changing"))
}

/// Erases the person: the orders lose their names first, then profile, login, links and sessions go together.
/// Refused while an order is open or money is owed. A crash halfway leaves an account that can be deleted again.
pub async fn delete(app: &App, id: CustomerId, password: &Password) -> Result<(), Problem> {
    let customer = app.store.customer(id).await?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    let login = credentials::confirmed(app, Audience::Customer, &customer.value.email, password).await?;
    // An order that is placed from here on saves the customer too: then nothing is removed below.
    let orders = closed_orders(app, &customer.value).await?;
    for order in orders {
        erase_names(app, order).await?;
    }
    let account = id.to_string();
    let sessions = app.store.sessions(&account).await?;
    let mut tx = Transaction::new();
    tx.remove(&customer, ()).remove(&login, ());
    for purpose in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword] {
        tx.forget(&keys::mailed_link(&account, purpose));
    }
    for session in sessions.iter().take(SESSIONS) {
        tx.forget(&keys::session(&account, session.value.id));
    }
    if let Commit::Lost(_) = app.store.commit(tx).await? {
        return Err(Problem::conflict("the account has just changed; try again"));
    }
    Ok(app.store.end_sessions(&account, None).await?)
}

/// All orders of a customer, if none of them is open and none is owed money.
async fn closed_orders(app: &App, customer: &Customer) -> Result<Vec<Stored<Order>>, Problem> {
    // The index may not show the last ones yet, nor in what state they are; the account itself names them.
    let mut all = holding::held(app, &customer.holds).await?;
    let last: Vec<_> = all.iter().map(|o| o.value.id).collect();
    let mut after = None;
    loop {
        let (page, next) = app.store.orders_of(customer.id, None, 100, after).await?.whole()?;
        all.extend(page.into_iter().filter(|o| !last.contains(&o.value.id)));
        after = next;
        if after.is_none() {
            break;
        }
        if all.len() >= MOST_ORDERS {
            return Err(Problem::conflict("this account has too many orders to be deleted here; write to us"));
        }
    }
    for order in all.iter().map(|o| &o.value) {
        if matches!(order.status, OrderStatus::Pending | OrderStatus::Paid | OrderStatus::Processing | OrderStatus::Distributed) {
            return Err(Problem::conflict(format!("order {} is still open", order.number)));
        }
        // Also of an order that was never paid: money that came too late goes back to somebody.
        let refunds = app.store.refunds(order.id).await?;
        if refunds.iter().any(|r| !matches!(r.value.status, RefundStatus::Succeeded)) {
            return Err(Problem::conflict(format!("a refund of order {} is not finished", order.number)));
        }
        let returned = |invoice: &str| refunds.iter().any(|r| !r.value.of_order && r.value.invoice == invoice);
        if app.store.receipts(order.id).await?.iter().any(|r| !returned(&r.value.paid.invoice)) {
            return Err(Problem::conflict(format!("money that came for order {} has not gone back yet", order.number)));
        }
    }
    Ok(all)
}

/// Notes on refunds are written by people, and may name anybody.
async fn erase_notes(app: &App, order: OrderId) -> Result<(), Problem> {
    for read in app.store.refunds(order).await?.into_iter().filter(|r| r.value.note.is_some()) {
        if let Commit::Lost(_) = app.store.save(&read, &Refund { note: None, ..read.value.clone() }).await? {
            return Err(Problem::conflict("a refund has just changed; try again"));
        }
    }
    Ok(())
}

async fn erase_names(app: &App, order: Stored<Order>) -> Result<(), Problem> {
    let erased = || PersonName::parse(ERASED).map_err(|w| Problem::internal(w.message));
    let mut without = order.value.clone();
    let location = without.recipient.location.region(ERASED).map_err(|w| Problem::internal(w.message))?;
    without.recipient = Recipient { name: erased()?, location };
    without.note = None;
    for step in &mut without.history {
        step.note = None;
    }
    for line in &mut without.lines {
        let nobody = Shohibul { name: erased()?, father: None };
        line.shohibul = vec![nobody; line.shohibul.len()];
    }
    if without == order.value {
        return Ok(());
    }
    erase_notes(app, without.id).await?;
    match app.store.save(&order, &without).await? {
        Commit::Done => Ok(()),
        Commit::Lost(_) => Err(Problem::conflict("an order has just changed; try again")),
    }
}
