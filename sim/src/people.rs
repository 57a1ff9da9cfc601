//! Who is in the shop before a history begins: made once by the use cases, then put into each world as it is.

use qutab::domain::{
    contact::Email,
    identity::{Audience, Customer},
    ids::CustomerId,
    money::Rupiah,
    settings::Settings,
    staff::Role,
    time::Timestamp,
};
use qutab_tests::{Affiliate, World};
use serde_json::Value;

pub const STAFF: [(&str, Role); 4] = [
    ("owner@qutab.test", Role::Owner),
    ("finance@qutab.test", Role::Finance),
    ("ops@qutab.test", Role::Operations),
    ("second-owner@qutab.test", Role::Owner),
];

#[derive(Debug)]
pub struct People {
    pub items: Vec<Value>,
    pub affiliates: Vec<Affiliate>,
    pub buyers: Vec<String>,
    pub ready: Timestamp,
}

/// Above this a payout needs two people: the commission of a cow is above, that of a goat below.
const SECOND_PERSON: Rupiah = Rupiah::new(1_000_000);

impl People {
    pub async fn gather() -> Self {
        let w = World::seeded(1).await;
        let store = &w.shop.app.store;
        store.create(&Settings { second_person_above: SECOND_PERSON, ..Settings::default() }).await.unwrap();
        let mut affiliates = Vec::new();
        for name in ["rina", "joko"] {
            let affiliate = w.affiliate(name).await;
            w.verify_bank(&affiliate).await;
            w.cheapen_password(Audience::Affiliate, &affiliate.email).await;
            affiliates.push(affiliate);
        }
        let mut buyers = Vec::new();
        for name in ["budi", "sari", "wati"] {
            w.customer(name).await;
            let email = format!("{name}@example.com");
            w.cheapen_password(Audience::Customer, &email).await;
            let login = store.login(Audience::Customer, &Email::parse(&email).unwrap()).await.unwrap().unwrap();
            let id = CustomerId::parse(&login.value.account).unwrap();
            let read = store.customer(id).await.unwrap().unwrap();
            let proved = Customer { verified_at: Some(w.now()), ..read.value.clone() };
            store.save(&read, &proved).await.unwrap();
            buyers.push(login.value.account);
        }
        // A third person, for what two have had a hand in.
        let (email, role) = STAFF[3];
        qutab_local::seed::staff(&w.shop.app, email, role).await.unwrap();
        w.drain().await;
        // Colleagues of today are not trusted with everything yet.
        w.pass_days(3);
        let forgotten = ["session", "throttle", "audit", "job_run", "outbox"];
        let items = w.items().into_iter().filter(|i| !forgotten.iter().any(|kind| i["kind"]["S"] == *kind)).collect();
        Self { items, affiliates, buyers, ready: w.now() }
    }
}
