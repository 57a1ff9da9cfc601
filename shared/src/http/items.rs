//! The items of an order in a body: what, how many, and in whose names.

use super::Form;
use crate::domain::{
    Wrong,
    ids::ProductId,
    order::{MAX_QUANTITY, Shohibul, WantedLine},
    text::PersonName,
};

/// Most shohibul names of one line: seven for each cow.
const MAX_NAMES: usize = 7 * MAX_QUANTITY as usize;

pub fn product(item: &mut Form) -> Option<ProductId> {
    item.text("product_id", |t| ProductId::parse(t).ok_or_else(|| Wrong::new("unknown_product", "there is no such product")))
}

pub fn shohibul(item: &mut Form) -> Option<Vec<Shohibul>> {
    item.list("shohibul", 1..=MAX_NAMES, |s| {
        let (name, father) = (s.text("name", PersonName::parse), s.maybe_text("father", PersonName::parse));
        Some(Shohibul { name: name?, father })
    })
}

/// What and how many: enough to reckon a price.
pub fn unnamed(item: &mut Form) -> Option<WantedLine> {
    let product = product(item);
    let quantity = item.integer("quantity", 1..=i64::from(MAX_QUANTITY)).and_then(|q| u32::try_from(q).ok());
    Some(WantedLine { product: product?, quantity: quantity?, shohibul: Vec::new() })
}

pub fn named(item: &mut Form) -> Option<WantedLine> {
    let (line, shohibul) = (unnamed(item), shohibul(item));
    Some(WantedLine { shohibul: shohibul?, ..line? })
}
