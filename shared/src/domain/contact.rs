//! E-mail addresses, phone numbers and bank accounts, in the one form in which they are kept and compared.

use super::{Wrong, text::PersonName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An e-mail address as its owner wrote it, with the host in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// What tells two addresses apart: lower case, without `+tag`, without dots at gmail. Used to find the same
/// person twice (one account for an address, self-referral), never to send a mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SameMailbox(String);

impl SameMailbox {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Email {
    /// Accepts the addresses that people have: one `@`, 254 characters at most, a host with a dot.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::new("bad_email", "must be an e-mail address such as nama@contoh.id");
        if text.len() > 300 {
            return Err(wrong());
        }
        let text = text.trim();
        let (local, host) = text.rsplit_once('@').ok_or_else(wrong)?;
        let local_fits = (1..=64).contains(&local.len())
            && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let labels: Vec<&str> = host.split('.').collect();
        let host_fits = labels.len() >= 2
            && host.len() <= 189
            && labels.iter().all(|l| {
                (1..=63).contains(&l.len()) && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            })
            && labels.last().is_some_and(|l| l.len() >= 2 && l.chars().any(|c| c.is_ascii_alphabetic()));
        if local_fits && host_fits { Ok(Self(format!("{local}@{}", host.to_ascii_lowercase()))) } else { Err(wrong()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn mailbox(&self) -> SameMailbox {
        let (local, host) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let local = local.to_ascii_lowercase();
        let untagged = local.split('+').next().filter(|l| !l.is_empty()).unwrap_or(&local);
        if matches!(host, "gmail.com" | "googlemail.com") {
            SameMailbox(format!("{}@gmail.com", untagged.replace('.', "")))
        } else {
            SameMailbox(format!("{untagged}@{host}"))
        }
    }

    /// The key under which an account is found: case does not matter, everything else does.
    pub fn login_key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Most former numbers of one person that are kept.
const MOST_FORMER_PHONES: usize = 10;

/// An Indonesian mobile number in E.164, `+628...`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Accepts `08...`, `62...`, `+62...` and `8...`, with blanks, dots, dashes or brackets between the digits.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::new("bad_phone", "must be an Indonesian mobile number such as 081234567890");
        if text.len() > 40 || text.chars().any(|c| !(c.is_ascii_digit() || " .-()+".contains(c))) {
            return Err(wrong());
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let plus = text.trim_start().starts_with('+');
        let subscriber = if let Some(rest) = digits.strip_prefix("62") {
            rest
        } else if plus {
            return Err(wrong());
        } else {
            digits.strip_prefix('0').unwrap_or(&digits)
        };
        let rest = subscriber.strip_prefix('8').ok_or_else(wrong)?;
        if (7..=11).contains(&rest.len()) { Ok(Self(format!("+62{subscriber}"))) } else { Err(wrong()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The numbers that somebody had before, after `self` was changed to `new`: newest first, each once.
    pub fn into_former(self, new: &Self, mut former: Vec<Self>) -> Vec<Self> {
        if self != *new {
            former.retain(|f| *f != self && f != new);
            former.insert(0, self);
            former.truncate(MOST_FORMER_PHONES);
        }
        former
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bank that payouts can go to: its national code, its name and the lengths of its account numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Bank {
    pub code: &'static str,
    pub name: &'static str,
    digits: std::ops::RangeInclusive<usize>,
}

/// Source: the bank list of the product's domain page.
pub const BANKS: &[Bank] = &[
    Bank { code: "014", name: "BCA", digits: 10..=10 },
    Bank { code: "008", name: "Mandiri", digits: 12..=17 },
    Bank { code: "009", name: "BNI", digits: 7..=11 },
    Bank { code: "002", name: "BRI", digits: 13..=17 },
    Bank { code: "451", name: "BSI", digits: 8..=20 },
    Bank { code: "200", name: "BTN", digits: 8..=20 },
    Bank { code: "022", name: "CIMB Niaga", digits: 8..=20 },
    Bank { code: "013", name: "Permata", digits: 7..=16 },
    Bank { code: "011", name: "Danamon", digits: 8..=20 },
    Bank { code: "016", name: "Maybank", digits: 8..=20 },
    Bank { code: "028", name: "OCBC", digits: 8..=20 },
    Bank { code: "019", name: "Panin", digits: 8..=20 },
    Bank { code: "426", name: "Mega", digits: 8..=20 },
    Bank { code: "147", name: "Muamalat", digits: 8..=20 },
    Bank { code: "153", name: "Sinarmas", digits: 8..=20 },
    Bank { code: "213", name: "BTPN/Jenius", digits: 8..=20 },
];

/// A bank account: where a payout goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    pub bank_code: String,
    pub number: String,
    pub holder: PersonName,
}

impl BankAccount {
    pub fn bank(code: &str) -> Result<&'static Bank, Wrong> {
        BANKS.iter().find(|b| b.code == code).ok_or_else(|| Wrong::new("unknown_bank", "is not a bank that payouts can go to"))
    }

    /// The digits of an account number at `bank`; blanks and dashes are dropped.
    pub fn number(bank: &Bank, text: &str) -> Result<String, Wrong> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).take(40).collect();
        if digits.chars().all(|c| c.is_ascii_digit()) && bank.digits.contains(&digits.len()) {
            return Ok(digits);
        }
        let (low, high) = (bank.digits.start(), bank.digits.end());
        let lengths = if low == high { low.to_string() } else { format!("{low} to {high}") };
        Err(Wrong::new("bad_account_number", format!("must be {lengths} digits at {}", bank.name)))
    }

    pub fn bank_name(&self) -> &'static str {
        Self::bank(&self.bank_code).map_or("?", |b| b.name)
    }
}
