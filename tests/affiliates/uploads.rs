//! Photos and identity cards: uploaded to quarantine, looked at, written anew, sealed, and removed in time.

use qutab::domain::{
    ids::{AffiliateId, UploadId},
    ktp::KtpImage,
};
use qutab_tests::{Affiliate, Answer, World};
use serde_json::{Value, json};

const PICTURE: &[u8] = include_bytes!("../../infra/local/pictures/domba-garut.jpg");
const PHOTO: &str = "/api/affiliate/profile/photo";
const KTP: &str = "/api/affiliate/bank-account/ktp";
const NIK: &str = "3273014107900001";

/// The picture with a place in its metadata, as a phone would write it.
fn with_metadata() -> Vec<u8> {
    let note = b"Exif\0\0GPS -6.9175 107.6191 Jalan Rahasia";
    let length = u16::try_from(note.len() + 2).unwrap().to_be_bytes();
    [&PICTURE[..2], &[0xff, 0xe1], &length, note, &PICTURE[2..]].concat()
}

fn ktp_body(bytes: usize) -> Value {
    json!({ "content_type": "image/jpeg", "bytes": bytes, "nik": NIK, "consent": true, "consent_version": "ktp-2026-01" })
}

async fn open(w: &World, affiliate: &Affiliate, path: &str, bytes: usize) -> Value {
    let body = if path == KTP { ktp_body(bytes) } else { json!({ "content_type": "image/jpeg", "bytes": bytes }) };
    w.post(path, &affiliate.token, body).await.ok()
}

/// Puts the file as a browser would: to the address, with the headers that came with it.
async fn put(w: &World, opened: &Value, file: &[u8]) -> u16 {
    let mut request = http::Request::builder().method("PUT").uri(opened["url"].as_str().unwrap());
    for (name, value) in opened["headers"].as_object().unwrap() {
        if name != "content-length" {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    let request = request.header("content-length", file.len()).body(file.to_vec().into()).unwrap();
    w.wire.files.answer(request).await.status().as_u16()
}

async fn complete(w: &World, affiliate: &Affiliate, path: &str, opened: &Value) -> Answer {
    w.post(&format!("{path}/{}/complete", opened["upload_id"].as_str().unwrap()), &affiliate.token, json!({})).await
}

async fn upload(w: &World, affiliate: &Affiliate, path: &str, file: &[u8]) -> Value {
    let opened = open(w, affiliate, path, file.len()).await;
    assert_eq!(put(w, &opened, file).await, 200);
    assert_eq!(complete(w, affiliate, path, &opened).await.status, 202);
    w.drain().await;
    complete(w, affiliate, path, &opened).await.body
}

async fn card(w: &World, affiliate: &Affiliate) -> Value {
    w.get("/api/affiliate/bank-account", &affiliate.token).await.ok()["ktp"].clone()
}

async fn retain(w: &World) -> i64 {
    let event = serde_json::from_value(json!({ "time": w.now() })).unwrap();
    qutab_tests::grants::acting("ktp-retention", ktp_retention::run(&w.shop.app, &w.darkroom.documents, event)).await.unwrap()["removed"]
        .as_i64()
        .unwrap()
}

fn document(affiliate: &Affiliate, opened: &Value) -> String {
    KtpImage::key(AffiliateId::parse(&affiliate.id).unwrap(), UploadId::parse(opened["upload_id"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn a_photo_is_written_anew_in_fixed_sizes_without_its_metadata() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let file = with_metadata();
    let opened = open(&w, &affiliate, PHOTO, file.len()).await;
    assert_eq!((opened["method"].as_str(), opened["expires_in"].as_i64()), (Some("PUT"), Some(300)));
    assert_eq!(put(&w, &opened, &file).await, 200);
    assert_eq!(complete(&w, &affiliate, PHOTO, &opened).await.body["status"], "processing");
    assert!(w.get("/api/affiliate/profile", &affiliate.token).await.ok()["photo"].is_null(), "not yet");
    w.drain().await;
    assert_eq!(complete(&w, &affiliate, PHOTO, &opened).await.body["status"], "ready", "completing again asks");
    let photo = w.get("/api/affiliate/profile", &affiliate.token).await.ok()["photo"].clone();
    assert_eq!(photo.as_array().unwrap().iter().map(|s| s["width"].as_i64().unwrap()).collect::<Vec<_>>(), [320, 640, 1280]);
    for size in photo.as_array().unwrap() {
        let request = http::Request::builder().uri(size["url"].as_str().unwrap()).body(Vec::new().into()).unwrap();
        let kept = w.wire.files.answer(request).await;
        assert!(kept.status() == 200 && kept.headers()["content-type"] == "image/jpeg");
        assert!(!kept.body().windows(4).any(|b| b == b"Exif" || b == b"GPS "), "no metadata");
    }
    let key = format!("uploads/{}", opened["upload_id"].as_str().unwrap());
    assert!(w.darkroom.quarantine.read(&key).await.unwrap().is_none(), "nothing stays in quarantine");
}

#[tokio::test]
async fn content_decides_and_what_is_no_picture_is_refused() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let bomb = {
        // A PNG that says it is 60,000 pixels wide and high.
        let mut header = b"IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x06\x00\x00\x00".to_vec();
        header.extend(crc(&header).to_be_bytes());
        [&b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"[..], &header].concat()
    };
    let polyglot = [&b"\xff\xd8\xff\xe0"[..], b"<script>alert(1)</script>"].concat();
    let files: [&[u8]; 6] = [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7 x", b"GIF89a", &PICTURE[..400], &bomb, &polyglot];
    for file in files {
        let seen = upload(&w, &affiliate, PHOTO, file).await;
        assert_eq!(seen["status"], "refused", "{seen}");
        assert!(seen["refusal"].as_str().unwrap().len() > 5);
    }
    let missing = open(&w, &affiliate, PHOTO, 100).await;
    complete(&w, &affiliate, PHOTO, &missing).await.ok();
    w.drain().await;
    assert_eq!(complete(&w, &affiliate, PHOTO, &missing).await.body["status"], "refused", "nothing was put there");
    assert!(w.get("/api/affiliate/profile", &affiliate.token).await.ok()["photo"].is_null());
    assert_eq!(w.wire.queues.depth()["MediaDeadLetters"], 0, "a bad picture is no poison");
}

fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(!0_u32, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
        sum
    }) ^ !0
}

#[tokio::test]
async fn an_address_takes_this_file_and_no_other() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    let opened = open(&w, &rina, PHOTO, PICTURE.len()).await;
    let changed = |name: &str, from: &str, to: &str| {
        let mut other = opened.clone();
        other[name] = json!(opened[name].as_str().unwrap().replace(from, to));
        other
    };
    assert_eq!(put(&w, &opened, &PICTURE[1..]).await, 403, "another length");
    assert_eq!(put(&w, &changed("url", "/uploads/upl_", "/uploads/upx_"), PICTURE).await, 403, "another place");
    assert_eq!(put(&w, &changed("url", "/quarantine/", "/media/"), PICTURE).await, 403, "another bucket");
    let mut typed = opened.clone();
    typed["headers"]["content-type"] = json!("text/html");
    assert_eq!(put(&w, &typed, PICTURE).await, 403, "another type");
    assert_eq!(complete(&w, &tono, PHOTO, &opened).await.status, 404, "somebody else's");
    assert_eq!(complete(&w, &rina, KTP, &opened).await.status, 404, "a photo is no identity card");
    for body in [json!({ "content_type": "image/svg+xml", "bytes": 10 }), json!({ "content_type": "image/jpeg", "bytes": 6_000_000 }), json!({})] {
        assert_eq!(w.post(PHOTO, &rina.token, body).await.status, 422);
    }
    for _ in 0..9 {
        open(&w, &rina, PHOTO, 100).await;
    }
    assert_eq!(w.post(PHOTO, &rina.token, json!({ "content_type": "image/jpeg", "bytes": 100 })).await.status, 429);
}

#[tokio::test]
async fn an_identity_card_needs_consent_and_a_number_and_is_sealed() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let mut unagreed = ktp_body(10);
    unagreed["consent"] = json!(false);
    unagreed["nik"] = json!("3273014113900001");
    let refused = w.post(KTP, &affiliate.token, unagreed).await;
    let named: Vec<&str> = refused.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!((refused.status, named), (422, vec!["nik", "consent"]));
    let file = with_metadata();
    let opened = open(&w, &affiliate, KTP, file.len()).await;
    put(&w, &opened, &file).await;
    complete(&w, &affiliate, KTP, &opened).await.ok();
    w.drain().await;
    let seen = card(&w, &affiliate).await;
    assert_eq!((seen["status"].as_str(), seen["nik"].as_str()), (Some("pending"), Some("************0001")));
    let key = document(&affiliate, &opened);
    let sealed = w.darkroom.documents.read(&key).await.unwrap().unwrap();
    assert!(!sealed.windows(3).any(|b| b == b"\xff\xd8\xff") && !sealed.windows(4).any(|b| b == b"JFIF"), "no picture lies there");
    let opened_again = w.darkroom.vault.open(&key, &sealed).unwrap();
    assert!(opened_again.starts_with(b"\xff\xd8\xff") && !opened_again.windows(4).any(|b| b == b"Exif"), "a picture is inside, without metadata");
    let table: String = w.items().iter().map(ToString::to_string).collect();
    assert!(!table.contains(NIK) && !table.contains("Jalan Rahasia"), "the number is sealed");
    assert!(table.contains("ktp-2026-01"), "what was agreed to is recorded");
    let request = http::Request::builder().uri(format!("http://s3.local/documents/{key}")).body(Vec::new().into()).unwrap();
    assert_eq!(w.wire.files.answer(request).await.status(), 403, "nobody reads it without a signature");
}

#[tokio::test]
async fn pictures_of_cards_are_removed_when_their_time_is_over() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let send = async |affiliate: &Affiliate| {
        let opened = open(&w, affiliate, KTP, PICTURE.len()).await;
        put(&w, &opened, PICTURE).await;
        complete(&w, affiliate, KTP, &opened).await.ok();
        w.drain().await;
        document(affiliate, &opened)
    };
    let there = async |key: &str| w.darkroom.documents.read(key).await.unwrap().is_some();
    let first = send(&affiliate).await;
    w.pass_seconds(1);
    let second = send(&affiliate).await;
    assert_eq!((retain(&w).await, there(&first).await, there(&second).await), (1, false, true), "another card took the first one's place");
    w.verify_bank(&affiliate).await;
    assert_eq!(card(&w, &affiliate).await["status"], "verified", "reviewed with the account");
    w.pass_days(29);
    assert_eq!(retain(&w).await, 0);
    w.pass_days(1);
    assert_eq!((retain(&w).await, retain(&w).await, there(&second).await), (1, 0, false));
    let affiliate = w.affiliate_again(&affiliate).await;
    let seen = card(&w, &affiliate).await;
    assert_eq!((seen["status"].as_str(), seen["nik"].is_null(), seen["image_kept_until"].is_null()), (Some("verified"), true, true));
    let abandoned = send(&w.affiliate("tono").await).await;
    w.pass_days(89);
    assert_eq!(retain(&w).await, 0);
    w.pass_days(1);
    assert_eq!((retain(&w).await, there(&abandoned).await), (1, false), "nobody ever decided on it");
}

#[tokio::test]
async fn one_card_shown_by_two_has_the_second_ones_sales_looked_at() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    for affiliate in [&rina, &tono] {
        upload(&w, affiliate, KTP, PICTURE).await;
        let buyer = w.customer(&format!("pembeli{}", affiliate.code.to_lowercase())).await;
        let click = w.click(&affiliate.code).await;
        let order = w.order(&buyer, "kambing-standar", Some(&click)).await;
        w.pay(&order).await;
        w.drain().await;
    }
    let held = w.get("/api/admin/signals", &w.admin("viewer").await).await.ok();
    let items = held["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["affiliate_id"], &items[0]["signals"]), (1, &json!(tono.id), &json!(["shared_identity"])), "{held}");
}

async fn show_card(w: &World, affiliate: &Affiliate, nik: &str) {
    let mut body = ktp_body(PICTURE.len());
    body["nik"] = json!(nik);
    let opened = w.post(KTP, &affiliate.token, body).await.ok();
    assert_eq!(put(w, &opened, PICTURE).await, 200);
    complete(w, affiliate, KTP, &opened).await.ok();
    w.drain().await;
}

#[tokio::test]
async fn the_picture_that_came_last_is_the_one_that_is_kept_and_shown_whichever_upload_was_opened_first() {
    let w = World::new().await;
    let affiliate = w.affiliate("rina").await;
    let first = open(&w, &affiliate, KTP, PICTURE.len()).await;
    w.pass_seconds(10);
    let second = open(&w, &affiliate, KTP, PICTURE.len()).await;
    for opened in [&second, &first] {
        assert_eq!(put(&w, opened, PICTURE).await, 200);
        complete(&w, &affiliate, KTP, opened).await.ok();
        w.drain().await;
        w.pass_seconds(10);
    }
    assert_eq!(retain(&w).await, 1, "the one that was replaced");
    assert!(w.darkroom.documents.read(&document(&affiliate, &first)).await.unwrap().is_some());
    assert!(w.darkroom.documents.read(&document(&affiliate, &second)).await.unwrap().is_none());
    let shown = card(&w, &affiliate).await;
    assert!(shown["nik"].is_string() && shown["image_kept_until"].is_string(), "{shown}");
    let finance = w.admin("finance").await;
    let seen = w.get(&format!("/api/admin/bank-accounts/{}/ktp", affiliate.id), &finance).await.ok();
    assert_eq!(seen["upload_id"], first["upload_id"], "what a reviewer opens is what is there");
}

#[tokio::test]
async fn a_mark_for_a_shared_card_or_account_is_cleared_by_a_reviewer_and_by_nothing_else() {
    let w = World::new().await;
    let (rina, tono) = (w.affiliate("rina").await, w.affiliate("tono").await);
    w.verify_bank(&rina).await;
    show_card(&w, &rina, NIK).await;
    show_card(&w, &tono, NIK).await;
    let save = async |number: &str| {
        let body = json!({ "bank_code": "014", "account_number": number, "holder_name": "Tono", "current_password": qutab_tests::PASSWORD });
        w.send("PUT", "/api/affiliate/bank-account", Some(&tono.token), &[], Some(body)).await.ok()
    };
    save("1234567890").await;
    let (viewer, finance) = (w.admin("viewer").await, w.admin("finance").await);
    let marks = async || w.get(&format!("/api/admin/affiliates/{}", tono.id), &viewer).await.ok()["marks"].clone();
    assert_eq!(marks().await, json!(["bank_account", "identity"]));
    // Another card and another account wash nothing off.
    show_card(&w, &tono, "3201011208850003").await;
    save("5550001112").await;
    assert_eq!(marks().await, json!(["bank_account", "identity"]));
    let verify = async |body: Value| w.post(&format!("/api/admin/bank-accounts/{}/verify", tono.id), &finance, body).await;
    verify(json!({ "version": 2 })).await.ok();
    assert_eq!(marks().await, json!(["bank_account", "identity"]), "a verification says nothing about what is shared");
    assert_eq!(verify(json!({ "version": 2, "clear": ["everything"] })).await.status, 422);
    verify(json!({ "version": 2, "clear": ["identity"] })).await.ok();
    assert_eq!(marks().await, json!(["bank_account"]));
    verify(json!({ "version": 2, "clear": ["bank_account", "identity"] })).await.ok();
    assert_eq!(marks().await, json!([]));
    let owner = w.admin("owner").await;
    let lines = w.get("/api/admin/audit-log?action=affiliate.clear_marks", &owner).await.ok();
    assert_eq!(lines["items"].as_array().unwrap().len(), 2, "each clearing once: {lines}");
}
