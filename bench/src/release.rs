//! What a release weighs and how fast it starts: zips of `infra/release.py`, and the time from exec to the first poll of
//! the runtime API, compared with the least that a Rust function can be, one after the other in the same run.

use qutab::runtime::{config::name::TABLE, system_entropy};
use qutab_local::{
    secrets::Secrets,
    system::{Options, environments},
};
use std::{
    fmt::Write as _,
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

/// Starts of each function; the first ones bring its file into memory and are not counted.
const STARTS: usize = 25;
const UNCOUNTED: usize = 5;
const HELLO: &str = "hello";

/// Most megabytes of a zip with one SDK, and of one without any.
const WITH_SDK: f64 = 2.6;
const WITHOUT: f64 = 1.1;

/// Answers everything with nothing: the connection is what counts.
fn cloud() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut heard = [0; 4096];
    while stream.read(&mut heard).is_ok_and(|n| n > 0) {
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").is_err() {
            return;
        }
    }
}

/// Milliseconds from exec to the first poll.
#[expect(clippy::disallowed_methods, reason = "it measures time itself")]
fn start(binary: &Path, environment: &[(String, String)], api: &TcpListener) -> f64 {
    let began = Instant::now();
    let mut command = Command::new(binary);
    let mut child = command.env_clear().envs(environment.iter().cloned()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut stream, _) = api.accept().unwrap();
    let (mut heard, mut all) = ([0; 4096], String::new());
    while !all.contains("/invocation/next") {
        let count = stream.read(&mut heard).unwrap();
        assert!(count > 0, "{} ended before it polled", binary.display());
        all.push_str(&String::from_utf8_lossy(&heard[..count]));
    }
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    child.kill().unwrap();
    child.wait().unwrap();
    took
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A row for each function of the template, or for those that are named. Needs a release: `python3 infra/release.py`.
pub fn table(template: &Path, target: &Path, only: &[String]) -> String {
    let data = tempfile::tempdir().unwrap();
    let options = Options { port: 1, data: data.path().into(), shop: None, template: template.into(), whatsapp: false };
    let secrets = Secrets::of(data.path(), &system_entropy()).unwrap();
    let functions = environments(&options, &options.template().unwrap(), &secrets).unwrap();
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let (runtime, cloud) = (api.local_addr().unwrap().to_string(), cloud());
    let lambda = |name: &str| {
        let fixed = [("FUNCTION_NAME", name), ("FUNCTION_VERSION", "1"), ("FUNCTION_MEMORY_SIZE", "256"), ("RUNTIME_API", runtime.as_str())];
        fixed.map(|(n, v)| (format!("AWS_LAMBDA_{n}"), v.to_owned())).to_vec()
    };
    let hello = lambda(HELLO);
    let binary = |name: &str| target.join("release").join(name);
    let mut table = String::from("| function | zip, MB | budget | start, ms | beside the least |\n|---|--:|--:|--:|--:|\n");
    for (function, mut environment) in functions.into_iter().filter(|(f, _)| only.is_empty() || only.contains(&f.package)) {
        let name = function.package;
        environment.extend(lambda(&name));
        let sdk = environment.iter().any(|(n, _)| n == TABLE || n.ends_with("_BUCKET"));
        environment.push(("AWS_ENDPOINT_URL_DYNAMODB".into(), cloud.clone()));
        let (mut least, mut own) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            least.push(start(&binary(HELLO), &hello, &api));
            own.push(start(&binary(&name), &environment, &api));
        }
        let (least, own) = (median(least.split_off(UNCOUNTED)), median(own.split_off(UNCOUNTED)));
        #[expect(clippy::cast_precision_loss, reason = "a file of some megabytes")]
        let zip = std::fs::metadata(target.join("lambda").join(format!("{name}.zip"))).unwrap().len() as f64 / 1e6;
        writeln!(table, "| {name} | {zip:.2} | {} | {own:.1} | {:.2} |", if sdk { WITH_SDK } else { WITHOUT }, own / least).unwrap();
    }
    table
}
