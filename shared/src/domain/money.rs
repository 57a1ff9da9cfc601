//! Integer rupiah and basis points. Overflow is an error, never a wrap; every rounding happens in [`Rupiah::fraction`].

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in whole rupiah. Negative only where a ledger leg or a clawed-back balance is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rupiah(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large")]
pub struct Overflow;

impl Rupiah {
    pub const ZERO: Self = Self(0);

    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    pub fn negated(self) -> Result<Self, Overflow> {
        self.0.checked_neg().map(Self).ok_or(Overflow)
    }

    pub fn times(self, count: u32) -> Result<Self, Overflow> {
        self.0.checked_mul(i64::from(count)).map(Self).ok_or(Overflow)
    }

    /// `self x part / whole`, rounded down to the rupiah: the one place where money is rounded.
    /// A `whole` of zero or less gives zero.
    pub fn fraction(self, part: i64, whole: i64) -> Result<Self, Overflow> {
        if whole <= 0 {
            return Ok(Self::ZERO);
        }
        let exact = i128::from(self.0) * i128::from(part);
        i64::try_from(exact.div_euclid(i128::from(whole))).map(Self).map_err(|_| Overflow)
    }

    /// That percentage of this amount, rounded down.
    pub fn percent(self, rate: BasisPoints) -> Result<Self, Overflow> {
        self.fraction(i64::from(rate.get()), i64::from(BasisPoints::WHOLE))
    }

    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

/// `Rp1.500.000`, as people in Indonesia write it.
impl fmt::Display for Rupiah {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        f.write_str(if self.is_negative() { "-Rp" } else { "Rp" })?;
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Hundredths of a percent, 0 to 10,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct BasisPoints(u16);

impl BasisPoints {
    pub const WHOLE: u16 = 10_000;
    pub const ZERO: Self = Self(0);

    pub const fn new(points: u16) -> Option<Self> {
        if points <= Self::WHOLE { Some(Self(points)) } else { None }
    }

    /// Whole percent, capped at 100.
    pub const fn percent(percent: u8) -> Self {
        let capped = if percent > 100 { 100 } else { percent };
        Self(capped as u16 * 100)
    }

    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = &'static str;
    fn try_from(points: u16) -> Result<Self, Self::Error> {
        Self::new(points).ok_or("more than 10,000 basis points")
    }
}

impl From<BasisPoints> for u16 {
    fn from(rate: BasisPoints) -> Self {
        rate.0
    }
}
