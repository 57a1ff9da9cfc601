//! The whole system on one machine: builds the functions, binds the ports, seeds the shop, serves until told to stop.

use crate::{
    api_gateway::{self, Gateway},
    client::HttpClient,
    console::Console,
    dynamo::{self, Engine},
    files::{self, Files},
    guard::{Pages, guarded},
    kept::Kept,
    lambda::{Fleet, Site},
    mailbox::Mailbox,
    poller,
    ports::{self, Cloud},
    queues::{Queues, Rules},
    schedules::{self, Job},
    secrets::Secrets,
    seed,
    template::{self, Function, Template},
    whatsapp::WhatsApp,
    wire::Wire,
    zendit::Zendit,
};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::Router;
use qutab::{
    app::Problem,
    runtime::{clients::Wiring, config::Environment, system_clock, system_entropy},
};
use std::{
    collections::BTreeMap,
    fs::{File, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet};

/// What can be chosen on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// The API's port; the next ones are for the cloud's services, the payment gateway, and files.
    pub port: u16,
    pub data: PathBuf,
    /// Address of a front end that runs elsewhere on this machine.
    pub shop: Option<String>,
    pub template: PathBuf,
    /// Whether messages go to the stand-in of the message service; otherwise they are off, as by default.
    pub whatsapp: bool,
}

impl Options {
    pub fn api(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn shop(&self) -> String {
        self.shop.clone().unwrap_or_else(|| self.api())
    }

    fn cloud(&self) -> String {
        format!("http://127.0.0.1:{}", self.port + 1)
    }

    pub fn zendit(&self) -> String {
        format!("http://localhost:{}", self.port + 2)
    }

    fn files(&self) -> String {
        format!("localhost:{}", self.port + 3)
    }

    /// The template, with this machine's values in it.
    pub fn template(&self) -> Result<Template, String> {
        let text = std::fs::read_to_string(&self.template).map_err(|e| format!("{}: {e}", self.template.display()))?;
        let unnamed = template::read(&text, &BTreeMap::new())?;
        template::read(&text, &self.values(unnamed.queues.into_keys(), &unnamed.buckets))
    }

    /// Values for the template's parameters and for what AWS would fill in.
    fn values(&self, queues: impl IntoIterator<Item = String>, buckets: &[String]) -> BTreeMap<String, String> {
        let mut values: BTreeMap<String, String> = [
            ("Stage", "local".to_owned()),
            ("Table", "qutab-local".into()),
            ("ShopUrl", self.shop()),
            ("ApiUrl", self.api()),
            ("LandingUrl", format!("{}/", self.shop())),
            ("CookieDomain", String::new()),
            ("ZenditUrl", self.zendit()),
            ("WhatsappUrl", if self.whatsapp { format!("{}/whatsapp/v23.0", self.cloud()) } else { String::new() }),
            ("MediaDelivery.DomainName", format!("{}/{}", self.files(), files::MEDIA)),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .into();
        values.extend(buckets.iter().map(|id| (id.clone(), files::bucket_name(id))));
        values.extend(queues.into_iter().map(|name| (name.clone(), format!("{}/sqs/{name}", self.cloud()))));
        values
    }
}

/// A running system. It ends when this is dropped.
#[derive(Debug)]
pub struct System {
    pub options: Options,
    tasks: JoinSet<()>,
    _lock: File,
}

/// The state that survives, opened.
struct Data {
    db: dynoxide::Database,
    queues: Queues,
    mailbox: Mailbox,
    zendit: Zendit,
    secrets: Secrets,
    files: Files,
    whatsapp: WhatsApp,
}

impl System {
    /// Starts everything. The error says what a person can do about it.
    pub async fn start(options: Options) -> Result<Self, String> {
        let template = Arc::new(options.template()?);
        let jobs = schedules::of(&template)?;
        let listeners = [bind(&options, 0).await?, bind(&options, 1).await?, bind(&options, 2).await?, bind(&options, 3).await?];
        close_to_others(&options.data)?;
        set_aside_older(&options.data)?;
        let lock = take(&options.data)?;
        let binaries = build(&options.template, &template)?;
        let data = Data::open(&options, &template)?;
        let environments = environments(&options, &template, &data.secrets)?;
        data.seed(&environments).await?;
        let site = Site { binaries, logs: options.data.join("logs"), runtime_api: options.cloud() };
        let fleet = Arc::new(Fleet::new(environments, &site));
        let mut system = Self { options, tasks: JoinSet::new(), _lock: lock };
        system.serve(listeners, &fleet, &data, &template, jobs)?;
        Ok(system)
    }

    fn serve(
        &mut self,
        listeners: [TcpListener; 4],
        fleet: &Arc<Fleet>,
        data: &Data,
        template: &Arc<Template>,
        jobs: Vec<Job>,
    ) -> Result<(), String> {
        let [api, cloud, payments, files] = listeners;
        let gateway = Arc::new(Gateway::new(template, fleet.clone())?);
        let console = Console::new(
            fleet.clone(),
            data.queues.clone(),
            data.mailbox.clone(),
            data.whatsapp.clone(),
            jobs.clone(),
            template.clone(),
            self.logins(),
        );
        let front = console.router().merge(Router::new().fallback(api_gateway::serve).with_state(gateway));
        let pages = Pages::also([self.options.api(), self.options.shop()]);
        self.tasks.spawn(listen(api, guarded(front, pages.clone())));
        let behind = Cloud {
            db: Engine::Embedded(data.db.clone()),
            queues: data.queues.clone(),
            mailbox: data.mailbox.clone(),
            whatsapp: data.whatsapp.clone(),
        };
        self.tasks.spawn(listen(cloud, guarded(behind.router().merge(fleet.runtime_api()), Pages::Nobody)));
        self.tasks.spawn(listen(payments, guarded(ports::payments(data.zendit.clone()), Pages::own())));
        self.tasks.spawn(listen(files, guarded(ports::files(data.files.clone()), pages)));
        for function in &template.functions {
            if let Some((queue, batch)) = &function.queue {
                self.tasks.spawn(poller::poll(fleet.clone(), data.queues.clone(), queue.clone(), *batch, function.package.clone()));
            }
        }
        for job in jobs {
            self.tasks.spawn(job.keep(fleet.clone()));
        }
        let token = data.secrets.get("zendit:webhook_token")?.to_owned();
        self.tasks.spawn(deliver(data.zendit.clone(), format!("{}/webhooks/zendit", self.options.api()), token));
        self.tasks.spawn(sweep(data.db.clone()));
        Ok(())
    }

    /// Who can log in where.
    pub fn logins(&self) -> Vec<(String, String)> {
        let staff = seed::STAFF.iter().map(|(email, role)| (format!("admin, {}", role.as_str()), (*email).to_owned()));
        let people =
            [("customer", seed::CUSTOMER.to_owned()), ("affiliate", format!("{} · {}/r/{}", seed::AFFILIATE, self.options.api(), seed::CODE))];
        let password = [("password of all", seed::PASSWORD.to_owned())];
        staff.chain(people.into_iter().chain(password).map(|(who, what)| (who.to_owned(), what))).collect()
    }
}

async fn bind(options: &Options, offset: u16) -> Result<TcpListener, String> {
    let port = options.port + offset;
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|e| {
        let (first, last) = (options.port, options.port + 3);
        format!("port {port} cannot be used: {e}. The system takes ports {first} to {last}; `cargo run -- --port 4000` takes others.")
    })
}

/// Counts the changes of what is kept that older data cannot be read with.
const FORMAT: &str = "2";

/// Closes the data directory to the machine's other accounts: it holds mails, bank accounts and reset links, though only of
/// practice. A directory with other things in it is refused; closing it would lock their owners out.
fn close_to_others(data: &Path) -> Result<(), String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", data.display());
    if !data.exists() {
        std::fs::create_dir_all(data).map_err(|e| wrong(&e))?;
    }
    let ours = ["format", "table.sqlite"].iter().any(|file| data.join(file).is_file());
    let empty = std::fs::read_dir(data).map_err(|e| wrong(&e))?.next().is_none();
    if !ours && !empty {
        return Err(wrong(&"it holds something else; `--data` takes a new, an empty, or an earlier data directory"));
    }
    std::fs::set_permissions(data, Permissions::from_mode(0o700)).map_err(|e| wrong(&e))
}

/// Sets data of another format aside: what it holds is only practice, but nobody's practice is thrown away.
fn set_aside_older(data: &Path) -> Result<(), String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", data.display());
    let marker = data.join("format");
    let table = data.join("table.sqlite");
    if table.exists() && std::fs::read_to_string(&marker).unwrap_or_default() != FORMAT {
        let stamp = system_clock().now().unix();
        let aside =
            data.with_file_name(format!("{}-before-{stamp}", data.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())));
        std::fs::rename(data, &aside).map_err(|e| wrong(&e))?;
        close_to_others(data)?;
        eprintln!("The data is of an older version: it is kept in {}, and a new start is made.", aside.display());
    }
    std::fs::write(marker, FORMAT).map_err(|e| wrong(&e))
}

/// Locks the data directory: two systems on one table's file would spoil it.
fn take(data: &Path) -> Result<File, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", data.display());
    std::fs::create_dir_all(data.join("logs")).map_err(|e| wrong(&e))?;
    let lock = File::create(data.join("lock")).map_err(|e| wrong(&e))?;
    lock.try_lock().map_err(|_| wrong(&"another system runs on this directory"))?;
    Ok(lock)
}

/// Builds the functions' binaries with cargo, whose progress is shown. Answers with where they are.
fn build(template_file: &Path, template: &Template) -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|e| e.to_string())?;
    let binaries = here.parent().ok_or("this program has no directory")?.to_owned();
    let target = binaries.parent().ok_or("this program is not in a target directory")?;
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    // The whole workspace, so that cargo settles on the features that this program was built with and builds nothing twice.
    cargo.args(["build", "--workspace", "--bins", "--manifest-path"]).arg(template_file.with_file_name("Cargo.toml")).arg("--target-dir").arg(target);
    // `cargo run` has told this program about its own package; build scripts that look at that would all run again.
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
        cargo.env_remove(name);
    }
    if binaries.ends_with("release") {
        cargo.arg("--release");
    }
    eprintln!("Building {} functions", template.functions.len());
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(_) => return Err("the functions do not build; see above".into()),
        Err(e) => return Err(format!("cargo cannot be run: {e}")),
    }
    match template.functions.iter().find(|f| !binaries.join(&f.package).is_file()) {
        Some(missing) => Err(format!("{} of template.yaml has no crate with a binary at functions/{}", missing.logical_id, missing.package)),
        None => Ok(binaries),
    }
}

impl Data {
    fn open(options: &Options, template: &Template) -> Result<Self, String> {
        let wrong = |e: &dyn std::fmt::Display| format!("{}: {e}", options.data.display());
        let file = options.data.join("table.sqlite");
        let db = dynamo::open(&file.to_string_lossy()).map_err(|e| wrong(&e))?;
        dynamo::create_table(&Engine::Embedded(db.clone()), &template.table)
            .map_err(|e| format!("the table of template.yaml cannot be created: {e}"))?;
        let rules = template.queues.iter().map(|(name, q)| (name.clone(), Rules { visibility: q.visibility, dead_letters: q.dead_letters.clone() }));
        let queues = Queues::new(Kept::on_file(options.data.join("queues.json")).map_err(|e| wrong(&e))?, rules.collect());
        queues.wake();
        let mailbox = Mailbox::new(Kept::on_file(options.data.join("mails.json")).map_err(|e| wrong(&e))?);
        let secrets = Secrets::of(&options.data, &system_entropy())?;
        let clock = system_clock();
        let kept = Kept::on_file(options.data.join("payments.json")).map_err(|e| wrong(&e))?;
        let zendit = Zendit::new(kept, secrets.get("zendit:secret")?, &options.zendit(), move || clock.now());
        let files = Files::new(&options.data.join("files"), template.buckets.iter().map(|id| files::bucket_name(id)));
        let sent = Kept::on_file(options.data.join("whatsapp.json")).map_err(|e| wrong(&e))?;
        let whatsapp = WhatsApp::new(sent, secrets.get("whatsapp:token")?);
        Ok(Self { db, queues, mailbox, zendit, secrets, files, whatsapp })
    }

    /// The seeded shop, written by the same code that serves it. What is there already stays.
    async fn seed(&self, environments: &[(Function, Vec<(String, String)>)]) -> Result<(), String> {
        let wire = Wire::new(
            Engine::Embedded(self.db.clone()),
            self.queues.clone(),
            self.mailbox.clone(),
            self.zendit.clone(),
            self.files.clone(),
            self.whatsapp.clone(),
        );
        let all = environments.iter().flat_map(|(_, e)| e.iter().cloned()).filter(|(n, _)| !n.starts_with("AWS_ENDPOINT"));
        // No socket is needed yet: the wire leads to the file store itself.
        let all = all.chain([("MEDIA_BUCKET", files::MEDIA), ("AWS_ENDPOINT_URL_S3", "http://s3.local")].map(|(n, v)| (n.to_owned(), v.to_owned())));
        let wire = SharedHttpConnector::new(wire);
        let process = Wiring::of_process().map_err(|e| e.to_string())?;
        let wiring = Wiring { outside: wire.clone(), wire, environment: Environment::of(all), ..process };
        let app = wiring.app(system_clock()).map_err(|e| e.to_string())?;
        let wrong = |p: Problem| format!("the shop cannot be seeded: {p:?}");
        seed::seed(&app).await.map_err(wrong)?;
        seed::people(&app).await.map_err(wrong)?;
        seed::pictures(&app, &wiring.media().map_err(|e| e.to_string())?).await.map_err(wrong)
    }
}

/// The functions with the whole environment of each.
pub type Functions = Vec<(Function, Vec<(String, String)>)>;

/// The functions as this machine starts them.
pub fn environments(options: &Options, template: &Template, secrets: &Secrets) -> Result<Functions, String> {
    template.functions.iter().map(|f| Ok((f.clone(), environment(options, f, secrets)?))).collect()
}

/// A function's whole environment: the template's, with this machine's addresses and secrets.
fn environment(options: &Options, function: &Function, secrets: &Secrets) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for (name, value) in &function.environment {
        let value = secrets.resolve(value).map_err(|e| format!("{}.{name}: {e}", function.logical_id))?;
        if let Some(unknown) = value.strip_prefix("Ref:") {
            return Err(format!("{}.{name} refers to {unknown}, which this machine has no value for", function.logical_id));
        }
        // TLS ends at the edge of AWS; there is none here.
        all.push((name.clone(), value.replace("https://localhost", "http://localhost")));
    }
    all.push(("AWS_ENDPOINT_URL_S3".into(), format!("http://{}", options.files())));
    let services = [("DYNAMODB", "dynamodb"), ("SQS", "sqs"), ("SES", "ses")];
    all.extend(services.map(|(service, path)| (format!("AWS_ENDPOINT_URL_{service}"), format!("{}/{path}/", options.cloud()))));
    let fixed = [("AWS_REGION", "ap-southeast-3"), ("AWS_ACCESS_KEY_ID", files::CREDENTIALS), ("AWS_SECRET_ACCESS_KEY", files::CREDENTIALS)];
    all.extend(fixed.map(|(n, v)| (n.to_owned(), v.to_owned())));
    Ok(all)
}

async fn listen(listener: TcpListener, router: Router) {
    if let Err(error) = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await {
        eprintln!("a port was lost: {error}");
    }
}

/// Delivers the gateway's webhooks until each was taken, and ends refunds that the rail has had for a moment.
async fn deliver(zendit: Zendit, url: String, token: String) {
    let client = HttpClient::default();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        zendit.finish_refunds("SUCCEEDED");
        zendit.finish_payouts("SUCCEEDED");
        for (number, body) in zendit.outgoing() {
            match client.post(&url, &[("x-callback-token", &token)], &body).await {
                Ok(200..=299) => zendit.delivered(number),
                _ => tokio::time::sleep(Duration::from_secs(2)).await,
            }
        }
    }
}

/// Drops expired items, as DynamoDB does in its own time.
async fn sweep(db: dynoxide::Database) {
    loop {
        tokio::time::sleep(Duration::from_mins(1)).await;
        if let Err(error) = tokio::task::block_in_place(|| db.sweep_ttl()) {
            eprintln!("expired items not dropped: {error}");
        }
    }
}
