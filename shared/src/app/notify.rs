//! Sends the mail that an outbox item owes: claimed, sent, removed.

use super::{App, Problem};
use crate::{
    domain::{
        identity::Customer,
        ids::{AffiliateId, OrderId, OutboxId},
        order::Order,
        outbox::Work,
    },
    mail::{Letter, Mailer, letters},
    store::outbox::Claim,
};

/// Does one piece of owed work of the notifications queue. An error brings the message back later.
pub async fn notify(app: &App, mailer: &Mailer, id: OutboxId) -> Result<(), Problem> {
    let item = match app.store.claim(id, app.clock.now()).await? {
        Claim::Done => return Ok(()),
        Claim::Busy => return Err(Problem::unavailable("another worker is sending this mail")),
        Claim::Yours(item) => item,
    };
    if let Some(letter) = compose(app, mailer, &item.work).await? {
        mailer.send(&letter).await.map_err(Problem::unavailable)?;
    }
    Ok(app.store.settle(id).await?)
}

/// The letter, from what is true now; nothing where there is nobody to write to any more.
async fn compose(app: &App, mailer: &Mailer, work: &Work) -> Result<Option<Letter>, Problem> {
    Ok(match work {
        Work::MailOrderConfirmed { order } => {
            with_customer(app, *order).await?.map(|(order, customer)| letters::order_confirmed(mailer, &customer, &order))
        }
        Work::MailRefund { order, refund } => {
            let refund = app.store.refund(*order, *refund).await?;
            let found = with_customer(app, *order).await?.zip(refund);
            found.map(|((order, customer), refund)| letters::refund(mailer, &customer, &order, &refund.value))
        }
        Work::MailApplicationReceived { affiliate } => with_affiliate(app, *affiliate).await?.map(|a| letters::application_received(mailer, &a)),
        Work::MailApplicationApproved { affiliate } => with_affiliate(app, *affiliate).await?.map(|a| letters::application_approved(mailer, &a)),
        Work::MailApplicationRejected { affiliate } => with_affiliate(app, *affiliate).await?.map(|a| letters::application_rejected(mailer, &a)),
        Work::MailBankDecided { affiliate } => {
            let bank = app.store.payout_account(*affiliate).await?;
            with_affiliate(app, *affiliate).await?.zip(bank).map(|(a, bank)| letters::bank_decided(mailer, &a, &bank.value))
        }
        Work::MailPayout { affiliate, payout } => {
            let payout = app.store.payout(*payout).await?;
            with_affiliate(app, *affiliate).await?.zip(payout).map(|(a, payout)| letters::payout(mailer, &a, &payout.value))
        }
        Work::SendRefund { .. } | Work::SettleFreeOrder { .. } => return Err(Problem::internal("work of the payments queue")),
    })
}

async fn with_customer(app: &App, order: OrderId) -> Result<Option<(Order, Customer)>, Problem> {
    let Some(order) = app.store.order(order).await? else { return Ok(None) };
    let customer = app.store.customer(order.value.customer).await?;
    Ok(customer.map(|c| (order.value, c.value)))
}

async fn with_affiliate(app: &App, id: AffiliateId) -> Result<Option<crate::domain::affiliate::Affiliate>, Problem> {
    Ok(app.store.affiliate(id).await?.map(|a| a.value))
}
