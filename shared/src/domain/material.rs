//! What affiliates promote with: banners and graphics to download.

use super::{Wrong, ids::MaterialId, picture::Picture, text::Title, time::Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialKind {
    Banner,
    Graphic,
}

impl MaterialKind {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "banner" => Ok(Self::Banner),
            "graphic" => Ok(Self::Graphic),
            _ => Err(Wrong::new("unknown_value", "must be one of banner, graphic")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    pub id: MaterialId,
    pub title: Title,
    // The item has a `kind` of its own.
    #[serde(rename = "material_kind")]
    pub kind: MaterialKind,
    pub picture: Picture,
    pub created_at: Timestamp,
}
