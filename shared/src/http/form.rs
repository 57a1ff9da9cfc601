//! Bodies: one JSON object, read field by field, so that every wrong field is named at once.

use crate::{
    app::{Code, FieldError, Problem},
    domain::Wrong,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{header, request::Parts};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Largest body that is read.
pub const MAX_BODY: usize = 64 * 1024;

/// Wrong fields that are named at once: a body of seven hundred wrong names is answered with these.
const MOST_ERRORS: usize = 50;

/// What the server decides: a body that names one of these tries to set it, and is refused. Staff set some of them:
/// their bodies come as [`StaffForm`].
const SERVER_DECIDES: &[&str] =
    &["price", "unit_price", "total", "subtotal", "discount", "status", "role", "rate", "commission", "balance", "available"];

/// The fields of a body, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Form {
    fields: Map<String, Value>,
    path: String,
    errors: Vec<FieldError>,
    digest: String,
    by_staff: bool,
}

/// What a body does to something that need not be there: `null` takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    Keep,
    Clear,
    Set(T),
}

impl<T> Change<T> {
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// A body from staff, who may say what a price, a rate or a role is.
#[derive(Debug)]
pub struct StaffForm(pub Form);

impl Form {
    fn new(fields: Map<String, Value>, path: String, digest: String, by_staff: bool) -> Self {
        let mut form = Self { fields, path, errors: Vec::new(), digest, by_staff };
        for name in SERVER_DECIDES.iter().filter(|n| !by_staff && form.fields.contains_key(**n)).copied().collect::<Vec<_>>() {
            form.wrong(name, Wrong::new("not_yours_to_set", "is decided by the server"));
        }
        form
    }

    /// A digest of the body as it was sent: the same for a repeated request.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    pub fn wrong(&mut self, field: &str, wrong: Wrong) {
        if self.errors.len() >= MOST_ERRORS {
            return;
        }
        let field = if self.path.is_empty() { field.into() } else { format!("{}.{field}", self.path) };
        self.errors.push(FieldError { field, code: wrong.code, message: wrong.message });
    }

    /// A field that is text and parses; says so where it is missing.
    pub fn text<T>(&mut self, field: &str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        if self.is_absent(field) {
            self.wrong(field, Wrong::new("required", "is required"));
            return None;
        }
        self.maybe_text(field, parse)
    }

    /// A field that may be missing or null.
    pub fn maybe_text<T>(&mut self, field: &str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let parsed = match self.fields.get(field) {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => parse(text),
            Some(_) => Err(Wrong::new("not_text", "must be text")),
        };
        parsed.map_err(|wrong| self.wrong(field, wrong)).ok()
    }

    pub fn integer(&mut self, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        if self.is_absent(field) {
            self.wrong(field, Wrong::new("required", "is required"));
            return None;
        }
        self.maybe_integer(field, range)
    }

    pub fn maybe_integer(&mut self, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = match self.fields.get(field) {
            None | Some(Value::Null) => return None,
            Some(value) => value.as_i64().filter(|n| range.contains(n)),
        };
        if value.is_none() {
            self.wrong(field, Wrong::new("bad_number", format!("must be a whole number from {} to {}", range.start(), range.end())));
        }
        value
    }

    /// True or false, or not there.
    pub fn maybe_flag(&mut self, field: &str) -> Option<bool> {
        if self.is_absent(field) { None } else { self.flag(field) }
    }

    pub fn flag(&mut self, field: &str) -> Option<bool> {
        let value = self.fields.get(field).and_then(Value::as_bool);
        if value.is_none() {
            self.wrong(field, Wrong::new("not_boolean", "must be true or false"));
        }
        value
    }

    /// A nested object, read by `read`; its wrong fields are named with their path.
    pub fn object<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let Some(Value::Object(fields)) = self.fields.get(field).cloned() else {
            self.wrong(field, Wrong::new("not_an_object", "must be an object"));
            return None;
        };
        self.nested(field, fields, read)
    }

    /// A list of objects. Nothing if the list or any of its members is wrong.
    pub fn list<T>(&mut self, field: &str, sizes: std::ops::RangeInclusive<usize>, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let Some(Value::Array(members)) = self.fields.get(field).cloned() else {
            self.wrong(field, Wrong::new("not_a_list", "must be a list"));
            return None;
        };
        if !sizes.contains(&members.len()) {
            self.wrong(field, Wrong::new("bad_length", format!("needs {} to {} entries", sizes.start(), sizes.end())));
            return None;
        }
        let mut read_all = Vec::with_capacity(members.len());
        let count = members.len();
        for (at, member) in members.into_iter().enumerate() {
            let name = format!("{field}[{at}]");
            match member {
                Value::Object(fields) => read_all.extend(self.nested(&name, fields, &mut read)),
                _ => self.wrong(&name, Wrong::new("not_an_object", "must be an object")),
            }
        }
        (read_all.len() == count).then_some(read_all)
    }

    /// A list of texts.
    pub fn texts(&mut self, field: &str, sizes: std::ops::RangeInclusive<usize>) -> Option<Vec<String>> {
        let texts = match self.fields.get(field) {
            Some(Value::Array(members)) => members.iter().map(|m| m.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let fitting = texts.filter(|t| sizes.contains(&t.len()));
        if fitting.is_none() {
            self.wrong(field, Wrong::new("not_a_list", format!("must be a list of {} to {} texts", sizes.start(), sizes.end())));
        }
        fitting
    }

    fn nested<T>(&mut self, name: &str, fields: Map<String, Value>, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let mut inner = Self::new(fields, path, String::new(), self.by_staff);
        let value = read(&mut inner).filter(|_| inner.errors.is_empty());
        let room = MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(inner.errors.into_iter().take(room));
        value
    }

    /// Whether the body names the field at all.
    pub fn has(&self, field: &str) -> bool {
        !self.is_absent(field)
    }

    /// A nested object that may be exchanged, taken away by `null`, or left as it is.
    pub fn change<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Change<T> {
        match self.fields.get(field) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(_) => self.object(field, read).map_or(Change::Keep, Change::Set),
        }
    }

    fn is_absent(&self, field: &str) -> bool {
        matches!(self.fields.get(field), None | Some(Value::Null))
    }

    /// Nothing was wrong, or the problem that names it all.
    pub fn checked(&mut self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.problem()) }
    }

    pub fn problem(&mut self) -> Problem {
        Problem::fields(std::mem::take(&mut self.errors))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Self::read(request, state, false).await
    }
}

impl<S: Send + Sync> FromRequest<S> for StaffForm {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Form::read(request, state, true).await.map(Self)
    }
}

impl Form {
    async fn read<S: Send + Sync>(request: Request, state: &S, by_staff: bool) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let bytes = bytes.map_err(|_| Problem::new(Code::TooLarge))?;
        if bytes.len() > MAX_BODY {
            return Err(Problem::new(Code::TooLarge));
        }
        let media = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::WrongMediaType));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Strict(Value::Object(fields))) => Ok(Self::new(fields, String::new(), digest(&bytes), by_staff)),
            Ok(_) => Err(Problem::new(Code::Malformed).detail("the body must be a JSON object")),
            Err(_) => Err(Problem::new(Code::Malformed).detail("the body is not JSON without duplicate names")),
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// What a caller names a request by, so that a repeat is recognised: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    /// The key of a request that would have its effect again if it were repeated without one.
    pub fn required(self) -> Result<String, Problem> {
        self.0.ok_or_else(|| Problem::field("Idempotency-Key", Wrong::new("required", "is needed as a header: a repeat could not be told apart")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let fits = |k: &&str| (1..=128).contains(&k.len()) && k.bytes().all(|b| b.is_ascii_graphic());
        let key = value.to_str().ok().filter(fits).map(str::to_owned);
        key.map(|k| Self(Some(k))).ok_or_else(|| Problem::new(Code::Malformed).detail("Idempotency-Key must be 1 to 128 visible ASCII characters"))
    }
}

/// JSON in which no object names a member twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Strict, E> {
        Ok(Strict(v.into()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Strict, E> {
        Ok(Strict(v.into()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Strict, E> {
        Ok(Strict(v.into()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Strict, E> {
        Ok(Strict(v.into()))
    }
    fn visit_str<E>(self, v: &str) -> Result<Strict, E> {
        Ok(Strict(v.into()))
    }
    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(Strict(list.into()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.insert(name, value).is_some() {
                return Err(de::Error::custom("duplicate name"));
            }
        }
        Ok(Strict(map.into()))
    }
}
