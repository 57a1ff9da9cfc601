//! What an affiliate's pages cost after so many clicks: real items, really counted.

use super::counted;
use qutab::{
    app::aggregate,
    domain::{
        click::{Campaign, Looker},
        ids::{AffiliateId, ClickId},
        stats::COUNTED_DAYS,
        time::{Entropy, Timestamp},
    },
    store::entity::Click,
};
use qutab_local::wire::Traffic;
use qutab_tests::{Affiliate, World};
use std::fmt::Write;

/// The costs of summary, statistics and activity after `clicks` clicks on the last sixty days.
async fn pages(clicks: u32) -> [Traffic; 3] {
    let w = World::seeded(7).await;
    let affiliate = w.affiliate("rina").await;
    fill(&w, &affiliate, clicks).await;
    let see = async |path: &str| counted(&w, async { w.get(&format!("/api/affiliate/{path}"), &affiliate.token).await.ok() }).await;
    let seen = w.get("/api/affiliate/dashboard/summary", &affiliate.token).await.ok();
    assert_eq!(seen["clicks"], clicks, "every click was counted");
    [see("dashboard/summary").await, see("statistics?period=30days").await, see("dashboard/activity").await]
}

async fn fill(w: &World, affiliate: &Affiliate, clicks: u32) {
    let (app, id) = (&w.shop.app, AffiliateId::parse(&affiliate.id).unwrap());
    let days = u32::try_from(COUNTED_DAYS).unwrap();
    let at = |n: u32| w.now().plus_seconds(-86_400 * i64::from(n % days) - i64::from(n / days % 3_600));
    for n in 0..clicks {
        app.store.append(&click(&app.entropy, id, affiliate.code.clone(), at(n), n)).await.unwrap();
    }
    for day in 0..days.min(clicks) {
        aggregate::count_day(app, id, at(day).day(), w.now()).await.unwrap();
    }
}

fn click(entropy: &Entropy, affiliate: AffiliateId, code: String, at: Timestamp, n: u32) -> Click {
    Click {
        id: ClickId::fresh(at, entropy),
        affiliate,
        code,
        at,
        visitor: format!("visitor-{n}"),
        looker: Looker::Person,
        referrer: Some("www.instagram.com".into()),
        campaign: Campaign::default(),
        expires_at: at.plus_days(90),
    }
}

/// One row for each number of clicks: round trips and read units of each page.
pub async fn table(numbers: &[u32]) -> String {
    let mut text = String::from("| clicks | summary | statistics, 30 days | activity |\n|--:|--:|--:|--:|\n");
    for number in numbers {
        let costs = pages(*number).await.map(|t| format!("{} trips, {:.1} reads", t.dynamo_trips, t.read_units));
        let _ = writeln!(text, "| {number} | {} |", costs.join(" | "));
    }
    text
}
