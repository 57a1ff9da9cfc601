//! Clients, built once before the runtime loop: one HTTPS client under all of them.

use super::config::{BadEnvironment, Environment, name};
use crate::{
    app::StartError,
    domain::{outbox::Lane, time::Entropy},
    events::Queues,
    files::{Archive, Documents, Media, Quarantine},
    gateway::Gateway,
    https,
    mail::Mailer,
    secrets::vault::Vault,
    store::Store,
    whatsapp::WhatsApp,
};
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use std::{sync::OnceLock, time::Duration};

/// Longest wait for the first connection.
const WARMING: Duration = Duration::from_secs(1);

/// The configuration of one SDK from the wiring; `$endpoint` names the variable that overrides the service's address.
macro_rules! sdk_config {
    ($sdk:ident, $wiring:expr, $endpoint:literal $(, $more:ident)?) => {{
        let wiring: &Wiring = $wiring;
        let mut config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new(wiring.region()))
            .credentials_provider(wiring.credentials())
            .http_client(wiring.http())
            .sleep_impl(wiring.sleep.clone())
            .stalled_stream_protection($sdk::config::StalledStreamProtectionConfig::disabled())
            .timeout_config(
                $sdk::config::timeout::TimeoutConfig::builder()
                    .connect_timeout(std::time::Duration::from_secs(2))
                    .operation_attempt_timeout(std::time::Duration::from_secs(4))
                    .build(),
            );
        if let Some(endpoint) = wiring.environment.get($endpoint) {
            config = config.endpoint_url(endpoint)$(.$more(true))?;
        }
        config.build()
    }};
}

/// Counts the requests that leave, for the line that each invocation writes.
#[derive(Debug)]
struct Counted<C>(C);

impl<C: HttpConnector> HttpConnector for Counted<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = request.uri().split("://").nth(1).unwrap_or_default();
        super::telemetry::called(host, request.headers().get("x-amz-target"));
        self.0.call(request)
    }
}

/// The roots under which AWS has the certificates of its services; all five that Amazon Trust Services asks for
/// (amazontrust.com/repository). To read the system's hundred and more takes longer than the rest of a start.
const AWS_ROOTS: &[u8] = include_bytes!("aws_roots.pem");

/// HTTPS with counted requests. Whoever reads answers waits ten seconds at most.
fn https_client(sleep: &SharedAsyncSleep, trust: TrustStore) -> Result<SharedHttpConnector, StartError> {
    let settings = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(2)).read_timeout(Duration::from_secs(10)).build();
    let tls = TlsContext::builder().with_trust_store(trust).build()?;
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls);
    Ok(SharedHttpConnector::new(Counted(connector.connector_settings(settings).sleep_impl(sleep.clone()).build())))
}

/// The client for everybody but AWS: trusts what the system trusts, and reads that at its first request.
#[derive(Debug)]
struct Outside {
    sleep: SharedAsyncSleep,
    client: OnceLock<Option<SharedHttpConnector>>,
}

impl HttpConnector for Outside {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.client.get_or_init(|| https_client(&self.sleep, TrustStore::default()).ok()) {
            Some(client) => client.call(request),
            None => HttpConnectorFuture::ready(Err(ConnectorError::other("no roots to trust".into(), None))),
        }
    }
}

/// What every client is made from. Tests put their own wires and sleep here; the clients are the same.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// To the services of AWS.
    pub wire: SharedHttpConnector,
    /// To everybody else.
    pub outside: SharedHttpConnector,
    pub sleep: SharedAsyncSleep,
    pub entropy: Entropy,
    pub environment: Environment,
}

impl Wiring {
    pub fn of_process() -> Result<Self, StartError> {
        let sleep = SharedAsyncSleep::new(TokioSleep::new());
        let wire = https_client(&sleep, TrustStore::empty().with_pem_certificate(AWS_ROOTS))?;
        let outside = SharedHttpConnector::new(Outside { sleep: sleep.clone(), client: OnceLock::new() });
        Ok(Self { wire, outside, sleep, entropy: super::system_entropy(), environment: Environment::of_process() })
    }

    /// Opens the connection to the table before the first request needs it: a handshake costs more than a read, and
    /// while a function starts it has a whole processor. Answered or not, the function goes on.
    pub async fn warm(&self) {
        if self.environment.get(name::TABLE).is_none() {
            return;
        }
        let regional = || format!("https://dynamodb.{}.amazonaws.com/", self.region());
        let address = self.environment.get("AWS_ENDPOINT_URL_DYNAMODB").map_or_else(regional, str::to_owned);
        // DynamoDB says whether it is well to whoever asks; the client keeps the connection for what follows.
        let asked = tokio::time::timeout(WARMING, https::send(&self.wire, "GET", address, &[], None)).await;
        if !matches!(asked, Ok(Ok(_))) {
            tracing::warn!("the table did not answer at the start");
        }
    }

    fn http(&self) -> SharedHttpClient {
        let wire = self.wire.clone();
        http_client_fn(move |_, _| wire.clone())
    }

    fn region(&self) -> String {
        self.environment.get("AWS_REGION").unwrap_or("ap-southeast-3").to_owned()
    }

    fn credentials(&self) -> Credentials {
        let value = |name: &str| self.environment.get(name).unwrap_or_default().to_owned();
        let token = self.environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
        Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"), token, None, "lambda")
    }

    pub fn store(&self) -> Result<Store, BadEnvironment> {
        let client = aws_sdk_dynamodb::Client::from_conf(sdk_config!(aws_sdk_dynamodb, self, "AWS_ENDPOINT_URL_DYNAMODB"));
        Ok(Store::new(client, self.environment.need(name::TABLE)?, self.sleep.clone(), self.entropy.clone()))
    }

    pub fn queues(&self) -> Result<Queues, BadEnvironment> {
        let client = aws_sdk_sqs::Client::from_conf(sdk_config!(aws_sdk_sqs, self, "AWS_ENDPOINT_URL_SQS"));
        let name_of = |lane| match lane {
            Lane::Payments => name::PAYMENTS_QUEUE,
            Lane::Notifications => name::NOTIFICATIONS_QUEUE,
            Lane::Uploads => name::UPLOADS_QUEUE,
            Lane::Media => name::MEDIA_QUEUE,
        };
        Ok(Queues::new(client, |lane| self.environment.get(name_of(lane)).map(str::to_owned)))
    }

    pub fn mailer(&self) -> Result<Mailer, BadEnvironment> {
        let client = aws_sdk_ses::Client::from_conf(sdk_config!(aws_sdk_ses, self, "AWS_ENDPOINT_URL_SES"));
        Ok(Mailer::new(
            client,
            self.environment.need(name::MAIL_FROM)?,
            self.environment.need(name::SHOP_URL)?,
            self.environment.need(name::API_URL)?,
        ))
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        // Buckets are in the path where the service is not AWS's own.
        aws_sdk_s3::Client::from_conf(sdk_config!(aws_sdk_s3, self, "AWS_ENDPOINT_URL_S3", force_path_style))
    }

    pub fn media(&self) -> Result<Media, BadEnvironment> {
        Ok(Media::new(self.s3(), self.environment.need(name::MEDIA_BUCKET)?))
    }

    pub fn quarantine(&self) -> Result<Quarantine, BadEnvironment> {
        Ok(Quarantine::new(self.s3(), self.environment.need(name::QUARANTINE_BUCKET)?))
    }

    pub fn documents(&self) -> Result<Documents, BadEnvironment> {
        Ok(Documents::new(self.s3(), self.environment.need(name::DOCUMENTS_BUCKET)?))
    }

    pub fn archive(&self) -> Result<Archive, BadEnvironment> {
        Ok(Archive::new(self.s3(), self.environment.need(name::ARCHIVE_BUCKET)?))
    }

    pub fn vault(&self) -> Result<Vault, StartError> {
        Ok(Vault::parse(&self.environment.list(name::VAULT_KEYS), self.environment.need(name::VAULT_FINDER)?)?)
    }

    /// Nothing unless an address is configured.
    pub fn whatsapp(&self) -> Result<Option<WhatsApp>, BadEnvironment> {
        let Some(base) = self.environment.get(name::WHATSAPP_URL) else { return Ok(None) };
        let (sender, token) = (self.environment.need(name::WHATSAPP_SENDER)?, self.environment.need(name::WHATSAPP_TOKEN)?);
        Ok(Some(WhatsApp::new(self.outside.clone(), base, sender, token)))
    }

    pub fn gateway(&self) -> Result<Gateway, BadEnvironment> {
        let (base, secret) = (self.environment.need(name::ZENDIT_URL)?, self.environment.need(name::ZENDIT_SECRET)?);
        Ok(Gateway::new(self.outside.clone(), self.sleep.clone(), base, secret, self.environment.need(name::SHOP_URL)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Settings;
    use data_encoding::{BASE64, HEXLOWER};
    use ring::digest::{SHA256, digest};
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    /// SHA-256 of the certificates, as Amazon Trust Services publishes them.
    const PUBLISHED: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_of_aws_are_those_that_are_published() {
        let text = std::str::from_utf8(AWS_ROOTS).unwrap();
        let certificates = text.split("-----BEGIN CERTIFICATE-----").skip(1).map(|c| {
            let body: String = c.split("-----END").next().unwrap().split_whitespace().collect();
            HEXLOWER.encode(digest(&SHA256, &BASE64.decode(body.as_bytes()).unwrap()).as_ref())
        });
        assert_eq!(certificates.collect::<Vec<_>>(), PUBLISHED);
    }

    /// A table that knows of nothing, and counts the connections that are opened to it.
    fn table() -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, opened) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
        let count = opened.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let mut heard = [0; 4096];
                    while stream.read(&mut heard).is_ok_and(|n| n > 0) {
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                    }
                });
            }
        });
        (address, opened)
    }

    #[tokio::test]
    async fn the_first_request_finds_the_connection_that_was_opened_at_the_start() {
        let (address, opened) = table();
        let environment =
            [("AWS_ENDPOINT_URL_DYNAMODB", address.as_str()), (name::TABLE, "t"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let environment = Environment::of(environment.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let wiring = Wiring { environment, ..Wiring::of_process().unwrap() };
        wiring.warm().await;
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        assert_eq!(wiring.store().unwrap().settings().await.unwrap(), Settings::default());
        assert_eq!(opened.load(Ordering::SeqCst), 1, "not another one");
    }
}
