//! `histories --seeds 0..10000 [--threads 2] [--minutes 30] [--stop]`: runs them and says what they found; `--seed 17`
//! tells the story of one.

use qutab_sim::{
    Stage, chance, shrink, story,
    tally::{self, Wanted},
};
use std::time::Duration;

const USAGE: &str =
    "histories [--seeds 0..1000] [--threads 2] [--minutes 30] [--stop] [--no-stories] [--except \"rule|rule\"] | --seed 17 [--shrink [--rule text]]";

fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).map(String::as_str)
}

/// Answers with the process's exit code: whether nothing was found.
pub fn run(arguments: &[String], say: &(dyn Fn(&str) + Sync)) -> i32 {
    let flag = |name: &str| arguments.iter().any(|a| a == name);
    if let Some(seed) = option(arguments, "--seed").and_then(|s| s.parse().ok()) {
        return one(seed, flag("--shrink"), option(arguments, "--rule").unwrap_or_default(), say);
    }
    let seeds = option(arguments, "--seeds").unwrap_or("0..1000").split_once("..");
    let Some((Ok(first), Ok(last))) = seeds.map(|(a, b)| (a.parse(), b.parse())) else {
        say(USAGE);
        return 2;
    };
    let threads = option(arguments, "--threads").and_then(|t| t.parse().ok()).unwrap_or(2);
    let within = option(arguments, "--minutes").and_then(|m| m.parse().ok()).map(|m: u64| Duration::from_secs(m * 60));
    let except = option(arguments, "--except").unwrap_or_default().split('|').map(str::to_owned).collect();
    let wanted = Wanted { seeds: first..last, threads, stop: flag("--stop"), within, every: 500, except };
    let found = tally::run(&wanted, |line| say(line));
    say(&found.report());
    if !flag("--no-stories") {
        tally::shortest(&found, |text| say(text));
    }
    i32::from(!found.found.is_empty())
}

fn one(seed: u64, shorter: bool, rule: &str, say: &(dyn Fn(&str) + Sync)) -> i32 {
    let (stage, plan) = (Stage::default(), chance::plan(seed));
    let outcome = stage.carry_out(&plan);
    say(&story(&plan, &outcome));
    if let Some(wrong) = outcome.wrong.iter().find(|w| shorter && w.rule.contains(rule)) {
        let (plan, outcome) = shrink(&stage, &plan, wrong.rule);
        say(&format!("the shortest for: {}\n{}", wrong.rule, story(&plan, &outcome)));
    }
    i32::from(!outcome.wrong.is_empty())
}
