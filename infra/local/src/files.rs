//! S3 on a directory. Buckets are directories below it; requests are signed and checked as in the real service.
//!
//! Pictures of the media bucket can be read by everybody: here stands no delivery network in front of it.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use s3s::{
    Body, S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    path::S3Path,
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// Key and secret of this machine's functions.
pub const CREDENTIALS: &str = "local";
/// The bucket that everybody may read from: the name that the template's `MediaBucket` has here.
pub const MEDIA: &str = "media";

/// The name that a bucket of the template has here: `MediaBucket` is `media`.
pub fn bucket_name(logical_id: &str) -> String {
    let name = logical_id.trim_end_matches("Bucket");
    let dashed = name.char_indices().flat_map(|(at, c)| (at > 0 && c.is_uppercase()).then_some('-').into_iter().chain(c.to_lowercase()));
    dashed.collect()
}

/// The service, started when it is first needed.
#[derive(Clone)]
pub struct Files {
    root: PathBuf,
    buckets: Arc<Vec<String>>,
    service: Arc<OnceLock<S3Service>>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Files {
    pub fn new(root: &Path, buckets: impl IntoIterator<Item = String>) -> Self {
        Self { root: root.into(), buckets: Arc::new(buckets.into_iter().collect()), service: Arc::default() }
    }

    fn service(&self) -> &S3Service {
        self.service.get_or_init(|| {
            for bucket in self.buckets.iter() {
                std::fs::create_dir_all(self.root.join(bucket)).expect("the data directory takes buckets");
            }
            let mut builder = S3ServiceBuilder::new(FileSystem::new(&self.root).expect("the data directory can be read"));
            builder.set_auth(SimpleAuth::from_single(CREDENTIALS, CREDENTIALS));
            builder.set_access(Rights);
            builder.build()
        })
    }

    pub async fn answer(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        if !request.headers().contains_key(header::HOST)
            && let Some(host) = request.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok())
        {
            request.headers_mut().insert(header::HOST, host);
        }
        let failed = |status| Response::builder().status(status).body(Bytes::new()).expect("a response");
        let Ok(response) = self.service().call(request.map(Body::from)).await else { return failed(400) };
        let (parts, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(parts, body.to_bytes()),
            Err(_) => failed(500),
        }
    }
}

struct Rights;

#[async_trait::async_trait]
impl S3Access for Rights {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reading = matches!(context.s3_op().name(), "GetObject" | "HeadObject");
        let public = matches!(context.s3_path(), S3Path::Object { bucket, .. } if &**bucket == MEDIA);
        if context.credentials().is_some() || (reading && public) { Ok(()) } else { Err(s3_error!(AccessDenied, "Signature is required")) }
    }
}
