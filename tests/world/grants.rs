//! Which function asks which service for what: each test runs the functions under the policies of `template.yaml`, so that
//! a right that is missing fails here and not in the cloud. What was asked for can be recorded; a test holds the policies to
//! the record, so that no right is given that nobody uses.

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
};
use qutab_local::template;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::Write,
    sync::LazyLock,
};

tokio::task_local! {
    static FUNCTION: &'static str;
}

/// Runs `work` as the function of that name: under its policies. On the heap, for tests have small stacks.
pub fn acting<T>(function: &'static str, work: impl Future<Output = T>) -> impl Future<Output = T> {
    FUNCTION.scope(function, Box::pin(work))
}

/// An action on something: `dynamodb:GetItem Table ORDER#*`, `sqs:SendMessage PaymentsQueue`.
pub type Grant = String;

/// What the policies of each function allow, by the function's name.
pub static POLICIES: LazyLock<BTreeMap<String, BTreeSet<Grant>>> = LazyLock::new(|| {
    let values = BTreeMap::from([("Stage".to_owned(), "dev".to_owned())]);
    let document = template::document(super::TEMPLATE, &values).unwrap();
    let functions = document["Resources"].as_object().unwrap().values().filter(|r| r["Type"] == "AWS::Serverless::Function");
    functions.map(|f| (f["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned(), granted(&f["Properties"]["Policies"]))).collect()
});

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(members) => members.iter().map(|m| m.as_str().unwrap_or_default().to_owned()).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn granted(policies: &Value) -> BTreeSet<Grant> {
    let mut all = BTreeSet::new();
    for statement in policies.as_array().into_iter().flatten().flat_map(|p| p["Statement"].as_array().unwrap()) {
        let keys = texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        for action in texts(&statement["Action"]) {
            for resource in resources(&statement["Resource"]) {
                if action.starts_with("dynamodb:") {
                    assert!(!keys.is_empty(), "{action} on every key");
                    all.extend(keys.iter().map(|key| format!("{action} {resource} {key}")));
                } else {
                    all.insert(format!("{action} {resource}"));
                }
            }
        }
    }
    all
}

/// The names of resources in the template; an index with its own.
fn resources(value: &Value) -> Vec<String> {
    let one = |v: &Value| {
        let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        if let Some((_, index)) = text.split_once("/index/") {
            return format!("Table/{index}");
        }
        if text.contains(":identity/") {
            return "identity".to_owned();
        }
        let named = text.trim_start_matches("GetAtt:").trim_start_matches("${");
        named.split(['.', '/', '}']).next().unwrap().to_owned()
    };
    match value {
        Value::Array(members) => members.iter().map(one).collect(),
        value => vec![one(value)],
    }
}

/// A connector that asks the policies first.
#[derive(Debug, Clone)]
pub struct Granted<C>(pub C);

impl<C: HttpConnector> HttpConnector for Granted<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Ok(function) = FUNCTION.try_with(|f| *f) {
            for grant in asked(&request).into_iter().filter(|grant| !recorded(function, grant)) {
                assert!(POLICIES[function].contains(&grant), "the policies of {function} do not allow {grant}");
            }
        }
        self.0.call(request)
    }
}

/// With `QUTAB_GRANTS` what is asked for is written to that file instead; sorted and without repeats it is
/// `infra/grants.txt`.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting")]
fn recorded(function: &str, grant: &Grant) -> bool {
    let Ok(file) = std::env::var("QUTAB_GRANTS") else { return false };
    OpenOptions::new().append(true).create(true).open(file).unwrap().write_all(format!("{function} {grant}\n").as_bytes()).unwrap();
    true
}

fn asked(request: &HttpRequest) -> BTreeSet<Grant> {
    let body: Value = request.body().bytes().and_then(|b| serde_json::from_slice(b).ok()).unwrap_or_default();
    match request.headers().get("x-amz-target").and_then(|t| t.split_once('.')) {
        Some(("DynamoDB_20120810", operation)) => of_table(operation, &body),
        Some(("AmazonSQS", _)) => [format!("sqs:SendMessage {}", body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap())].into(),
        _ if request.uri().starts_with("http://s3.local/") => [of_bucket(request)].into(),
        _ if request.uri().contains("email.") => ["ses:SendEmail identity".to_owned()].into(),
        _ => BTreeSet::new(),
    }
}

fn of_bucket(request: &HttpRequest) -> Grant {
    let path = request.uri().trim_start_matches("http://s3.local/").split('?').next().unwrap();
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let name = super::BUCKETS.iter().find(|(n, _)| *n == bucket).map_or(bucket, |(_, id)| *id);
    match (request.method(), key.is_empty()) {
        ("GET" | "HEAD", false) => format!("s3:GetObject {name}"),
        ("GET", true) => format!("s3:ListBucket {name}"),
        ("DELETE", _) => format!("s3:DeleteObject {name}"),
        _ => format!("s3:PutObject {name}"),
    }
}

/// A partition key without what tells one from another: `ORDER#*`.
fn family(pk: &Value) -> String {
    let text = pk["S"].as_str().unwrap_or_else(|| panic!("{pk} is no key"));
    text.split_once('#').map_or_else(|| text.to_owned(), |(family, _)| format!("{family}#*"))
}

fn of_table(operation: &str, body: &Value) -> BTreeSet<Grant> {
    let on = |action: &str, keys: &Value| format!("dynamodb:{action} Table {}", family(&keys["pk"]));
    match operation {
        "GetItem" | "UpdateItem" | "DeleteItem" => [on(operation, &body["Key"])].into(),
        "PutItem" => [on(operation, &body["Item"])].into(),
        "Query" => [query(body)].into(),
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().values();
            tables.flat_map(|t| t["Keys"].as_array().unwrap()).map(|k| on(operation, k)).collect()
        }
        "BatchWriteItem" => {
            let writes = body["RequestItems"].as_object().unwrap().values().flat_map(|w| w.as_array().unwrap());
            writes.map(|w| on(operation, w["PutRequest"].get("Item").unwrap_or(&w["DeleteRequest"]["Key"]))).collect()
        }
        "TransactGetItems" => body["TransactItems"].as_array().unwrap().iter().map(|i| on("GetItem", &i["Get"]["Key"])).collect(),
        "TransactWriteItems" => body["TransactItems"].as_array().unwrap().iter().map(part).collect(),
        other => panic!("{other} is not foreseen"),
    }
}

fn part(item: &Value) -> Grant {
    let (kind, part) = item.as_object().unwrap().iter().next().unwrap();
    let action = if kind == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{kind}Item") };
    format!("dynamodb:{action} Table {}", family(&part.get("Item").unwrap_or(&part["Key"])["pk"]))
}

fn query(body: &Value) -> Grant {
    let condition = body["KeyConditionExpression"].as_str().unwrap();
    let value = condition.split_once("= ").unwrap().1.split([' ', ')']).next().unwrap();
    let resource = body["IndexName"].as_str().map_or_else(|| "Table".to_owned(), |index| format!("Table/{index}"));
    format!("dynamodb:Query {resource} {}", family(&body["ExpressionAttributeValues"][value]))
}
