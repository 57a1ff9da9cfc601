//! A group of routes: one Lambda function. Method, path and access are declared once, beside the handler.

use crate::app::{Code, Problem};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler,
    middleware::{self, Next},
    response::Response,
    routing::{MethodFilter, on},
};
use http::{HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use std::sync::Arc;

/// Who may call a route. The handler's extractor enforces it; tests call every route as everybody and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    Customer,
    Affiliate,
    /// Through the authorizer.
    Admin(crate::domain::staff::Permission),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
}

impl Access {
    /// For the log.
    const fn caller(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Customer => "customer",
            Self::Affiliate => "affiliate",
            Self::Admin(_) => "admin",
        }
    }
}

/// What an answer says of its request: the runtime writes it to the log, in one line with what the request cost.
#[derive(Debug, Clone, Default)]
pub struct Served {
    pub request: String,
    pub method: String,
    pub route: String,
    pub caller: &'static str,
    pub status: u16,
}

/// The routes of one function, ready to serve.
#[derive(Debug)]
pub struct Group {
    pub name: &'static str,
    pub routes: Vec<Route>,
    pub router: Router,
}

#[derive(Debug)]
pub struct Builder<S> {
    name: &'static str,
    routes: Vec<Route>,
    router: Router<S>,
}

impl Group {
    pub fn named<S: Clone + Send + Sync + 'static>(name: &'static str) -> Builder<S> {
        Builder { name, routes: Vec::new(), router: Router::new().fallback(|| async { Problem::new(Code::NotFound) }) }
    }
}

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, access, handler)
    }

    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, access, handler)
    }

    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.on(Method::PUT, MethodFilter::PUT, path, access, handler)
    }

    pub fn patch<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.on(Method::PATCH, MethodFilter::PATCH, path, access, handler)
    }

    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.on(Method::DELETE, MethodFilter::DELETE, path, access, handler)
    }

    fn on<H: Handler<T, S>, T: 'static>(mut self, method: Method, filter: MethodFilter, path: &'static str, access: Access, handler: H) -> Self {
        self.routes.push(Route { method, path, access });
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// Takes every request that has no route here; without it that is a problem of its own.
    pub fn otherwise<H: Handler<T, S>, T: 'static>(mut self, handler: H) -> Self {
        self.router = self.router.fallback(handler);
        self
    }

    pub fn build(self, state: S) -> Group {
        let router = self
            .router
            .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
            .layer(DefaultBodyLimit::max(super::form::MAX_BODY))
            .layer(middleware::from_fn_with_state(Arc::<[Route]>::from(self.routes.clone()), finish))
            .with_state(state);
        Group { name: self.name, routes: self.routes, router }
    }
}

/// The outermost layer: writes problems, adds the headers of every answer, says what was served.
async fn finish(State(routes): State<Arc<[Route]>>, request: Request, next: Next) -> Response {
    let id = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let id = id.unwrap_or_else(|| "local".into());
    let (method, path) = (request.method().clone(), request.extensions().get::<axum::extract::MatchedPath>().map(|p| p.as_str().to_owned()));
    let logged_in = request.headers().contains_key(header::AUTHORIZATION);
    let mut response = next.run(request).await;
    let allow = response.headers_mut().remove(header::ALLOW);
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        response = problem.answer(&id);
    } else if matches!(response.status().as_u16(), 400..=499)
        && response.headers().get(header::CONTENT_TYPE).is_none_or(|t| t.as_bytes().starts_with(b"text/plain"))
    {
        // A refusal of the framework's own (an unreadable path, say).
        let code = if response.status() == http::StatusCode::PAYLOAD_TOO_LARGE { Code::TooLarge } else { Code::Malformed };
        response = Problem::new(code).answer(&id);
    }
    let route = routes.iter().find(|r| r.method == method && path.as_deref() == Some(r.path));
    let served = Served {
        request: id.clone(),
        method: method.to_string(),
        route: route.map_or("none", |r| r.path).to_owned(),
        caller: route.map_or("unknown", |r| r.access.caller()),
        status: response.status().as_u16(),
    };
    response.extensions_mut().insert(served);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", value);
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, allow);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Answers are data: a browser that is made to open one as a page runs nothing in it, frames it nowhere, and hands it to no
    // page of another site.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-site"));
    if logged_in || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
