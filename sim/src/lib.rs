//! A simulation of the whole shop. A seed draws a history of people, gateway, bank, schedules and faults; it is carried out
//! through the public interface, let settle, and held against books that are computed from what was seen outside.
//!
//! The same seed is the same history to the byte: `docs/verification.md` says how to replay one and what is not seen.
#![allow(clippy::format_push_string, reason = "reports of a tool")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_debug_implementations)]
#![allow(clippy::disallowed_methods, reason = "whoever runs a simulation has a clock")]

mod books;
mod books_outside;
pub mod chance;
mod customers;
mod machine;
mod outside;
mod payouts;
pub mod people;
pub mod plan;
mod run;
mod shrink;
mod staff;
pub mod tally;

pub use run::Wrong;
pub use shrink::{shrink, shrink_by};

use people::People;
use plan::Plan;
use run::Run;
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};
use tokio::runtime::{Builder, Runtime};

/// What became of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub wrong: Vec<Wrong>,
    pub story: Vec<String>,
    /// Every item of the table at the end.
    pub items: Vec<serde_json::Value>,
}

impl Outcome {
    pub fn breaks(&self, rule: &str) -> bool {
        self.wrong.iter().any(|w| w.rule == rule)
    }
}

thread_local! {
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether a history plays on this thread: its panics are kept and not printed.
    static PLAYS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

static HOOK: std::sync::Once = std::sync::Once::new();

/// One thread that carries out histories, one after the other, each in a world of its own.
pub struct Stage {
    runtime: Runtime,
    people: People,
}

impl Default for Stage {
    fn default() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let people = runtime.block_on(People::gather());
        Self { runtime, people }
    }
}

impl Stage {
    pub fn seed(&self, seed: u64) -> Outcome {
        self.carry_out(&chance::plan(seed))
    }

    /// A panic of the program is a finding like any other.
    pub fn carry_out(&self, plan: &Plan) -> Outcome {
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| if PLAYS.get() { SAID.with_borrow_mut(|said| *said = info.to_string()) } else { usual(info) }));
        });
        PLAYS.set(true);
        let done = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(Box::pin(history(plan, &self.people)))));
        PLAYS.set(false);
        done.unwrap_or_else(|_| {
            let seen = SAID.with_borrow(Clone::clone);
            Outcome { wrong: vec![Wrong { rule: "nothing panics", seen }], story: Vec::new(), items: Vec::new() }
        })
    }
}

async fn history(plan: &Plan, people: &People) -> Outcome {
    let mut run = Run::new(plan, people).await;
    for event in &plan.events {
        run.take(event).await;
    }
    run.settle().await;
    let items = run.w.items();
    let (wrong, story) = run.audit(&items).await;
    Outcome { wrong, story, items }
}

/// The story of a history that went wrong, as people read it.
pub fn story(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = format!("seed {}, {} events; table {:?}; crook in finance: {}\n", plan.seed, plan.events.len(), plan.table, plan.crook);
    for line in &outcome.story {
        text += &format!("  {line}\n");
    }
    for wrong in &outcome.wrong {
        text += &format!("  WRONG: {}: {}\n", wrong.rule, wrong.seen);
    }
    text
}
