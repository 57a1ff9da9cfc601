//! Policies in a body: rates, rules, discounts.

use super::Form;
use crate::domain::{
    Wrong,
    money::{BasisPoints, Rupiah},
    settings::CommissionRule,
};

/// No amount of a policy is larger.
const MOST: i64 = 1_000_000_000_000;

pub fn rupiah(form: &mut Form, field: &str) -> Option<Rupiah> {
    form.integer(field, 0..=MOST).map(Rupiah::new)
}

pub fn maybe_rupiah(form: &mut Form, field: &str) -> Option<Rupiah> {
    form.maybe_integer(field, 0..=MOST).map(Rupiah::new)
}

/// Hundredths of a percent.
pub fn rate(form: &mut Form, field: &str) -> Option<BasisPoints> {
    form.integer(field, 0..=i64::from(BasisPoints::WHOLE)).and_then(|n| u16::try_from(n).ok()).and_then(BasisPoints::new)
}

/// `{"kind": "percent", "rate": 500}` or `{"kind": "flat", "amount": 50000}`.
pub fn commission(form: &mut Form) -> Option<CommissionRule> {
    match form.text("kind", |kind| Ok(kind.to_owned()))?.as_str() {
        "percent" => rate(form, "rate").map(|rate| CommissionRule::Percent { rate }),
        "flat" => rupiah(form, "amount").map(|amount| CommissionRule::Flat { amount }),
        _ => {
            form.wrong("kind", Wrong::new("unknown_value", "must be one of percent, flat"));
            None
        }
    }
}
