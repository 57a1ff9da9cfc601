//! API Gateway's HTTP API on one machine: routes and authorizer of the template, payload format 2.0, CORS.

use crate::{
    lambda::{Failure, Fleet},
    template::{Route, Template},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::{Map, Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

const MAX_BODY: usize = 10 << 20;

#[derive(Debug)]
pub struct Gateway {
    routes: Vec<(Route, String)>,
    authorizer: String,
    cors: crate::template::Cors,
    fleet: Arc<Fleet>,
    counter: AtomicU64,
}

impl Gateway {
    pub fn new(template: &Template, fleet: Arc<Fleet>) -> Result<Self, String> {
        let routes = template.functions.iter().flat_map(|f| f.routes.iter().map(|r| (r.clone(), f.package.clone()))).collect();
        let authorizer = template.functions.iter().find(|f| f.logical_id == template.authorizer);
        let authorizer = authorizer.ok_or_else(|| format!("template.yaml names {} as authorizer, but has no such function", template.authorizer))?;
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(Self { routes, authorizer: authorizer.package.clone(), cors: template.cors.clone(), fleet, counter: AtomicU64::new(started << 20) })
    }

    /// The most specific route: fixed parts win over parameters; `$default` takes the rest.
    fn route(&self, method: &str, path: &str) -> Option<&(Route, String)> {
        let fits = self.routes.iter().filter(|(r, _)| r.method == method && parameters(&r.path, path).is_some());
        let found = fits.min_by_key(|(r, _)| r.path.matches('{').count());
        found.or_else(|| self.routes.iter().find(|(r, _)| r.path == "$default"))
    }

    /// The first half of every event, for a function and for the authorizer.
    fn event(&self, route: &Route, parts: &Parts, peer: SocketAddr) -> Value {
        let key = if route.path == "$default" { "$default".into() } else { format!("{} {}", route.method, route.path) };
        let path = parts.uri.path();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let request_id = format!("local-{:x}", self.counter.fetch_add(1, Ordering::Relaxed));
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut event = json!({
            "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": parts.uri.query().unwrap_or_default(),
            "headers": headers(&parts.headers), "isBase64Encoded": false,
            "requestContext": {
                "accountId": "000000000000", "apiId": "local", "domainName": "localhost", "domainPrefix": "local", "stage": "$default",
                "http": { "method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": peer.ip().to_string(), "userAgent": agent },
                "requestId": request_id, "routeKey": key, "time": "", "timeEpoch": u64::try_from(now.as_millis()).unwrap_or_default(),
            },
        });
        let cookies: Vec<&str> = parts.headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split("; ")).collect();
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        let query: Map<String, Value> = serde_urlencoded::from_str::<Vec<(String, String)>>(parts.uri.query().unwrap_or_default())
            .unwrap_or_default()
            .into_iter()
            .map(|(n, v)| (n, json!(v)))
            .collect();
        if !query.is_empty() {
            event["queryStringParameters"] = Value::Object(query);
        }
        if let Some(found) = parameters(&route.path, path).filter(|p| !p.is_empty()) {
            event["pathParameters"] = Value::Object(found);
        }
        event
    }

    /// What the authorizer says: the context for the function, or the gateway's own refusal.
    async fn authorize(&self, event: &Value, parts: &Parts) -> Result<Value, Response> {
        let Some(identity) = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) else {
            return Err(own(StatusCode::UNAUTHORIZED, "Unauthorized"));
        };
        let mut event = event.clone();
        event["type"] = json!("REQUEST");
        event["identitySource"] = json!([identity]);
        let verdict =
            self.fleet.invoke(&self.authorizer, &event).await.map_err(|_| own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))?;
        if verdict["isAuthorized"] == true { Ok(verdict["context"].clone()) } else { Err(own(StatusCode::FORBIDDEN, "Forbidden")) }
    }

    async fn answer(&self, parts: &Parts, body: Bytes, peer: SocketAddr) -> Response {
        let Some((route, function)) = self.route(parts.method.as_str(), parts.uri.path()) else {
            return own(StatusCode::NOT_FOUND, "Not Found");
        };
        let mut event = self.event(route, parts, peer);
        if route.authorized {
            match self.authorize(&event, parts).await {
                Ok(context) => event["requestContext"]["authorizer"] = json!({ "lambda": context }),
                Err(refusal) => return refusal,
            }
        }
        if !body.is_empty() {
            let text = std::str::from_utf8(&body).ok();
            event["isBase64Encoded"] = json!(text.is_none());
            event["body"] = text.map_or_else(|| json!(BASE64.encode(&body)), |t| json!(t));
        }
        match self.fleet.invoke(function, &event).await {
            Ok(answer) => response(&answer).unwrap_or_else(|| own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
            Err(Failure::TimedOut) => own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Err(_) => own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }

    /// The CORS headers, if the page that asks is one of the template's.
    fn cors(&self, origin: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Some(origin) = origin.filter(|o| self.cors.origins.iter().any(|a| a.as_bytes() == o.as_bytes())) else { return headers };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let mut list = |name, values: &[String]| {
            if let Ok(value) = HeaderValue::from_str(&values.join(",")) {
                headers.insert(name, value);
            }
        };
        list(header::ACCESS_CONTROL_ALLOW_METHODS, &self.cors.methods);
        list(header::ACCESS_CONTROL_ALLOW_HEADERS, &self.cors.headers);
        list(header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.cors.exposed);
        if self.cors.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        headers
    }
}

/// Serves one request, as the gateway would.
pub async fn serve(State(gateway): State<Arc<Gateway>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cors = gateway.cors(parts.headers.get(header::ORIGIN));
    let preflight = parts.method == Method::OPTIONS && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        match to_bytes(body, MAX_BODY).await {
            Ok(body) => gateway.answer(&parts, body, peer).await,
            Err(_) => own(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        }
    };
    response.headers_mut().extend(cors);
    response
}

/// An answer of the gateway itself, in its own words.
fn own(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}

/// The values of a pattern's parameters in a path that fits it.
fn parameters(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    if pattern.len() != path.len() {
        return None;
    }
    let mut found = Map::new();
    for (part, value) in pattern.iter().zip(path) {
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) if !value.is_empty() => found.insert(name.into(), json!(value)),
            None if *part == value => None,
            _ => return None,
        };
    }
    Some(found)
}

/// Headers as format 2.0 has them: lower case, repeated ones joined by commas, cookies apart.
fn headers(from: &HeaderMap) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for name in from.keys().filter(|n| *n != header::COOKIE) {
        let values: Vec<&str> = from.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        all.insert(name.as_str().into(), json!(values.join(",")));
    }
    all
}

fn response(answer: &Value) -> Option<Response> {
    let status = answer["statusCode"].as_u64().and_then(|s| StatusCode::from_u16(u16::try_from(s).ok()?).ok())?;
    let text = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == true { Body::from(BASE64.decode(text.as_bytes()).ok()?) } else { Body::from(text.to_owned()) };
    let mut built = Response::builder().status(status);
    let single = answer["headers"].as_object().into_iter().flatten().filter_map(|(n, v)| Some((n.as_str(), v.as_str()?)));
    let cookies = answer["cookies"].as_array().into_iter().flatten().filter_map(|v| Some(("set-cookie", v.as_str()?)));
    for (name, value) in single.chain(cookies) {
        built = built.header(name, value);
    }
    built.body(body).ok()
}
