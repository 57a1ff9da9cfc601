//! Lambda on one machine: the real binaries as child processes that poll the runtime API.
//!
//! An instance handles one event at a time. A function gets another instance while events wait and all are busy, up
//! to [`MOST`]. An instance that overruns the template's time-out is killed; one that dies fails what it handled.

use crate::template::Function;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    process::Command,
    sync::{Notify, oneshot},
};

/// Most instances of one function.
const MOST: usize = 4;
/// What a cold start may take on top of the function's time-out.
const START: Duration = Duration::from_secs(10);

/// Why an event was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The handler answered with an error.
    Failed(String),
    TimedOut,
    /// The process died, or did not start.
    Crashed,
}

/// Where instances live: their binaries, their logs, and the address that they poll.
#[derive(Debug, Clone)]
pub struct Site {
    pub binaries: PathBuf,
    pub logs: PathBuf,
    pub runtime_api: String,
}

#[derive(Debug)]
pub struct Fleet {
    lanes: BTreeMap<String, Arc<Lane>>,
}

#[derive(Debug)]
struct Lane {
    function: Function,
    environment: Vec<(String, String)>,
    site: Site,
    state: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    handled: HashMap<String, (u64, oneshot::Sender<Result<Bytes, Failure>>)>,
    instances: BTreeMap<u64, Instance>,
    counter: u64,
}

#[derive(Debug)]
struct Event {
    id: String,
    body: Bytes,
    answer: oneshot::Sender<Result<Bytes, Failure>>,
}

#[derive(Debug)]
struct Instance {
    started: bool,
    kill: Arc<Notify>,
}

impl Fleet {
    /// Functions with the whole environment of each; none runs until its first event.
    pub fn new(functions: Vec<(Function, Vec<(String, String)>)>, site: &Site) -> Self {
        let lane = |(function, environment): (Function, _)| {
            let name = function.package.clone();
            (name, Arc::new(Lane { function, environment, site: site.clone(), state: Mutex::default(), wake: Notify::new() }))
        };
        Self { lanes: functions.into_iter().map(lane).collect() }
    }

    /// Invokes a function by its package name and waits for the answer.
    pub async fn invoke(&self, name: &str, event: &Value) -> Result<Value, Failure> {
        let lane = self.lanes.get(name).ok_or(Failure::Crashed)?;
        let (answer, answered) = oneshot::channel();
        let id = lane.accept(Bytes::from(event.to_string()), answer);
        lane.grow();
        lane.wake.notify_one();
        let limit = Duration::from_secs(lane.function.timeout) + START;
        let Ok(outcome) = tokio::time::timeout(limit, answered).await else {
            lane.give_up(&id);
            return Err(Failure::TimedOut);
        };
        let body = outcome.unwrap_or(Err(Failure::Crashed))?;
        serde_json::from_slice(&body).map_err(|e| Failure::Failed(e.to_string()))
    }

    /// The runtime API: `/{function}/{instance}/2018-06-01/runtime/...`.
    pub fn runtime_api(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/runtime/{function}/{instance}/2018-06-01/runtime/invocation/next", get(next))
            .route("/runtime/{function}/{instance}/2018-06-01/runtime/invocation/{id}/{outcome}", post(done))
            .route("/runtime/{function}/{instance}/2018-06-01/runtime/init/error", post(|| async { StatusCode::ACCEPTED }))
            .layer(DefaultBodyLimit::max(7 << 20))
            .with_state(self.clone())
    }

    /// Running instances by function.
    pub fn running(&self) -> BTreeMap<String, usize> {
        self.lanes.iter().map(|(name, lane)| (name.clone(), lane.state().instances.len())).collect()
    }
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, body: Bytes, answer: oneshot::Sender<Result<Bytes, Failure>>) -> String {
        let mut state = self.state();
        state.counter += 1;
        let id = format!("{}-{}", self.function.package, state.counter);
        state.events.push_back(Event { id: id.clone(), body, answer });
        id
    }

    /// Starts another instance if more events wait than instances are free.
    fn grow(self: &Arc<Self>) {
        let mut state = self.state();
        let free = state.instances.len().saturating_sub(state.handled.len());
        if state.events.len() <= free || state.instances.len() >= MOST {
            return;
        }
        state.counter += 1;
        let (number, kill) = (state.counter, Arc::new(Notify::new()));
        state.instances.insert(number, Instance { started: false, kill: kill.clone() });
        drop(state);
        tokio::spawn(self.clone().live(number, kill));
    }

    /// One instance from start to end.
    async fn live(self: Arc<Self>, number: u64, kill: Arc<Notify>) {
        match self.command(number).and_then(|mut c| c.spawn()) {
            Ok(mut child) => {
                tokio::select! { _ = child.wait() => {}, () = kill.notified() => { let _ = child.kill().await; } }
            }
            Err(error) => eprintln!("{}: {error}", self.function.package),
        }
        let again = self.buried(number);
        if again {
            self.grow();
        }
    }

    fn command(&self, number: u64) -> std::io::Result<Command> {
        let name = &self.function.package;
        let log = std::fs::File::options().create(true).append(true).open(self.site.logs.join(format!("{name}.log")))?;
        let mut command = Command::new(self.site.binaries.join(name));
        command
            .env_clear()
            .envs(self.environment.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/runtime/{name}/{number}", self.site.runtime_api))
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.function.memory.to_string())
            .env("AWS_LAMBDA_LOG_GROUP_NAME", name)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", number.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Cleans up after an instance. Whether events still wait for one.
    fn buried(&self, number: u64) -> bool {
        let mut state = self.state();
        let started = state.instances.remove(&number).is_some_and(|i| i.started);
        let lost: Vec<String> = state.handled.iter().filter(|(_, (by, _))| *by == number).map(|(id, _)| id.clone()).collect();
        for id in lost {
            if let Some((_, answer)) = state.handled.remove(&id) {
                let _ = answer.send(Err(Failure::Crashed));
            }
        }
        if !started && state.instances.is_empty() {
            eprintln!("{} did not start: see {}", self.function.package, self.site.logs.join(format!("{}.log", self.function.package)).display());
            for event in state.events.drain(..) {
                let _ = event.answer.send(Err(Failure::Crashed));
            }
        }
        !state.events.is_empty()
    }

    /// Nobody waits for this event any more: whoever handles it is killed.
    fn give_up(&self, id: &str) {
        let mut state = self.state();
        state.events.retain(|e| e.id != id);
        if let Some((number, _)) = state.handled.remove(id)
            && let Some(instance) = state.instances.get(&number)
        {
            instance.kill.notify_one();
        }
    }

    fn take(&self, number: u64) -> Option<(String, Bytes)> {
        let mut state = self.state();
        state.instances.get_mut(&number)?.started = true;
        let event = state.events.pop_front()?;
        state.handled.insert(event.id.clone(), (number, event.answer));
        Some((event.id, event.body))
    }
}

async fn next(State(fleet): State<Arc<Fleet>>, Path((name, number)): Path<(String, u64)>) -> Response {
    let Some(lane) = fleet.lanes.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    loop {
        let woken = lane.wake.notified();
        if let Some((id, body)) = lane.take(number) {
            let deadline = SystemTime::now() + Duration::from_secs(lane.function.timeout);
            let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
            let headers = [
                ("lambda-runtime-aws-request-id", id),
                ("lambda-runtime-deadline-ms", deadline),
                ("lambda-runtime-invoked-function-arn", format!("arn:aws:lambda:local:000000000000:function:{name}")),
                ("lambda-runtime-trace-id", "Root=1-0-0".into()),
            ];
            return (headers, body).into_response();
        }
        // Now and then nothing at all wakes it, so a lost wake-up costs a second and not an event.
        let _ = tokio::time::timeout(Duration::from_secs(1), woken).await;
    }
}

async fn done(State(fleet): State<Arc<Fleet>>, Path((name, _, id, outcome)): Path<(String, u64, String, String)>, body: Bytes) -> StatusCode {
    let Some(lane) = fleet.lanes.get(&name) else { return StatusCode::NOT_FOUND };
    let Some((_, answer)) = lane.state().handled.remove(&id) else { return StatusCode::ACCEPTED };
    let result = if outcome == "response" { Ok(body) } else { Err(Failure::Failed(String::from_utf8_lossy(&body).into_owned())) };
    let _ = answer.send(result);
    StatusCode::ACCEPTED
}
