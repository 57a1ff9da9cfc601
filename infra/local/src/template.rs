//! Reads `template.yaml`: functions, routes, queues, schedules and the table are what it says, and nothing else.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;
use std::collections::BTreeMap;

/// A function of the template.
#[derive(Debug, Clone)]
pub struct Function {
    pub logical_id: String,
    /// The crate under `functions/`, which is also the name of its binary.
    pub package: String,
    pub timeout: u64,
    pub memory: u64,
    pub environment: BTreeMap<String, String>,
    pub routes: Vec<Route>,
    /// The queue that it is fed from, by its logical id, and its batch size.
    pub queue: Option<(String, usize)>,
    pub schedule: Option<Schedule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub authorized: bool,
}

#[derive(Debug, Clone)]
pub struct Schedule {
    pub expression: String,
    /// The input, with EventBridge's placeholder for the scheduled time.
    pub input: String,
}

/// A queue of the template.
#[derive(Debug, Clone)]
pub struct Queue {
    pub visibility: i64,
    /// Logical id of the dead-letter queue, and after how many receives.
    pub dead_letters: Option<(String, u32)>,
}

#[derive(Debug, Clone)]
pub struct Template {
    pub functions: Vec<Function>,
    pub queues: BTreeMap<String, Queue>,
    /// The buckets, by their logical ids.
    pub buckets: Vec<String>,
    pub table: Value,
    /// The function that authorizes admin routes.
    pub authorizer: String,
    pub cors: Cors,
}

/// What pages of other origins may do.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    pub exposed: Vec<String>,
    pub credentials: bool,
}

/// The whole template as JSON, with `values` for its parameters and for what AWS would fill in.
/// A reference that has no value is kept as `Ref:Name`, so that whoever needs it can say what is missing.
pub fn document(text: &str, values: &BTreeMap<String, String>) -> Result<Value, String> {
    let yaml: Yaml = serde_yaml_ng::from_str(text).map_err(|e| format!("template.yaml: {e}"))?;
    let mut known = BTreeMap::new();
    let document = plain(&yaml, &known);
    for (name, parameter) in object(&document["Parameters"]) {
        known.insert(name.clone(), parameter["Default"].as_str().unwrap_or_default().to_owned());
    }
    known.extend(values.clone());
    let document = plain(&yaml, &known);
    for (name, holds) in object(&document["Conditions"]) {
        known.insert(condition(&name), (holds == true).to_string());
    }
    Ok(plain(&yaml, &known))
}

/// What of the template runs on this machine.
pub fn read(text: &str, values: &BTreeMap<String, String>) -> Result<Template, String> {
    let document = document(text, values)?;
    let resources = object(&document["Resources"]);
    let of_kind = |kind: &str| resources.iter().filter(move |(_, r)| r["Type"] == *kind).collect::<Vec<_>>();
    let functions = of_kind("AWS::Serverless::Function").into_iter().map(|(id, r)| function(id, &r["Properties"])).collect::<Result<Vec<_>, _>>()?;
    let queues = of_kind("AWS::SQS::Queue").into_iter().map(|(id, r)| (id.clone(), queue(&r["Properties"]))).collect();
    let buckets = of_kind("AWS::S3::Bucket").into_iter().map(|(id, _)| id.clone()).collect();
    let table = of_kind("AWS::DynamoDB::Table").first().map(|(_, r)| r["Properties"].clone()).ok_or("template.yaml has no table")?;
    let api = of_kind("AWS::Serverless::HttpApi").first().map(|(_, r)| r["Properties"].clone()).ok_or("template.yaml has no HTTP API")?;
    let authorizer = logical(&api["Auth"]["Authorizers"]["Admin"]["FunctionArn"]).ok_or("template.yaml has no authorizer for admins")?;
    Ok(Template { functions, queues, buckets, table, authorizer, cors: cors(&api["CorsConfiguration"]) })
}

fn function(id: &str, properties: &Value) -> Result<Function, String> {
    let package = properties["CodeUri"].as_str().and_then(|p| p.rsplit('/').next()).ok_or_else(|| format!("{id} has no CodeUri"))?;
    let mut found = Function {
        logical_id: id.into(),
        package: package.into(),
        timeout: properties["Timeout"].as_u64().unwrap_or(3),
        memory: properties["MemorySize"].as_u64().unwrap_or(128),
        environment: BTreeMap::new(),
        routes: Vec::new(),
        queue: None,
        schedule: None,
    };
    for (name, value) in object(&properties["Environment"]["Variables"]) {
        found.environment.insert(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    for (name, event) in object(&properties["Events"]) {
        let p = &event["Properties"];
        match event["Type"].as_str() {
            Some("HttpApi") => {
                let (method, path) = match (p["Method"].as_str(), p["Path"].as_str()) {
                    (Some(method), Some(path)) => (method, path),
                    // SAM's way to say: whatever no other route takes.
                    (None, None) => ("ANY", "$default"),
                    _ => return Err(format!("{id}.{name} needs a method and a path")),
                };
                found.routes.push(Route { method: method.into(), path: path.into(), authorized: p["Auth"]["Authorizer"] == "Admin" });
            }
            Some("SQS") => {
                let batch = p["BatchSize"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
                found.queue = logical(&p["Queue"]).map(|queue| (queue, batch));
            }
            Some("ScheduleV2") => {
                let text = |name: &str| p[name].as_str().unwrap_or_default().to_owned();
                found.schedule = Some(Schedule { expression: text("ScheduleExpression"), input: text("Input") });
            }
            other => return Err(format!("{id}.{name}: an event of type {other:?} is not known here")),
        }
    }
    Ok(found)
}

fn cors(configuration: &Value) -> Cors {
    let list = |name: &str| array(&configuration[name]).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    Cors {
        origins: list("AllowOrigins"),
        methods: list("AllowMethods"),
        headers: list("AllowHeaders"),
        exposed: list("ExposeHeaders"),
        credentials: configuration["AllowCredentials"] == true,
    }
}

fn queue(properties: &Value) -> Queue {
    let redrive = &properties["RedrivePolicy"];
    let limit = redrive["maxReceiveCount"].as_u64().and_then(|n| u32::try_from(n).ok());
    Queue { visibility: properties["VisibilityTimeout"].as_i64().unwrap_or(30), dead_letters: logical(&redrive["deadLetterTargetArn"]).zip(limit) }
}

/// The logical id in `!GetAtt Id.Attribute`.
fn logical(value: &Value) -> Option<String> {
    value.as_str()?.strip_prefix("GetAtt:")?.split('.').next().map(str::to_owned)
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// What a condition is known by among the values.
fn condition(name: &str) -> String {
    format!("Condition:{name}")
}

/// An intrinsic function that takes a list.
fn of_list(tag: &str, list: &[Value], known: &BTreeMap<String, String>) -> Value {
    match (tag, list) {
        ("!Equals", [one, other]) => json!(one == other),
        ("!Not", [holds]) => json!(holds != &json!(true)),
        ("!If", [name, yes, no]) => {
            let holds = known.get(&condition(name.as_str().unwrap_or_default())).is_some_and(|v| v == "true");
            if holds { yes.clone() } else { no.clone() }
        }
        _ => json!(format!("{tag}:")),
    }
}

/// YAML with the intrinsic functions carried out as far as `known` goes.
fn plain(yaml: &Yaml, known: &BTreeMap<String, String>) -> Value {
    match yaml {
        Yaml::Tagged(tagged) if tagged.value.is_sequence() => {
            let list = array(&plain(&tagged.value, known));
            of_list(&tagged.tag.to_string(), &list, known)
        }
        Yaml::Tagged(tagged) => {
            let text = tagged.value.as_str().unwrap_or_default();
            match tagged.tag.to_string().as_str() {
                "!Ref" => json!(known.get(text).cloned().unwrap_or_else(|| format!("Ref:{text}"))),
                "!GetAtt" => json!(format!("GetAtt:{text}")),
                "!Sub" => json!(known.iter().fold(text.to_owned(), |t, (name, value)| t.replace(&format!("${{{name}}}"), value))),
                other => json!(format!("{other}:{text}")),
            }
        }
        Yaml::Mapping(map) => Value::Object(map.iter().map(|(k, v)| (k.as_str().unwrap_or_default().to_owned(), plain(v, known))).collect()),
        Yaml::Sequence(list) => Value::Array(list.iter().map(|v| plain(v, known)).collect()),
        scalar => serde_json::to_value(scalar).unwrap_or_default(),
    }
}
