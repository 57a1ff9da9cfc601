//! The house rules that a compiler does not hold: licences, layers, file lengths, and the checklist's proofs.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every Rust file of the project with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = ["shared", "functions", "infra", "tests", "bench"].map(|d| root().join(d)).into();
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

/// Licences that a dependency may have. No copyleft, nothing unknown.
const LICENCES: &[&str] =
    &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "BSD-2-Clause", "ISC", "Zlib", "Unicode-3.0", "Unlicense", "0BSD"];

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let output =
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--locked", "--offline"]).current_dir(root()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let allowed = |requirement: &spdx::LicenseReq| LICENCES.contains(&requirement.to_string().as_str());
    let refused: Vec<_> = packages
        .iter()
        .filter(|p| {
            let parsed = p["license"].as_str().map(|l| spdx::Expression::parse_mode(l, spdx::ParseMode::LAX));
            !matches!(parsed, Some(Ok(expression)) if expression.evaluate(allowed))
        })
        .map(|p| format!("{}: {}", p["name"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

/// What a room of the library may not know: data flows one way.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "shared/src/domain",
        &[
            "crate::app",
            "crate::store",
            "crate::http",
            "crate::gateway",
            "crate::mail",
            "crate::events",
            "crate::runtime",
            "crate::secrets",
            "aws_",
            "axum",
            "lambda_",
            "tokio",
        ],
    ),
    ("shared/src/store", &["crate::app", "crate::http", "crate::gateway", "crate::mail", "crate::events", "axum", "lambda_"]),
    ("shared/src/gateway", &["crate::app", "crate::http", "crate::store", "crate::mail", "crate::events", "axum", "lambda_"]),
    ("shared/src/mail", &["crate::app", "crate::http", "crate::store", "crate::gateway", "crate::events", "axum", "lambda_"]),
    ("shared/src/secrets", &["crate::app", "crate::http", "crate::store", "crate::gateway", "crate::events", "aws_", "axum", "lambda_"]),
    ("shared/src/app", &["crate::http", "aws_", "lambda_"]),
    ("functions", &["aws_sdk", "qutab_local"]),
];

#[test]
fn no_room_knows_more_than_it_may() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (room, forbidden) in LAYERS.iter().filter(|(room, _)| path.starts_with(room)) {
            let code = text.lines().map(str::trim).filter(|l| !l.starts_with("//"));
            for line in code {
                wrong.extend(forbidden.iter().filter(|f| line.contains(*f)).map(|f| format!("{}: {room} knows {f}: {line}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<_> = sources().into_iter().filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "over 400 lines: {long:?}");
}

/// `module::name` of every test of this binary that runs.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in sources().into_iter().filter(|(p, _)| p.starts_with("tests")) {
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

#[test]
fn every_row_of_the_checklist_is_proved_by_a_test_that_runs() {
    let text = std::fs::read_to_string(root().join("docs/checklist.md")).unwrap();
    let known = tests();
    let mut rows = BTreeSet::new();
    for line in text.lines().filter(|l| l.starts_with("| ") && l.contains('.') && l.as_bytes()[2].is_ascii_digit()) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [row, task, priority, place, proofs] = cells.as_slice() else { panic!("not five cells: {line}") };
        assert!(rows.insert((*row).to_owned()), "row {row} is there twice");
        assert!(!task.is_empty() && matches!(*priority, "P0" | "P1" | "P2") && !place.is_empty(), "{line}");
        for proof in proofs.split(", ").map(|p| p.trim_matches('`')) {
            assert!(known.contains(proof), "row {row} names the test {proof}, which does not exist or is ignored");
        }
    }
    assert!(rows.len() >= 13, "{} rows", rows.len());
}
