//! Whatever no other route takes: a path that is nobody's, or a known path with a method that it does not have.
//!
//! API Gateway itself would answer both with its own 404. This function answers in our form, and knows the routes
//! from the template that it is deployed with.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use qutab::{
    app::{Code, Problem, StartError},
    http::Group,
};
use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("../../../template.yaml");

pub async fn start() -> Result<(), StartError> {
    qutab::runtime::telemetry::start();
    qutab::runtime::start::run(group()).await
}

pub fn group() -> Group {
    Group::named("fallback").otherwise(refuse).build(Routes::of(TEMPLATE))
}

/// The methods of every path of the template.
#[derive(Debug, Clone)]
struct Routes(BTreeMap<&'static str, Vec<&'static str>>);

impl Routes {
    /// Reads `Method:` and the `Path:` after it, line by line: a whole YAML parser would be most of this function.
    fn of(template: &'static str) -> Self {
        let mut routes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut method = "";
        for line in template.lines().map(str::trim) {
            if let Some(value) = line.strip_prefix("Method: ") {
                method = value;
            } else if let Some(path) = line.strip_prefix("Path: ") {
                routes.entry(path).or_default().push(method);
            }
        }
        Self(routes)
    }

    fn methods(&self, path: &str) -> Option<String> {
        let fits = |pattern: &str| {
            let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
            pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| if p.starts_with('{') { !s.is_empty() } else { p == s })
        };
        let methods: Vec<&str> = self.0.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, m)| m.iter().copied()).collect();
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

async fn refuse(State(routes): State<Routes>, request: Request) -> Response {
    let Some(methods) = routes.methods(request.uri().path()) else { return Problem::new(Code::NotFound).into_response() };
    let mut response = Problem::new(Code::MethodNotAllowed).into_response();
    if let Ok(value) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}
