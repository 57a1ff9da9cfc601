//! Tables for spreadsheets, out and back in: no cell is ever a formula.

use crate::{
    app::{Code, Problem},
    domain::{text::is_unseen, time::Day},
};
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

/// What a cell begins with that a spreadsheet would carry out: the signs, and their full-width forms, which some programs
/// take for the signs.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Where a spreadsheet may begin another cell, whatever we have quoted: an Indonesian one parts at semicolons.
const PARTING: [char; 4] = [';', '\t', '\r', '\n'];

/// Marks what follows as text: spreadsheets leave it there, and [`plain`] takes it away again.
const MARK: char = '\'';

/// Digits that a spreadsheet keeps of a number as they are: beyond eleven it saves 1,23E+15.
const DIGITS: usize = 11;

/// Whether what begins here would be carried out as a formula; marks, blanks and unseen characters before it are skipped,
/// for some program skips them too.
fn is_formula(text: &str) -> bool {
    text.chars().find(|c| *c != MARK && !is_unseen(*c) && (!c.is_whitespace() || FORMULA.contains(c))).is_some_and(|c| FORMULA.contains(&c))
}

/// Whether a spreadsheet would read the cell as a number or a date and save something else: leading zeros go, long numbers
/// lose their last digits, `1E5` is multiplied out, `11-12` becomes a day of November or December. Shorter whole numbers
/// stay numbers, and days stay days.
fn is_changed(cell: &str) -> bool {
    let text = cell.trim_start_matches(MARK);
    let numeric = text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "+-.,:/eE% ".contains(c));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let survives = text.parse::<i64>().is_ok_and(|n| n.to_string() == text) && digits.len() <= DIGITS;
    let is_day = text.len() == 10 && text.contains('-') && Day::parse(text).is_some();
    numeric && !(survives || is_day)
}

/// A cell as it is written: what a spreadsheet would change or carry out is marked as text.
fn safe(value: &str) -> String {
    let number = !is_changed(value) && value.parse::<i64>().is_ok();
    let mut text = String::with_capacity(value.len() + 1);
    let mut begins = true;
    for (at, c) in value.char_indices() {
        let rest = value.get(at..).unwrap_or_default();
        if begins && !number && (is_formula(part(rest)) || (at == 0 && is_changed(value))) {
            text.push(MARK);
        }
        text.push(c);
        begins = PARTING.contains(&c);
    }
    text
}

/// Up to where a spreadsheet may begin another cell, behind the marks and one character at least.
fn part(rest: &str) -> &str {
    let marks = rest.chars().take_while(|c| *c == MARK).count();
    let end = rest.char_indices().skip(marks + 1).find(|(_, c)| PARTING.contains(c)).map_or(rest.len(), |(at, _)| at);
    rest.get(..end).unwrap_or(rest)
}

/// A cell that came back, without the marks that [`safe`] made.
fn plain(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut begins = true;
    for (at, c) in cell.char_indices() {
        let rest = cell.get(at + c.len_utf8()..).unwrap_or_default();
        let marked = c == MARK && begins && (is_formula(part(rest)) || (at == 0 && is_changed(rest)));
        if !marked {
            text.push(c);
        }
        begins = !marked && PARTING.contains(&c);
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
    // A spreadsheet with an Indonesian locale saves with semicolons, and some begin the file with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let delimiter = if text.lines().next().is_some_and(|header| header.contains(';') && !header.contains(',')) { b';' } else { b',' };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(false).from_reader(text.as_bytes());
    let rows: Vec<HashMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().ok()?;
    Some(rows.into_iter().map(|row| row.into_iter().map(|(name, cell)| (name, plain(&cell))).collect()).collect())
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

    #[test]
    fn full_width_signs_and_signs_behind_unseen_characters_are_no_formula_either() {
        for sneaky in ["\u{ff1d}1+1", "\u{ff20}SUM(1)", "\u{ff0b}62", "\u{feff}=1+1", "\u{200b}=1", " =1", "\u{a0}@x", "a;\u{200b}=1"] {
            let written = safe(sneaky);
            assert!(written.contains('\''), "{sneaky:?} is written as {written:?}");
            assert_eq!(plain(&written), sneaky);
        }
    }

    #[test]
    fn what_a_spreadsheet_would_change_is_marked_as_text_and_comes_back_unchanged() {
        let changed = ["0012345678", "014", "123456789012", "1234567890123456", "12345678901234567", "1E5", "11-12", "1.500", "3/4", "-012", "12:30"];
        for cell in changed {
            assert_eq!(safe(cell), format!("'{cell}"));
        }
        for cell in ["0", "3250000", "-5", "1234567890", "99999999999", "2026-11-24", "Ahmad", "QTB-261123-AB2C", "O'Neil", "'Aisyah"] {
            assert_eq!(safe(cell), cell);
        }
        let kept = ["'=x", "''0012", "'0012", "a;'=1", ";=1;-y", "'\t=", "\r\n@", "'Aisyah", "-", "\t", "", "'", "=;=;'=", "\t\t=1"];
        for cell in changed.iter().chain(&kept) {
            assert_eq!(plain(&safe(cell)), *cell, "written as {:?}", safe(cell));
        }
    }

    #[test]
    fn reading_is_the_inverse_of_writing_for_every_cell() {
        let alphabet = ['\'', '=', '-', '\t', '\n', ';', 'a', '0', '1', ' ', '\u{200b}'];
        let mut cells = vec![String::new()];
        for _ in 0..4 {
            let longer = |cell: &String| alphabet.map(|c| format!("{cell}{c}"));
            cells = cells.iter().flat_map(longer).collect();
            for cell in &cells {
                assert_eq!(plain(&safe(cell)), *cell, "written as {:?}", safe(cell));
            }
        }
    }

    #[test]
    fn a_table_that_an_indonesian_spreadsheet_saved_is_read() {
        let saved = "\u{feff}payout_id;account_number;reference\r\npyt_1;'0012345678;'00981\r\n";
        let row = rows(saved).unwrap().remove(0);
        assert_eq!((row["account_number"].as_str(), row["reference"].as_str()), ("0012345678", "00981"));
    }
}
