//! What lines of an order cost: the same reckoning for an order and for a quote.

use super::{FieldError, Problem};
use crate::domain::{
    Wrong,
    catalog::Product,
    coupon::Basket,
    money::{Overflow, Rupiah},
    order::{MAX_TOTAL, OrderLine, WantedLine},
};

/// The lines as a coupon looks at them.
pub(super) fn basket(products: &[Product], lines: &[OrderLine]) -> Result<Vec<Basket>, Overflow> {
    let of = |line: &OrderLine| {
        let category = products.iter().find(|p| p.id == line.product).map(|p| p.category);
        category.map(|category| Ok(Basket { product: line.product, category, price: line.price()? }))
    };
    lines.iter().filter_map(of).collect()
}

/// What the lines cost before a discount.
pub(super) fn subtotal(lines: &[OrderLine]) -> Result<Rupiah, Problem> {
    let mut sum = Rupiah::ZERO;
    for line in lines {
        sum = sum.plus(line.price()?)?;
    }
    if sum > MAX_TOTAL {
        return Err(Problem::field("items", Wrong::new("too_much", format!("an order may cost at most {MAX_TOTAL}"))));
    }
    Ok(sum)
}

/// Every line at its price, or every wrong line at once.
pub(super) fn price(
    products: &[Product],
    wanted: &[WantedLine],
    sold: impl Fn(&Product) -> bool,
    priced: impl Fn(&WantedLine, &Product) -> Result<OrderLine, Wrong>,
) -> Result<Vec<OrderLine>, Problem> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in wanted.iter().enumerate() {
        let product = products.iter().find(|p| p.id == line.product);
        let looked_at = match product {
            None => Err(Wrong::new("unknown_product", "there is no such product")),
            Some(product) if !sold(product) => Err(Wrong::new("season_over", "its season is over")),
            Some(product) => priced(line, product),
        };
        match looked_at {
            Ok(line) => lines.push(line),
            Err(why) => wrong.push(FieldError { field: format!("items[{at}]"), code: why.code, message: why.message }),
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(Problem::fields(wrong)) }
}
