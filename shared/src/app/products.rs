//! Products: put on sale, changed, taken off; their stock and their pictures. Every change leaves its trace with the product.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        Wrong,
        catalog::{Product, ProductChange, SlugOwner, Stock, StockChange},
        ids::{AuditId, PictureId, ProductId},
        text::Note,
    },
    store::{
        catalog::AVAILABLE,
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Changed,
    SlugTaken,
    TooFew,
    Repeated,
}

async fn find(app: &App, id: ProductId) -> Result<Stored<Product>, Problem> {
    app.store.product(id).await?.ok_or_else(|| Problem::new(Code::NotFound))
}

fn change(app: &App, by: Reviewer, id: ProductId, before: Option<String>, after: String, note: Option<Note>) -> ProductChange {
    let now = app.clock.now();
    ProductChange { product: id, at: now, id: AuditId::fresh(now, &app.entropy), by: by.admin, before, after, note }
}

fn slug_taken() -> Problem {
    Problem::field("slug", Wrong::new("taken", "another product has this address"))
}

fn coherent(product: Product) -> Result<Product, Problem> {
    product.coherent().map_err(|wrong| Problem::field("portion", wrong))
}

/// Puts a product on sale, or prepares it (`active: false`).
pub async fn create(app: &App, by: Reviewer, product: Product, units: u32) -> Result<Product, Problem> {
    let product = coherent(product)?;
    let mut tx = Transaction::new();
    tx.create(&product, Lost::Changed)
        .create(&Stock { product: product.id, available: units }, Lost::Changed)
        .create(&SlugOwner { slug: product.slug.clone(), product: product.id }, Lost::SlugTaken)
        .create(&change(app, by, product.id, None, audit::whole(&product), None), Lost::Changed)
        .create(&audit::entry(app, by, "product.create", &product.id.to_string(), "", &product.name), Lost::Changed);
    match app.store.commit(tx).await? {
        Commit::Done => Ok(product),
        Commit::Lost(_) => Err(slug_taken()),
    }
}

/// Changes a product as it is at the write, not as it was seen before: what two changes at once would make of it together
/// is judged as well. Orders that were placed keep what they were placed with. An old address is free again.
pub async fn update(app: &App, by: Reviewer, id: ProductId, edit: impl Fn(Product) -> Result<Product, Problem>) -> Result<Product, Problem> {
    for _ in 0..ROUNDS {
        let read = find(app, id).await?;
        let after = coherent(edit(read.value.clone())?)?;
        if after == read.value {
            return Ok(after);
        }
        let (was, is) = (audit::whole(&read.value), audit::whole(&after));
        let mut tx = Transaction::new();
        tx.save(&read, &after, Lost::Changed);
        if after.slug != read.value.slug {
            tx.create(&SlugOwner { slug: after.slug.clone(), product: id }, Lost::SlugTaken).forget(&keys::slug(&read.value.slug));
        }
        tx.create(&change(app, by, id, Some(was.clone()), is.clone(), None), Lost::Changed);
        tx.create(&audit::entry(app, by, "product.change", &id.to_string(), was, is), Lost::Changed);
        match app.store.commit(tx).await? {
            Commit::Done => return Ok(after),
            Commit::Lost(lost) if lost.contains(&Lost::SlugTaken) => return Err(slug_taken()),
            Commit::Lost(_) => {}
        }
    }
    Err(Problem::busy("the product kept changing"))
}

/// How long a repeated change of stock is recognised.
const REPEATED_DAYS: u16 = 30;

/// Adds units, or takes some that nobody has reserved; never below zero. Answers with what can be bought then. Again
/// under the same `key` is once.
pub async fn restock(app: &App, by: Reviewer, id: ProductId, units: i32, note: Option<Note>, key: &str) -> Result<u32, Problem> {
    find(app, id).await?;
    let expires_at = app.clock.now().plus_days(REPEATED_DAYS);
    let named = StockChange { id: AuditId::named(&[&id.to_string(), key]), product: id, units, expires_at };
    let (stock, mut tx) = (keys::stock(id), Transaction::new());
    tx.create(&named, Lost::Repeated);
    if units < 0 {
        tx.take(&stock, AVAILABLE, units.unsigned_abs(), Lost::TooFew);
    } else {
        tx.give_back(&stock, AVAILABLE, units.unsigned_abs(), Lost::TooFew);
    }
    let said = format!("{units:+} units");
    tx.create(&change(app, by, id, None, said.clone(), note), Lost::Changed);
    tx.create(&audit::entry(app, by, "product.stock", &id.to_string(), "", said), Lost::Changed);
    if let Commit::Lost(lost) = app.store.commit(tx).await? {
        let before = if lost.contains(&Lost::Repeated) { app.store.stock_change(named.id).await? } else { None };
        match before.map(|b| b.value.units == units) {
            None => return Err(Problem::conflict("so many are not left")),
            Some(false) => return Err(Problem::new(Code::IdempotencyMismatch)),
            Some(true) => {}
        }
    }
    Ok(app.store.stock(id).await?.map_or(0, |s| s.value.available))
}

/// Shows the pictures in another order; those that are not named go.
pub async fn arrange(app: &App, by: Reviewer, id: ProductId, order: &[PictureId]) -> Result<Product, Problem> {
    update(app, by, id, |product| product.arranged(order).map_err(|wrong| Problem::field("images", wrong))).await
}
