//! The page at `/`: routes, mails, queues, and schedules to run as of any date.

use crate::{
    lambda::Fleet,
    mailbox::{Mail, Mailbox},
    queues::Queues,
    schedules::Job,
    template::Template as Sam,
    whatsapp::WhatsApp,
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use qutab::{
    domain::time::{Day, Timestamp},
    runtime::system_clock,
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

const RUNS_SHOWN: usize = 20;

#[derive(Debug, Clone)]
pub struct Console {
    pub fleet: Arc<Fleet>,
    pub queues: Queues,
    pub mailbox: Mailbox,
    pub whatsapp: WhatsApp,
    pub jobs: Arc<Vec<Job>>,
    pub template: Arc<Sam>,
    pub logins: Arc<Vec<(String, String)>>,
    runs: Arc<Mutex<Vec<String>>>,
}

#[derive(Template)]
#[template(path = "console.html")]
struct Page<'a> {
    logins: &'a [(String, String)],
    jobs: &'a [Job],
    runs: Vec<String>,
    mails: Vec<(usize, Mail)>,
    messages: Vec<(String, String, Vec<String>)>,
    queues: Vec<(String, usize, bool)>,
    functions: Vec<(&'a crate::template::Function, usize)>,
    today: String,
}

impl Console {
    pub fn new(
        fleet: Arc<Fleet>,
        queues: Queues,
        mailbox: Mailbox,
        whatsapp: WhatsApp,
        jobs: Vec<Job>,
        template: Arc<Sam>,
        logins: Vec<(String, String)>,
    ) -> Self {
        Self { fleet, queues, mailbox, whatsapp, jobs: Arc::new(jobs), template, logins: Arc::new(logins), runs: Arc::default() }
    }

    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(page))
            .route("/_local/mails", get(mails))
            .route("/_local/mails/{number}", get(mail))
            .route("/_local/schedules/{function}", post(run))
            .route("/_local/functions/{function}", post(invoke))
            .route("/_local/redrive/{queue}", post(redrive))
            .merge(crate::docs::router())
            .with_state(self)
    }
}

async fn page(State(console): State<Console>) -> Response {
    let dead = console.queues.dead_letters();
    let running: BTreeMap<String, usize> = console.fleet.running();
    let mut mails: Vec<(usize, Mail)> = console.mailbox.all().into_iter().enumerate().collect();
    mails.reverse();
    let page = Page {
        logins: &console.logins,
        jobs: &console.jobs,
        runs: console.runs.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().take(RUNS_SHOWN).cloned().collect(),
        mails,
        messages: console.whatsapp.all().into_iter().rev().collect(),
        queues: console.queues.depth().into_iter().map(|(name, depth)| (name.clone(), depth, dead.contains_key(&name))).collect(),
        functions: console.template.functions.iter().map(|f| (f, running.get(&f.package).copied().unwrap_or_default())).collect(),
        today: system_clock().now().day().to_string(),
    };
    page.render().map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), |html| Html(html).into_response())
}

/// What was sent so far, for programs.
async fn mails(State(console): State<Console>) -> axum::Json<Vec<Mail>> {
    axum::Json(console.mailbox.all())
}

async fn mail(State(console): State<Console>, Path(number): Path<usize>) -> Response {
    match console.mailbox.all().into_iter().nth(number) {
        Some(mail) => ([("content-security-policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")], Html(mail.html)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct AsOf {
    day: String,
}

/// Runs a schedule now, as of the given day: of this moment if it is today, else of noon in Jakarta. Programs get what it answered, people the page.
async fn run(State(console): State<Console>, Path(function): Path<String>, headers: HeaderMap, Form(form): Form<AsOf>) -> Response {
    let Some(job) = console.jobs.iter().find(|j| j.function == function) else { return StatusCode::NOT_FOUND.into_response() };
    let Some(day) = Day::parse(&form.day) else { return (StatusCode::UNPROCESSABLE_ENTITY, "day must be YYYY-MM-DD").into_response() };
    let now = system_clock().now();
    let noon = Timestamp::parse(&format!("{day}T05:00:00Z"));
    let Some(at) = noon.map(|noon| if day == now.day() { now } else { noon }) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let outcome = job.run(&console.fleet, at).await;
    let line = match &outcome {
        Ok(answer) => format!("{function} as of {day}: {answer}"),
        Err(failure) => format!("{function} as of {day}: {failure:?}"),
    };
    console.runs.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    if headers.get(header::ACCEPT).is_some_and(|a| a == "application/json") {
        return outcome.map_or_else(|_| StatusCode::BAD_GATEWAY.into_response(), |answer| axum::Json(answer).into_response());
    }
    Redirect::to("/#schedules").into_response()
}

/// Invokes a function by hand, as `aws lambda invoke` would; only those that nothing else invokes.
async fn invoke(State(console): State<Console>, Path(function): Path<String>, axum::Json(event): axum::Json<serde_json::Value>) -> Response {
    if !console.template.functions.iter().any(|f| f.package == function && f.routes.is_empty() && f.package.starts_with("first-")) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match console.fleet.invoke(&function, &event).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(failure) => (StatusCode::BAD_GATEWAY, format!("{failure:?}")).into_response(),
    }
}

async fn redrive(State(console): State<Console>, Path(dead): Path<String>) -> Response {
    let Some(queue) = console.queues.dead_letters().get(&dead).cloned() else { return StatusCode::NOT_FOUND.into_response() };
    console.queues.redrive(&dead, &queue);
    Redirect::to("/#queues").into_response()
}
