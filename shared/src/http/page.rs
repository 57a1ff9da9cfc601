//! Pages: `?limit=` and an opaque `?cursor=` that is bound to its query.

use crate::{
    app::{App, Problem},
    domain::{Wrong, time::Day},
    secrets::cursor::CursorKey,
    store::{Page, Position},
};
use axum::extract::{FromRef, FromRequestParts, RawQuery};
use data_encoding::BASE64URL_NOPAD;
use http::request::Parts;
use serde::Serialize;
use std::collections::HashMap;

/// The query of a list.
#[derive(Debug, Clone)]
pub struct PageQuery {
    pub limit: usize,
    pub after: Option<Position>,
    binding: String,
    filters: HashMap<String, String>,
    key: CursorKey,
}

/// One page of an answer.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl PageQuery {
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.filters.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Everything that was asked for besides limit and cursor.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.filters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `?from=` and `?to=`, both included; without them the last `usual` days.
    pub fn days(&self, today: Day, usual: u16, most: i64) -> Result<(Day, Day), Problem> {
        let parse = |name: &str| {
            let wrong = || Problem::field(name, Wrong::new("bad_day", "must be YYYY-MM-DD"));
            self.filter(name).map(|text| Day::parse(text).ok_or_else(wrong)).transpose()
        };
        let to = parse("to")?.unwrap_or(today);
        let from = parse("from")?.unwrap_or_else(|| to.minus(usual.saturating_sub(1)));
        if from > to || from.days_until(to) >= most {
            return Err(Problem::field("from", Wrong::new("bad_range", format!("must be before to, by less than {most} days"))));
        }
        Ok((from, to))
    }

    /// The first day of `?month=YYYY-MM`; this month if nothing is said.
    pub fn month(&self, today: Day) -> Result<Day, Problem> {
        let wrong = || Problem::field("month", Wrong::new("bad_month", "must be YYYY-MM"));
        match self.filter("month") {
            Some(text) if text.len() == 7 => Day::parse(&format!("{text}-01")).ok_or_else(wrong),
            Some(_) => Err(wrong()),
            None => Ok(today.first_of_month()),
        }
    }

    pub fn answer<T>(&self, found: Page<T>) -> Listed<T> {
        let (items, next) = found.shown();
        let next_cursor = next.and_then(|p| serde_json::to_vec(&p.0).ok()).map(|json| {
            let text = BASE64URL_NOPAD.encode(&json);
            format!("{text}.{}", self.key.seal(&self.binding, &text))
        });
        Listed { items, next_cursor }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = App::from_ref(state).cursors.ok_or_else(|| Problem::internal("this function has no key for cursors"))?;
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await.unwrap_or(RawQuery(None));
        let mut filters: HashMap<String, String> = serde_urlencoded::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default();
        let limit = match filters.remove("limit") {
            None => 20,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=100).contains(n))
                .ok_or_else(|| Problem::field("limit", Wrong::new("bad_number", "must be 1 to 100")))?,
        };
        let cursor = filters.remove("cursor").filter(|c| !c.is_empty());
        let mut named: Vec<_> = filters.iter().collect();
        named.sort();
        let binding = format!("{}{named:?}", parts.uri.path());
        let after = cursor.map(|cursor| {
            let open = || {
                let (text, found) = cursor.split_once('.')?;
                let json = BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|_| key.opens(&binding, text, found))?;
                serde_json::from_slice(&json).ok().map(Position)
            };
            open().ok_or_else(|| Problem::field("cursor", Wrong::new("bad_cursor", "is not a cursor of this list")))
        });
        let after = after.transpose()?;
        Ok(Self { limit, after, binding, filters, key })
    }
}
