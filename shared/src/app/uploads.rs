//! Pictures that are uploaded: an address to put them, a look at them by a function without any other right, and
//! what is kept of them.

use super::{
    App, Code, Problem, ROUNDS,
    audit::{self, Reviewer},
    lap::Lap,
};
use crate::{
    domain::{
        affiliate::Affiliate,
        ids::{AffiliateId, PictureId, UploadId},
        ktp::{Identity, KtpImage},
        material::Material,
        outbox::{Lane, OutboxItem, Work},
        payout::Payout,
        picture::Picture,
        refund::Refund,
        settings::Settings,
        time::{Entropy, Timestamp},
        upload::{ImageType, Purpose, PutAddress, Rendering, Upload, UploadStatus},
        wallet::Wallet,
    },
    events::{Message, Queues},
    files::{self, Documents, FilesError, Media, Quarantine},
    secrets::vault::Vault,
    store::{
        entity::{SameIdentity, Stored},
        throttle::Limit,
        transaction::{Commit, Transaction},
    },
};
use axum::extract::FromRef;

/// What a function has that takes uploads in.
#[derive(Debug, Clone)]
pub struct Intake {
    pub app: App,
    pub quarantine: Quarantine,
}

impl FromRef<Intake> for App {
    fn from_ref(intake: &Intake) -> Self {
        intake.app.clone()
    }
}

const UPLOADS: Limit = Limit { attempts: 10, seconds: 3_600 };

/// What is to be uploaded.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub purpose: Purpose,
    pub content_type: ImageType,
    pub bytes: u32,
    pub identity: Option<Identity>,
}

/// Opens an upload: the browser puts the file to the address, and then completes it.
/// `by` is whose uploads are counted.
pub async fn open(app: &App, quarantine: &Quarantine, by: &str, wanted: Wanted) -> Result<(Upload, PutAddress), Problem> {
    let now = app.clock.now();
    if let Some(wait) = app.store.throttle(&format!("upload#{by}"), UPLOADS, now).await? {
        return Err(Problem::too_many(wait));
    }
    let id = UploadId::fresh(now, &app.entropy);
    let upload = Upload { identity: wanted.identity, ..Upload::new(id, wanted.purpose, wanted.content_type, wanted.bytes, now) };
    let address = quarantine.address(&upload).await?;
    app.store.create(&upload).await?;
    Ok((upload, address))
}

/// Who completes an upload, and how that is noted.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// The affiliate whose picture it is.
    Owner,
    /// Staff, for the shop.
    Staff(Reviewer, &'static str),
}

/// The file is there: has it looked at. Completing twice is completing once. `is_theirs` tells whether the caller may.
pub async fn complete(app: &App, id: UploadId, by: By, is_theirs: impl Fn(&Purpose) -> bool) -> Result<Upload, Problem> {
    for _ in 0..ROUNDS {
        let read = app.store.upload(id).await?.filter(|u| is_theirs(&u.value.purpose)).ok_or_else(|| Problem::new(Code::NotFound))?;
        if read.value.status != UploadStatus::Waiting {
            return Ok(read.value);
        }
        let after = read.value.clone().completed()?;
        let owed = OutboxItem::new(Work::RenderUpload { upload: id, purpose: after.purpose.clone() }, app.clock.now());
        let mut tx = Transaction::new();
        tx.save(&read, &after, ()).put_same(&owed);
        if let By::Staff(reviewer, action) = by {
            tx.create(&audit::entry(app, reviewer, action, &id.to_string(), "", audit::whole(&after.purpose)), ());
        }
        if let Commit::Done = app.store.commit(tx).await? {
            app.queues.hand_on(&[owed]).await;
            return Ok(after);
        }
    }
    Err(Problem::busy("the upload kept changing"))
}

/// Hands a picture to the function that looks at it.
pub async fn send(app: &App, work: &Work) -> Result<(), Problem> {
    let Work::RenderUpload { upload, purpose } = work else { return Err(Problem::internal("work that is no upload")) };
    let message = Message::Render { upload: *upload, purpose: purpose.clone() };
    Ok(app.queues.send(Lane::Media, &message).await?)
}

/// All that the function that decodes pictures has: files, a key to seal with, and a queue to answer to.
#[derive(Debug, Clone)]
pub struct Darkroom {
    pub quarantine: Quarantine,
    pub media: Media,
    pub documents: Documents,
    pub vault: Vault,
    pub queues: Queues,
    pub entropy: Entropy,
}

impl Darkroom {
    /// Looks at a picture and tells what came of it. Safe to repeat: everything is put where it was put before.
    pub async fn render(&self, id: UploadId, purpose: &Purpose) -> Result<(), Problem> {
        let key = format!("uploads/{id}");
        let rendering = match self.quarantine.read(&key).await? {
            None => Rendering::Refused { why: "was not uploaded, or is too large".into() },
            Some(bytes) => match purpose.sealed_as(id) {
                Some(key) => self.document(&key, id, &bytes).await?,
                None => self.photo(id, &bytes).await?,
            },
        };
        self.queues.send(Lane::Uploads, &Message::Rendered { upload: id, rendering }).await?;
        Ok(())
    }

    async fn photo(&self, id: UploadId, bytes: &[u8]) -> Result<Rendering, Problem> {
        match files::render(PictureId::named(&[&id.to_string()]), bytes) {
            Err(why) => Ok(Rendering::Refused { why: why.to_string() }),
            Ok(rendered) => {
                for (size, jpeg) in rendered.sizes {
                    self.media.put(&rendered.picture, size, jpeg).await?;
                }
                Ok(Rendering::Kept { picture: rendered.picture })
            }
        }
    }

    async fn document(&self, key: &str, id: UploadId, bytes: &[u8]) -> Result<Rendering, Problem> {
        match files::render_document(PictureId::named(&[&id.to_string()]), bytes) {
            Err(why) => Ok(Rendering::Refused { why: why.to_string() }),
            Ok((picture, jpeg)) => {
                let sealed = self.vault.seal(key, &jpeg, &self.entropy).map_err(Problem::internal)?;
                self.documents.put(key, sealed).await?;
                Ok(Rendering::Kept { picture })
            }
        }
    }
}

/// Keeps what came of an upload, and removes the file from the quarantine.
pub async fn record(app: &App, quarantine: &Quarantine, id: UploadId, rendering: &Rendering) -> Result<(), Problem> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let Some(read) = app.store.upload(id).await? else { return Ok(()) };
        if read.value.status == UploadStatus::Processing && !record_once(app, &read, rendering, now).await? {
            continue;
        }
        return Ok(quarantine.delete(&read.value.key()).await?);
    }
    Err(Problem::busy("the upload kept changing"))
}

/// Whether it was written; not if somebody else wrote in between.
async fn record_once(app: &App, read: &Stored<Upload>, rendering: &Rendering, now: Timestamp) -> Result<bool, Problem> {
    let mut tx = Transaction::new();
    tx.save(read, &read.value.clone().rendered(rendering)?, ());
    if let Rendering::Kept { picture } = rendering {
        keep(app, &mut tx, &read.value, *picture, now).await?;
    }
    Ok(matches!(app.store.commit(tx).await?, Commit::Done))
}

/// Puts the picture where it belongs.
async fn keep(app: &App, tx: &mut Transaction<()>, upload: &Upload, picture: Picture, now: Timestamp) -> Result<(), Problem> {
    let gone = || Problem::internal("an upload for something that is gone");
    match &upload.purpose {
        Purpose::Photo { affiliate } => {
            let owner = app.store.affiliate(*affiliate).await?.ok_or_else(gone)?;
            tx.save(&owner, &Affiliate { photo: Some(picture), ..owner.value.clone() }, ());
        }
        Purpose::Ktp { affiliate } => {
            let identity = upload.identity.as_ref().ok_or_else(|| Problem::internal("an identity card without its number"))?;
            let settings: Settings = app.store.settings().await?;
            tx.create(&KtpImage::new(*affiliate, upload.id, identity.clone(), &settings, now), ());
            // The picture that came last counts, whichever upload was opened first: it replaces every other.
            for older in app.store.ktp_images(*affiliate).await? {
                if older.value.deleted_at.is_none() && older.value.replaced_at.is_none() {
                    tx.save(&older, &older.value.clone().replaced(now), ());
                }
            }
            flag_identity(app, tx, *affiliate, &identity.nik_hash).await?;
        }
        Purpose::Product { product } => {
            let shown = app.store.product(*product).await?.ok_or_else(gone)?;
            tx.save(&shown, &shown.value.clone().pictured(picture), ());
        }
        Purpose::Material { material, title, form } => {
            tx.create(&Material { id: *material, title: title.clone(), kind: *form, picture, created_at: now }, ());
        }
        Purpose::Order { order } => {
            let order = app.store.order(*order).await?.ok_or_else(gone)?;
            tx.save(&order, &order.value.clone().pictured(picture, now), ());
        }
        Purpose::PayoutProof { payout } => {
            let paid = app.store.payout(*payout).await?.ok_or_else(gone)?;
            tx.save(&paid, &Payout { proof: Some(upload.id), ..paid.value.clone() }, ());
        }
        Purpose::RefundProof { order, refund } => {
            let sent = app.store.refund(*order, *refund).await?.ok_or_else(gone)?;
            tx.save(&sent, &Refund { picture: Some(upload.id), ..sent.value.clone() }, ());
        }
    }
    Ok(())
}

/// Remembers whose number this is; who comes second with it has their sales looked at until a reviewer clears them: another
/// number does not. The wallet is saved whether or not it changes, so that of two cards at once one replaces the other.
async fn flag_identity(app: &App, tx: &mut Transaction<()>, id: AffiliateId, nik_hash: &str) -> Result<(), Problem> {
    let shares = !app.store.sharing_identity(nik_hash, id).await?.is_empty();
    if let Some(wallet) = app.store.wallet(id).await? {
        tx.save(&wallet, &Wallet { shares_identity: wallet.value.shares_identity || shares, ..wallet.value.clone() }, ());
    }
    tx.put_same(&SameIdentity { nik_hash: nik_hash.into(), affiliate: id });
    Ok(())
}

/// How long a run of the retention goes on; its function may take two minutes.
const SECONDS: i64 = 100;

/// What a run of the retention did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Retained {
    pub removed: usize,
    /// Pictures that could not be removed in this run; the others are.
    pub failed: usize,
    /// Cards that this version cannot read.
    pub odd: usize,
    /// There was more than one run takes; the next one goes on.
    pub more: bool,
}

/// Removes the pictures of identity cards whose time is over; answers with how many. The picture goes first: a run that
/// is cut off in between finds it again and finds it gone.
pub async fn retain(app: &App, documents: &Documents, now: Timestamp) -> Result<Retained, Problem> {
    let mut removed = 0;
    let mut lap = Lap::go_on(app, "ktp-retention", vec!["overdue"], SECONDS).await?;
    while let Some((_, after)) = lap.go() {
        for read in lap.turn(app.store.ktp_overdue(now, after).await).await? {
            match remove_card(app, documents, &read, now).await {
                Ok(gone) => removed += usize::from(gone),
                Err(problem) => {
                    tracing::error!(upload = %read.value.upload, cause = problem.cause(), "a card was not removed in this run");
                    lap.missed(problem).await;
                }
            }
        }
    }
    let ended = lap.end(now).await?;
    Ok(Retained { removed, failed: ended.missed.failed, odd: ended.missed.odd, more: ended.more })
}

async fn remove_card(app: &App, documents: &Documents, read: &Stored<KtpImage>, now: Timestamp) -> Result<bool, Problem> {
    documents.delete(&KtpImage::key(read.value.affiliate, read.value.upload)).await?;
    let identity = Identity { sealed_nik: String::new(), nik_hash: String::new(), ..read.value.identity.clone() };
    let gone = KtpImage { deleted_at: Some(now), identity, ..read.value.clone() };
    Ok(matches!(app.store.save(read, &gone).await?, Commit::Done))
}

/// How many pictures a run of the retention would remove.
pub async fn overdue(app: &App, now: Timestamp) -> Result<Retained, Problem> {
    let (mut removed, mut lap) = (0, Lap::dry(app, vec!["overdue"], SECONDS));
    while let Some((_, after)) = lap.go() {
        removed += lap.turn(app.store.ktp_overdue(now, after).await).await?.len();
    }
    let ended = lap.end(now).await?;
    Ok(Retained { removed, odd: ended.missed.odd, more: ended.more, failed: 0 })
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        Self::unavailable(error)
    }
}
