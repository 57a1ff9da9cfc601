//! What is written to whom, in Bahasa Indonesia, or in English where the person's language says so.

use super::{Letter, Mailer};
use crate::domain::{
    affiliate::{Affiliate, BankStatus, PayoutAccount},
    contact::Email,
    identity::{Audience, Customer, Language},
    order::Order,
    payment::Receipt,
    payout::{Payout, PayoutStatus},
    refund::{Refund, RefundReason},
    staff::Admin,
    text::mask_number,
};

/// A sentence in both languages.
type Both<'a> = (&'a str, &'a str);

struct Writer<'a> {
    to: &'a Email,
    name: &'a str,
    language: Language,
}

impl Writer<'_> {
    fn say(&self, (indonesian, english): Both<'_>) -> String {
        if self.language == Language::Id { indonesian } else { english }.to_owned()
    }

    fn letter(&self, subject: Both<'_>, paragraphs: &[Both<'_>]) -> Letter {
        Letter {
            to: self.to.clone(),
            language: self.language,
            subject: self.say(subject),
            greeting: format!("{} {},", self.say(("Assalamu'alaikum", "Dear")), self.name),
            paragraphs: paragraphs.iter().map(|p| self.say(*p)).collect(),
            facts: Vec::new(),
            button: None,
        }
    }
}

impl Letter {
    fn fact(mut self, name: String, value: &impl ToString) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    fn button(mut self, label: String, url: String) -> Self {
        self.button = Some((label, url));
        self
    }
}

/// Whom a letter about an account goes to, whatever kind of account it is.
#[derive(Debug, Clone)]
pub struct Person {
    email: Email,
    name: String,
    language: Language,
    audience: Audience,
    /// Whether the address was proved to be theirs.
    pub verified: bool,
}

impl Person {
    pub fn customer(c: &Customer) -> Self {
        let verified = c.verified_at.is_some();
        Self { email: c.email.clone(), name: c.name.to_string(), language: c.language, audience: Audience::Customer, verified }
    }

    pub fn affiliate(a: &Affiliate) -> Self {
        Self {
            email: a.email.clone(),
            name: a.details.first_name.to_string(),
            language: a.details.language,
            audience: Audience::Affiliate,
            verified: true,
        }
    }

    pub fn admin(a: &Admin) -> Self {
        Self { email: a.email.clone(), name: a.name.to_string(), language: Language::Id, audience: Audience::Admin, verified: true }
    }

    fn writer(&self) -> Writer<'_> {
        Writer { to: &self.email, name: &self.name, language: self.language }
    }

    /// The part of the shop that is theirs.
    const fn place(&self) -> &'static str {
        match self.audience {
            Audience::Customer => "",
            Audience::Affiliate => "/affiliate",
            Audience::Admin => "/admin",
        }
    }
}

pub fn verify_email(mailer: &Mailer, person: &Person, token: &str) -> Letter {
    let w = person.writer();
    w.letter(
        ("Selamat datang di Qurban Tanpa Batas", "Welcome to Qurban Tanpa Batas"),
        &[
            (
                "Akun Anda telah dibuat. Mohon pastikan bahwa alamat email ini milik Anda.",
                "Your account is there. Please confirm that this address is yours.",
            ),
            ("Tautan ini berlaku 24 jam dan hanya sekali.", "The link works for 24 hours, and once."),
        ],
    )
    .button(w.say(("Verifikasi email", "Verify my address")), format!("{}{}/verify-email?token={token}", mailer.shop, person.place()))
}

pub fn reset_password(mailer: &Mailer, person: &Person, token: &str) -> Letter {
    let w = person.writer();
    w.letter(
        ("Atur ulang kata sandi Anda", "Reset your password"),
        &[
            (
                "Seseorang meminta pengaturan ulang kata sandi akun Anda. Tautan ini berlaku 30 menit dan hanya sekali.",
                "Somebody asked to reset the password of your account. The link works for 30 minutes, and once.",
            ),
            ("Abaikan surat ini bila bukan Anda yang meminta.", "If it was not you, ignore this letter."),
        ],
    )
    .button(w.say(("Atur ulang kata sandi", "Reset the password")), format!("{}{}/reset-password?token={token}", mailer.shop, person.place()))
}

pub fn invitation(mailer: &Mailer, person: &Person, token: &str) -> Letter {
    let w = person.writer();
    w.letter(
        ("Undangan ke tim Qurban Tanpa Batas", "You are invited to the team of Qurban Tanpa Batas"),
        &[(
            "Anda diundang ke panel admin. Pilih kata sandi melalui tautan ini; tautan berlaku tiga hari dan hanya sekali.",
            "You are invited to the admin panel. Choose a password through this link; it works for three days, and once.",
        )],
    )
    .button(w.say(("Pilih kata sandi", "Choose a password")), format!("{}{}/accept-invitation?token={token}", mailer.shop, person.place()))
}

pub fn password_changed(mailer: &Mailer, person: &Person) -> Letter {
    let w = person.writer();
    w.letter(
        ("Kata sandi Anda telah diubah", "Your password has been changed"),
        &[(
            "Kata sandi akun Anda baru saja diubah dan perangkat lain telah dikeluarkan. Bila bukan Anda yang mengubahnya, segera atur ulang kata sandi Anda dan hubungi kami.",
            "The password of your account has just been changed, and other devices were logged out. If it was not you, reset it at once and write to us.",
        )],
    )
    .button(w.say(("Atur ulang kata sandi", "Reset the password")), format!("{}{}/forgot-password", mailer.shop, person.place()))
}

pub fn already_registered(mailer: &Mailer, person: &Person) -> Letter {
    let w = person.writer();
    w.letter(
        ("Anda sudah memiliki akun", "You already have an account"),
        &[(
            "Seseorang mencoba mendaftar dengan alamat email ini, yang sudah memiliki akun. Bila itu Anda, silakan masuk, atau atur ulang kata sandi bila lupa.",
            "Somebody tried to register with this address, which already has an account. If it was you, log in, or reset the password if you forgot it.",
        )],
    )
    .button(w.say(("Masuk", "Log in")), format!("{}{}/login", mailer.shop, person.place()))
}

pub fn order_placed(mailer: &Mailer, customer: &Customer, order: &Order, link: Option<&str>) -> Letter {
    let w = to_customer(customer);
    let button = link.map_or_else(|| format!("{}/orders/{}", mailer.shop, order.id), str::to_owned);
    w.letter(
        ("Pesanan qurban Anda menunggu pembayaran", "Your qurban order awaits payment"),
        &[(
            "Terima kasih. Pesanan Anda telah kami catat; mohon selesaikan pembayaran sebelum batas waktu.",
            "Thank you. We have your order; please pay before the deadline.",
        )],
    )
    .fact(w.say(("Nomor pesanan", "Order number")), &order.number)
    .fact("Total".into(), &order.total)
    .fact(w.say(("Batas pembayaran", "To be paid by")), &order.pay_by.in_jakarta())
    .button(w.say(("Bayar sekarang", "Pay now")), button)
}

pub fn order_expired(mailer: &Mailer, customer: &Customer, order: &Order) -> Letter {
    let w = to_customer(customer);
    w.letter(
        ("Batas pembayaran pesanan Anda telah lewat", "The payment deadline of your order has passed"),
        &[(
            "Pesanan Anda belum dibayar dan telah kami tutup. Anda dapat memesan kembali kapan saja.",
            "Your order was not paid and has been closed. You can order again at any time.",
        )],
    )
    .fact(w.say(("Nomor pesanan", "Order number")), &order.number)
    .button(w.say(("Pesan kembali", "Order again")), mailer.shop.clone())
}

fn to_customer(customer: &Customer) -> Writer<'_> {
    Writer { to: &customer.email, name: customer.name.as_str(), language: customer.language }
}

fn to_affiliate(affiliate: &Affiliate) -> Writer<'_> {
    Writer { to: &affiliate.email, name: affiliate.details.first_name.as_str(), language: affiliate.details.language }
}

pub fn order_confirmed(mailer: &Mailer, customer: &Customer, order: &Order) -> Letter {
    let w = to_customer(customer);
    let mut letter = w.letter(
        ("Pembayaran qurban Anda telah kami terima", "We have received your qurban payment"),
        &[(
            "Alhamdulillah, pembayaran Anda telah kami terima. Anda dapat mengikuti perjalanan qurban Anda di halaman pesanan.",
            "Your payment has reached us. You can follow your qurban on the page of the order.",
        )],
    );
    letter = letter.fact(w.say(("Nomor pesanan", "Order number")), &order.number);
    for line in &order.lines {
        letter = letter.fact(format!("{} x {}", line.quantity, line.name), &line.price().unwrap_or_default());
    }
    if let Some(coupon) = &order.coupon {
        letter = letter.fact(format!("{} {}", w.say(("Kupon", "Coupon")), coupon.code), &format!("-{}", coupon.discount));
    }
    letter = letter.fact("Total".into(), &order.total).fact(w.say(("Lokasi penyaluran", "Distribution")), &order.recipient.location);
    letter.button(w.say(("Lihat pesanan", "See the order")), format!("{}/orders/{}", mailer.shop, order.id))
}

/// Money of another amount than asked: told at once, so that nobody pays again meanwhile.
pub fn payment_held(mailer: &Mailer, customer: &Customer, order: &Order, receipt: &Receipt) -> Letter {
    let w = to_customer(customer);
    w.letter(
        ("Pembayaran Anda sedang kami periksa", "We are checking your payment"),
        &[(
            "Kami menerima pembayaran yang jumlahnya tidak sesuai dengan tagihan pesanan Anda. Tim kami memeriksanya dan akan mengembalikan dana tersebut. Mohon jangan membayar lagi melalui tautan yang sama.",
            "We received a payment whose amount does not match your order. Our team is checking it and will send the money back. Please do not pay again through the same link.",
        )],
    )
    .fact(w.say(("Nomor pesanan", "Order number")), &order.number)
    .fact(w.say(("Jumlah diterima", "Amount received")), &receipt.paid.amount)
    .fact("Total".into(), &order.total)
    .button(w.say(("Lihat pesanan", "See the order")), format!("{}/orders/{}", mailer.shop, order.id))
}

pub fn refund(mailer: &Mailer, customer: &Customer, order: &Order, refund: &Refund) -> Letter {
    let w = to_customer(customer);
    let text = match (refund.of_order, refund.reason) {
        (true, _) => (
            "Kami telah membuka pengembalian dana untuk pesanan Anda. Dana akan dikirim melalui jalur pembayaran Anda atau transfer bank.",
            "We have opened a refund for your order. The money comes back the way you paid, or by bank transfer.",
        ),
        (false, RefundReason::Duplicate) => (
            "Pesanan Anda sudah dibayar, sehingga pembayaran kedua ini kami kembalikan seluruhnya melalui jalur pembayaran Anda atau transfer bank.",
            "Your order was already paid, so we are returning this second payment in full, the way you paid or by bank transfer.",
        ),
        (false, _) => (
            "Pembayaran ini tidak dapat kami gunakan untuk pesanan Anda, sehingga kami kembalikan seluruhnya melalui jalur pembayaran Anda atau transfer bank.",
            "We could not apply this payment to your order, so we are returning it in full, the way you paid or by bank transfer.",
        ),
    };
    w.letter(("Pengembalian dana pesanan Anda", "The refund of your order"), &[text])
        .fact(w.say(("Nomor pesanan", "Order number")), &order.number)
        .fact(w.say(("Jumlah", "Amount")), &refund.amount)
        .button(w.say(("Lihat pesanan", "See the order")), format!("{}/orders/{}", mailer.shop, order.id))
}

pub fn application_received(_: &Mailer, affiliate: &Affiliate) -> Letter {
    to_affiliate(affiliate).letter(
        ("Pendaftaran afiliasi Anda telah kami terima", "We have received your affiliate application"),
        &[(
            "Terima kasih telah mendaftar. Tim kami akan meninjau pendaftaran Anda dan mengabari Anda melalui email.",
            "Thank you for applying. Our team reviews your application and writes to you.",
        )],
    )
}

pub fn application_approved(mailer: &Mailer, affiliate: &Affiliate) -> Letter {
    let w = to_affiliate(affiliate);
    let letter = w.letter(
        ("Selamat, Anda telah menjadi afiliasi Qutab", "Welcome as a Qutab affiliate"),
        &[(
            "Pendaftaran Anda telah disetujui. Bagikan tautan di bawah ini; setiap pesanan yang dibayar melalui tautan itu memberi Anda komisi.",
            "Your application has been approved. Share the link below; every paid order through it earns you a commission.",
        )],
    );
    match &affiliate.code {
        Some(code) => {
            let link = format!("{}/r/{code}", mailer.api);
            letter
                .fact(w.say(("Kode", "Code")), code)
                .fact(w.say(("Tautan", "Link")), &link)
                .button(w.say(("Buka dasbor", "Open the dashboard")), format!("{}/affiliate", mailer.shop))
        }
        None => letter,
    }
}

pub fn application_rejected(_: &Mailer, affiliate: &Affiliate) -> Letter {
    let w = to_affiliate(affiliate);
    let letter = w.letter(
        ("Pendaftaran afiliasi Anda", "Your affiliate application"),
        &[("Mohon maaf, pendaftaran Anda belum dapat kami setujui.", "We are sorry: we could not approve your application.")],
    );
    match &affiliate.rejection {
        Some(reason) => letter.fact(w.say(("Alasan", "Reason")), reason),
        None => letter,
    }
}

pub fn bank_decided(_: &Mailer, affiliate: &Affiliate, bank: &PayoutAccount) -> Letter {
    let w = to_affiliate(affiliate);
    let text = if bank.status == BankStatus::Verified {
        ("Rekening Anda telah diverifikasi. Anda dapat mengajukan pencairan.", "Your bank account has been verified. You can request payouts.")
    } else {
        ("Rekening Anda belum dapat diverifikasi.", "Your bank account could not be verified.")
    };
    let mut letter = w.letter(("Verifikasi rekening", "Bank account verification"), &[text]);
    letter = letter.fact(w.say(("Rekening", "Account")), &format!("{} {}", bank.account.bank_name(), mask_number(&bank.account.number)));
    match &bank.rejection {
        Some(reason) => letter.fact(w.say(("Alasan", "Reason")), reason),
        None => letter,
    }
}

pub fn bank_changed(_: &Mailer, affiliate: &Affiliate, bank: &PayoutAccount) -> Letter {
    let w = to_affiliate(affiliate);
    w.letter(
        ("Rekening pencairan Anda telah diubah", "Your payout account has been changed"),
        &[(
            "Rekening di bawah ini akan kami periksa sebelum pencairan berikutnya. Bila bukan Anda yang mengubahnya, segera ganti kata sandi Anda dan hubungi kami.",
            "We look at the account below before the next payout. If it was not you who changed it, change your password and write to us at once.",
        )],
    )
    .fact(w.say(("Rekening", "Account")), &format!("{} {}", bank.account.bank_name(), mask_number(&bank.account.number)))
}

pub fn payout(mailer: &Mailer, affiliate: &Affiliate, payout: &Payout) -> Letter {
    let w = to_affiliate(affiliate);
    let (subject, text) = match payout.status {
        PayoutStatus::Paid => (
            ("Pencairan komisi Anda telah ditransfer", "Your payout has been transferred"),
            ("Komisi Anda telah kami transfer ke rekening Anda.", "We have transferred your commission to your bank account."),
        ),
        _ => (
            ("Pencairan komisi Anda belum berhasil", "Your payout did not go through"),
            (
                "Pencairan Anda belum dapat kami selesaikan; jumlahnya kembali ke saldo Anda.",
                "Your payout could not be completed; the amount is back in your balance.",
            ),
        ),
    };
    let mut letter = w.letter(subject, &[text]).fact(w.say(("Jumlah", "Amount")), &payout.net);
    letter = letter.fact(w.say(("Rekening", "Account")), &format!("{} {}", payout.account.bank_name(), mask_number(&payout.account.number)));
    if let Some(reference) = &payout.reference {
        letter = letter.fact(w.say(("Referensi", "Reference")), reference);
    }
    if let Some(note) = &payout.note {
        letter = letter.fact(w.say(("Catatan", "Note")), note);
    }
    letter.button(w.say(("Buka dasbor", "Open the dashboard")), format!("{}/affiliate", mailer.shop))
}
