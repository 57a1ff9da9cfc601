//! One history, carried out: the shop, its people, and what was seen outside of it.

use crate::{
    outside::{ByHand, Notice, TableForBank, Transfer},
    people::{People, STAFF},
    plan::{Event, Fault, Plan, Step},
};
use qutab::domain::{identity::Audience, ids::AdminId, staff::Role, time::Timestamp};
use qutab_local::{
    manner::Manner,
    weather::Weather,
    wire::{Cut, Position, Service},
};
use qutab_tests::{Answer, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A rule that does not hold: its name, by which findings are told apart, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub rule: &'static str,
    pub seen: String,
}

/// An order as its buyer knows it.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: String,
    pub buyer: u8,
    /// The invoices of the links that were handed out, oldest first.
    pub invoices: Vec<String>,
    pub under_key: BTreeMap<u8, String>,
}

pub struct Run<'a> {
    pub w: World,
    pub plan: &'a Plan,
    pub people: &'a People,
    pub orders: BTreeMap<u32, Placed>,
    pub payouts: BTreeMap<u32, String>,
    pub tables: BTreeMap<u32, TableForBank>,
    pub notices: Vec<Notice>,
    pub bank: Vec<Transfer>,
    pub by_hand: Vec<ByHand>,
    /// Payouts about which somebody lied where the shop cannot know better.
    pub lied: BTreeSet<String>,
    /// Who has put what into a table, and who had a hand in it at all.
    pub exported: BTreeMap<String, u8>,
    pub hands: BTreeMap<String, BTreeSet<u8>>,
    /// What the gateway never ends.
    pub stuck: BTreeSet<String>,
    pub odd: BTreeSet<String>,
    pub wrong: Vec<Wrong>,
    pub story: Vec<String>,
    pub mail_down: bool,
    pub event: u32,
    tokens: BTreeMap<String, (Timestamp, String)>,
    began: Timestamp,
}

pub const OPS: u8 = 2;
/// How long a token is used again: less than it lives.
const TOKEN_SECONDS: i64 = 400;

impl<'a> Run<'a> {
    pub async fn new(plan: &'a Plan, people: &'a People) -> Self {
        let built = qutab_tests::Plan {
            seed: plan.seed,
            begins: people.ready,
            items: Some(&people.items),
            lean: true,
            lagging: plan.table.index_lag.is_some(),
        };
        let w = World::built(built).await;
        w.wire.zendit.behave(Manner { remembers: true, ..Manner::default() });
        let began = w.now();
        let mut run = Self {
            w,
            plan,
            people,
            began,
            orders: BTreeMap::new(),
            payouts: BTreeMap::new(),
            tables: BTreeMap::new(),
            notices: Vec::new(),
            bank: Vec::new(),
            by_hand: Vec::new(),
            lied: BTreeSet::new(),
            exported: BTreeMap::new(),
            hands: BTreeMap::new(),
            stuck: BTreeSet::new(),
            odd: BTreeSet::new(),
            wrong: Vec::new(),
            story: Vec::new(),
            tokens: BTreeMap::new(),
            mail_down: false,
            event: 0,
        };
        run.weather(true);
        run
    }

    /// The table as the plan has it, or calm.
    pub fn weather(&mut self, rough: bool) {
        let t = self.plan.table;
        let calm = Weather { uncounted: true, ..Weather::default() };
        let (unread_every, throttled_every, collides_every) = (t.unread_every, t.throttled_every, t.collides_every);
        self.w.wire.expect(if rough { Weather { unread_every, throttled_every, collides_every, ..calm } } else { calm });
        self.w.wire.small_pages(t.page.map_or(u64::MAX, u64::from));
        if let (Some(replica), Some(lag)) = (&self.w.wire.replica, t.index_lag) {
            replica.lag(if rough { usize::from(lag) } else { 0 });
        }
    }

    pub fn find(&mut self, rule: &'static str, seen: impl Into<String>) {
        self.wrong.push(Wrong { rule, seen: seen.into() });
    }

    pub fn ensure(&mut self, holds: bool, rule: &'static str, seen: impl FnOnce() -> String) {
        if !holds {
            self.find(rule, seen());
        }
    }

    pub fn tell(&mut self, what: impl AsRef<str>) {
        let (day, clock) = (self.w.now().since(self.began) / 86_400, self.w.now().to_string());
        let clock = clock.get(11..16).unwrap_or_default();
        self.story.push(format!("day {day:>3} {clock}  {}", what.as_ref()));
    }

    pub async fn take(&mut self, event: &Event) {
        self.event = event.id;
        self.w.pass_seconds(i64::from(event.after));
        let told = self.story.len();
        let skew = if let Some(Fault::Clock(seconds)) = event.fault { i64::from(seconds) } else { 0 };
        self.w.pass_seconds(skew);
        Box::pin(self.step(event.step, event.fault)).await;
        self.w.pass_seconds(-skew);
        self.calm();
        if self.story.len() == told {
            self.tell(format!("{:?}: nothing came of it", event.step));
        }
        if let (Some(fault), Some(last)) = (event.fault, self.story.get_mut(told)) {
            last.push_str(&format!("   [{fault:?}]"));
        }
    }

    /// The process is replaced; what was down stays down.
    pub fn calm(&mut self) {
        self.w.wire.revive();
        if self.mail_down {
            self.w.wire.take_down(Service::Mail, true);
        }
    }

    pub fn arm(&self, fault: Option<Fault>) {
        match fault {
            Some(Fault::Cut { at, lost, dies }) => {
                let position = if lost { Position::AnswerLost } else { Position::NotSent };
                self.w.wire.arm(Cut { at: usize::from(at), position, dies });
            }
            Some(Fault::Collide(count)) => self.w.wire.collide(u32::from(count)),
            Some(Fault::UnderWay) => self.w.wire.still_under_way(1),
            Some(Fault::Clock(_)) | None => {}
        }
    }

    pub async fn token(&mut self, audience: Audience, account: &str, role: Option<Role>) -> String {
        let now = self.w.now();
        if let Some((at, token)) = self.tokens.get(account)
            && now.since(*at) < TOKEN_SECONDS
            && now >= *at
        {
            return token.clone();
        }
        let token = self.w.token(audience, account, role).await;
        self.tokens.insert(account.to_owned(), (now, token.clone()));
        token
    }

    pub async fn buyer(&mut self, buyer: u8) -> String {
        let account = self.people.buyers[usize::from(buyer)].clone();
        self.token(Audience::Customer, &account, None).await
    }

    pub async fn affiliate(&mut self, affiliate: u8) -> String {
        let account = self.people.affiliates[usize::from(affiliate)].id.clone();
        self.token(Audience::Affiliate, &account, None).await
    }

    pub async fn staff(&mut self, staff: u8) -> String {
        let (email, role) = STAFF[usize::from(staff)];
        self.token(Audience::Admin, &AdminId::named(&[email]).to_string(), Some(role)).await
    }

    /// One request, with the fault armed as it begins; what was needed before it is in place.
    pub async fn call(&mut self, fault: Option<Fault>, method: &str, path: &str, token: &str, key: Option<&str>, body: Value) -> Answer {
        self.arm(fault);
        let headers: Vec<(&str, &str)> = key.map(|k| ("idempotency-key", k)).into_iter().collect();
        let body = (method != "GET").then_some(body);
        let answer = self.w.send(method, path, Some(token).filter(|t| !t.is_empty()), &headers, body).await;
        let rough = matches!(fault, Some(Fault::Cut { .. })) || self.plan.table.throttled_every.is_some();
        let bare = path.split('?').next().unwrap_or_default();
        self.ensure(answer.status != 500 || rough, "no request fails by itself", || format!("{method} {bare}: {}", answer.body));
        answer
    }

    /// As [`Self::call`], and once more where the caller cannot know what came of it.
    pub async fn insist(&mut self, fault: Option<Fault>, method: &str, path: &str, token: &str, key: &str, body: Value) -> Answer {
        let first = self.call(fault, method, path, token, Some(key), body.clone()).await;
        if first.status < 500 {
            return first;
        }
        self.calm();
        self.call(None, method, path, token, Some(key), body).await
    }

    async fn step(&mut self, step: Step, fault: Option<Fault>) {
        match step {
            Step::Order { .. }
            | Step::Link { .. }
            | Step::Pay { .. }
            | Step::Check { .. }
            | Step::Cancel { .. }
            | Step::Rename { .. }
            | Step::DeleteAccount { .. }
            | Step::Click { .. } => self.customers(step, fault).await,
            Step::SaveBank { .. } | Step::AskPayout { .. } => self.affiliates(step, fault).await,
            Step::Payout { of, act, staff } => self.payout(of, act, staff, fault).await,
            Step::Export { staff } => self.export(staff, fault).await,
            Step::Upload { table, staff } => self.upload(table, staff, fault).await,
            Step::BankTakes { table, rows } => self.bank_takes(table, rows),
            Step::BankReturns { number } => self.bank_returns(number),
            Step::Gateway(_) | Step::PayoutEnds { .. } | Step::RefundEnds { .. } | Step::Deliver { .. } | Step::Lose { .. } => {
                self.gateway(step, fault).await;
            }
            Step::Work { .. }
            | Step::Expire
            | Step::Mature
            | Step::Sweep
            | Step::Aggregate
            | Step::Reconcile
            | Step::Odd(_)
            | Step::Days(_)
            | Step::MailDown(_) => self.machine(step, fault).await,
            _ => self.staff_step(step, fault).await,
        }
    }
}
