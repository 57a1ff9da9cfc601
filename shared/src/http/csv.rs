//! Tables for spreadsheets, out and back in: no cell is ever a formula.

use crate::app::{Code, Problem};
use axum::response::{IntoResponse, Response};
use csv::{ReaderBuilder, Terminator, Writer, WriterBuilder};
use http::header;
use std::collections::HashMap;

/// Largest table that is answered with, in bytes: a function's answer takes no more than six million.
const MOST_BYTES: usize = 4 << 20;

/// Rows under a header line.
#[derive(Debug)]
pub struct Table {
    rows: Writer<Vec<u8>>,
}

/// What a cell begins with that a spreadsheet would carry out.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Where a spreadsheet may begin another cell, whatever we have quoted: an Indonesian one parts at semicolons.
const PARTING: [char; 4] = [';', '\t', '\r', '\n'];

/// Text that could be a formula is marked as text; numbers of ours stay numbers.
fn safe(value: &str) -> String {
    if !value.starts_with('+') && value.parse::<i64>().is_ok() {
        return value.to_owned();
    }
    let (mut text, mut begins) = (String::with_capacity(value.len() + 1), true);
    for c in value.chars() {
        if begins && FORMULA.contains(&c) {
            text.push('\'');
        }
        text.push(c);
        begins = PARTING.contains(&c);
    }
    text
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self { rows: WriterBuilder::new().terminator(Terminator::CRLF).flexible(true).from_writer(Vec::new()) };
        table.row(header);
        table
    }

    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        // Writing to memory does not fail.
        let _ = self.rows.write_record(cells.into_iter().map(|c| safe(c.as_ref())));
    }

    fn text(self) -> Vec<u8> {
        self.rows.into_inner().unwrap_or_default()
    }

    /// As a file to save.
    pub fn answer(self, name: &str) -> Result<Response, Problem> {
        let text = self.text();
        if text.len() > MOST_BYTES {
            return Err(Problem::new(Code::TooLarge).detail("the table is too large: ask for a shorter time"));
        }
        let headers =
            [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
        Ok((headers, text).into_response())
    }
}

/// The rows of a table that comes back, each by the names of its header; nothing if it is no table.
pub fn rows(text: &str) -> Option<Vec<HashMap<String, String>>> {
    ReaderBuilder::new().flexible(false).from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_comes_back_as_one_cell() {
        let mut table = Table::new(&["a", "b"]);
        table.row(["=SUM(A1)", "@x"]);
        table.row(["-5", "+62811"]);
        table.row(["a,b", "say \"hi\"\nthere"]);
        table.row(["\t=1", "plain"]);
        table.row(["x;=1;-y", "a\n@b"]);
        let text = String::from_utf8(table.text()).unwrap();
        assert_eq!(text, "a,b\r\n'=SUM(A1),'@x\r\n-5,'+62811\r\n\"a,b\",\"say \"\"hi\"\"\nthere\"\r\n'\t'=1,plain\r\nx;'=1;'-y,\"a\n'@b\"\r\n");
        assert_eq!(rows(&text).unwrap()[2]["b"], "say \"hi\"\nthere");
        assert!(rows("a,b\r\n1\r\n").is_none(), "a row that is too short");
    }
}
