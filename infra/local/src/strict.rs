//! Requests that AWS refuses and the embedded engine takes.
//!
//! In tests such a request is a panic: what works only here is a defect of ours. The ports answer it as AWS would.

use serde_json::Value;
use std::collections::HashSet;

/// Bytes of a partition key and of a sort key, of the table as of an index.
const PARTITION_KEY: usize = 2048;
const SORT_KEY: usize = 1024;

/// Key attributes of the table, and of its indexes: partition key, sort key.
const TABLE: [&str; 2] = ["pk", "sk"];
const INDEXES: [[&str; 2]; 2] = [["owner_pk", "owner_sk"], ["due_pk", "due_sk"]];

/// The error is what AWS would say, in short.
pub fn check(operation: &str, request: &Value) -> Result<(), String> {
    match operation {
        "PutItem" => keys(&request["Item"]),
        "UpdateItem" => update(request),
        "GetItem" | "DeleteItem" => keys(&request["Key"]),
        "Query" => query(request),
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables.flat_map(|(_, t)| t["Keys"].as_array().into_iter().flatten()).try_for_each(keys)
        }
        "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            let writes = tables.flat_map(|(_, writes)| writes.as_array().into_iter().flatten());
            writes.flat_map(|w| [&w["PutRequest"]["Item"], &w["DeleteRequest"]["Key"]]).try_for_each(keys)
        }
        "TransactWriteItems" => transaction(request),
        "TransactGetItems" => {
            let gets = request["TransactItems"].as_array().into_iter().flatten();
            gets.map(|g| &g["Get"]["Key"]).try_for_each(keys)
        }
        _ => Ok(()),
    }
}

/// An item's, or a key's, key attributes.
fn keys(item: &Value) -> Result<(), String> {
    for [partition, sort] in [TABLE].iter().chain(&INDEXES) {
        sized(partition, item.get(partition), PARTITION_KEY)?;
        sized(sort, item.get(sort), SORT_KEY)?;
    }
    Ok(())
}

fn sized(name: &str, value: Option<&Value>, most: usize) -> Result<(), String> {
    let Some(value) = value else { return Ok(()) };
    let Some(text) = value["S"].as_str() else { return Err(format!("the key attribute {name} is not a string")) };
    match text.len() {
        0 => Err(format!("the key attribute {name} is empty")),
        bytes if bytes > most => Err(format!("the key attribute {name} has {bytes} bytes, more than {most}")),
        _ => Ok(()),
    }
}

/// An update changes no key attribute. Of an index it could; here whole items do that, so that one rule is enough.
fn update(request: &Value) -> Result<(), String> {
    keys(&request["Key"])?;
    let expression = request["UpdateExpression"].as_str().unwrap_or_default();
    let words = expression.split(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '(' | ')' | '+' | '-'));
    let mut named = words.map(|word| request["ExpressionAttributeNames"][word].as_str().unwrap_or(word));
    match named.find(|name| [TABLE].iter().chain(&INDEXES).flatten().any(|key| key == name)) {
        Some(key) => Err(format!("the update changes the key attribute {key}")),
        None => Ok(()),
    }
}

/// Values that keys are compared with are no more empty than keys are, nor longer.
fn query(request: &Value) -> Result<(), String> {
    let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
    let values = condition.split(|c: char| !c.is_alphanumeric() && !matches!(c, ':' | '_')).filter(|word| word.starts_with(':'));
    for (number, name) in values.enumerate() {
        // The partition key is compared first, everywhere here; what follows is the sort key.
        let most = if number == 0 { PARTITION_KEY } else { SORT_KEY };
        sized(condition, request["ExpressionAttributeValues"].get(name), most)?;
    }
    keys(&request["ExclusiveStartKey"])
}

/// One item once, whatever is done to it.
fn transaction(request: &Value) -> Result<(), String> {
    let mut seen = HashSet::new();
    for part in request["TransactItems"].as_array().into_iter().flatten() {
        let Some((kind, one)) = part.as_object().and_then(|p| p.iter().next()) else { continue };
        let item = if kind == "Put" { &one["Item"] } else { &one["Key"] };
        (if kind == "Update" { update(one) } else { keys(item) })?;
        if !seen.insert((item["pk"]["S"].as_str(), item["sk"]["S"].as_str())) {
            return Err(format!("a transaction has two operations on {} {}", item["pk"]["S"], item["sk"]["S"]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(operation: &str, request: &Value) -> bool {
        check(operation, request).is_err()
    }

    fn item(attribute: &str, value: &str) -> Value {
        let mut item = json!({ "pk": { "S": "P" }, "sk": { "S": "S" } });
        item[attribute] = json!({ "S": value });
        item
    }

    #[test]
    fn keys_have_their_sizes() {
        for (attribute, most) in [("pk", 2048), ("sk", 1024), ("owner_pk", 2048), ("owner_sk", 1024), ("due_pk", 2048), ("due_sk", 1024)] {
            for (bytes, fails) in [(0, true), (1, false), (most, false), (most + 1, true)] {
                let item = item(attribute, &"x".repeat(bytes));
                assert_eq!(refused("PutItem", &json!({ "Item": item })), fails, "{attribute} {bytes}");
                assert_eq!(refused("TransactWriteItems", &json!({ "TransactItems": [{ "Put": { "Item": item } }] })), fails);
                assert_eq!(refused("BatchWriteItem", &json!({ "RequestItems": { "t": [{ "PutRequest": { "Item": item } }] } })), fails);
                assert_eq!(refused("GetItem", &json!({ "Key": item })), fails);
                assert_eq!(refused("BatchGetItem", &json!({ "RequestItems": { "t": { "Keys": [item] } } })), fails);
                assert_eq!(refused("TransactGetItems", &json!({ "TransactItems": [{ "Get": { "Key": item } }] })), fails);
                assert_eq!(refused("Query", &json!({ "ExclusiveStartKey": item })), fails);
            }
        }
        assert!(!refused("PutItem", &json!({ "Item": item("name", "") })), "other attributes may be empty");
    }

    #[test]
    fn keys_are_compared_with_something() {
        let query = |value: &str| {
            json!({ "KeyConditionExpression": "#p = :pk AND begins_with(#s, :sk)", "FilterExpression": "#f = :f",
                "ExpressionAttributeValues": { ":pk": { "S": "P" }, ":sk": { "S": value }, ":f": { "S": "" } } })
        };
        assert!(refused("Query", &query("")) && !refused("Query", &query("x")));
    }

    #[test]
    fn an_item_is_in_a_transaction_once() {
        let key = item("pk", "P");
        let of = |sk: &str| json!({ "TransactItems": [{ "ConditionCheck": { "Key": key } }, { "Put": { "Item": item("sk", sk) } }] });
        assert!(refused("TransactWriteItems", &of("S")) && !refused("TransactWriteItems", &of("T")));
    }

    #[test]
    fn updates_leave_keys_alone() {
        let update = |expression: &str| json!({ "Key": item("pk", "P"), "UpdateExpression": expression, "ExpressionAttributeNames": { "#a": "sk", "#n": "count" } });
        for (expression, fails) in [
            ("SET #n = #n + :one", false),
            ("SET due_pk = :x", true),
            ("SET #n=:a,#a=:b", true),
            ("SET #n = :a ADD #a :b", true),
            ("REMOVE owner_sk", true),
        ] {
            assert_eq!(refused("UpdateItem", &update(expression)), fails, "{expression}");
            assert_eq!(refused("TransactWriteItems", &json!({ "TransactItems": [{ "Update": update(expression) }] })), fails, "{expression}");
        }
    }
}
