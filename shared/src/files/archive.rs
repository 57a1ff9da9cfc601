//! What is no longer asked for, as compressed JSON lines.

use super::{FilesError, read};
use aws_sdk_s3::{Client, primitives::ByteStream};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{BufRead, BufReader, Write};

/// Largest file that is joined with more, in bytes.
const MOST: u32 = 256 << 20;

#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    bucket: String,
}

impl Archive {
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// One line for each of `rows`. Replaces what was there.
    pub async fn put<T: Serialize>(&self, key: &str, rows: impl IntoIterator<Item = T>) -> Result<(), FilesError> {
        let mut file = GzEncoder::new(Vec::new(), Compression::default());
        for row in rows {
            serde_json::to_writer(&mut file, &row).map_err(|e| FilesError(e.to_string()))?;
            file.write_all(b"\n").map_err(|e| FilesError(e.to_string()))?;
        }
        let bytes = file.finish().map_err(|e| FilesError(e.to_string()))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type("application/gzip");
        put.body(ByteStream::from(bytes)).send().await?;
        Ok(())
    }

    /// The rows of a file; none if there is no such file.
    pub async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Vec<T>, FilesError> {
        let Some(bytes) = read(&self.client, &self.bucket, key, MOST).await? else { return Ok(Vec::new()) };
        let lines = BufReader::new(GzDecoder::new(&bytes[..])).lines();
        let row = |line: std::io::Result<String>| {
            serde_json::from_str(&line.map_err(|e| FilesError(e.to_string()))?).map_err(|e| FilesError(e.to_string()))
        };
        lines.map(row).collect()
    }
}
