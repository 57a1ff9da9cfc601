//! What was seen outside of the shop: notices of the gateway, tables for the bank, the bank's own transfers.

use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Notice {
    pub body: Value,
    pub delivered: bool,
    /// The gateway never tells.
    pub lost: bool,
}

impl Notice {
    pub const fn new(body: Value) -> Self {
        Self { body, delivered: false, lost: false }
    }

    /// The record that it is about, and what it says of it.
    pub fn subject(&self) -> (&str, &str) {
        let record = if self.body["data"].is_object() { &self.body["data"] } else { &self.body };
        (record["id"].as_str().unwrap_or_default(), record["status"].as_str().unwrap_or_default())
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    pub payout: String,
    pub account: String,
    pub amount: i64,
    /// The table says that an earlier one held it.
    pub again: bool,
}

/// A table as the bank gets it.
#[derive(Debug, Clone, Default)]
pub struct TableForBank {
    head: Vec<String>,
    cells: Vec<Vec<String>>,
    pub rows: Vec<Row>,
}

/// Columns that every table has; what else it says of a row is whether it was in an earlier one.
const PLAIN: [&str; 8] = ["payout_id", "bank_code", "bank_name", "account_number", "holder_name", "amount", "requested_at", "reference"];

impl TableForBank {
    pub fn read(text: &str) -> Self {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(cells);
        let head = lines.next().unwrap_or_default();
        let cells: Vec<Vec<String>> = lines.filter(|l| l.len() == head.len()).collect();
        let at = |name: &str| head.iter().position(|h| h == name);
        let rows = cells.iter().map(|line| {
            let cell = |name: &str| at(name).map(|i| line[i].clone()).unwrap_or_default();
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let more = head.iter().zip(line).filter(|(name, _)| !PLAIN.contains(&name.as_str()));
            let again = more.map(|(_, cell)| cell.as_str()).any(|cell| !matches!(cell, "" | "no" | "false" | "0"));
            Row { payout: cell("payout_id"), account: digits(&cell("account_number")), amount: digits(&cell("amount")).parse().unwrap_or(0), again }
        });
        let rows = rows.collect();
        Self { head, cells, rows }
    }

    /// The table with a reference in every row that was made; nothing if none was.
    pub fn filled(&self, made: impl Fn(&Row) -> bool) -> Option<String> {
        let reference = self.head.iter().position(|h| h == "reference")?;
        let mut text = self.head.join(",") + "\r\n";
        let mut any = false;
        for (line, row) in self.cells.iter().zip(&self.rows) {
            let mut line = line.clone();
            if made(row) {
                line[reference] = format!("TRF-{}", row.payout.get(row.payout.len().saturating_sub(8)..).unwrap_or_default());
                any = true;
            }
            let quoted: Vec<String> = line.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            text += &(quoted.join(",") + "\r\n");
        }
        any.then_some(text)
    }
}

/// The cells of a line.
fn cells(line: &str) -> Vec<String> {
    let (mut found, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => found.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    found.push(cell);
    found
}

/// A transfer that the bank has made, by table or by hand.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub payout: String,
    pub amount: i64,
    pub returned: bool,
}

/// A refund that a person has transferred.
#[derive(Debug, Clone)]
pub struct ByHand {
    pub refund: String,
}
