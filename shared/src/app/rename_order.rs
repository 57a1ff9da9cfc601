//! Changes the shohibul names of an order, until the cut-off before Eid.

use super::{Code, FieldError, Problem, ROUNDS, Shop, sessions::OwnSession};
use crate::{
    domain::{
        catalog::Product,
        ids::{OrderId, ProductId},
        order::{Order, Shohibul, names_fit},
        settings::Settings,
    },
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// New names for one line of the order.
#[derive(Debug, Clone)]
pub struct NewNames {
    pub product: ProductId,
    pub shohibul: Vec<Shohibul>,
}

pub async fn rename(shop: &Shop, caller: &OwnSession, id: OrderId, names: &[NewNames]) -> Result<Order, Problem> {
    let missing = || Problem::new(Code::NotFound);
    for _ in 0..ROUNDS {
        let mut wants = vec![keys::order(id), keys::settings(), caller.key()];
        wants.extend(names.iter().map(|n| keys::product(n.product)));
        let mut found = shop.app.store.get_many(wants).await?;
        caller.lives(&mut found, shop.app.clock.now())?;
        let read: Stored<Order> = found.take(&keys::order(id))?.ok_or_else(missing)?;
        if read.value.customer != caller.customer() {
            return Err(missing());
        }
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        if !read.value.names_are_open() || !settings.names_may_change(read.value.season, shop.app.clock.now().day()) {
            return Err(Problem::conflict("the names of this order can no longer be changed"));
        }
        let (mut after, mut wrong) = (read.value.clone(), Vec::new());
        for (at, new) in names.iter().enumerate() {
            // A product that is gone from the catalogue takes one name for each unit, as the most careful reading.
            let most = found.take::<Product>(&keys::product(new.product))?.map_or(1, |p| p.value.names_per_unit());
            match after.clone().renamed(new.product, new.shohibul.clone(), most) {
                Ok(renamed) => after = renamed,
                Err(why) => wrong.push(FieldError { field: format!("items[{at}]"), code: why.code, message: why.message }),
            }
        }
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        names_fit(&after.lines).map_err(|wrong| Problem::field("items", wrong))?;
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        if let Commit::Done = shop.app.store.commit(tx).await? {
            return Ok(after);
        }
    }
    Err(Problem::busy("the order kept changing"))
}
