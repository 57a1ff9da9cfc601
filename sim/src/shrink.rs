//! Shortens a history that breaks a rule to one that still breaks it and of which nothing can be left out.

use crate::{
    Outcome, Stage,
    plan::{Event, Plan, Step, Table},
};

/// Most tries; a history is short, and most of its events can be left out in halves.
const TRIES: usize = 400;

struct Shrinking<B> {
    breaks: B,
    best: Plan,
    tries: usize,
}

/// The shortest history found that breaks the rule, and what became of it.
pub fn shrink(stage: &Stage, plan: &Plan, rule: &str) -> (Plan, Outcome) {
    let best = shrink_by(plan, |plan| stage.carry_out(plan).breaks(rule));
    let outcome = stage.carry_out(&best);
    (best, outcome)
}

/// The shortest history found of which `breaks` is true.
pub fn shrink_by(plan: &Plan, breaks: impl FnMut(&Plan) -> bool) -> Plan {
    let mut shrinking = Shrinking { breaks, best: plan.clone(), tries: 0 };
    loop {
        let size = shrinking.best.events.len();
        shrinking.leave_out();
        shrinking.simplify();
        if shrinking.best.events.len() == size || shrinking.tries >= TRIES {
            return shrinking.best;
        }
    }
}

impl<B: FnMut(&Plan) -> bool> Shrinking<B> {
    fn keep_if_it_breaks(&mut self, plan: Plan) -> bool {
        if self.tries >= TRIES || plan == self.best {
            return false;
        }
        self.tries += 1;
        let breaks = (self.breaks)(&plan);
        if breaks {
            self.best = plan;
        }
        breaks
    }

    /// Leaves out halves, quarters, and at last single events.
    fn leave_out(&mut self) {
        let mut size = self.best.events.len() / 2;
        while size >= 1 {
            let mut at = 0;
            while at < self.best.events.len() {
                let mut fewer = self.best.clone();
                let end = (at + size).min(fewer.events.len());
                fewer.events.drain(at..end);
                if !self.keep_if_it_breaks(fewer) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    fn simplify(&mut self) {
        let calm = Plan { table: Table::default(), ..self.best.clone() };
        if !self.keep_if_it_breaks(calm) {
            let t = self.best.table;
            let without = [
                Table { page: None, ..t },
                Table { unread_every: None, ..t },
                Table { throttled_every: None, ..t },
                Table { collides_every: None, ..t },
                Table { index_lag: None, ..t },
            ];
            for table in without {
                let plan = Plan { table, ..self.best.clone() };
                self.keep_if_it_breaks(plan);
            }
        }
        for at in 0..self.best.events.len() {
            self.change(at, |e| e.fault = None);
            self.change(at, |e| e.after = 60);
            self.change(at, |e| e.step = simpler(e.step));
        }
    }

    fn change(&mut self, at: usize, change: impl Fn(&mut Event)) {
        let mut plan = self.best.clone();
        change(&mut plan.events[at]);
        self.keep_if_it_breaks(plan);
    }
}

fn simpler(step: Step) -> Step {
    match step {
        Step::Order { buyer, product, referred, .. } => Step::Order { buyer, product, quantity: 1, referred, coupon: false, twice: false },
        Step::Pay { order, .. } => Step::Pay { order, older: false, method: 0, sum: None },
        Step::Deliver { number, .. } => Step::Deliver { number, twice: false },
        Step::Work { .. } => Step::Work { rounds: 1 },
        Step::AskPayout { affiliate, .. } => Step::AskPayout { affiliate, amount: None },
        other => other,
    }
}
