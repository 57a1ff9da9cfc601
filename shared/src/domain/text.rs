//! Short free text: trimmed, bounded, without characters that nobody sees.

use super::Wrong;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal $(unless $rule:ident)?),+ $(,)?) => {
        /// The name of each text with the lengths that it takes, in characters: the contract is held to it.
        pub const LENGTHS: &[(&str, usize, usize)] = &[$((stringify!($name), $min, $max)),+];
        $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Counts characters, not bytes; inner runs of blanks become one.
            pub fn parse(text: &str) -> Result<Self, Wrong> {
                bounded(text, $min, $max)$(.and_then($rule))?.map(Self)
            }

            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )+ };
}

texts! {
    /// A person's name.
    PersonName: 2..=100 unless holds_link,
    /// A place: where the meat goes, or where somebody lives.
    Place: 2..=120,
    /// A remark by a customer or an admin, or the reason for a decision.
    Note: 1..=200,
    /// Why somebody wants to be an affiliate.
    Motivation: 10..=1000,
    /// What a product, coupon or material is called.
    Title: 2..=80,
    /// What a product, coupon or material is, in some sentences.
    Description: 1..=1000,
    /// A bank's or gateway's reference for a transfer.
    TransferReference: 3..=64,
    /// What somebody refers to in a message: an order's number, say.
    ShortReference: 1..=40,
    /// Which wording of the terms somebody agreed to.
    TermsVersion: 1..=32,
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, Wrong> {
    // Cheap refusal first, so that a huge text is never copied.
    if text.len() > max.saturating_mul(8) {
        return Err(too_long(max));
    }
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if holds_unseen(&clean) {
        return Err(Wrong::new("bad_characters", "must not hold control characters or invisible characters"));
    }
    match clean.chars().count() {
        0 => Err(Wrong::new("required", "must not be empty")),
        n if n < min => Err(Wrong::new("too_short", format!("needs at least {min} characters"))),
        n if n > max => Err(too_long(max)),
        _ => Ok(clean),
    }
}

/// Characters that show nothing by themselves and change how the text around them looks or compares: format characters
/// (Unicode category Cf: bidirectional overrides, zero-width signs, the byte order mark, tags), fillers, and variation
/// selectors.
pub const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text holds a control character, or an unseen one outside of the places where writing needs it: a joiner
/// between letters of Arabic or of an Indic script, and a joiner or a selector in an emoji.
fn holds_unseen(text: &str) -> bool {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let (left, right) = (before, rest.peek().copied());
        let needed = match c {
            '\u{200c}' | '\u{200d}' => {
                left.is_some_and(joins) && right.is_some_and(joins) || c == '\u{200d}' && left.is_some_and(is_emoji) && right.is_some_and(is_emoji)
            }
            '\u{fe0f}' => left.is_some_and(is_emoji),
            _ => false,
        };
        if c.is_control() || (is_unseen(c) && !needed) {
            return true;
        }
        before = Some(c);
    }
    false
}

/// Letters and signs of scripts that join: Arabic with its presentation forms, and the Indic scripts.
const fn joins(c: char) -> bool {
    !is_unseen(c)
        && matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{dff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Pictures and what follows one inside a sequence.
const fn is_emoji(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{2190}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The form in which two spellings of a name compare: letters and digits only, without case, accents, look-alikes of
/// other alphabets, or unseen characters.
pub fn skeleton(text: &str) -> String {
    let look = |c: char| match c {
        // Cyrillic and Greek letters that are drawn as Latin ones, where their sound is another.
        'В' | 'в' | 'Β' => "b".into(),
        'Н' | 'н' | 'Η' => "h".into(),
        'Р' | 'р' | 'Ρ' | 'ρ' => "p".into(),
        'С' | 'с' => "c".into(),
        'У' | 'у' | 'Υ' | 'γ' => "y".into(),
        'Х' | 'х' | 'Χ' | 'χ' => "x".into(),
        'υ' => "u".into(),
        'ν' => "v".into(),
        'ω' => "w".into(),
        '0' => "o".into(),
        '1' | '|' => "l".into(),
        c => deunicode::deunicode_char(c).unwrap_or_default().to_ascii_lowercase(),
    };
    text.chars().filter(|c| !is_unseen(*c)).map(look).collect::<String>().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A name goes into mails to addresses that nobody proved, and mail programs make links of such words.
fn holds_link(name: String) -> Result<String, Wrong> {
    let small = name.to_lowercase();
    if small.contains("://") || small.contains("www.") { Err(Wrong::new("bad_characters", "must not hold an address of the web")) } else { Ok(name) }
}

fn too_long(max: usize) -> Wrong {
    Wrong::new("too_long", format!("takes at most {max} characters"))
}

impl Place {
    /// The region alone, for what is kept once a person is to be forgotten: the last part of the place, unless it has a
    /// number as addresses have; then, and where there is only one part with a number, `nowhere`.
    pub fn region(&self, nowhere: &str) -> Result<Self, Wrong> {
        let last = self.0.rsplit(',').map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
        Self::parse(last).ok().filter(|_| !last.chars().any(char::is_numeric)).map_or_else(|| Self::parse(nowhere), Ok)
    }
}

/// Shows who somebody is without saying it: each word keeps at most three letters and never more than half.
pub fn mask_name(name: &str) -> String {
    name.split_whitespace().map(mask_word).collect::<Vec<_>>().join(" ")
}

fn mask_word(word: &str) -> String {
    let length = word.chars().count();
    let kept = (length / 2).min(3);
    word.chars().take(kept).chain(std::iter::repeat_n('*', length - kept)).collect()
}

/// Keeps at most three letters before the `@`, and never more than half of them.
pub fn mask_email(email: &str) -> String {
    let (local, host) = email.rsplit_once('@').unwrap_or((email, ""));
    let kept: String = local.chars().take((local.chars().count() / 2).min(3)).collect();
    format!("{kept}***@{host}")
}

/// Keeps the last four digits of an account number.
pub fn mask_number(number: &str) -> String {
    let length = number.chars().count();
    let hidden = length.saturating_sub(4).max(length / 2);
    std::iter::repeat_n('*', hidden).chain(number.chars().skip(hidden)).collect()
}
