//! The other side's word about money: announced by a notice, or given when it is asked under our own name.
//!
//! A request to move money may have taken effect although its answer was lost, or although a later request was refused.
//! So the end of a transfer or a refund rests on a [`LookUp`], asked for after the last request that could still be
//! under way. Only [`LookUp::verdict`] builds [`NotTaken`], and only `gateway` builds a [`LookUp`] (a test holds that).

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Seconds within which a request has ended: longer than any function may run.
const LAST_REQUEST: i64 = 900;
/// Seconds after which a refusal that nobody has mended is taken as final.
const REFUSED_FOR: i64 = 86_400;

/// The word that a notice of the gateway carries. The work that it causes stays open until the gateway, when it is asked,
/// says the same, or until a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announced {
    Paid,
    Succeeded,
    Failed,
    Reversed,
}

/// The gateway's answer to "what do you know of under our name".
#[derive(Debug, Clone)]
pub struct LookUp<T> {
    found: Option<T>,
    doubled: bool,
    asked_at: Timestamp,
}

/// Proof that the gateway has taken no request under our name, and that none can still be on its way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken {
    asked_at: Timestamp,
}

/// The conclusion from a look-up.
#[derive(Debug, Clone)]
pub enum Verdict<T> {
    /// The gateway has taken it: its word about it counts.
    Taken(T),
    NotTaken(NotTaken),
    /// Nothing was found, but a request may still be under way.
    Undecided,
}

impl<T> LookUp<T> {
    /// The answer to a look-up that was sent at `asked_at`: of all that was found under our name, the one that has got furthest
    /// by `rank` (lowest first) counts. `lives` says which have moved money or still may.
    pub fn answered<R: Ord>(mut found: Vec<T>, rank: impl Fn(&T) -> R, lives: impl Fn(&T) -> bool, asked_at: Timestamp) -> Self {
        found.sort_by_key(rank);
        let doubled = found.iter().filter(|one| lives(one)).count() > 1;
        Self { found: found.into_iter().next(), doubled, asked_at }
    }

    /// Whether more than one lives under our name, which is to be one.
    pub const fn is_doubled(&self) -> bool {
        self.doubled
    }

    pub fn found(self) -> Option<T> {
        self.found
    }

    /// Concludes. `last_request` is when the gateway was asked for the last time to move this money.
    pub fn verdict(self, last_request: Timestamp) -> Verdict<T> {
        match self.found {
            Some(answer) => Verdict::Taken(answer),
            None if self.asked_at.since(last_request) >= LAST_REQUEST => Verdict::NotTaken(NotTaken { asked_at: self.asked_at }),
            None => Verdict::Undecided,
        }
    }
}

impl NotTaken {
    /// When the gateway was asked.
    pub const fn asked_at(self) -> Timestamp {
        self.asked_at
    }
}

/// The next step with money that the gateway is to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextRequest {
    /// Ask the gateway to move the money. `look_up_first`: an earlier request may have been taken, and the gateway may have
    /// forgotten our key. `last`: a refusal now is the last one.
    Send { look_up_first: bool, last: bool },
    /// No more requests are sent, but one from before may still be under way.
    Wait,
    /// No request is under way: the look-up decides.
    Conclude { last_request: Timestamp },
}

impl NextRequest {
    /// `owed_at` is when the money was first owed to the gateway, `given_up_at` since when no more requests are sent, and
    /// `tries` counts the tries so far, this one included.
    pub const fn decide(owed_at: Timestamp, given_up_at: Option<Timestamp>, tries: u32, now: Timestamp) -> Self {
        match given_up_at {
            Some(at) if now.since(at) < LAST_REQUEST => Self::Wait,
            Some(at) => Self::Conclude { last_request: at },
            None => Self::Send { look_up_first: tries > 1, last: now.since(owed_at) >= REFUSED_FOR },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    #[test]
    fn nothing_found_is_a_verdict_only_after_the_last_request_has_ended() {
        let looked = |found: Vec<()>, asked| LookUp::answered(found, |()| 0, |()| true, at(asked));
        let nothing = |asked| looked(Vec::new(), asked).verdict(at(0));
        assert!(matches!(nothing(899), Verdict::Undecided));
        assert!(matches!(nothing(900), Verdict::NotTaken(proof) if proof.asked_at() == at(900)));
        assert!(matches!(looked(vec![()], 1).verdict(at(0)), Verdict::Taken(())), "found counts at once");
    }

    #[test]
    fn what_has_got_furthest_counts_and_two_that_live_are_noticed() {
        let looked = |found: &[u8]| LookUp::answered(found.to_vec(), |rank| *rank, |rank| *rank < 2, at(0));
        assert_eq!((looked(&[3, 1]).is_doubled(), looked(&[3, 1]).found()), (false, Some(1)));
        assert_eq!((looked(&[1, 0]).is_doubled(), looked(&[1, 0]).found()), (true, Some(0)));
        assert!(!looked(&[]).is_doubled() && !looked(&[2, 3]).is_doubled());
    }

    #[test]
    fn after_giving_up_nothing_is_sent_and_the_look_up_waits() {
        let next = |given_up_at: Option<i64>, tries, now| NextRequest::decide(at(0), given_up_at.map(at), tries, at(now));
        assert_eq!(next(None, 1, 5), NextRequest::Send { look_up_first: false, last: false });
        assert_eq!(next(None, 2, 86_400), NextRequest::Send { look_up_first: true, last: true });
        assert_eq!(next(Some(100), 3, 999), NextRequest::Wait);
        assert_eq!(next(Some(100), 3, 1_000), NextRequest::Conclude { last_request: at(100) });
    }
}
