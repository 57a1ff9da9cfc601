//! What happens without people: the gateway's moods and notices, queues, schedules, odd rows, time.

use crate::{
    outside::Notice,
    plan::{Fault, Mood, Odd, Step},
    run::Run,
};
use qutab::{domain::outbox::Work, store::keys::SHARDS};
use qutab_local::{Call, dynamo, manner::Manner};
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const A_FORTNIGHT: u8 = 14;

impl Run<'_> {
    fn mood(&mut self, mood: Mood) {
        let zendit = &self.w.wire.zendit;
        let mut manner = zendit.manner();
        match mood {
            Mood::Honest => self.honest_gateway(),
            Mood::Lag(seconds) => manner.lag = i64::from(seconds),
            Mood::Busy(status) => manner.busy = Some(status),
            Mood::Floats => manner.floats = true,
            Mood::Strange => manner.strange = Some("IN_REVIEW".into()),
            Mood::Forgets => manner.forgets_keys_after = Some(DAY),
            Mood::ValidatesFirst => manner.validates_first = true,
            Mood::RefusesRefunds => zendit.refuse(Some((400, "MAXIMUM_REFUND_AMOUNT_REACHED"))),
            Mood::RefusesTransfers => zendit.refuse(Some((400, "CHANNEL_CODE_NOT_SUPPORTED"))),
            Mood::RefusesForNow => zendit.refuse(Some((400, "INSUFFICIENT_BALANCE"))),
        }
        if mood != Mood::Honest {
            self.w.wire.zendit.behave(manner);
        }
        self.tell(format!("the gateway from now on: {mood:?}"));
    }

    fn honest_gateway(&self) {
        self.w.wire.zendit.refuse(None);
        self.w.wire.zendit.behave(Manner { remembers: true, ..Manner::default() });
    }

    pub async fn gateway(&mut self, step: Step, fault: Option<Fault>) {
        let zendit = self.w.wire.zendit.clone();
        match step {
            Step::Gateway(mood) => self.mood(mood),
            Step::PayoutEnds { number, status } => {
                let all = zendit.payouts();
                let Some(payout) = (!all.is_empty()).then(|| &all[usize::from(number) % all.len()]) else { return };
                let to = match (payout.status.as_str(), status) {
                    ("ACCEPTED", 0) => "SUCCEEDED",
                    ("ACCEPTED", 1) => "FAILED",
                    ("SUCCEEDED", _) => "REVERSED",
                    ("ACCEPTED", _) => return self.stick(&payout.id),
                    _ => return,
                };
                self.tell(format!("transfer {} at the gateway: {to}", payout.id));
                self.notices.extend(zendit.turn_payout(&payout.id, to).map(Notice::new));
            }
            Step::RefundEnds { number, status } => {
                let all = zendit.refunds();
                let Some(refund) = (!all.is_empty()).then(|| &all[usize::from(number) % all.len()]) else { return };
                let to = match (refund.status.as_str(), status, number) {
                    ("PENDING", 0, 2) => return self.stick(&refund.id),
                    ("PENDING", 0, _) => "SUCCEEDED",
                    ("PENDING" | "SUCCEEDED", 1, _) => "FAILED",
                    _ => return,
                };
                self.tell(format!("refund {} at the gateway: {to}", refund.id));
                self.notices.extend(zendit.turn_refund(&refund.id, to).map(Notice::new));
            }
            Step::Deliver { number, twice } => {
                if self.notices.is_empty() {
                    return;
                }
                let at = usize::from(number) % self.notices.len();
                self.deliver(at, fault).await;
                if twice {
                    self.deliver(at, None).await;
                }
            }
            Step::Lose { number } if !self.notices.is_empty() => {
                let at = usize::from(number) % self.notices.len();
                if !self.notices[at].delivered {
                    self.notices[at].lost = true;
                    let (id, status) = self.notices[at].subject();
                    let told = format!("the gateway never tells that {id} is {status}");
                    self.tell(told);
                }
            }
            _ => {}
        }
    }

    /// The gateway never comes to an end with it.
    fn stick(&mut self, id: &str) {
        self.stuck.insert(id.to_owned());
        self.tell(format!("the gateway never comes to an end with {id}"));
    }

    async fn deliver(&mut self, at: usize, fault: Option<Fault>) {
        self.arm(fault);
        let answer = self.w.webhook(&self.notices[at].body.clone()).await;
        self.calm();
        self.notices[at].delivered |= answer.status == 200;
        let (id, status) = self.notices[at].subject();
        let told = format!("the gateway tells that {id} is {status}: {}", answer.status);
        self.tell(told);
    }

    pub async fn machine(&mut self, step: Step, fault: Option<Fault>) {
        match step {
            Step::Days(days) => {
                if days > A_FORTNIGHT {
                    // Nobody would leave the shop uncounted for longer than the nights' counts look back.
                    self.to_midnight();
                    self.schedule(Step::Aggregate).await;
                }
                self.w.pass_days(i64::from(days));
                self.tell(format!("{days} days pass"));
            }
            Step::MailDown(down) => {
                self.mail_down = down;
                self.tell(if down { "the mail service is down" } else { "the mail service is up" });
            }
            Step::Odd(odd) => self.odd_row(odd),
            Step::Work { rounds } => {
                self.arm(fault);
                let mut worked = false;
                for _ in 0..rounds {
                    worked |= self.w.work_once().await;
                }
                self.tell(if worked { "the workers work" } else { "the workers have nothing to do" });
            }
            schedule => {
                self.arm(fault);
                let failed = self.schedule(schedule).await;
                self.tell(format!("{schedule:?} runs{}", if failed { ", and fails" } else { "" }));
            }
        }
    }

    fn to_midnight(&self) {
        let now = self.w.now();
        self.w.pass_seconds(DAY - now.since(now.day().begins()) + 60);
    }

    /// Whether the run failed.
    async fn schedule(&mut self, schedule: Step) -> bool {
        let event = || json!({ "time": self.w.now() });
        let (shop, app) = (&self.w.shop, &self.w.shop.app);
        match schedule {
            Step::Expire => payment_expiry::run(shop, serde_json::from_value(event()).unwrap()).await.is_err(),
            Step::Mature => maturation::run(app, serde_json::from_value(event()).unwrap()).await.is_err(),
            Step::Aggregate => aggregation::run(app, serde_json::from_value(event()).unwrap()).await.is_err(),
            Step::Reconcile => reconciliation::run(app, serde_json::from_value(event()).unwrap()).await.is_err(),
            _ => qutab::app::owed::sweep(app, self.w.now()).await.is_err(),
        }
    }

    /// A row of another version of the program, before all others of its list.
    fn odd_row(&mut self, odd: Odd) {
        let name = format!("0ODD{}", self.event);
        let text = |value: &str| json!({ "S": value });
        let (pk, sk, kind, due) = match odd {
            Odd::Work => ("OUTBOX#0".to_owned(), name.clone(), "outbox", None),
            Odd::OrderDue => (format!("ORDER#{name}"), "ORDER".to_owned(), "order", Some("UNPAID#0")),
            Odd::RefundDue => (format!("ORDER#{name}"), format!("REFUND#{name}"), "refund", Some("REFUNDS_SENT")),
            Odd::PayoutOpen => (format!("PAYOUT#{name}"), "PAYOUT".to_owned(), "payout", Some("PAYOUTS#open")),
            Odd::CommissionDue => (format!("AFFILIATE#{name}"), format!("COMMISSION#{name}"), "commission", Some("MATURING#0")),
        };
        let mut item = json!({ "pk": text(&pk), "sk": text(&sk), "kind": text(kind), "rev": { "N": "1" }, "status": text("dreamt") });
        if odd == Odd::Work {
            item["work"] = json!({ "M": { "kind": text("sing") } });
        }
        if let Some(due) = due {
            item["due_pk"] = text(due);
            item["due_sk"] = text(&format!("2000-01-01T00:00:00Z#{name}"));
        }
        let headers = vec![("x-amz-target".to_owned(), "DynamoDB_20120810.PutItem".to_owned())];
        let body = json!({ "TableName": "qutab-local", "Item": item }).to_string().into_bytes();
        let call = Call { method: "POST".into(), path: "/".into(), headers, body };
        assert_eq!(dynamo::answer(&self.w.wire.db, &call).status, 200);
        if let Some(replica) = &self.w.wire.replica {
            replica.written(&call);
        }
        self.odd.insert(name);
        self.tell(format!("a row of another version lies about: {odd:?}"));
    }

    /// Faults have stopped and the gateway is honest. What it has announced is not announced again: what was lost stays
    /// lost. Everything that no person is needed for comes to its end, then people do theirs.
    pub async fn settle(&mut self) {
        self.tell("-- from here on nothing goes wrong any more --");
        self.calm_down();
        for round in 0..4 {
            for at in 0..self.notices.len() {
                if !self.notices[at].delivered && !self.notices[at].lost {
                    self.deliver(at, None).await;
                }
            }
            self.w.pass_days(2);
            for (dead, queue) in self.w.wire.queues.dead_letters() {
                self.w.wire.queues.redrive(&dead, &queue);
            }
            for step in [Step::Sweep, Step::Expire, Step::Mature] {
                let failed = self.schedule(step).await;
                self.ensure(!failed, "no schedule fails by itself", || format!("{step:?}"));
            }
            self.work_off().await;
            self.gateway_ends().await;
            if round == 1 {
                Box::pin(self.people_finish()).await;
            }
        }
        if !self.stuck.is_empty() {
            for _ in 0..4 {
                self.w.pass_days(5);
                for step in [Step::Expire, Step::Sweep] {
                    self.schedule(step).await;
                }
                self.work_off().await;
            }
        }
        self.contradicted_notices_end().await;
        // The night's run counts what the day's runs have missed.
        self.to_midnight();
        for _ in 0..2 {
            let failed = self.schedule(Step::Aggregate).await;
            self.ensure(!failed, "no schedule fails by itself", || "Aggregate".into());
        }
    }

    /// The gateway has announced what it no longer says: it is asked until a person is told, and the person ends it.
    async fn contradicted_notices_end(&mut self) {
        for _ in 0..12 {
            let mut waits = false;
            for shard in 0..SHARDS {
                let owed = self.w.shop.app.store.owed(shard, None).await.expect("the outbox can be read");
                waits |= owed.apart().0.iter().any(|item| matches!(item.value.work, Work::ConfirmNotice { .. }));
            }
            if !waits {
                return;
            }
            self.w.pass_days(1);
            self.schedule(Step::Sweep).await;
            self.work_off().await;
            let token = self.staff(2).await;
            let (mut cursor, mut tasks) = (String::new(), Vec::new());
            for _ in 0..100 {
                let page = self.call(None, "GET", &format!("/api/admin/tasks?limit=100{cursor}"), &token, None, Value::Null).await.body;
                tasks.extend(page["items"].as_array().into_iter().flatten().cloned());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            for task in tasks.iter().filter(|t| t.to_string().contains("notice_not_confirmed")) {
                let path = format!("/api/admin/tasks/{}/close", task["id"].as_str().unwrap_or_default());
                self.call(None, "POST", &path, &token, None, json!({ "note": "sudah ditanyakan" })).await;
            }
        }
    }

    fn calm_down(&mut self) {
        self.mail_down = false;
        self.calm();
        self.honest_gateway();
        self.weather(false);
    }

    async fn work_off(&mut self) {
        let mut rounds = 0;
        while self.w.work_once().await {
            rounds += 1;
            if rounds > 200 {
                let depth = self.w.wire.queues.depth();
                self.find("queues drain", format!("{depth:?}"));
                return;
            }
        }
    }

    /// What is under way at the gateway comes to its end, but for what is stuck there.
    async fn gateway_ends(&mut self) {
        let zendit = self.w.wire.zendit.clone();
        let mut told: Vec<Value> = Vec::new();
        for payout in zendit.payouts().iter().filter(|p| p.status == "ACCEPTED" && !self.stuck.contains(&p.id)) {
            told.extend(zendit.turn_payout(&payout.id, "SUCCEEDED"));
        }
        for refund in zendit.refunds().iter().filter(|r| r.status == "PENDING" && !self.stuck.contains(&r.id)) {
            told.extend(zendit.turn_refund(&refund.id, "SUCCEEDED"));
        }
        for body in told {
            self.notices.push(Notice::new(body));
            self.deliver(self.notices.len() - 1, None).await;
        }
        self.work_off().await;
    }

    /// Honest people do what waits for them: the bank its tables, finance its records and its transfers by hand.
    async fn people_finish(&mut self) {
        for table in self.tables.keys().copied().collect::<Vec<_>>() {
            self.bank_takes(table, u8::MAX);
            for staff in [0, 1] {
                self.upload(table, staff, None).await;
            }
        }
        // Where both have sent it, it takes a third person.
        for transfer in self.bank.clone().into_iter().filter(|t| t.returned) {
            for staff in [0, 1, 3] {
                let token = self.staff(staff).await;
                let path = format!("/api/admin/payouts/{}", transfer.payout);
                for verb in ["reverse", "fail"] {
                    self.call(None, "POST", &format!("{path}/{verb}"), &token, None, json!({ "reason": "dikembalikan bank" })).await;
                }
            }
        }
        let token = self.staff(1).await;
        for (event, placed) in self.orders.clone() {
            let path = format!("/api/admin/orders/{}", placed.id);
            self.send_by_hand(event, &path, &token, None).await;
        }
    }
}
