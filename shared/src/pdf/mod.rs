//! Documents for people to print: the receipt of an order, on A4.

mod font;
mod receipt;
mod sheet;

pub use receipt::receipt;
