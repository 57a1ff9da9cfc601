//! Notices of the gateway. What one says is not believed: the gateway is asked. What one has announced is owed work until
//! the gateway says the same, for its answers may lag behind its notices, and it does not repeat a notice that was taken.

use super::{Code, Problem, Shop, record_payment, send_refund, transfers};
use crate::domain::{
    outbox::{NoticeAbout, OutboxItem, Work},
    verdict::Announced,
};

/// The gateway's answer when it is asked about something that it sent a notice for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It does not know the thing, or not yet.
    Unknown,
    /// The thing is not one of ours.
    NotOurs,
    /// It has not said how it ends.
    UnderWay,
    Says(Announced),
}

impl Heard {
    /// Whether this answer is what the notice has announced, or follows it.
    fn confirms(self, announced: Announced) -> bool {
        match self {
            Self::NotOurs => true,
            Self::Says(said) => said == announced || (announced == Announced::Succeeded && said == Announced::Reversed),
            Self::Unknown | Self::UnderWay => false,
        }
    }
}

/// A notice as the queue brings it.
#[derive(Debug, Clone)]
pub struct Notice {
    pub about: NoticeAbout,
    pub gateway_id: String,
    /// Its word about money, where it has one.
    pub announced: Option<Announced>,
    /// Whether it names something that we have not named: a test of the gateway's own, say.
    pub foreign: bool,
}

/// Asks the gateway about a notice and records the answer. The notice is owed where the gateway cannot be asked now, or does
/// not say yet what it has announced.
pub async fn take(shop: &Shop, notice: Notice) -> Result<(), Problem> {
    let Notice { about, gateway_id, announced, foreign } = notice;
    let later = match ask(shop, about, &gateway_id).await {
        Ok(Heard::Unknown) if foreign => false,
        Ok(heard) => announced.is_some_and(|a| !heard.confirms(a)),
        // A test of the gateway's own comes back by its queue, and is not owed for ever.
        Err(problem) if !foreign && matches!(problem.code, Code::Unavailable | Code::Busy) => true,
        Err(problem) => return Err(problem),
    };
    if later {
        let work = match (about, announced) {
            (_, Some(announced)) => Work::ConfirmNotice { about, gateway_id, announced },
            (NoticeAbout::Invoice, None) => Work::RecordInvoice { invoice: gateway_id },
            (NoticeAbout::Refund | NoticeAbout::Payout, None) => return Err(Problem::unavailable("a notice of an older version waits in its queue")),
        };
        // Over an item that is there already: it is owed from now on, whoever may be at the older one.
        shop.app.store.append(&OutboxItem::new(work, shop.app.clock.now())).await?;
    }
    Ok(())
}

/// Asks again about a notice that was announced; a failure as long as the gateway does not say the same.
pub async fn confirm(shop: &Shop, about: NoticeAbout, gateway_id: &str, announced: Announced) -> Result<(), Problem> {
    if ask(shop, about, gateway_id).await?.confirms(announced) {
        Ok(())
    } else {
        Err(Problem::unavailable("the gateway does not say yet what it has announced"))
    }
}

async fn ask(shop: &Shop, about: NoticeAbout, gateway_id: &str) -> Result<Heard, Problem> {
    match about {
        NoticeAbout::Invoice => record_payment::record_notice(shop, gateway_id).await.map(Into::into),
        NoticeAbout::Refund => send_refund::record_refund(shop, gateway_id).await,
        NoticeAbout::Payout => transfers::record(shop, gateway_id).await,
    }
}
