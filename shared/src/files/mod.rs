//! Files in S3: the only room that names it.

mod codec;

pub use codec::{NotAPicture, Rendered, render};

use crate::domain::picture::{Picture, Size};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};

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
