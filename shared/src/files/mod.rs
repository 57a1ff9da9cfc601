//! Files in S3: the only room that names it.

mod archive;
mod codec;

pub use archive::Archive;
pub use codec::{NotAPicture, Rendered, render, render_document};

use crate::domain::{
    picture::{Picture, Size},
    upload::{ADDRESS_SECONDS, MOST_BYTES, PutAddress, Upload},
};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
};
use std::time::Duration;

/// An address under which a picture was put never shows another one.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Why a file could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("the file store did not answer: {0}")]
pub struct FilesError(String);

impl<E: ProvideErrorMetadata, R> From<SdkError<E, R>> for FilesError {
    fn from(error: SdkError<E, R>) -> Self {
        Self(error.code().unwrap_or("connection").to_owned())
    }
}

/// Pictures that everybody may see, behind the delivery network.
#[derive(Debug, Clone)]
pub struct Media {
    client: Client,
    bucket: String,
}

impl Media {
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Keeps one size of a picture, as JPEG. Putting it again changes nothing.
    pub async fn put(&self, picture: &Picture, size: Size, jpeg: Vec<u8>) -> Result<(), FilesError> {
        let put = self.client.put_object().bucket(&self.bucket).key(picture.key(size));
        put.content_type("image/jpeg").cache_control(FOR_EVER).body(ByteStream::from(jpeg)).send().await?;
        Ok(())
    }
}

/// What browsers put there, until somebody has looked at it.
#[derive(Debug, Clone)]
pub struct Quarantine {
    client: Client,
    bucket: String,
}

impl Quarantine {
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.into() }
    }

    pub async fn address(&self, upload: &Upload) -> Result<PutAddress, FilesError> {
        let put = self.client.put_object().bucket(&self.bucket).key(upload.key());
        let put = put.content_type(upload.content_type.as_str()).content_length(i64::from(upload.bytes));
        let soon = PresigningConfig::expires_in(Duration::from_secs(u64::from(ADDRESS_SECONDS))).map_err(|e| FilesError(e.to_string()))?;
        let signed = put.presigned(soon).await?;
        // What is signed besides the host; the SDK adds others for its own requests.
        let headers = signed.headers().filter(|(name, _)| matches!(name.to_ascii_lowercase().as_str(), "content-type" | "content-length"));
        Ok(PutAddress { url: signed.uri().to_owned(), headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect() })
    }

    /// The file, or nothing if it is not there or larger than any upload may be.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, FilesError> {
        read(&self.client, &self.bucket, key, MOST_BYTES).await
    }

    /// Removes the file; gone already is as good.
    pub async fn delete(&self, key: &str) -> Result<(), FilesError> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await?;
        Ok(())
    }
}

/// Sealed documents. What is here is worth nothing without the vault.
#[derive(Debug, Clone)]
pub struct Documents {
    client: Client,
    bucket: String,
}

/// Largest sealed document: a picture and what sealing adds.
const MOST_SEALED: u32 = 4 << 20;

impl Documents {
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.into() }
    }

    pub async fn put(&self, key: &str, sealed: Vec<u8>) -> Result<(), FilesError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        put.content_type("application/octet-stream").body(ByteStream::from(sealed)).send().await?;
        Ok(())
    }

    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, FilesError> {
        read(&self.client, &self.bucket, key, MOST_SEALED).await
    }

    /// Removes the document; gone already is as good.
    pub async fn delete(&self, key: &str) -> Result<(), FilesError> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await?;
        Ok(())
    }
}

async fn read(client: &Client, bucket: &str, key: &str, most: u32) -> Result<Option<Vec<u8>>, FilesError> {
    let answer = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if answer.content_length().is_none_or(|length| length > i64::from(most)) {
        return Ok(None);
    }
    let body = answer.body.collect().await.map_err(|e| FilesError(e.to_string()))?;
    Ok(Some(body.to_vec()))
}
