//! What is sold: products in categories, and how many are left.

use super::{
    Wrong,
    affiliate::is_word,
    ids::{AdminId, PictureId, ProductId},
    money::Rupiah,
    picture::Picture,
    settings::CommissionRule,
    text::{Description, Note, Place, Title},
    time::Timestamp,
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

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let known = Self::ALL.iter().copied().find(|c| c.as_str() == text);
        known.ok_or_else(|| Wrong::new("unknown_value", "must be one of sapi, kambing, domba"))
    }
}

/// A whole animal, or one of the seven shares of a cow. A share has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portion {
    Whole,
    Share,
}

impl Portion {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "whole" => Ok(Self::Whole),
            "share" => Ok(Self::Share),
            _ => Err(Wrong::new("unknown_value", "must be one of whole, share")),
        }
    }
}

/// How an address of the shop names a product: lower case letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let fits = (3..=60).contains(&text.len()) && is_word(text) && !text.bytes().any(|b| b.is_ascii_uppercase());
        let why = || Wrong::new("bad_slug", "must be 3 to 60 lower case letters, digits or dashes, with at least one letter or digit");
        if fits { Ok(Self(text.into())) } else { Err(why()) }
    }

    /// From a product's name; other signs become dashes.
    pub fn of(name: &Title) -> Result<Self, Wrong> {
        let lower = name.as_str().to_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        Self::parse(&words.collect::<Vec<_>>().join("-"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose a slug is: makes it unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugOwner {
    pub slug: Slug,
    pub product: ProductId,
}

/// One change of a product or of its stock, for whoever asks later why a price was what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductChange {
    pub product: ProductId,
    pub at: Timestamp,
    /// Makes two changes of one second two.
    pub id: super::ids::AuditId,
    pub by: AdminId,
    /// As JSON; nothing before it was there.
    #[serde(default)]
    pub before: Option<String>,
    pub after: String,
    #[serde(default)]
    pub note: Option<Note>,
}

/// A change of stock under the name that its sender gave it; kept for as long as a repeat may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockChange {
    pub id: super::ids::AuditId,
    pub product: ProductId,
    pub units: i32,
    pub expires_at: Timestamp,
}

/// The highest price of a product: an order of a hundred units stays below the amounts that a gateway takes.
pub const MOST_PRICE: Rupiah = Rupiah::new(1_000_000_000);

/// Most pictures of one product.
pub const MOST_PICTURES: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    pub slug: Slug,
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
    /// Not for sale, and not shown, where it is not.
    pub active: bool,
    /// What an affiliate earns on it, if not what they earn on everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<CommissionRule>,
}

impl Product {
    /// The product itself, if its fields agree with each other: a share is a share of a cow.
    pub fn coherent(self) -> Result<Self, Wrong> {
        if self.portion == Portion::Share && self.category != Category::Sapi {
            return Err(Wrong::new("bad_portion", "only a cow has shares"));
        }
        Ok(self)
    }

    /// With another picture at the end; the oldest go when there are too many.
    pub fn pictured(mut self, picture: Picture) -> Self {
        self.pictures.retain(|p| p.id != picture.id);
        self.pictures.push(picture);
        let over = self.pictures.len().saturating_sub(MOST_PICTURES);
        self.pictures.drain(..over);
        self
    }

    /// With the pictures in another order; those that are not named go.
    pub fn arranged(mut self, order: &[PictureId]) -> Result<Self, Wrong> {
        let of = |id: &PictureId| self.pictures.iter().find(|p| p.id == *id).copied();
        let pictures: Option<Vec<Picture>> = order.iter().map(of).collect();
        self.pictures = pictures.ok_or_else(|| Wrong::new("unknown_picture", "names a picture that the product does not have"))?;
        Ok(self)
    }

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
