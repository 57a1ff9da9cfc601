//! The rights of the functions: each has those that it was seen to use in the tests, and no others. That they are enough is
//! held by every test (`world/grants.rs`).

use qutab_tests::grants::{Grant, POLICIES};
use std::collections::{BTreeMap, BTreeSet};

/// What each function was seen to ask for. To renew it: `QUTAB_GRANTS=seen.txt cargo test -p qutab-tests`, then
/// `sort -u seen.txt`.
const SEEN: &str = include_str!("../infra/grants.txt");

/// Runs every schedule by hand, so it may do what they may.
const BY_HAND: (&str, &[&str]) = ("admin-jobs", &["aggregation", "click-archive", "ktp-retention", "maturation", "payment-expiry", "reconciliation"]);

/// What no test can see.
const ALSO: &[(&str, &str)] = &[
    // Only when an order expires between two reads of one request: stock and coupon are taken again.
    ("payments", "dynamodb:UpdateItem Table CATALOG"),
    ("payments", "dynamodb:UpdateItem Table COUPON#*"),
    // Only when a cancellation finds the order paid: the sale rests on a click.
    ("admin-orders", "dynamodb:BatchGetItem Table CLICKS#*"),
    // Money that pays nothing goes back; found when its customer looks, in the same moment.
    ("payments", "sqs:SendMessage PaymentsQueue"),
    ("payment-expiry", "sqs:SendMessage PaymentsQueue"),
    // The sweep sends on whatever is owed, of any lane.
    ("notification-worker", "sqs:SendMessage PaymentsQueue"),
    ("notification-worker", "sqs:SendMessage UploadsQueue"),
    ("admin-jobs", "sqs:SendMessage PaymentsQueue"),
    ("admin-jobs", "sqs:SendMessage UploadsQueue"),
];

fn wanted() -> BTreeMap<String, BTreeSet<Grant>> {
    let mut all: BTreeMap<String, BTreeSet<Grant>> = BTreeMap::new();
    for (function, grant) in SEEN.lines().filter_map(|l| l.split_once(' ')).chain(ALSO.iter().copied()) {
        all.entry(function.to_owned()).or_default().insert(grant.to_owned());
    }
    let by_hand: BTreeSet<Grant> = BY_HAND.1.iter().flat_map(|f| all[*f].clone()).collect();
    all.get_mut(BY_HAND.0).unwrap().extend(by_hand);
    all
}

/// Actions and keys on each resource.
type Rights = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

/// A policy gives every action on every key of its statement.
fn spread(grants: &BTreeSet<Grant>) -> Rights {
    let mut all: Rights = BTreeMap::new();
    for grant in grants {
        let mut words = grant.split(' ').map(str::to_owned);
        let (action, resource, key) = (words.next().unwrap(), words.next().unwrap(), words.next());
        let (actions, keys) = all.entry(resource).or_default();
        actions.insert(action);
        keys.extend(key);
    }
    all
}

/// A function signs addresses that browsers put files to, and only who may list is told that a file is missing.
fn is_of_browsers(grant: &Grant) -> bool {
    grant == "s3:PutObject QuarantineBucket" || grant.starts_with("s3:ListBucket")
}

#[test]
fn every_function_has_the_rights_that_it_uses_and_no_others() {
    let wanted = wanted();
    let mut wrong = Vec::new();
    for (function, given) in POLICIES.iter() {
        let given: BTreeSet<Grant> = given.iter().filter(|g| !is_of_browsers(g)).cloned().collect();
        let seen: BTreeSet<Grant> = wanted.get(function).into_iter().flatten().filter(|g| !is_of_browsers(g)).cloned().collect();
        let (given, seen) = (spread(&given), spread(&seen));
        if given != seen {
            let only =
                |a: &Rights, b: &Rights| a.iter().filter(|(r, x)| b.get(*r) != Some(*x)).map(|(r, x)| format!("{r} {x:?}")).collect::<Vec<_>>();
            wrong.push(format!("{function}: given {:?}, used {:?}", only(&given, &seen), only(&seen, &given)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(wanted.keys().all(|f| POLICIES.contains_key(f)));
}

#[test]
fn no_right_is_on_everything() {
    for grant in POLICIES.values().flatten() {
        let mut words = grant.split(' ');
        assert!(words.all(|w| w != "*" && !w.ends_with(":*")), "{grant}");
    }
    let every: BTreeSet<&str> = POLICIES.values().flatten().filter_map(|g| g.split(' ').next()).collect();
    assert!(!every.contains("dynamodb:Scan"), "nothing reads the whole table");
}
