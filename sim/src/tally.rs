//! Many histories over some threads: how many, how fast, and what went wrong, each rule once with its shortest story.

use crate::{Stage, chance, shrink, story};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub first_seed: u64,
    /// After how many histories it was first seen.
    pub after: u64,
    pub histories: u64,
    pub seen: String,
}

#[derive(Debug, Clone)]
pub struct Tally {
    pub histories: u64,
    pub seconds: f64,
    pub found: BTreeMap<&'static str, Finding>,
}

impl Tally {
    pub fn per_minute(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let count = self.histories as f64;
        count * 60.0 / self.seconds.max(0.001)
    }

    /// One line a rule; the shortest histories follow.
    pub fn report(&self) -> String {
        let mut text =
            format!("{} histories in {:.0} s, {:.0} a minute; {} rules broken\n", self.histories, self.seconds, self.per_minute(), self.found.len());
        for (rule, f) in &self.found {
            text += &format!("  {rule}: in {} histories, first seed {} after {}: {}\n", f.histories, f.first_seed, f.after, f.seen);
        }
        text
    }
}

/// How a run is to go.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub seeds: Range<u64>,
    pub threads: u64,
    /// Ends at the first rule that is broken.
    pub stop: bool,
    /// Ends when this has passed.
    pub within: Option<Duration>,
    /// Says how it goes, every so many histories.
    pub every: u64,
    /// Rules that are known to be broken.
    pub except: Vec<String>,
}

pub fn run(wanted: &Wanted, say: impl Fn(&str) + Sync) -> Tally {
    let began = Instant::now();
    let (next, done) = (AtomicU64::new(wanted.seeds.start), AtomicU64::new(0));
    let found: Mutex<BTreeMap<&'static str, Finding>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..wanted.threads.max(1) {
            scope.spawn(|| {
                let stage = Stage::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let late = wanted.within.is_some_and(|most| began.elapsed() > most);
                    if seed >= wanted.seeds.end || late || (wanted.stop && !found.lock().unwrap().is_empty()) {
                        return;
                    }
                    let outcome = stage.seed(seed);
                    let count = done.fetch_add(1, Ordering::Relaxed) + 1;
                    let mut rules: Vec<_> =
                        outcome.wrong.into_iter().filter(|w| !wanted.except.iter().any(|e| e == w.rule)).map(|w| (w.rule, w.seen)).collect();
                    rules.sort_unstable();
                    rules.dedup_by_key(|(rule, _)| *rule);
                    let mut all = found.lock().unwrap();
                    for (rule, seen) in rules {
                        if !all.contains_key(rule) {
                            say(&format!("  seed {seed}: {rule}: {seen}"));
                        }
                        let entry = all.entry(rule).or_insert(Finding { first_seed: seed, after: count, histories: 0, seen });
                        entry.histories += 1;
                    }
                    if wanted.every > 0 && count % wanted.every == 0 {
                        let tally = Tally { histories: count, seconds: began.elapsed().as_secs_f64(), found: all.clone() };
                        say(tally.report().lines().next().unwrap_or_default());
                    }
                }
            });
        }
    });
    Tally { histories: done.into_inner(), seconds: began.elapsed().as_secs_f64(), found: found.into_inner().unwrap() }
}

/// The shortest history that was found for each broken rule.
pub fn shortest(tally: &Tally, say: impl Fn(&str)) {
    let stage = Stage::default();
    for (rule, finding) in &tally.found {
        let (plan, outcome) = shrink(&stage, &chance::plan(finding.first_seed), rule);
        say(&format!("== {rule}\n{}", story(&plan, &outcome)));
    }
}
