//! Signs that a sale may not be what it looks like. A sign holds the commission for a person; the sale stands.

use super::{contact::Email, settings::SignalRules, stats::BusyVisitor};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The affiliate was suspended when the order was paid.
    Suspended,
    /// The buyer looks like the affiliate, and the policy lets that earn.
    SelfReferral,
    /// The buyer's address is at a host that gives addresses away for minutes.
    DisposableMail,
    /// Many orders of this affiliate's come from one device and address.
    ManyFromOneVisitor,
    /// Very many clicks of the visitor whose click brought the sale, on the day of that click.
    ClickFlood,
    /// Another affiliate has the same bank account.
    SharedBankAccount,
    /// Another affiliate showed an identity card with the same number.
    SharedIdentity,
}

/// Hosts that give addresses away for minutes, and what they are also known as.
const DISPOSABLE: &[&str] = &[
    "10minutemail.com",
    "20minutemail.com",
    "anonaddy.me",
    "burnermail.io",
    "discard.email",
    "dispostable.com",
    "emailondeck.com",
    "fakeinbox.com",
    "fakemail.net",
    "getairmail.com",
    "getnada.com",
    "grr.la",
    "guerrillamail.com",
    "guerrillamail.net",
    "inboxkitten.com",
    "mail-temp.com",
    "mail.tm",
    "mailcatch.com",
    "maildrop.cc",
    "mailinator.com",
    "mailnesia.com",
    "mailsac.com",
    "mintemail.com",
    "moakt.com",
    "mohmal.com",
    "mytemp.email",
    "sharklasers.com",
    "spamgourmet.com",
    "temp-mail.org",
    "tempail.com",
    "tempmail.dev",
    "tempmail.plus",
    "tempmailo.com",
    "throwawaymail.com",
    "trashmail.com",
    "trashmail.de",
    "yopmail.com",
    "yopmail.fr",
    "yopmail.net",
];

pub fn is_disposable(email: &Email) -> bool {
    let host = email.as_str().rsplit_once('@').map_or("", |(_, host)| host);
    DISPOSABLE.iter().any(|d| host == *d || host.strip_suffix(d).is_some_and(|front| front.ends_with('.')))
}

/// Whether the visitor who brought a sale flooded the day with clicks. Codes are public, so what other visitors did
/// tells nothing of this sale: a rival's clicks hold nobody's commission but that of a sale of their own.
pub fn is_flood(busy: &[BusyVisitor], visitor: &str, rules: &SignalRules) -> bool {
    busy.iter().any(|b| b.visitor == visitor && b.clicks >= rules.flood_clicks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disposable_hosts_and_their_subdomains_are_known_and_lookalikes_are_not() {
        let of = |text| is_disposable(&Email::parse(text).unwrap());
        assert!(of("a@mailinator.com") && of("a@x.mailinator.com") && of("a@YOPMAIL.com"));
        assert!(!of("a@notmailinator.com") && !of("a@gmail.com"));
    }
}
