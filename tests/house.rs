//! The house rules that a compiler does not hold: layers, file lengths, and the checklist's proofs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every Rust file of the project with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["shared", "functions", "infra", "tests", "sim", "bench"].map(|d| root().join(d)).into();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 80, "the sources were not found");
    found
}

/// The rooms of the library, which of the others each may know, and which outside names it must not: data flows one way.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("domain", &[], &["aws_", "axum", "lambda_", "tokio", "image::", "pdf_writer"]),
    ("store", &["domain"], &["aws_sdk_s", "axum", "lambda_"]),
    ("https", &[], &["aws_sdk", "axum", "lambda_"]),
    ("gateway", &["domain", "https"], &["aws_sdk", "axum", "lambda_"]),
    ("whatsapp", &["domain", "https"], &["aws_sdk", "axum", "lambda_"]),
    ("files", &["domain"], &["aws_sdk_dynamodb", "aws_sdk_sqs", "aws_sdk_ses", "axum", "lambda_"]),
    ("mail", &["domain"], &["aws_sdk_dynamodb", "aws_sdk_s3", "aws_sdk_sqs", "axum", "lambda_"]),
    ("pdf", &["domain"], &["aws_", "axum", "lambda_"]),
    ("secrets", &["domain"], &["aws_", "axum", "lambda_"]),
    ("events", &["domain"], &["aws_sdk_dynamodb", "aws_sdk_s3", "aws_sdk_ses", "axum", "lambda_http"]),
    ("app", &["domain", "store", "gateway", "files", "mail", "secrets", "events", "whatsapp"], &["aws_", "axum", "lambda_"]),
    ("http", &["app", "domain", "store", "secrets"], &["aws_"]),
    ("runtime", &["app", "domain", "store", "gateway", "https", "files", "mail", "secrets", "events", "http", "whatsapp"], &[]),
];

/// What rooms name although they should not, until it is moved.
const EXCEPTIONS: &[(&str, &str)] = &[("app", "axum")];

/// The room that a file is in: a folder of the library, or a file of that name.
fn room_of(path: &Path) -> Option<&'static (&'static str, &'static [&'static str], &'static [&'static str])> {
    let first = path.strip_prefix("shared/src").ok()?.components().next()?.as_os_str().to_str()?;
    ROOMS.iter().find(|(room, ..)| first.strip_suffix(".rs").unwrap_or(first) == *room)
}

/// The rooms that a text names: `crate::room`, also inside `use crate::{ ... }`.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let mut named = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let Some(group) = text[at + 7..].strip_prefix('{') else {
            named.insert(word(&text[at + 7..]));
            continue;
        };
        let (mut depth, mut fresh) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                c if fresh && c.is_alphabetic() => {
                    named.insert(word(&group[at..]));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    named
}

#[test]
fn no_room_knows_more_than_it_may() {
    let all: BTreeSet<&str> = ROOMS.iter().map(|(room, ..)| *room).collect();
    let (mut wrong, mut met) = (Vec::new(), BTreeSet::new());
    for (path, text) in sources() {
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).flat_map(|l| [l, "\n"]).collect();
        if path.starts_with("functions") {
            wrong.extend(["aws_sdk", "qutab_local"].iter().filter(|f| code.contains(*f)).map(|f| format!("{}: {f}", path.display())));
        }
        let Some((room, may, outside)) = room_of(&path) else { continue };
        met.insert(*room);
        let named = rooms_named(&code).into_iter().filter(|n| all.contains(n.as_str()) && n != room && !may.contains(&n.as_str()));
        wrong.extend(named.map(|n| format!("{}: {room} knows {n}", path.display())));
        let outside = outside.iter().filter(|f| code.contains(*f) && !EXCEPTIONS.contains(&(*room, **f)));
        wrong.extend(outside.map(|f| format!("{}: {room} knows {f}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(met, all, "a room whose files were not found is not judged");
    // Exceptions end: one that nothing needs any more is taken out of the list.
    for (room, name) in EXCEPTIONS {
        let needs = |(path, text): &(PathBuf, String)| room_of(path).is_some_and(|(r, ..)| r == room) && text.contains(name);
        assert!(sources().iter().any(needs), "{room} names {name} no more");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<_> = sources().into_iter().filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "over 400 lines: {long:?}");
}

/// `module::name` of every test of a directory that runs.
fn tests(directory: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in sources().into_iter().filter(|(p, _)| p.starts_with(directory)) {
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if line.starts_with("#[ignore") {
                marked = false;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
                found.insert(format!("{module}::{}", rest.split(['(', '<']).next().unwrap()));
                marked = false;
            }
        }
    }
    found
}

/// How many rows each section of the product's checklist has.
const ROWS: [usize; 22] = [8, 5, 8, 6, 4, 6, 5, 5, 6, 6, 6, 6, 4, 6, 3, 4, 13, 9, 4, 6, 5, 8];

#[test]
fn every_row_of_the_checklist_is_proved_by_a_test_that_runs() {
    let text = std::fs::read_to_string(root().join("docs/checklist.md")).unwrap();
    let known = tests("tests");
    let mut rows = BTreeSet::new();
    for line in text.lines().filter(|l| l.starts_with("| ") && l.contains('.') && l.as_bytes()[2].is_ascii_digit()) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [row, task, priority, place, proofs] = cells.as_slice() else { panic!("not five cells: {line}") };
        assert!(rows.insert((*row).to_owned()), "row {row} is there twice");
        assert!(!task.is_empty() && matches!(*priority, "P0" | "P1" | "P2" | "P3") && !place.is_empty(), "{line}");
        for proof in proofs.split(", ").map(|p| p.trim_matches('`')) {
            assert!(known.contains(proof), "row {row} names the test {proof}, which does not exist or is ignored");
        }
    }
    let of = |section: usize| rows.iter().filter(|r| r.split('.').next() == Some(section.to_string().as_str())).count();
    let counted: Vec<usize> = (1..=22).map(of).collect();
    assert_eq!(counted, ROWS, "rows of each section");
    assert_eq!(rows.len(), 133);
}

/// The cells of each row of a page's tables, headings and rules left out.
fn rows(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
    let lines: Vec<&str> = page.lines().collect();
    let heading = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
    let kept = lines.iter().enumerate().filter(|(at, l)| l.starts_with("| ") && !heading(*at));
    kept.map(|(_, line)| cells(line)).collect()
}

#[test]
fn what_is_said_to_hold_a_promise_of_security_exists() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let known = &tests("tests") | &tests("shared");
    let rows = rows(&text);
    assert!(rows.len() > 60, "only {} promises", rows.len());
    for row in rows {
        let [item, how, held] = row.as_slice() else { panic!("not three cells: {row:?}") };
        assert!(!item.is_empty() && !how.is_empty() && !held.is_empty(), "{row:?}");
        for named in held.split('`').skip(1).step_by(2).filter(|n| n.contains("::")) {
            assert!(known.contains(named), "{item} is said to be held by {named}, which does not exist or is ignored");
        }
    }
}

#[test]
fn what_is_said_to_hold_a_limit_exists() {
    let text = std::fs::read_to_string(root().join("docs/limits.md")).unwrap();
    let known = &tests("tests") | &tests("shared");
    let rows = rows(&text);
    assert!(rows.len() > 15, "only {} limits", rows.len());
    for row in &rows {
        let [who, what, often, beyond, held] = row.as_slice() else { panic!("not five cells: {row:?}") };
        assert!([who, what, often, beyond, held].iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    for named in text.split('`').skip(1).step_by(2).filter(|n| n.contains("::") && !n.starts_with("file::")) {
        assert!(known.contains(named), "the page names {named}, which does not exist or is ignored");
    }
}

/// As a browser would jump to it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_alarm_leads_to_a_section_of_the_runbook() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let runbook = read("docs/runbook.md");
    let sections: BTreeSet<String> = runbook.lines().filter(|l| l.starts_with("##")).map(anchor).collect();
    let mut asked = 0;
    for page in [read("template.yaml"), read("docs/operations.md"), read("README.md"), runbook.replace("](#", "](runbook.md#")] {
        for link in page.split("runbook.md#").skip(1) {
            let link = link.split(')').next().unwrap();
            assert!(sections.contains(link), "the runbook has no section {link}");
            asked += 1;
        }
    }
    assert!(asked > 50, "only {asked} links");
}

#[test]
fn only_the_gateways_look_ups_say_what_it_knows_under_our_name() {
    let all = sources();
    let said =
        all.iter().filter(|(path, text)| text.contains("LookUp::answered") && !path.ends_with("domain/verdict.rs") && path.starts_with("shared"));
    let rooms: Vec<_> = said.map(|(path, _)| path.display().to_string()).collect();
    assert_eq!(rooms, ["shared/src/gateway/mod.rs"], "an answer of the gateway is made up");
}
