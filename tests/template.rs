//! What is deployed, as far as the template says: facts of this system that no linter knows.

use qutab::app::metrics::Metric;
use qutab_local::template;
use qutab_tests::TEMPLATE;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The template as it is deployed to a stage.
fn deployed(stage: &str) -> Value {
    let domain = ("CertificateArn", if stage == "prod" { "arn:aws:acm:ap-southeast-3:000000000000:certificate/0" } else { "" });
    let values =
        [("Stage", stage), domain, ("LogDays", "days"), ("ApiUrl", "https://made.by.aws")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    template::document(TEMPLATE, &values.into()).unwrap()
}

fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not a mapping: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The resources of a kind, by their logical ids.
fn of_kind<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let found: BTreeMap<_, _> = map(&template["Resources"]).iter().filter(|(_, r)| r["Type"] == kind).map(|(id, r)| (id.as_str(), r)).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

fn properties<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    of_kind(template, kind).into_iter().map(|(id, r)| (id, &r["Properties"])).collect()
}

fn functions(template: &Value) -> BTreeMap<&str, &Value> {
    properties(template, "AWS::Serverless::Function")
}

/// The events of a type, of all functions, with the function that each belongs to.
fn events<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let of = |(id, p): (&'a str, &'a Value)| p["Events"].as_object().into_iter().flatten().map(move |(_, e)| (id, e));
    functions(template).into_iter().flat_map(of).filter(|(_, e)| e["Type"] == kind).map(|(id, e)| (id, &e["Properties"])).collect()
}

fn alarms(template: &Value) -> BTreeMap<&str, &Value> {
    properties(template, "AWS::CloudWatch::Alarm")
}

#[test]
fn every_function_is_arm_traced_sealed_and_says_why_it_is_as_large() {
    let template = deployed("dev");
    let globals = &template["Globals"]["Function"];
    assert_eq!(globals["Architectures"], serde_json::json!(["arm64"]));
    assert_eq!((&globals["Tracing"], &globals["KmsKeyArn"]), (&"Active".into(), &"GetAtt:SettingsKey.Arn".into()));
    for (id, p) in functions(&template) {
        for name in ["Architectures", "Tracing", "KmsKeyArn", "Role"] {
            assert!(p.get(name).is_none(), "{id} has a {name} of its own");
        }
        let text = TEMPLATE.split(&format!("\n  {id}:\n")).nth(1).unwrap();
        for name in ["MemorySize", "Timeout"] {
            let line = text.lines().find(|l| l.trim().starts_with(name)).unwrap();
            let reason = line.split_once(" # ").unwrap_or_else(|| panic!("{id}: no reason for its {name}")).1;
            assert!(reason.len() > 10, "{id}: {line}");
        }
        let behind_api = p["Events"].as_object().into_iter().flatten().any(|(_, e)| e["Type"] == "HttpApi");
        assert!(!behind_api || p["Timeout"].as_u64().unwrap() < 30, "{id}: the API gives up after 30 seconds");
    }
}

#[test]
fn every_log_has_its_end() {
    let template = deployed("dev");
    let logs = properties(&template, "AWS::Logs::LogGroup");
    assert!(logs.values().all(|p| p["RetentionInDays"] == "days"), "kept for as long as the parameter says");
    let names: BTreeSet<_> = logs.values().map(|p| p["LogGroupName"].as_str().unwrap()).collect();
    for (id, p) in functions(&template) {
        let name = format!("/aws/lambda/{}", p["FunctionName"].as_str().unwrap());
        assert!(names.contains(name.as_str()), "{id} has no log group");
    }
    let access = &map(&template["Resources"])["Api"]["Properties"]["AccessLogSettings"];
    assert!(access["DestinationArn"].as_str().unwrap().contains("${ApiLogs}"));
    for personal in ["sourceIp", "userAgent", "$context.path", "authorizer", "header"] {
        assert!(!access["Format"].as_str().unwrap().contains(personal), "{personal} is logged");
    }
}

/// The alarms that look at a metric of a queue.
fn watched(template: &Value, metric: &str) -> BTreeSet<String> {
    let of_queue = |p: &&Value| p["MetricName"] == metric;
    let queue = |p: &Value| p["Dimensions"][0]["Value"].as_str().unwrap().trim_start_matches("GetAtt:").trim_end_matches(".QueueName").to_owned();
    alarms(template).into_values().filter(of_queue).map(queue).collect()
}

#[test]
fn every_queue_waits_long_enough_and_loses_nothing_unseen() {
    let template = deployed("dev");
    let queues = properties(&template, "AWS::SQS::Queue");
    let (dead, live): (BTreeSet<&str>, BTreeSet<&str>) = queues.keys().copied().partition(|id| id.ends_with("DeadLetters"));
    for (id, p) in &queues {
        assert!(p["SqsManagedSseEnabled"] == true && p["MessageRetentionPeriod"] == 1_209_600, "{id} is encrypted and keeps for two weeks");
    }
    let feeds = events(&template, "SQS");
    let fed = |queue: &str| feeds.iter().find(|(_, e)| e["Queue"] == format!("GetAtt:{queue}.Arn"));
    for id in &live {
        let letters = queues[id]["RedrivePolicy"]["deadLetterTargetArn"].as_str().unwrap();
        assert!(dead.contains(letters.trim_start_matches("GetAtt:").trim_end_matches(".Arn")), "{id}: {letters}");
        let (worker, event) = fed(id).unwrap_or_else(|| panic!("nobody reads {id}"));
        let timeout = functions(&template)[worker]["Timeout"].as_u64().unwrap();
        assert!(queues[id]["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout, "{id} against {worker}");
        assert_eq!(event["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{worker}");
        assert!(event["ScalingConfig"]["MaximumConcurrency"].as_u64().is_some(), "{worker}");
    }
    let all = |ids: &BTreeSet<&str>| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(watched(&template, "ApproximateNumberOfMessagesVisible"), all(&dead));
    assert_eq!(watched(&template, "ApproximateAgeOfOldestMessage"), all(&live));
    let closed: BTreeSet<_> =
        list(&map(&template["Resources"])["QueuesPolicy"]["Properties"]["Queues"]).iter().map(|q| &q.as_str().unwrap()[4..]).collect();
    assert_eq!(closed, queues.keys().copied().collect(), "over TLS only");
}

#[test]
fn every_schedule_is_tried_again_and_its_failures_are_kept() {
    let template = deployed("dev");
    let schedules = events(&template, "ScheduleV2");
    assert_eq!(schedules.len(), 7);
    for (id, event) in schedules {
        assert!(event["Name"].as_str().unwrap().starts_with("qutab-dev-"), "{id}: stages share the scheduler's names");
        assert!(event["RetryPolicy"]["MaximumRetryAttempts"].as_u64().unwrap() > 0, "{id}");
        assert_eq!(event["DeadLetterConfig"]["Arn"], "GetAtt:ScheduleDeadLetters.Arn", "{id}: what could not be handed over");
        let own = &functions(&template)[id]["EventInvokeConfig"];
        assert!(own["MaximumRetryAttempts"].as_u64().unwrap() > 0, "{id}");
        assert_eq!(own["DestinationConfig"]["OnFailure"]["Destination"], "GetAtt:ScheduleDeadLetters.Arn", "{id}: what failed");
    }
}

#[test]
fn every_bucket_is_private_encrypted_by_tls_only_and_tidied() {
    let template = deployed("dev");
    let policies = properties(&template, "AWS::S3::BucketPolicy");
    for (id, bucket) in of_kind(&template, "AWS::S3::Bucket") {
        let p = &bucket["Properties"];
        assert!(map(&p["PublicAccessBlockConfiguration"]).values().all(|v| v == true), "{id}");
        assert_eq!(map(&p["PublicAccessBlockConfiguration"]).len(), 4, "{id}");
        assert_eq!(p["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced", "{id}");
        let encryption = &p["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"];
        assert_eq!(encryption["SSEAlgorithm"], "AES256", "{id}");
        let rules = list(&p["LifecycleConfiguration"]["Rules"]);
        assert!(rules.iter().any(|r| r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1), "{id}");
        // What is kept in versions is kept for a while; what has to be gone when it is removed has none.
        let versions = p["VersioningConfiguration"]["Status"] == "Enabled";
        assert_eq!(versions, rules.iter().any(|r| r["NoncurrentVersionExpiration"]["NoncurrentDays"].is_u64()), "{id}");
        assert_eq!(versions, !["DocumentsBucket", "QuarantineBucket"].contains(&id), "{id}");
        assert_eq!(bucket["DeletionPolicy"], "Retain", "{id}");
        let policy = policies.values().find(|p| p["Bucket"] == format!("Ref:{id}")).unwrap_or_else(|| panic!("{id} has no policy"));
        let refused = list(&policy["PolicyDocument"]["Statement"]).iter().find(|s| s["Effect"] == "Deny").unwrap();
        assert_eq!((&refused["Action"], &refused["Principal"]), (&"s3:*".into(), &"*".into()), "{id}");
        assert_eq!(refused["Condition"]["Bool"]["aws:SecureTransport"], false, "{id}");
        assert_eq!(refused["Resource"], serde_json::json!([format!("GetAtt:{id}.Arn"), format!("${{{id}.Arn}}/*")]), "{id}");
    }
}

#[test]
fn the_table_cannot_be_lost() {
    let template = deployed("prod");
    let tables = of_kind(&template, "AWS::DynamoDB::Table");
    let table = tables["Table"];
    let p = &table["Properties"];
    assert_eq!(tables.len(), 1);
    assert!(table["DeletionPolicy"] == "Retain" && table["UpdateReplacePolicy"] == "Retain");
    assert_eq!(p["DeletionProtectionEnabled"], true);
    assert_eq!(p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(p["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(p["TimeToLiveSpecification"], serde_json::json!({ "AttributeName": "ttl", "Enabled": true }));
}

/// The functions whose metric is summed up by the group's alarms.
fn grouped(template: &Value, metric: &str) -> Vec<String> {
    let sums = alarms(template).into_values().flat_map(|p| list(&p["Metrics"]).iter().map(|m| &m["MetricStat"]["Metric"]));
    let mut found: Vec<_> = sums
        .filter(|m| m["Namespace"] == "AWS/Lambda" && m["MetricName"] == metric)
        .map(|m| m["Dimensions"][0]["Value"].as_str().unwrap()[4..].to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn every_function_is_in_one_group_that_is_watched() {
    let template = deployed("dev");
    let functions: Vec<_> = functions(&template).into_keys().collect();
    assert_eq!(grouped(&template, "Errors"), functions);
    assert_eq!(grouped(&template, "Throttles"), functions);
    let largest = alarms(&template).values().map(|p| list(&p["Metrics"]).len()).max();
    assert!(largest <= Some(11), "an alarm takes ten metrics and one expression");
}

/// Sections of docs/runbook.md that alarms point to.
const ANCHORS: &[&str] = &[
    "webhook-outage",
    "dead-letters",
    "reconciliation-difference",
    "money-contradiction",
    "money-unsettled",
    "stuck-payout",
    "throttles",
    "errors",
    "guessed-passwords",
];

#[test]
fn every_alarm_tells_somebody_what_to_do() {
    let template = deployed("dev");
    let documented = include_str!("../docs/operations.md");
    let board = map(&template["Resources"])["Dashboard"]["Properties"]["DashboardBody"].as_str().unwrap();
    let mut names = BTreeSet::new();
    for (id, p) in alarms(&template) {
        let name = p["AlarmName"].as_str().unwrap().strip_prefix("qutab-dev-").unwrap();
        assert!(names.insert(name), "{name} is there twice");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(p[actions], serde_json::json!(["Ref:Alarms"]), "{id}");
        }
        let anchor = p["AlarmDescription"].as_str().unwrap().split("docs/runbook.md#").nth(1).and_then(|a| a.strip_suffix(')'));
        let anchor = anchor.filter(|a| ANCHORS.contains(a)).unwrap_or_else(|| panic!("{id} does not say where to read on"));
        let row = documented.lines().find(|l| l.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name} is not explained"));
        assert!(row.contains(&format!("(runbook.md#{anchor})")), "{row}");
        assert!(board.contains(&format!("${{{id}.Arn}}")), "{id} is not on the dashboard");
    }
    let explained: BTreeSet<_> = documented.lines().filter_map(|l| l.strip_prefix("| `")?.split_once("` |")).map(|(n, _)| n).collect();
    assert_eq!(explained, names);
}

#[test]
fn the_alarms_of_the_business_exist_and_the_dashboard_shows_its_metrics() {
    let template = deployed("dev");
    let board = map(&template["Resources"])["Dashboard"]["Properties"]["DashboardBody"].as_str().unwrap();
    let board: Value = serde_json::from_str(board).unwrap();
    let shown = board.to_string();
    let named: BTreeSet<&str> = shown.split(r#"["Qutab",""#).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(named, Metric::ALL.iter().map(|m| m.as_str()).collect(), "what is counted is what is shown");
    let metrics = [
        "ReconciliationDifferences",
        "PayoutAnomalies",
        "MoneyContradictions",
        "MoneyUnsettled",
        "WebhookRefused",
        "WebhookLagSeconds",
        "AccountsBesieged",
    ];
    for metric in metrics {
        let alarms = alarms(&template);
        let alarm = alarms.values().find(|p| p["Namespace"] == "Qutab" && p["MetricName"] == metric).unwrap_or_else(|| panic!("{metric}"));
        assert_eq!(alarm["Dimensions"], serde_json::json!([{ "Name": "Stage", "Value": "dev" }]), "{metric}");
    }
}

#[test]
fn what_is_worth_guessing_at_is_throttled_more() {
    let template = deployed("dev");
    let api = &map(&template["Resources"])["Api"]["Properties"];
    let routes: BTreeSet<String> = events(&template, "HttpApi")
        .into_iter()
        .map(|(_, e)| e["Path"].as_str().map_or("$default".to_owned(), |path| format!("{} {path}", e["Method"].as_str().unwrap())))
        .collect();
    let limits = |settings: &Value| ["ThrottlingRateLimit", "ThrottlingBurstLimit"].map(|name| settings[name].as_u64().unwrap());
    let usual = limits(&api["DefaultRouteSettings"]);
    assert!(usual.iter().all(|l| *l <= 1_250), "the account has no more");
    let strict = map(&api["RouteSettings"]);
    for (route, settings) in strict {
        assert!(routes.contains(route), "{route} does not exist: the deployment would fail");
        assert!(limits(settings).iter().zip(usual).all(|(own, usual)| *own < usual), "{route}");
    }
    let worth = ["/login", "/register", "/forgot-password", "/reset-password", "/accept-invitation", "/r/{code}", "/webhooks/zendit", "$default"];
    for route in routes.iter().filter(|r| worth.iter().any(|end| r.ends_with(end))) {
        assert!(strict.contains_key(route), "{route} is not throttled");
    }
}

#[test]
fn production_has_its_own_domain_under_the_shops() {
    let (dev, prod) = (deployed("dev"), deployed("prod"));
    let stages = &prod["Parameters"]["Stage"]["AllowedValues"];
    assert_eq!(stages, &serde_json::json!(["dev", "staging", "prod"]), "the local stage is never deployed");
    assert_eq!(map(&prod["Resources"])["ApiDomain"]["Properties"]["DomainName"], "api.qutab.id");
    assert!(map(&prod["Rules"]).contains_key("ProductionIsReachableAndWatched"));
    for (template, closed, api) in [(&dev, false, "https://made.by.aws"), (&prod, true, "https://api.qutab.id")] {
        assert_eq!(map(&template["Resources"])["Api"]["Properties"]["DisableExecuteApiEndpoint"], closed);
        for (id, p) in functions(template) {
            let address = &p["Environment"]["Variables"]["API_URL"];
            assert!(address.is_null() || address == api, "{id}: {address}");
        }
    }
    let settings = include_str!("../samconfig.toml");
    for stage in ["dev", "staging", "prod"] {
        assert!(settings.contains(&format!("\"Stage={stage}\",")), "samconfig.toml does not know {stage}");
    }
}

#[test]
fn what_is_reserved_leaves_the_account_its_pool() {
    let reserved = |stage: &str| -> BTreeMap<String, u64> {
        let template = deployed(stage);
        functions(&template).iter().filter_map(|(id, p)| Some(((*id).to_owned(), p["ReservedConcurrentExecutions"].as_u64()?))).collect()
    };
    assert!(reserved("dev").is_empty() && reserved("staging").is_empty(), "stages share an account");
    let prod = reserved("prod");
    for id in ["ZenditWebhook", "Referral", "CustomerAuth", "AffiliateAuth", "AdminAuth"] {
        assert!(prod.contains_key(id), "a flood of {id} would hurt");
    }
    assert!(prod.values().sum::<u64>() <= 300, "of the thousand that an account has");
    let template = deployed("prod");
    for (id, event) in events(&template, "SQS") {
        let most = event["ScalingConfig"]["MaximumConcurrency"].as_u64();
        assert!(prod.get(id).is_none_or(|own| Some(*own) >= most), "{id} would be refused messages, which counts as receiving them");
    }
}

#[test]
fn secrets_are_only_referred_to() {
    let template = deployed("prod");
    for (id, p) in functions(&template) {
        for (name, value) in p["Environment"]["Variables"].as_object().into_iter().flatten() {
            let secret = ["KEY", "SECRET", "TOKEN", "VAULT"].iter().any(|word| name.contains(word));
            let reference = value.as_str().unwrap().starts_with("{{resolve:secretsmanager:qutab/prod/");
            // Without messages there is no token for them.
            assert!(secret == reference || (name == "WHATSAPP_TOKEN" && value == ""), "{id}: {name}");
        }
    }
    assert_eq!(template["Globals"]["Function"]["Tags"]["secrets-revision"], "1", "changes with the parameter, so that secrets are read again");
}

/// A stack takes 500. Counted as SAM makes them (`.ci/resources.py` asks SAM itself): a role for each function, a
/// permission for each route, a schedule with its role, a mapping for each queue, an invoke configuration.
#[test]
fn there_is_room_for_more() {
    let template = deployed("dev");
    let made: usize = functions(&template).values().map(|p| 1 + usize::from(p.get("EventInvokeConfig").is_some())).sum();
    let events = events(&template, "HttpApi").len() + events(&template, "SQS").len() + 2 * events(&template, "ScheduleV2").len();
    let stage_and_authorizer = 2;
    let count = map(&template["Resources"]).len() + made + events + stage_and_authorizer;
    assert!(count < 450, "{count} resources");
}

#[test]
fn every_function_that_answers_lists_has_the_key_that_seals_their_cursors() {
    let template = deployed("prod");
    let mut asked = 0;
    for (id, function) in functions(&template) {
        let room = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(function["CodeUri"].as_str().unwrap()).join("src");
        let texts = std::fs::read_dir(room).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let lists = texts.collect::<String>().contains("PageQuery");
        let has = function["Environment"]["Variables"].get("CURSOR_KEY").is_some();
        assert_eq!(lists, has, "{id}: no function has the key that does not need it, and none is without");
        asked += usize::from(lists);
    }
    assert!(asked > 10, "only {asked}");
}

#[test]
fn the_shops_page_may_read_every_header_that_the_document_names() {
    let document: Value = serde_json::from_str(include_str!("../infra/contract/openapi.json")).unwrap();
    let operations = document["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap().values());
    let answers = operations
        .flat_map(|o| o["responses"].as_object().unwrap().values())
        .chain(document["components"]["responses"].as_object().unwrap().values());
    // A redirect is followed by the browser itself.
    let named: BTreeSet<&str> =
        answers.filter_map(|a| a["headers"].as_object()).flat_map(|h| h.keys()).map(String::as_str).filter(|h| *h != "location").collect();
    let exposed = qutab_local::template::read(TEMPLATE, &BTreeMap::from([("Stage".to_owned(), "local".to_owned())])).unwrap().cors.exposed;
    assert_eq!(exposed.iter().map(String::as_str).collect::<BTreeSet<_>>(), named);
}
