//! The same news by WhatsApp, where that is configured: after the mail, as owed work of its own.

use super::{App, Problem, notify::standing};
use crate::{
    domain::{
        affiliate::AffiliateStatus,
        outbox::{OutboxItem, Work},
        payout::PayoutStatus,
    },
    store::transaction::Transaction,
    whatsapp::{Notice, WhatsApp, WhatsAppError},
};

/// Whether a piece of news goes by phone as well.
const fn is_for_phones(work: &Work) -> bool {
    matches!(
        work,
        Work::MailOrderPlaced { .. }
            | Work::MailOrderConfirmed { .. }
            | Work::MailRefund { .. }
            | Work::MailApplicationApproved { .. }
            | Work::MailPayout { .. }
    )
}

/// Owes the message for a mail that was sent.
pub async fn owe(app: &App, work: &Work) -> Result<(), Problem> {
    if !is_for_phones(work) {
        return Ok(());
    }
    let owed = OutboxItem::new(Work::WhatsApp { news: Box::new(work.clone()) }, app.clock.now());
    let mut tx = Transaction::<()>::new();
    tx.put_same(&owed);
    app.store.commit(tx).await?;
    app.queues.hand_on(&[owed]).await;
    Ok(())
}

/// Sends the message. One that is refused is given up: the mail has said the same.
pub async fn send(app: &App, whatsapp: &WhatsApp, news: &Work) -> Result<(), Problem> {
    let Some(notice) = compose(app, news).await? else { return Ok(()) };
    match whatsapp.send(&notice).await {
        Ok(()) => Ok(()),
        Err(error @ WhatsAppError::Refused(_)) => {
            tracing::warn!(template = notice.template, error = %error, "a message was not sent");
            Ok(())
        }
        Err(error) => Err(Problem::unavailable(error)),
    }
}

/// The notice, from what is true now.
async fn compose(app: &App, news: &Work) -> Result<Option<Notice>, Problem> {
    Ok(match news {
        Work::MailOrderPlaced { order } => app.store.order_and_customer(*order).await?.filter(|(o, _)| o.is_payable()).map(|(o, c)| Notice {
            template: "order_placed",
            blanks: vec![c.name.to_string(), o.number.to_string(), o.total.to_string(), o.pay_by.in_jakarta()],
            to: c.phone,
            language: c.language,
        }),
        Work::MailOrderConfirmed { order } => app.store.order_and_customer(*order).await?.map(|(o, c)| Notice {
            template: "order_paid",
            blanks: vec![c.name.to_string(), o.number.to_string(), o.total.to_string()],
            to: c.phone,
            language: c.language,
        }),
        Work::MailRefund { order, refund } => {
            let refund = app.store.refund(*order, *refund).await?;
            app.store.order_and_customer(*order).await?.zip(refund).map(|((o, c), r)| Notice {
                template: "order_refund",
                blanks: vec![c.name.to_string(), o.number.to_string(), r.value.amount.to_string()],
                to: c.phone,
                language: c.language,
            })
        }
        Work::MailApplicationApproved { affiliate } => standing(app, *affiliate, AffiliateStatus::Approved).await?.and_then(|a| {
            let blanks = vec![a.details.first_name.to_string(), a.code.as_ref()?.to_string()];
            Some(Notice { template: "affiliate_approved", blanks, to: a.details.whatsapp, language: a.details.language })
        }),
        Work::MailPayout { affiliate, payout } => {
            let payout = app.store.payout(*payout).await?;
            app.store.affiliate(*affiliate).await?.map(|a| a.value).zip(payout).map(|(a, p)| Notice {
                template: if p.value.status == PayoutStatus::Paid { "payout_paid" } else { "payout_returned" },
                blanks: vec![a.details.first_name.to_string(), p.value.net.to_string()],
                to: a.details.whatsapp,
                language: a.details.language,
            })
        }
        _ => None,
    })
}
