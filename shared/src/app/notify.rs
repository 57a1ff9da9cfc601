//! Sends the mail that a piece of owed work asks for.

use super::{App, Problem};
use crate::{
    domain::{
        identity::Customer,
        ids::{AffiliateId, OrderId},
        job::{Subject, Task},
        order::Order,
        outbox::Work,
    },
    mail::{Letter, Mailer, letters},
};

/// Does one piece of owed work of the notifications queue. A mail that is refused for good is left to a person.
pub async fn notify(app: &App, mailer: &Mailer, work: &Work) -> Result<(), Problem> {
    let Some(letter) = compose(app, mailer, work).await? else { return Ok(()) };
    match mailer.send(&letter).await {
        Err(error) if error.is_final() => {
            app.store.create(&Task::new(Subject::MailRefused { work: work.clone() }, app.clock.now())).await?;
            Ok(())
        }
        sent => sent.map_err(Problem::unavailable),
    }
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
