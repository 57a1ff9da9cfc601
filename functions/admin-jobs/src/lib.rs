//! Schedules: their last runs, what a run would do, and runs by hand. It has the rights of all of them, which is why it is
//! a function of its own.

use axum::{
    Json,
    extract::{Path, State},
};
use qutab::{
    app::{
        App, Code, Problem, audit,
        jobs::{self, Workshop},
    },
    domain::{
        Wrong,
        job::{Job, JobRuns},
        staff::Permission,
        time::Timestamp,
    },
    events::schedule::Scheduled,
    http::{Access, AdminCaller, Form, Group},
    store::transaction::Transaction,
};
use serde_json::{Value, json};

const RUN: Permission = Permission::RunJobs;

pub fn group(workshop: Workshop) -> Group {
    Group::named("admin-jobs")
        .get("/api/admin/jobs", Access::Admin(Permission::Read), list)
        .post("/api/admin/jobs/{name}/run", Access::Admin(RUN), run)
        .build(workshop)
}

async fn list(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    let mut items = Vec::new();
    for job in Job::ALL {
        let runs = app.store.job_runs(job.as_str()).await?.map_or_else(|| JobRuns::none(job.as_str().into()), |r| r.value);
        let report = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let view = |r: &qutab::domain::job::JobRun| json!({ "as_of": r.as_of, "finished_at": r.finished_at, "ok": r.ok, "report": report(&r.report), "by": r.by });
        items.push(json!({ "name": job.as_str(), "as_of": runs.as_of, "runs": runs.runs.iter().map(view).collect::<Vec<_>>() }));
    }
    Ok(Json(json!({ "items": items, "next_cursor": null })))
}

/// `{"dry_run": true}` only tells what would be done; that is also what happens when nothing is said.
async fn run(State(workshop): State<Workshop>, caller: AdminCaller, Path(name): Path<String>, mut form: Form) -> Result<Json<Value>, Problem> {
    let by = caller.may(RUN)?;
    let app = &workshop.shop.app;
    let job = Job::parse(&name).ok_or_else(|| Problem::new(Code::NotFound))?;
    let dry = form.maybe_flag("dry_run").unwrap_or(true);
    let moment = |text: &str| Timestamp::parse(text).ok_or_else(|| Wrong::new("bad_time", "must be a time as 2026-11-23T00:00:00Z"));
    let as_of = form.maybe_text("as_of", moment).unwrap_or_else(|| app.clock.now());
    form.checked()?;
    let too_early = |e: qutab::events::schedule::TooEarly| Problem::field("as_of", Wrong::new("too_early", e.to_string()));
    let now = Scheduled { time: as_of }.now(&app.clock, app.site.local).map_err(too_early)?;
    if dry {
        return Ok(Json(json!({ "job": job.as_str(), "as_of": now, "dry_run": true, "report": jobs::preview(app, job, now).await? })));
    }
    let mut tx = Transaction::new();
    tx.create(&audit::entry(app, by.into(), "job.run", job.as_str(), "", now), ());
    app.store.commit(tx).await?;
    let report = jobs::run(&workshop, job, now, by.id).await?;
    Ok(Json(json!({ "job": job.as_str(), "as_of": now, "dry_run": false, "report": report })))
}
