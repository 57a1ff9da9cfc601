//! Histories of the whole shop, drawn from seeds: `docs/verification.md` says how they are made, replayed and read.
//!
//! `QUTAB_SEED=<seed> cargo test -p qutab-tests histories` tells the story of one; `QUTAB_HISTORIES` runs more. Hundreds of
//! thousands are for `cargo run -p qutab-bench --profile sim -- histories`.

use qutab_sim::{
    Stage, chance,
    plan::Step,
    shrink_by, story,
    tally::{self, Wanted},
};

const HISTORIES: u64 = 300;

/// Rules that histories have seen broken and that are not mended yet. A rule leaves the list with its mend.
const OPEN: &[&str] = &[];

/// Rules that known defects must break, and that no history has seen broken so far: they prove nothing until they leave.
const EXPECTED: &[&str] = &[];

#[expect(clippy::disallowed_methods, reason = "chosen by whoever runs the tests")]
fn chosen(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn histories_of_the_whole_shop_keep_every_rule() {
    if let Some(seed) = chosen("QUTAB_SEED") {
        let (stage, plan) = (Stage::default(), chance::plan(seed));
        let outcome = stage.carry_out(&plan);
        assert!(outcome.wrong.is_empty(), "{}", story(&plan, &outcome));
        return;
    }
    let seeds = 0..chosen("QUTAB_HISTORIES").unwrap_or(HISTORIES);
    let except = OPEN.iter().chain(EXPECTED).map(ToString::to_string).collect();
    let found = tally::run(&Wanted { seeds, threads: 2, stop: false, within: None, every: 0, except }, |_| {});
    let mut stories = String::new();
    if !found.found.is_empty() {
        let told = std::sync::Mutex::new(&mut stories);
        tally::shortest(&found, |text| told.lock().unwrap().push_str(text));
    }
    assert!(found.found.is_empty(), "{}{stories}", found.report());
}

#[test]
fn every_seeded_bug_changes_text_that_is_there_once() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let bugs = qutab_bench::bugs::catalogue(root).unwrap();
    assert!(bugs.len() >= 60, "{}", bugs.len());
    for (at, bug) in bugs.iter().enumerate() {
        let text = std::fs::read_to_string(root.join(&bug.file)).unwrap();
        let seeded = bug.seeded(at + 1, &text).unwrap();
        assert!(seeded.contains("seeded::on(") && seeded != text && !bug.hunt.is_empty(), "{}", bug.name);
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    let (one, other) = (Stage::default(), Stage::default());
    for seed in [3, 17, 40, 71, 96] {
        one.seed(seed + 1);
        let (first, second) = (one.seed(seed), other.seed(seed));
        assert_eq!(first.story, second.story, "seed {seed}");
        assert!(first == second, "seed {seed}: the tables differ");
    }
}

#[test]
fn a_history_is_shortened_to_what_it_needs() {
    let plan = chance::plan(7);
    let orders = |p: &qutab_sim::plan::Plan| p.events.iter().filter(|e| matches!(e.step, Step::Order { .. })).count();
    assert!(orders(&plan) > 1 && plan.events.len() > 10);
    let short = shrink_by(&plan, |p| orders(p) >= 1 && p.events.iter().any(|e| matches!(e.step, Step::Work { .. })));
    assert_eq!((short.events.len(), orders(&short)), (2, 1));
    assert!(short.events.iter().all(|e| e.fault.is_none()));
}
