//! The whole system as a user starts it: real processes, real ports, kill -9.

use qutab_local::client::HttpClient;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// The program, built with everything it runs, once for all tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let here = std::env::current_exe().unwrap();
        let directory = here.parent().unwrap().parent().unwrap().to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--bins", "--target-dir"]).arg(directory.parent().unwrap());
        #[expect(clippy::disallowed_methods, reason = "it is cargo that has set them")]
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
        assert!(cargo.status().unwrap().success());
        directory.join("qutab-local")
    })
}

struct Running {
    child: Child,
    port: u16,
    data: PathBuf,
}

impl Running {
    fn command(port: u16, data: &Path) -> Command {
        let mut command = Command::new(program());
        command.args(["--port", &port.to_string(), "--data"]).arg(data);
        command
    }

    async fn start(port: u16, data: &Path) -> Self {
        let child = Self::command(port, data).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let running = Self { child, port, data: data.to_owned() };
        for _ in 0..600 {
            if running.get("/api/categories").await.is_ok_and(|(status, _)| status == 200) {
                return running;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the system does not start");
    }

    async fn get(&self, path: &str) -> Result<(u16, String), String> {
        self.send("GET", path, &[]).await.map(|(status, _, body)| (status, body))
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(u16, http::HeaderMap, String), String> {
        self.send_to(0, method, path, headers).await
    }

    /// To the API's port (0), or to one of those after it: the cloud's services, the payment gateway, files.
    async fn send_to(&self, offset: u16, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(u16, http::HeaderMap, String), String> {
        let mut request = http::Request::builder().method(method).uri(format!("http://localhost:{}{path}", self.port + offset));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = HttpClient::default().send(request.body(http_body_util::Full::default()).unwrap()).await?;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        Ok((answer.status().as_u16(), answer.headers().clone(), body))
    }

    /// kill -9, of the functions as well: they name the port that they poll.
    fn kill(mut self) -> (u16, PathBuf) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.port, self.data.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

fn message(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_system_killed_in_the_middle_of_the_walk_loses_nothing() {
    let data = directory("killed");
    let mut running = Running::start(4100, &data).await;
    let mut walk = Running::command(4100, &data).arg("demo").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut killed = 0;
    for pause in [700, 1_100, 400, 1_500, 300] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        killed += u32::from(walk.try_wait().unwrap().is_none());
        let (port, data) = running.kill();
        running = Running::start(port, &data).await;
    }
    let output = tokio::task::spawn_blocking(|| walk.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(killed >= 2, "the walk was over before it was interrupted");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("two payout requests at once: 201 and 409") || said.contains("two payout requests at once: 409 and 201"), "{said}");
    assert!(said.contains("balance: pending Rp0, available -Rp500.000, reserved Rp0, paid out Rp500.000"), "{said}");
    assert!(said.contains("7 entries sum to Rp0") && said.contains("0 differences"), "{said}");
    an_identity_card_is_announced(&running).await;
    no_secret_was_logged(&running.data);
    what_was_done_is_in_the_logs(&running.data);
}

/// The walk has no identity number: one is sent here, rightly and wrongly, and a token and a mail where they do not belong.
async fn an_identity_card_is_announced(running: &Running) {
    let client = HttpClient::default();
    let url = |path: &str| format!("http://localhost:{}{path}", running.port);
    let login = json!({ "email": "promotor@qutab.test", "password": qutab_tests::PASSWORD }).to_string();
    let request = http::Request::post(url("/api/affiliate/auth/login")).header("content-type", "application/json");
    let answer = client.send(request.body(http_body_util::Full::from(login)).unwrap()).await.unwrap();
    let token: Value = serde_json::from_slice(answer.body()).unwrap();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let card = json!({ "nik": NIK, "consent": true, "consent_version": "ktp-2026-01", "content_type": "image/jpeg", "bytes": 1_000 });
    let path = "/api/affiliate/bank-account/ktp";
    assert_eq!(client.post(&url(path), &[("authorization", &bearer)], &card).await.unwrap(), 201);
    assert_eq!(client.post(&url(path), &[("authorization", &bearer)], &json!({ "nik": NIK, "x": bearer })).await.unwrap(), 422);
    client.post(&url(&format!("/api/orders/{NIK}/cancel?q=rina-x@example.com&t={}", &bearer[7..])), &[], &card).await.unwrap();
}

const NIK: &str = "3273014107900001";

/// What the walk has used: names, addresses, numbers, tokens and secrets. No function's log may have any of it.
fn no_secret_was_logged(data: &Path) {
    let secrets: serde_json::Value = serde_json::from_slice(&std::fs::read(data.join("secrets.json")).unwrap()).unwrap();
    let mut canaries: Vec<String> = secrets["values"].as_object().unwrap().values().map(|v| v.as_str().unwrap().to_owned()).collect();
    let used =
        ["Rina", "Budi", "Wulandari", "Santoso", "rina-", "budi-", "@example.com", "81377700011", "81234567890", "1234567890", "Lombok", "eyJ"];
    canaries.extend(used.map(str::to_owned));
    canaries.extend([qutab_tests::PASSWORD.to_owned(), NIK.to_owned(), "promotor@qutab.test".to_owned()]);
    let mut lines = 0;
    for entry in std::fs::read_dir(data.join("logs")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        lines += text.lines().count();
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "a log has {canary}: {}", text.lines().find(|l| l.contains(canary.as_str())).unwrap());
        }
    }
    assert!(lines > 30, "only {lines} lines were logged");
}

/// Every invocation left a line that says what it cost, and what happened was counted where CloudWatch finds it.
fn what_was_done_is_in_the_logs(data: &Path) {
    let (mut placed, mut counted) = (Vec::new(), BTreeSet::new());
    for entry in std::fs::read_dir(data.join("logs")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
            if let Some(metrics) = line.pointer("/_aws/CloudWatchMetrics/0") {
                let name = metrics["Metrics"][0]["Name"].as_str().unwrap();
                assert!(line["Stage"] == "local" && line[name].is_i64() && metrics["Namespace"] == "Qutab", "{line}");
                counted.insert(name.to_owned());
            } else if line["message"] == "invocation" && line["route"] == "/api/orders" && line["status"] == 201 {
                placed.push(line);
            }
        }
    }
    let all: BTreeSet<String> =
        ["OrdersPlaced", "OrdersPaid", "CommissionsEarned", "CommissionsMatured", "PayoutsRequested", "PayoutsPaid"].map(str::to_owned).into();
    assert!(counted.is_superset(&all), "{counted:?}");
    // One order may have been cut by a kill and placed again; one was not.
    let whole = placed.iter().find(|l| l["dynamodb"] == 3 && l["others"] == 1).unwrap_or_else(|| panic!("{placed:?}"));
    assert_eq!((&whole["caller"], &whole["method"], whole["sqs"].as_u64()), (&json!("customer"), &json!("POST"), Some(1)));
    assert!(whole["milliseconds"].is_number() && whole["cold"].is_boolean() && whole["request"].as_str().unwrap().starts_with("local-"), "{whole}");
    assert_eq!(whole["function"], "orders");
}

#[tokio::test]
async fn the_gateway_answers_in_our_form_and_only_to_our_pages() {
    let running = Running::start(4110, &directory("gateway")).await;
    let (status, headers, body) = running.send("DELETE", "/api/orders", &[]).await.unwrap();
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (405, "application/problem+json"), "{body}");
    assert_eq!(headers["allow"], "POST, GET");
    let (status, _, body) = running.send("GET", "/api/nothing", &[]).await.unwrap();
    assert!(status == 404 && body.contains("\"code\":\"not_found\""), "{status} {body}");
    let (status, ..) = running.send("GET", "/api/admin/orders", &[]).await.unwrap();
    assert_eq!(status, 401, "no token, no function");
    let (status, ..) = running.send("GET", "/api/admin/orders", &[("authorization", "Bearer x")]).await.unwrap();
    assert_eq!(status, 403, "the authorizer refuses");
    let own = format!("http://localhost:{}", running.port);
    let preflight = [("origin", own.as_str()), ("access-control-request-method", "POST")];
    let (status, headers, _) = running.send("OPTIONS", "/api/orders", &preflight).await.unwrap();
    assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (204, own.as_str()));
    let (_, headers, _) = running.send("OPTIONS", "/api/orders", &[("origin", "https://evil.test"), preflight[1]]).await.unwrap();
    assert!(!headers.contains_key("access-control-allow-origin"));
    let (status, document) = running.get("/docs/openapi.json").await.unwrap();
    assert!(status == 200 && document.contains("placeOrder") && running.get("/docs/").await.unwrap().1.contains("swagger-ui"));
    let (status, page) = running.get("/").await.unwrap();
    assert!(status == 200 && page.contains("maturation") && page.contains("/api/orders/{id}/cancel"));
}

#[tokio::test]
async fn pages_of_other_sites_reach_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let running = Running::start(4115, &directory("guarded")).await;
    let ask = async |port, method, path, headers: &[(&str, &str)]| running.send_to(port, method, path, headers).await.unwrap().0;
    for (port, path) in [(0, "/"), (0, "/api/products"), (1, "/dynamodb/"), (2, "/pay/inv"), (3, "/media/x")] {
        assert_eq!(ask(port, "GET", path, &[("host", "evil.example")]).await, 421, "{port} {path}");
        assert_ne!(ask(port, "GET", path, &[]).await, 421, "{port} {path}");
    }
    let (other, own) = ([("origin", "http://evil.localhost:4977")], [("origin", "http://localhost:4115"), ("content-type", "application/json")]);
    for (port, path) in [(0, "/_local/schedules/maturation"), (0, "/api/auth/login"), (1, "/dynamodb/"), (2, "/pay/inv"), (3, "/media/x")] {
        assert_eq!(ask(port, "POST", path, &other).await, 403, "{port} {path}");
        assert_eq!(ask(port, "POST", path, &[("sec-fetch-site", "cross-site")]).await, 403, "{port} {path}");
    }
    assert_eq!(ask(0, "POST", "/api/auth/login", &own).await, 400, "our own pages are heard, and have sent nothing");
    assert_eq!(ask(1, "GET", "/dynamodb/", &own).await, 403, "no page has business with the cloud");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&running.data), 0o700);
    drop(running);

    let older = directory("open-to-all");
    std::fs::create_dir_all(&older).unwrap();
    std::fs::set_permissions(&older, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(older.join("table.sqlite"), "").unwrap();
    std::fs::write(older.join("format"), "0").unwrap();
    drop(Running::start(4115, &older).await);
    let kept: Vec<_> = std::fs::read_dir(older.parent().unwrap()).unwrap().map(|e| e.unwrap().path()).collect();
    let aside = kept.iter().find(|p| p.to_string_lossy().contains("open-to-all-before-")).expect("set aside");
    assert_eq!((mode(&older), mode(aside)), (0o700, 0o700), "kept from others, as what takes its place");
    std::fs::remove_dir_all(aside).unwrap();
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let full = directory("somebody-elses");
    std::fs::create_dir_all(&full).unwrap();
    std::fs::write(full.join("thesis.tex"), "").unwrap();
    let said = message(&Running::command(4120, &full).output().unwrap());
    assert!(said.contains("it holds something else") && said.contains("--data"), "{said}");
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1, "and nothing is put beside it");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 4121)).unwrap();
    let said = message(&Running::command(4120, &directory("taken")).output().unwrap());
    assert!(said.contains("port 4121 cannot be used") && said.contains("--port"), "{said}");
    drop(taken);
    let file = directory("broken").with_extension("yaml");
    std::fs::write(&file, "Resources:\n  A: [").unwrap();
    let said = message(&Running::command(4120, &directory("broken")).arg("--template").arg(&file).output().unwrap());
    assert!(said.contains("template.yaml"), "{said}");
    let said = message(&Running::command(4120, &directory("broken")).arg("--nonsense").output().unwrap());
    assert!(said.contains("--nonsense is not known"), "{said}");
}
