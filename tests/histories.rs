//! Random histories: customers, affiliates, staff, gateway and schedules in any order, with faults at any request.
//!
//! After each history everything is let settle, and the invariants of the money are checked. A failing history prints
//! its seed; `QUTAB_SEED=<seed> cargo test -p qutab-tests histories` replays it alone. `QUTAB_HISTORIES` runs more.

mod books;
mod step;

use qutab::domain::{contact::Email, identity::Audience, settings::Settings};
use qutab_local::wire::{Cut, Position};
use qutab_tests::{Affiliate, World};
use serde_json::Value;

const HISTORIES: u64 = 2_000;
/// Histories that share one shop; stock and wallets go on from one to the next.
const PER_WORLD: u64 = 40;
const STEPS: usize = 14;

/// A shop with its people, and what they have done so far.
struct Run {
    w: World,
    random: fastrand::Rng,
    buyers: Vec<String>,
    affiliates: Vec<Affiliate>,
    clicks: Vec<String>,
    orders: Vec<Value>,
    payouts: Vec<String>,
    notices: Vec<Value>,
    keys: u64,
}

#[expect(clippy::disallowed_methods, reason = "chosen by whoever runs the tests")]
fn chosen(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

impl Run {
    async fn new(seed: u64) -> Self {
        let w = World::seeded(seed).await;
        // Histories go on for years: their season does not end.
        w.shop.app.store.append(&Settings { seasons: Vec::new(), ..Settings::default() }).await.unwrap();
        let mut affiliates = Vec::new();
        for name in ["rina", "joko"] {
            let affiliate = w.affiliate(name).await;
            w.verify_bank(&affiliate).await;
            w.cheapen_password(&affiliate).await;
            affiliates.push(affiliate);
        }
        let mut buyers = Vec::new();
        for name in ["budi", "sari"] {
            w.customer(name).await;
            let email = Email::parse(&format!("{name}@example.com")).unwrap();
            buyers.push(w.shop.app.store.login(Audience::Customer, &email).await.unwrap().unwrap().value.account);
        }
        w.drain().await;
        let (clicks, orders, payouts, notices) = Default::default();
        Self { w, random: fastrand::Rng::with_seed(seed), buyers, affiliates, clicks, orders, payouts, notices, keys: 0 }
    }

    /// One history: random steps under random faults, then peace.
    async fn history(&mut self) {
        self.orders.clear();
        self.clicks.clear();
        for affiliate in &self.affiliates {
            self.clicks.push(self.w.click(&affiliate.code).await);
        }
        for _ in 0..STEPS {
            let step = step::Step::ALL[self.random.usize(..step::Step::ALL.len())];
            let fault = self.random.u8(..100) < 30;
            let cut = Cut {
                at: self.random.usize(..7),
                position: if self.random.bool() { Position::NotSent } else { Position::AnswerLost },
                dies: self.random.bool(),
            };
            self.take(step, fault.then_some(cut)).await;
            self.w.wire.revive();
            self.w.pass_seconds(self.random.i64(1..600));
        }
        self.settle().await;
    }

    /// Faults have stopped: everything drains without a human.
    async fn settle(&mut self) {
        let notices = std::mem::take(&mut self.notices);
        for _ in 0..2 {
            for notice in &notices {
                assert_eq!(self.w.webhook(notice).await.status, 200);
            }
            self.w.pass_days(2);
            qutab::app::owed::sweep(&self.w.shop.app, self.w.now()).await.unwrap();
            self.w.drain().await;
            self.w.expire().await;
            for notice in self.w.wire.zendit.finish_refunds("SUCCEEDED") {
                self.w.webhook(&notice).await;
            }
            self.w.drain().await;
        }
    }
}

async fn world_of(seed: u64) {
    let mut run = Run::new(seed).await;
    for number in 0..PER_WORLD {
        run.history().await;
        if let Err(wrong) = run.audit().await {
            panic!("seed {seed}, history {number}: {wrong}");
        }
    }
    assert!(run.w.wire.zendit.paid().len() > 10, "seed {seed}: hardly anything was bought");
}

/// Every other world, so that two threads share the work.
async fn worlds(first: u64) {
    if let Some(seed) = chosen("QUTAB_SEED") {
        return if first == 0 {
            world_of(seed).await;
        };
    }
    let count = chosen("QUTAB_HISTORIES").unwrap_or(HISTORIES) / PER_WORLD;
    for number in (first..count).step_by(2) {
        println!("seed {}", 1_000 + number);
        world_of(1_000 + number).await;
    }
}

#[tokio::test]
async fn a_thousand_histories_keep_the_books() {
    worlds(0).await;
}

#[tokio::test]
async fn another_thousand_histories_keep_the_books() {
    worlds(1).await;
}
