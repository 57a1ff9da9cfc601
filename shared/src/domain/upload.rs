//! Pictures that are uploaded: waited for, looked at by a function that can do nothing else, then kept or refused.

use super::{
    Forbidden, Wrong,
    ids::{AffiliateId, MaterialId, OrderId, PayoutId, ProductId, RefundId, UploadId},
    ktp::{Identity, KtpImage},
    material::MaterialKind,
    picture::Picture,
    status,
    text::Title,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Largest file that may be uploaded, in bytes.
pub const MOST_BYTES: u32 = 5 << 20;
/// Seconds for which an upload's address is good.
pub const ADDRESS_SECONDS: u32 = 300;
/// Seconds after which an upload that nobody finished is forgotten.
const FORGOTTEN_SECONDS: i64 = 86_400;

/// What the picture is of, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Purpose {
    /// The affiliate's face, which everybody may see.
    Photo { affiliate: AffiliateId },
    /// The affiliate's identity card, which nobody may see but who reviews it.
    Ktp { affiliate: AffiliateId },
    /// A product, for the shop.
    Product { product: ProductId },
    /// Something to promote with.
    Material { material: MaterialId, title: Title, form: MaterialKind },
    /// How far an order has come, for its customer.
    Order { order: OrderId },
    /// That a payout was transferred, for who looks into it later.
    PayoutProof { payout: PayoutId },
    /// That a refund was transferred by hand.
    RefundProof { order: OrderId, refund: RefundId },
}

impl Purpose {
    /// Where it is kept sealed; nothing for what everybody may see.
    pub fn sealed_as(&self, upload: UploadId) -> Option<String> {
        match self {
            Self::Ktp { affiliate } => Some(KtpImage::key(*affiliate, upload)),
            Self::PayoutProof { .. } | Self::RefundProof { .. } => Some(proof_key(upload)),
            Self::Photo { .. } | Self::Product { .. } | Self::Material { .. } | Self::Order { .. } => None,
        }
    }
}

/// Where the proof of a transfer is kept.
pub fn proof_key(upload: UploadId) -> String {
    format!("proofs/{upload}")
}

/// What the browser says that it sends. The content decides in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageType {
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/webp")]
    Webp,
}

impl ImageType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "image/jpeg" => Ok(Self::Jpeg),
            "image/png" => Ok(Self::Png),
            "image/webp" => Ok(Self::Webp),
            _ => Err(Wrong::new("unknown_value", "must be one of image/jpeg, image/png, image/webp")),
        }
    }
}

status! {
    UploadStatus { Waiting = "waiting", Processing = "processing", Ready = "ready", Refused = "refused" }
    steps {
        Waiting => [Processing],
        Processing => [Ready, Refused],
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: UploadId,
    pub purpose: Purpose,
    pub status: UploadStatus,
    pub content_type: ImageType,
    pub bytes: u32,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Why it was refused, for its owner.
    #[serde(default)]
    pub refusal: Option<String>,
    /// What comes with an identity card.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// Where a browser puts a file: the headers are part of the signature, so type and length are as they were asked for.
#[derive(Debug, Clone)]
pub struct PutAddress {
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// What came of looking at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Rendering {
    Kept { picture: Picture },
    Refused { why: String },
}

impl Upload {
    pub fn new(id: UploadId, purpose: Purpose, content_type: ImageType, bytes: u32, now: Timestamp) -> Self {
        let expires_at = now.plus_seconds(FORGOTTEN_SECONDS);
        let status = UploadStatus::Waiting;
        Self { id, purpose, status, content_type, bytes, created_at: now, expires_at, refusal: None, identity: None }
    }

    pub fn completed(mut self) -> Result<Self, Forbidden> {
        self.status = self.status.step(UploadStatus::Processing)?;
        Ok(self)
    }

    pub fn rendered(mut self, rendering: &Rendering) -> Result<Self, Forbidden> {
        match rendering {
            Rendering::Kept { .. } => self.status = self.status.step(UploadStatus::Ready)?,
            Rendering::Refused { why } => {
                self.status = self.status.step(UploadStatus::Refused)?;
                self.refusal = Some(why.clone());
            }
        }
        Ok(self)
    }

    /// Where the file is put by the browser.
    pub fn key(&self) -> String {
        format!("uploads/{}", self.id)
    }
}
