//! Starts a function: logs, clients, then the runtime loop.

use super::{clients::Wiring, system_clock, telemetry};
use crate::{
    app::{App, Shop, StartError, uploads::Intake},
    http::{Group, Served},
};
use lambda_runtime::LambdaEvent;
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt;

/// What every function does first.
async fn begin() -> Result<Wiring, StartError> {
    telemetry::start();
    let wiring = Wiring::of_process()?;
    wiring.warm().await;
    Ok(wiring)
}

/// Serves a group of routes that needs no gateway.
pub async fn serve(group: impl FnOnce(App) -> Group) -> Result<(), StartError> {
    let app = begin().await?.app(system_clock())?;
    run(group(app)).await
}

/// Serves a group whose state was built by its own function.
pub async fn run(group: Group) -> Result<(), StartError> {
    let router = group.router;
    let serve = move |request: lambda_http::Request| {
        let router = router.clone();
        telemetry::observed(router.oneshot(request.map(axum::body::Body::new)), |answer| match answer {
            Ok(answer) => answer.extensions().get::<Served>().cloned().unwrap_or_default(),
            Err(never) => match *never {},
        })
    };
    lambda_http::run(lambda_http::service_fn(serve)).await
}

/// Serves a group of routes that also talks to the payment gateway.
pub async fn serve_shop(group: impl FnOnce(Shop) -> Group) -> Result<(), StartError> {
    let shop = begin().await?.shop(system_clock())?;
    run(group(shop)).await
}

/// Serves a group of routes whose state is built by `build`.
pub async fn serve_with<S>(build: impl FnOnce(&Wiring) -> Result<S, StartError>, group: impl FnOnce(S) -> Group) -> Result<(), StartError> {
    run(group(build(&begin().await?)?)).await
}

/// Serves a group of routes that takes uploads in.
pub async fn serve_intake(group: impl FnOnce(Intake) -> Group) -> Result<(), StartError> {
    let intake = begin().await?.intake(system_clock())?;
    run(group(intake)).await
}

/// Handles events one by one: batches of a queue, schedules, authorizer requests.
pub async fn handle<S, E, A, F>(build: impl FnOnce(&Wiring) -> Result<S, StartError>, handle: F) -> Result<(), StartError>
where
    E: DeserializeOwned,
    A: Serialize,
    F: AsyncFn(&S, E) -> Result<A, StartError>,
{
    let state = build(&begin().await?)?;
    let (state, handle) = (&state, &handle);
    let invoked = move |event: LambdaEvent<E>| {
        Box::pin(telemetry::observed(
            async move { handle(state, event.payload).await },
            // Its id says which run it was; whether it failed decides who is told, so it is the status here.
            move |done| Served { request: event.context.request_id.clone(), status: if done.is_ok() { 200 } else { 500 }, ..Served::default() },
        ))
    };
    lambda_runtime::run(lambda_runtime::service_fn(invoked)).await
}
