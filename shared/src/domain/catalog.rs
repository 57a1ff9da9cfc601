//! What is sold: products in categories, and how many are left.

use super::{
    ids::ProductId,
    money::Rupiah,
    picture::Picture,
    text::{Description, Place, Title},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Sapi,
    Kambing,
    Domba,
}

impl Category {
    pub const ALL: &'static [Self] = &[Self::Sapi, Self::Kambing, Self::Domba];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sapi => "sapi",
            Self::Kambing => "kambing",
            Self::Domba => "domba",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Sapi => "Sapi",
            Self::Kambing => "Kambing",
            Self::Domba => "Domba",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text)
    }
}

/// A whole animal, or one of the seven shares of a cow. A share has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portion {
    Whole,
    Share,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    pub slug: String,
    pub name: Title,
    pub category: Category,
    pub portion: Portion,
    pub price: Rupiah,
    /// Live weight in kilograms, from and to.
    pub weight_kg: (u16, u16),
    pub location: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// In the order in which they are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// The Eid year, Hijri: which season's dates apply to refunds.
    pub season: u16,
    pub active: bool,
}

impl Product {
    /// How many shohibul one unit takes: up to seven for a whole cow, else one.
    pub const fn names_per_unit(&self) -> usize {
        match (self.category, self.portion) {
            (Category::Sapi, Portion::Whole) => 7,
            _ => 1,
        }
    }
}

/// Units that can still be reserved. Reserved and sold units are counted by the orders that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    pub product: ProductId,
    pub available: u32,
}
