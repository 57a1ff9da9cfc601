//! What every use case costs is exact, within its budget, and what the README says.

#[tokio::test]
async fn the_costs_are_within_their_budgets_and_the_readme_has_them() {
    let rows = qutab_bench::measure().await;
    let table = qutab_bench::table(&rows);
    assert!(rows.len() >= 14, "{table}");
    assert!(!table.contains("missed"), "{table}");
    let readme = include_str!("../README.md");
    assert!(readme.contains(&table), "the README's table is not what was counted just now:\n{table}");
}

#[tokio::test]
async fn the_price_stays_below_its_budget() {
    let rows = qutab_bench::measure().await;
    let of = |name: &str| rows.iter().find(|r| r.name.starts_with(name)).unwrap().dollars;
    assert!(of("click") <= 2.0e-6, "two dollars for a million clicks");
    assert!(of("place an order") * 1000.0 <= 0.02, "two cents for a thousand orders");
}
