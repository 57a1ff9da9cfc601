//! One page of a list: its rows, those that this version cannot read, and the place where the next page starts.
//!
//! The three come out together only, so nobody takes the rows and forgets that there are more (tests/house.rs looks at
//! how they are taken). DynamoDB may end a page early: a page is never "the first so many"; [`super::Store::first`] is.

use super::{StoreError, entity::Corrupt};

/// The last key of a page, without the partition: wherever a position comes from, it stays within its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(pub Vec<(String, String)>);

#[derive(Debug)]
#[must_use]
pub struct Page<T> {
    rows: Vec<T>,
    odd: Vec<Corrupt>,
    next: Option<Position>,
}

impl<T> Page<T> {
    pub const fn new(rows: Vec<T>, next: Option<Position>) -> Self {
        Self { rows, odd: Vec::new(), next }
    }

    /// Rows as they were decoded, one by one: an odd one spoils no other.
    pub(super) fn decoded(rows: impl IntoIterator<Item = Result<T, Corrupt>>, next: Option<Position>) -> Self {
        let mut page = Self::new(Vec::new(), next);
        for row in rows {
            match row {
                Ok(row) => page.rows.push(row),
                Err(corrupt) => page.odd.push(corrupt),
            }
        }
        page
    }

    /// These rows behind those of `earlier`, up to where these end.
    pub fn behind(mut self, mut earlier: Self) -> Self {
        earlier.rows.append(&mut self.rows);
        earlier.odd.append(&mut self.odd);
        Self { next: self.next, ..earlier }
    }

    /// The page without its end, and the end.
    pub(super) fn split(mut self) -> (Self, Option<Position>) {
        let next = self.next.take();
        (self, next)
    }

    pub(super) fn going_on(self, next: Option<Position>) -> Self {
        Self { next, ..self }
    }

    /// For lists that people look at: odd rows are logged and left out, the others are shown.
    pub fn shown(self) -> (Vec<T>, Option<Position>) {
        for corrupt in &self.odd {
            tracing::error!(%corrupt, "a row was left out of a list");
        }
        (self.rows, self.next)
    }

    /// For decisions, which need every row: an odd one is an error.
    pub fn whole(self) -> Result<(Vec<T>, Option<Position>), StoreError> {
        match self.odd.into_iter().next() {
            Some(corrupt) => Err(corrupt.into()),
            None => Ok((self.rows, self.next)),
        }
    }

    /// For runs, which set the odd rows apart, count them and tell a person.
    pub fn apart(self) -> (Vec<T>, Vec<Corrupt>, Option<Position>) {
        (self.rows, self.odd, self.next)
    }

    /// Where the next page starts, if there is one.
    pub const fn next(&self) -> Option<&Position> {
        self.next.as_ref()
    }

    /// The rows to look at; they stay in the page.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// How many rows were read.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), odd: self.odd, next: self.next }
    }

    pub fn filter(mut self, keep: impl FnMut(&T) -> bool) -> Self {
        self.rows.retain(keep);
        self
    }
}
