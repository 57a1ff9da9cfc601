//! Sealed pictures (identity cards, proofs of transfers) are shown to one admin at a time: through a link that works once,
//! for minutes, and leaves a trace.

use super::{
    App, Code, Problem,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        ids::{AffiliateId, UploadId},
        ktp::{DocumentLink, KtpImage},
        upload::proof_key,
    },
    files::Documents,
    secrets::link::LinkToken,
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};
use axum::extract::FromRef;

/// What a function has that shows documents.
#[derive(Debug, Clone)]
pub struct ReadingRoom {
    pub app: App,
    pub documents: Documents,
}

impl FromRef<ReadingRoom> for App {
    fn from_ref(room: &ReadingRoom) -> Self {
        room.app.clone()
    }
}

pub const LINK_SECONDS: i64 = 300;
/// Largest picture that is shown: what a function can answer with, and some room.
const MOST_BYTES: usize = 3 << 20;

/// The newest card, its number, and the secret of a link to its picture.
#[derive(Debug)]
pub struct Card {
    pub image: KtpImage,
    /// Nothing once the retention time is over.
    pub nik: Option<String>,
    pub link: Option<LinkToken>,
}

/// Opens a card for whoever verifies the bank account. That the number was seen is in the audit log.
pub async fn card(room: &ReadingRoom, by: Reviewer, id: AffiliateId) -> Result<Card, Problem> {
    let app = &room.app;
    let newest = app.store.ktp_images(id).await?.into_iter().next();
    let image = newest.ok_or_else(|| Problem::new(Code::NotFound))?.value;
    if image.deleted_at.is_some() {
        return Ok(Card { image, nik: None, link: None });
    }
    let nik = app.vault()?.open_nik(&id.to_string(), &image.identity.sealed_nik).map_err(Problem::internal)?;
    let token = link(room, by, "ktp", KtpImage::key(id, image.upload), id.to_string()).await?;
    Ok(Card { image, nik: Some(nik), link: Some(token) })
}

/// A link to the picture that proves a transfer.
pub async fn proof(room: &ReadingRoom, by: Reviewer, subject: String, upload: Option<UploadId>) -> Result<LinkToken, Problem> {
    let upload = upload.ok_or_else(|| Problem::new(Code::NotFound))?;
    link(room, by, "proof", proof_key(upload), subject).await
}

async fn link(room: &ReadingRoom, by: Reviewer, kind: &str, document: String, subject: String) -> Result<LinkToken, Problem> {
    let app = &room.app;
    let token = LinkToken::new(&by.admin.to_string(), &app.entropy);
    let expires_at = app.clock.now().plus_seconds(LINK_SECONDS);
    let opened = audit::entry(app, by, &format!("{kind}.open"), &subject, "", &document);
    let link = DocumentLink { secret_hash: token.hash(), admin: by.admin, document, subject, expires_at };
    let mut tx = Transaction::new();
    tx.create(&link, ()).create(&opened, ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(token),
        Commit::Lost(_) => Err(Problem::unavailable("a link that was there already")),
    }
}

/// The picture behind a link, for the admin whom it was made for. The link is used up before anything is read.
pub async fn read(room: &ReadingRoom, by: Reviewer, token: &str) -> Result<Vec<u8>, Problem> {
    let app = &room.app;
    let missing = || Problem::new(Code::NotFound);
    let token = LinkToken::parse(token).ok_or_else(missing)?;
    let link: Stored<DocumentLink> = app.store.get(&keys::document_link(&token.hash())).await?.ok_or_else(missing)?;
    if link.value.admin != by.admin || link.value.expires_at <= app.clock.now() {
        return Err(missing());
    }
    let DocumentLink { document, subject, .. } = &link.value;
    let action = if document.starts_with("ktp/") { "ktp.read" } else { "proof.read" };
    let mut tx = Transaction::new();
    tx.remove(&link, ()).create(&audit::entry(app, by, action, subject, "", document), ());
    let Commit::Done = app.store.commit(tx).await? else { return Err(missing()) };
    let sealed = room.documents.read(document).await?.ok_or_else(missing)?;
    let picture = app.vault()?.open(document, &sealed).map_err(Problem::internal)?;
    if picture.len() > MOST_BYTES { Err(Problem::internal("a document that is too large to show")) } else { Ok(picture) }
}
