//! Sends the mail that a piece of owed work asks for.

use super::{App, Problem, credentials, notify_by_phone, shop_days};
use crate::{
    domain::{
        affiliate::{Affiliate, AffiliateStatus, BankStatus},
        contact::Email,
        identity::{Audience, LinkPurpose, Login},
        ids::{AdminId, AffiliateId, CustomerId},
        job::{Subject, Task},
        order::{Order, OrderStatus},
        outbox::Work,
        stats::ActiveDay,
        time::Timestamp,
    },
    mail::{
        Letter, Mailer,
        letters::{self, Person},
    },
    whatsapp::WhatsApp,
};

/// Does one piece of owed work of the notifications queue. A mail that is refused for good is left to a person.
pub async fn notify(app: &App, mailer: &Mailer, whatsapp: Option<&WhatsApp>, work: &Work) -> Result<(), Problem> {
    if let Work::WhatsApp { news } = work {
        return match whatsapp {
            Some(whatsapp) => notify_by_phone::send(app, whatsapp, news).await,
            // Switched off meanwhile.
            None => Ok(()),
        };
    }
    mail(app, mailer, work).await?;
    if whatsapp.is_some() { notify_by_phone::owe(app, work).await } else { Ok(()) }
}

async fn mail(app: &App, mailer: &Mailer, work: &Work) -> Result<(), Problem> {
    let Some(letter) = compose(app, mailer, work).await? else { return Ok(()) };
    match mailer.send(&letter).await {
        Err(error) if error.is_final() => {
            app.store.create(&Task::new(Subject::MailRefused { work: work.described() }, app.clock.now())).await?;
            Ok(())
        }
        sent => sent.map_err(Problem::unavailable),
    }
}

/// The letter, from what is true now; nothing where there is nobody to write to any more.
async fn compose(app: &App, mailer: &Mailer, work: &Work) -> Result<Option<Letter>, Problem> {
    Ok(match work {
        Work::MailLink { audience, purpose, email } => link(app, mailer, *audience, *purpose, email).await?,
        Work::MailAlreadyRegistered { audience, email } => person(app, *audience, email).await?.map(|(p, _)| letters::already_registered(mailer, &p)),
        Work::MailPasswordChanged { audience, email } => person(app, *audience, email).await?.map(|(p, _)| letters::password_changed(mailer, &p)),
        Work::MailOrderPlaced { order } => {
            let found = app.store.order_and_customer(*order).await?;
            if let Some((order, _)) = &found {
                shop_days::mark(app, order).await?;
                count(app, order, order.placed_at).await?;
            }
            match found {
                // Paid or given up meanwhile: another letter says so.
                Some((order, customer)) if order.is_payable() && !order.quiet => {
                    let attempt = app.store.attempt(order.id, order.attempts).await?;
                    let link = attempt.and_then(|a| a.value.invoice).map(|i| i.url);
                    Some(letters::order_placed(mailer, &customer, &order, link.as_deref()))
                }
                _ => None,
            }
        }
        Work::MailOrderExpired { order } => {
            // Paid late meanwhile: another letter says so.
            let found = app.store.order_and_customer(*order).await?;
            let found = found.filter(|(order, _)| order.status == OrderStatus::Expired && !order.quiet);
            found.map(|(order, customer)| letters::order_expired(mailer, &customer, &order))
        }
        Work::MailOrderConfirmed { order } => {
            let found = app.store.order_and_customer(*order).await?;
            if let Some((order, paid)) = found.as_ref().and_then(|(o, _)| Some(o).zip(o.paid.as_ref())) {
                shop_days::mark(app, order).await?;
                count(app, order, paid.at).await?;
            }
            found.map(|(order, customer)| letters::order_confirmed(mailer, &customer, &order))
        }
        Work::MailPaymentHeld { order, invoice } => {
            // Sent back or settled meanwhile: another letter says so.
            let held = app.store.receipt(*order, invoice).await?;
            let sent_back = app.store.refunds(*order).await?.iter().any(|r| !r.value.of_order && r.value.invoice == *invoice);
            let found = app.store.order_and_customer(*order).await?.zip(held.filter(|_| !sent_back));
            found.map(|((order, customer), receipt)| letters::payment_held(mailer, &customer, &order, &receipt.value))
        }
        Work::MailRefund { order, refund } => {
            let refund = app.store.refund(*order, *refund).await?;
            let found = app.store.order_and_customer(*order).await?.zip(refund);
            found.map(|((order, customer), refund)| letters::refund(mailer, &customer, &order, &refund.value))
        }
        Work::MailApplicationReceived { affiliate } => {
            app.store.affiliate(*affiliate).await?.map(|a| a.value).map(|a| letters::application_received(mailer, &a))
        }
        // Applied again or suspended meanwhile: a decision is told while it stands.
        Work::MailApplicationApproved { affiliate } => {
            standing(app, *affiliate, AffiliateStatus::Approved).await?.map(|a| letters::application_approved(mailer, &a))
        }
        Work::MailApplicationRejected { affiliate } => {
            standing(app, *affiliate, AffiliateStatus::Rejected).await?.map(|a| letters::application_rejected(mailer, &a))
        }
        Work::MailBankDecided { affiliate } => {
            // Changed again meanwhile: another letter says so.
            let bank = app.store.payout_account(*affiliate).await?.filter(|b| b.value.status != BankStatus::Pending);
            app.store.affiliate(*affiliate).await?.map(|a| a.value).zip(bank).map(|(a, bank)| letters::bank_decided(mailer, &a, &bank.value))
        }
        Work::MailBankChanged { affiliate, .. } => {
            let bank = app.store.payout_account(*affiliate).await?;
            app.store.affiliate(*affiliate).await?.map(|a| a.value).zip(bank).map(|(a, bank)| letters::bank_changed(mailer, &a, &bank.value))
        }
        Work::MailPayout { affiliate, payout } => {
            let payout = app.store.payout(*payout).await?;
            app.store.affiliate(*affiliate).await?.map(|a| a.value).zip(payout).map(|(a, payout)| letters::payout(mailer, &a, &payout.value))
        }
        Work::WhatsApp { .. }
        | Work::RenderUpload { .. }
        | Work::SendRefund { .. }
        | Work::SendPayout { .. }
        | Work::RecordInvoice { .. }
        | Work::ConfirmNotice { .. }
        | Work::AskTransfer { .. }
        | Work::EndLinks { .. }
        | Work::SettleFreeOrder { .. } => {
            return Err(Problem::internal("work that is no mail"));
        }
    })
}

/// The affiliate, if the application stands so now.
pub(super) async fn standing(app: &App, id: AffiliateId, status: AffiliateStatus) -> Result<Option<Affiliate>, Problem> {
    Ok(app.store.affiliate(id).await?.map(|a| a.value).filter(|a| a.status == status))
}

/// What happened to an order at `at` is to be counted for its affiliate.
async fn count(app: &App, order: &Order, at: Timestamp) -> Result<(), Problem> {
    if let Some(attribution) = &order.attribution {
        app.store.append(&ActiveDay::new(attribution.affiliate, at, app.clock.now())).await?;
    }
    Ok(())
}

/// A one-time link for whoever has this address; nothing if nobody has, or if there is nothing left to prove.
async fn link(app: &App, mailer: &Mailer, audience: Audience, purpose: LinkPurpose, email: &Email) -> Result<Option<Letter>, Problem> {
    let Some((person, login)) = person(app, audience, email).await? else { return Ok(None) };
    if purpose == LinkPurpose::VerifyEmail && person.verified {
        return Ok(None);
    }
    let token = credentials::draw_link(app, &login, purpose).await?.text();
    Ok(Some(match purpose {
        LinkPurpose::VerifyEmail => letters::verify_email(mailer, &person, &token),
        LinkPurpose::ResetPassword => letters::reset_password(mailer, &person, &token),
        LinkPurpose::AcceptInvitation => letters::invitation(mailer, &person, &token),
    }))
}

/// Who has this address in an audience.
async fn person(app: &App, audience: Audience, email: &Email) -> Result<Option<(Person, Login)>, Problem> {
    let Some(login) = app.store.login(audience, email).await?.map(|l| l.value) else { return Ok(None) };
    let person = match audience {
        Audience::Customer => match CustomerId::parse(&login.account) {
            Some(id) => app.store.customer(id).await?.map(|c| Person::customer(&c.value)),
            None => None,
        },
        Audience::Affiliate => match AffiliateId::parse(&login.account) {
            Some(id) => app.store.affiliate(id).await?.map(|a| Person::affiliate(&a.value)),
            None => None,
        },
        Audience::Admin => match AdminId::parse(&login.account) {
            Some(id) => app.store.admin(id).await?.map(|a| Person::admin(&a.value)),
            None => None,
        },
    };
    Ok(person.map(|p| (p, login)))
}
