//! `bugs [--only "text|text"] [--seeds 4000]`: which of the seeded bugs of `bench/bugs.yaml` are found, by what and how soon.
//!
//! All of them are built into one copy of the tree, each asleep behind a switch that one environment variable wakes: so the
//! whole catalogue costs one build. The copy is in `target/bugs`; nothing of it is in the program.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

#[derive(Debug, Clone, Deserialize)]
pub struct Bug {
    pub name: String,
    pub class: String,
    pub file: String,
    pub find: String,
    pub replace: String,
    pub hunt: Vec<String>,
}

/// The hunter that is no test: the simulation.
const HISTORIES: &str = "histories";
const VARIABLE: &str = "QUTAB_SEEDED_BUG";
const SWITCH: &str = r#"//! Wakes one seeded bug.
#![allow(clippy::all)]
static AWAKE: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| std::env::var("QUTAB_SEEDED_BUG").ok().and_then(|n| n.parse().ok()).unwrap_or(0));
pub fn on(bug: u32) -> bool {
    *AWAKE == bug
}
"#;

/// The catalogue.
pub fn catalogue(root: &Path) -> Result<Vec<Bug>, String> {
    let text = fs::read_to_string(root.join("bench/bugs.yaml")).map_err(|e| e.to_string())?;
    serde_yaml_ng::from_str(&text).map_err(|e| e.to_string())
}

impl Bug {
    /// The text of its file with the bug in it, asleep; it must be there once.
    pub fn seeded(&self, number: usize, text: &str) -> Result<String, String> {
        let times = text.matches(&self.find).count();
        if times != 1 {
            return Err(format!("{}: its text is {times} times in {}", self.name, self.file));
        }
        let switch = if self.file.starts_with("shared/") { "crate" } else { "qutab" };
        let (find, replace) = (&self.find, &self.replace);
        let guarded = format!("if {switch}::seeded::on({number}) {{ {replace} }} else {{ {find} }}");
        Ok(text.replace(find, &if find.ends_with(';') { guarded } else { format!("({guarded})") }))
    }
}

fn done(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(output) } else { Err(why(&output)) }
}

/// What a compiler says in its messages, and what else was said.
fn why(output: &Output) -> String {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = lines.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
    let errors = messages.filter(|m| m["message"]["level"] == "error").filter_map(|m| m["message"]["rendered"].as_str().map(str::to_owned));
    errors.chain([String::from_utf8_lossy(&output.stderr).into_owned()]).collect()
}

/// Copies what git knows of, and writes a file only where it changed, so that a second build is short.
fn copy(root: &Path, to: &Path, changed: &BTreeMap<String, String>) -> Result<(), String> {
    let listed = done(Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root))?;
    for name in String::from_utf8_lossy(&listed.stdout).lines() {
        let Ok(plain) = fs::read(root.join(name)) else { continue };
        let bytes = changed.get(name).map_or(plain, |text| text.clone().into_bytes());
        let there = to.join(name);
        if fs::read(&there).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::create_dir_all(there.parent().unwrap_or(to)).and_then(|()| fs::write(&there, bytes)).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The tree with every bug asleep in it.
fn prepared(root: &Path, tree: &Path, bugs: &[Bug]) -> Result<(), String> {
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (at, bug) in bugs.iter().enumerate() {
        let read = || fs::read_to_string(root.join(&bug.file)).map_err(|e| format!("{}: {e}", bug.file));
        let text = changed.remove(&bug.file).map_or_else(read, Ok)?;
        changed.insert(bug.file.clone(), bug.seeded(at + 1, &text)?);
    }
    let library = "shared/src/lib.rs";
    let text = fs::read_to_string(root.join(library)).map_err(|e| e.to_string())?;
    let at = text.find("pub mod ").ok_or("the library has no modules")?;
    changed.insert(library.into(), format!("{}pub mod seeded;\n{}", &text[..at], &text[at..]));
    copy(root, tree, &changed)?;
    fs::write(tree.join("shared/src/seeded.rs"), SWITCH).map_err(|e| e.to_string())
}

/// The binaries of the tests and of the simulation.
fn built(tree: &Path) -> Result<(PathBuf, PathBuf), String> {
    let target = tree.with_file_name("build");
    // What others have written is compiled already; only our own crates are built anew.
    let ours = tree.with_file_name("..").join("debug");
    if !target.exists() && ours.exists() {
        fs::create_dir_all(&target).map_err(|e| e.to_string())?;
        done(Command::new("cp").arg("-a").arg(&ours).arg(target.join("debug")))?;
    }
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).args(["--message-format", "json"]).current_dir(tree).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", "");
        command
    };
    let binary = |output: &Output, name: &str| {
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let messages = lines.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
        let mut made = messages.filter(|m| m["target"]["name"] == name).filter_map(|m| m["executable"].as_str().map(PathBuf::from));
        made.next_back().ok_or_else(|| format!("no binary of {name}"))
    };
    let tests = binary(&done(&mut cargo(&["test", "-p", "qutab-tests", "--test", "qutab", "--no-run"]))?, "qutab")?;
    let bench = binary(&done(&mut cargo(&["build", "-p", "qutab-bench"]))?, "qutab-bench")?;
    Ok((tests, bench))
}

/// By what a bug was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Test(String),
    /// A rule, and after how many histories.
    Histories(String, String),
    Not,
    /// No test has that in its name.
    Nobody(String),
}

struct Hunt {
    tree: PathBuf,
    tests: PathBuf,
    bench: PathBuf,
    seeds: String,
    /// What breaks without any bug; it proves nothing.
    known: Vec<String>,
}

impl Hunt {
    /// Runs the simulation with a bug awake: the rules that were broken, each with after how many histories.
    fn histories(&self, bug: usize, stop: bool) -> Vec<(String, String)> {
        let mut command = Command::new(&self.bench);
        command.args([HISTORIES, "--seeds", &self.seeds, "--no-stories", "--except", &self.known.join("|")]);
        let command = if stop { command.arg("--stop") } else { &mut command };
        let output = command.env(VARIABLE, bug.to_string()).current_dir(&self.tree).output();
        let said = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        let broken = said.lines().filter_map(|line| {
            let (rule, rest) = line.trim().split_once(": in ")?;
            let after = rest.split_once(" after ")?.1.split(':').next()?;
            Some((rule.to_owned(), after.to_owned()))
        });
        broken.collect()
    }

    fn one(&self, hunter: &str, bug: usize) -> Found {
        if hunter == HISTORIES {
            return self.histories(bug, true).into_iter().next().map_or(Found::Not, |(rule, after)| Found::Histories(rule, after));
        }
        let mut command = Command::new(&self.tests);
        command.args([hunter, "--skip", "system::", "--skip", "histories::"]);
        let output = command.env(VARIABLE, bug.to_string()).current_dir(self.tree.join("tests")).output();
        let said = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        if !said.contains("... ok") && !said.contains("... FAILED") {
            return Found::Nobody(hunter.to_owned());
        }
        let failed = said.lines().find(|l| l.ends_with("... FAILED")).map(|l| l.trim_start_matches("test ").trim_end_matches(" ... FAILED"));
        failed.map_or(Found::Not, |test| Found::Test(test.to_owned()))
    }

    /// What the hunters find where nothing is seeded: tests must be green, and rules that are broken already do not count.
    fn baseline(&mut self, hunters: &[String]) -> Result<(), String> {
        for hunter in hunters {
            if hunter == HISTORIES {
                self.known = self.histories(0, false).into_iter().map(|(rule, _)| rule).collect();
                continue;
            }
            match self.one(hunter, 0) {
                Found::Test(test) => return Err(format!("{test} fails without any bug")),
                Found::Nobody(hunter) => return Err(format!("no test is named after {hunter}")),
                Found::Histories(..) | Found::Not => {}
            }
        }
        Ok(())
    }
}

fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).map(String::as_str)
}

/// Answers with the process's exit code: whether every bug was found.
pub fn run(arguments: &[String], say: &(dyn Fn(&str) + Sync)) -> i32 {
    match hunted(arguments, say) {
        Ok(missed) => i32::from(missed > 0),
        Err(why) => {
            say(&why);
            2
        }
    }
}

fn hunted(arguments: &[String], say: &(dyn Fn(&str) + Sync)) -> Result<usize, String> {
    let root = fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).map_err(|e| e.to_string())?;
    let bugs = catalogue(&root)?;
    let tree = root.join("target/bugs/tree");
    prepared(&root, &tree, &bugs)?;
    say(&format!("{} bugs seeded; building", bugs.len()));
    let (tests, bench) = built(&tree)?;
    let seeds = format!("0..{}", option(arguments, "--seeds").unwrap_or("4000"));
    let mut hunt = Hunt { tree, tests, bench, seeds, known: Vec::new() };
    let only = option(arguments, "--only").unwrap_or_default();
    let wanted: Vec<(usize, &Bug)> = bugs.iter().enumerate().filter(|(_, b)| only.split('|').any(|o| b.name.contains(o) || b.class == o)).collect();
    let mut hunters: Vec<String> = wanted.iter().flat_map(|(_, b)| b.hunt.clone()).collect();
    hunters.sort_unstable();
    hunters.dedup();
    hunt.baseline(&hunters)?;
    if !hunt.known.is_empty() {
        say(&format!("broken without any bug, and so no proof: {}", hunt.known.join("; ")));
    }
    say("| bug | class | found by | after | seconds |\n|---|---|---|---|---|");
    let mut missed = 0;
    for (at, bug) in wanted {
        #[expect(clippy::disallowed_methods, reason = "how long a hunt takes is told to whoever waits")]
        let began = Instant::now();
        let found = bug.hunt.iter().map(|hunter| hunt.one(hunter, at + 1)).find(|f| *f != Found::Not).unwrap_or(Found::Not);
        let (by, after) = match &found {
            Found::Test(test) => (format!("`{test}`"), String::new()),
            Found::Histories(rule, after) => (format!("simulation: {rule}"), format!("{after} histories")),
            Found::Not | Found::Nobody(_) => ("**not found**".to_owned(), String::new()),
        };
        missed += usize::from(matches!(found, Found::Not | Found::Nobody(_)));
        say(&format!("| {} | {} | {by} | {after} | {:.1} |", bug.name, bug.class, began.elapsed().as_secs_f64()));
    }
    say(&format!("{missed} not found"));
    Ok(missed)
}
