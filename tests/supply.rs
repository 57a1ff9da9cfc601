//! What comes from outside: its licences, its sources, what must not come, and the table that says why it is there.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

fn text(name: &str) -> String {
    std::fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name)).unwrap()
}

/// The first quoted word of every line of a list in `deny.toml`, which cargo-deny reads as well: one place for both.
fn denied(section: &str, list: &str) -> BTreeSet<String> {
    let text = text("deny.toml");
    let (section, list) = (format!("[{section}]"), format!("{list} = ["));
    let lines = text.lines().skip_while(|l| **l != section).skip_while(|l| **l != list).skip(1).take_while(|l| *l != "]");
    let found: BTreeSet<_> = lines.filter_map(|l| l.split('"').nth(1)).map(str::to_owned).collect();
    assert!(found.len() > 3, "{section} {list} was not found");
    found
}

/// The packages that are compiled for the platform of the tests.
fn metadata() -> Value {
    // Of the platform that is deployed: the crates of others were never downloaded on a fresh machine.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &platform])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(metadata["packages"].as_array().unwrap().len() > 100);
    metadata
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let licences = denied("licenses", "allow");
    let allowed = |requirement: &spdx::LicenseReq| licences.contains(&requirement.to_string());
    let metadata = metadata();
    let refused: Vec<_> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| {
            let parsed = p["license"].as_str().map(|l| spdx::Expression::parse_mode(l, spdx::ParseMode::LAX));
            !matches!(parsed, Some(Ok(expression)) if expression.evaluate(allowed))
        })
        .map(|p| format!("{}: {}", p["name"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

/// The lock file and not the metadata: it names what other platforms and features would bring as well.
#[test]
fn everything_in_the_lock_file_is_from_crates_io_and_nothing_in_it_is_banned() {
    let text = text("Cargo.lock");
    let banned = denied("bans", "deny");
    let (mut packages, mut ours, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for package in text.split("[[package]]").skip(1) {
        let value = |key: &str| package.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(" = ")).map(|v| v.trim_matches('"'));
        let name = value("name").unwrap();
        packages += 1;
        if banned.contains(name) {
            wrong.push(format!("{name} is banned in deny.toml"));
        }
        match (value("source"), value("checksum")) {
            (Some("registry+https://github.com/rust-lang/crates.io-index"), Some(_)) => {}
            (None, None) => _ = ours.insert(name.to_owned()),
            (source, _) => wrong.push(format!("{name} is from {source:?}, or has no checksum")),
        }
    }
    assert!(packages > 300);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What has no source is a path: one of ours, and not a copy of somebody else's crate beside the workspace.
    let metadata = metadata();
    let members: BTreeSet<_> = metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packed = metadata["packages"].as_array().unwrap();
    let own = packed.iter().filter(|p| members.contains(p["id"].as_str().unwrap())).map(|p| p["name"].as_str().unwrap().to_owned());
    assert_eq!(ours, own.collect(), "crates without a source, and the workspace's members");
}

/// The rows of the table under a heading of docs/dependencies.md, as cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let text = text("docs/dependencies.md");
    let section = text.split("\n## ").find(|s| s.lines().next() == Some(heading)).unwrap();
    let rows = section.lines().filter(|l| l.starts_with("| `"));
    let rows: Vec<Vec<_>> = rows.map(|l| l.trim_matches('|').split('|').map(|c| c.trim().trim_matches('`').to_owned()).collect()).collect();
    assert!(rows.iter().all(|r| r.iter().all(|cell| !cell.is_empty())), "an empty cell under {heading}");
    let sorted: BTreeSet<_> = rows.iter().map(|r| r[0].clone()).collect();
    assert!(rows.iter().map(|r| &r[0]).eq(&sorted), "{heading}: a row twice, or not in the order of the alphabet");
    rows
}

#[test]
fn every_direct_dependency_has_a_row_that_says_why() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let members: BTreeSet<_> = metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let root = metadata["workspace_root"].as_str().unwrap();
    let mut users: BTreeMap<&str, [BTreeSet<&str>; 2]> = BTreeMap::new();
    for package in packages.iter().filter(|p| members.contains(p["id"].as_str().unwrap())) {
        let home = package["manifest_path"].as_str().unwrap().strip_prefix(root).unwrap();
        let home = home.trim_start_matches('/').trim_end_matches("/Cargo.toml");
        let home = if home.starts_with("functions/") { "functions" } else { home };
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|d| d["path"].is_null()) {
            let [versions, homes] = users.entry(dependency["name"].as_str().unwrap()).or_default();
            versions.insert(dependency["req"].as_str().unwrap().trim_start_matches('^'));
            homes.insert(home);
        }
    }
    assert!(users.len() > 40);
    let licence = |name: &str| packages.iter().find(|p| p["name"] == name).map_or("", |p| p["license"].as_str().unwrap());
    let row = |name: &str, [versions, homes]: &[BTreeSet<&str>; 2]| {
        let versions = versions.iter().copied().collect::<Vec<_>>().join(", ");
        let homes = homes.iter().map(|u| format!("`{u}`")).collect::<Vec<_>>().join(", ");
        format!("| `{name}` | {versions} | {homes} | ... | {} |", licence(name))
    };
    let wanted: BTreeSet<_> = users.iter().map(|(name, found)| row(name, found)).collect();
    let mut found = BTreeSet::new();
    for cells in table("Crates") {
        let [name, version, places, why, licence] = cells.as_slice() else { panic!("not five cells: {cells:?}") };
        assert!(why.len() > 20, "{name}: {why:?} is no reason");
        let places = places.split(", ").map(|p| format!("`{}`", p.trim_matches('`'))).collect::<Vec<_>>().join(", ");
        found.insert(format!("| `{name}` | {version} | {places} | ... | {licence} |"));
    }
    let missing: Vec<_> = wanted.difference(&found).collect();
    let stale: Vec<_> = found.difference(&wanted).collect();
    assert!(missing.is_empty() && stale.is_empty(), "docs/dependencies.md lacks {missing:#?}\nand has in vain {stale:#?}");
}

#[test]
fn every_tool_that_the_checks_install_has_a_row() {
    let rows = table("Tools");
    assert!(rows.iter().all(|r| r.len() == 5), "five cells a row");
    let named: BTreeSet<_> = rows.into_iter().map(|r| r[0].clone()).collect();
    // `'name==1.2.*'` of pip and `cargo install name@1.2.3` in .ci/run, and `uses: name@commit` of the workflow.
    let (run, workflow) = (text(".ci/run"), text(".github/workflows/ci.yml"));
    let pip = run.lines().filter(|l| l.starts_with("room ")).flat_map(|l| l.split('\'')).filter_map(|w| w.split_once("==")).map(|(n, _)| n);
    let cargo = run.split("\ncargo install ").skip(1).filter_map(|rest| rest.split(['@', ' ']).find(|w| !w.starts_with('-')));
    let actions = workflow.split("uses: ").skip(1).filter_map(|rest| rest.split('@').next());
    let installed: BTreeSet<_> = pip.chain(cargo).chain(actions).map(str::to_owned).collect();
    assert!(installed.len() > 3);
    let missing: Vec<_> = installed.difference(&named).collect();
    assert!(missing.is_empty(), "docs/dependencies.md lacks a row of {missing:?}");
}
