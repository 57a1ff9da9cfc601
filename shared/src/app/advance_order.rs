//! Moves a paid order on: processing, distributed, completed. Completion starts the end of the commission's hold.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    shop_days,
};
use crate::{
    domain::{
        ids::OrderId,
        order::{Actor, Order, OrderStatus},
        text::Note,
    },
    store::transaction::{Commit, Transaction},
};

pub async fn advance(app: &App, by: Reviewer, id: OrderId, to: OrderStatus, note: Option<Note>) -> Result<Order, Problem> {
    if !matches!(to, OrderStatus::Processing | OrderStatus::Distributed | OrderStatus::Completed) {
        return Err(Problem::conflict("this status has its own action"));
    }
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let read = app.store.order(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
        if read.value.status == to {
            return Ok(read.value);
        }
        let after = read.value.clone().moved(to, Actor::Admin, note.clone(), now)?;
        let mut tx = Transaction::new();
        tx.save(&read, &after, ());
        tx.create(&audit::entry(app, by, "order.status", &id.to_string(), read.value.status.as_str(), to.as_str()), ());
        if to == OrderStatus::Completed
            && let Some(commission) = app.store.commission(&after).await?
        {
            tx.save(&commission, &commission.value.clone().completed(now), ());
        }
        shop_days::mark(app, &after).await?;
        if let Commit::Done = app.store.commit(tx).await? {
            return Ok(after);
        }
    }
    Err(Problem::busy("the order kept changing"))
}
