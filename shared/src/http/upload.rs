//! Asking for the address of an upload, and what became of it.

use super::Form;
use crate::domain::upload::{ADDRESS_SECONDS, ImageType, MOST_BYTES, PutAddress, Upload};
use serde_json::{Map, Value, json};

/// What the browser is about to send.
pub fn wanted(form: &mut Form) -> Option<(ImageType, u32)> {
    let content_type = form.text("content_type", ImageType::parse);
    let bytes = form.integer("bytes", 1..=i64::from(MOST_BYTES)).and_then(|n| u32::try_from(n).ok());
    content_type.zip(bytes)
}

/// Where and how to put the file.
pub fn address(upload: &Upload, address: &PutAddress) -> Value {
    let headers: Map<String, Value> = address.headers.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    json!({ "upload_id": upload.id, "method": "PUT", "url": address.url, "headers": headers, "expires_in": ADDRESS_SECONDS })
}

/// What became of it.
pub fn view(upload: &Upload) -> Value {
    json!({ "upload_id": upload.id, "status": upload.status, "refusal": upload.refusal })
}
