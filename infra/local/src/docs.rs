//! The documentation of the API as a page: what `infra/contract/site` has, and the document itself.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{StatusCode, header};

/// Name, media type and text of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("", "text/html; charset=utf-8", include_str!("../../contract/site/index.html")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("../../contract/site/page.js")),
    ("swagger-ui.css", "text/css; charset=utf-8", include_str!("../../contract/site/swagger-ui.css")),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", include_str!("../../contract/site/swagger-ui-bundle.js")),
    ("openapi.json", "application/json", include_str!("../../contract/openapi.json")),
];

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| async { file("") }))
        .route("/docs/{name}", get(|Path(name): Path<String>| async move { file(&name) }))
}

fn file(name: &str) -> Response {
    match FILES.iter().find(|(n, ..)| *n == name) {
        Some((_, media, text)) => ([(header::CONTENT_TYPE, *media)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
