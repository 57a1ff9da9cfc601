//! The receipt of an order, in Bahasa Indonesia: what was bought for whom, what it cost, and how it was paid.

use super::{
    font::Face::{Bold, Regular},
    sheet::{Colour, GREEN, GREY, INK, MARGIN, PALE, Sheets, Style, WHITE, WIDTH, style},
};
use crate::domain::{
    helpdesk::Contact,
    identity::Customer,
    money::Rupiah,
    order::{Order, OrderLine, OrderStatus, Shohibul},
    payment::PaymentMethod,
    refund::{Refund, RefundStatus},
};

const RIGHT: f32 = WIDTH - MARGIN;
/// Right ends of the columns: quantity, unit price.
const QUANTITY: f32 = 345.0;
const UNIT_PRICE: f32 = 445.0;
/// Left end of the right half.
const HALF: f32 = 310.0;
const AMBER: Colour = Colour(0.60, 0.38, 0.02);
const RED: Colour = Colour(0.65, 0.15, 0.12);

const BODY: Style = style(Regular, 9.5, INK);
const STRONG: Style = style(Bold, 9.5, INK);
const LABEL: Style = style(Bold, 8.0, GREY);
const SMALL: Style = style(Regular, 8.5, GREY);

/// The receipt as a PDF file. An order that is not paid yet gets a bill instead.
pub fn receipt(order: &Order, customer: &Customer, refunds: &[Refund], contact: &Contact) -> Vec<u8> {
    let mut sheets = Sheets::new();
    head(&mut sheets, order);
    parties(&mut sheets, order, customer);
    items(&mut sheets, order);
    sums(&mut sheets, order, refunds);
    payment(&mut sheets, order);
    let title = format!("{} {}", kind(order), order.number);
    let foot = format!("Qurban Tanpa Batas  \u{2022}  {}  \u{2022}  WhatsApp +{}", contact.email, contact.whatsapp);
    sheets.finish(&title, &foot)
}

const fn kind(order: &Order) -> &'static str {
    if order.paid.is_some() { "Kwitansi" } else { "Tagihan" }
}

fn head(sheets: &mut Sheets, order: &Order) {
    sheets.fill(0.0, 0.0, WIDTH, 84.0, GREEN);
    sheets.y = 40.0;
    sheets.text(MARGIN, style(Bold, 19.0, WHITE), "Qurban Tanpa Batas");
    sheets.text_before(RIGHT, style(Bold, 15.0, WHITE), &kind(order).to_uppercase());
    sheets.y = 58.0;
    sheets.text(MARGIN, style(Regular, 9.5, PALE), "Qurban Anda, sampai ke pelosok negeri");
    sheets.text_before(RIGHT, style(Regular, 9.5, PALE), order.number.as_str());
    sheets.y = 116.0;
}

fn parties(sheets: &mut Sheets, order: &Order, customer: &Customer) {
    let (words, colour) = status(order.status);
    let top = sheets.y;
    sheets.text(MARGIN, LABEL, "PEMESAN");
    sheets.text(HALF, LABEL, "DISALURKAN KEPADA");
    sheets.y += 15.0;
    let start = sheets.y;
    sheets.paragraph(MARGIN, HALF - MARGIN - 20.0, 13.0, STRONG, customer.name.as_str());
    sheets.y += 13.0;
    sheets.paragraph(MARGIN, HALF - MARGIN - 20.0, 13.0, BODY, customer.email.as_str());
    if let Some(address) = &customer.address {
        sheets.y += 13.0;
        sheets.paragraph(MARGIN, HALF - MARGIN - 20.0, 13.0, BODY, address.as_str());
    }
    let left = sheets.y;
    sheets.y = start;
    sheets.paragraph(HALF, RIGHT - HALF, 13.0, STRONG, order.recipient.name.as_str());
    sheets.y += 13.0;
    sheets.paragraph(HALF, RIGHT - HALF, 13.0, BODY, order.recipient.location.as_str());
    sheets.y = sheets.y.max(left).max(top + 28.0) + 24.0;
    sheets.text(MARGIN, LABEL, "TANGGAL PESANAN");
    sheets.text(HALF, LABEL, "STATUS");
    sheets.y += 15.0;
    sheets.text(MARGIN, BODY, &order.placed_at.in_jakarta());
    sheets.text(HALF, style(Bold, 9.5, colour), words);
    sheets.y += 26.0;
}

const fn status(status: OrderStatus) -> (&'static str, Colour) {
    match status {
        OrderStatus::Pending => ("Menunggu pembayaran", AMBER),
        OrderStatus::Paid => ("Lunas", GREEN),
        OrderStatus::Processing => ("Lunas, sedang diproses", GREEN),
        OrderStatus::Distributed => ("Lunas, sudah disalurkan", GREEN),
        OrderStatus::Completed => ("Lunas, selesai", GREEN),
        OrderStatus::Cancelled => ("Dibatalkan", RED),
        OrderStatus::Expired => ("Kedaluwarsa, tidak dibayar", RED),
        OrderStatus::Refunded => ("Dana dikembalikan", RED),
    }
}

fn items(sheets: &mut Sheets, order: &Order) {
    columns(sheets);
    for line in &order.lines {
        if sheets.make_room(44.0) {
            columns(sheets);
        }
        item(sheets, line);
    }
}

fn columns(sheets: &mut Sheets) {
    let top = sheets.y - 12.0;
    sheets.fill(MARGIN, top, RIGHT - MARGIN, 20.0, PALE);
    let heading = style(Bold, 8.5, GREEN);
    sheets.y = top + 13.0;
    sheets.text(MARGIN + 8.0, heading, "Paket");
    sheets.text_before(QUANTITY, heading, "Jumlah");
    sheets.text_before(UNIT_PRICE, heading, "Harga satuan");
    sheets.text_before(RIGHT - 8.0, heading, "Harga");
    sheets.y += 24.0;
}

fn item(sheets: &mut Sheets, line: &OrderLine) {
    let price = line.price().unwrap_or(Rupiah::ZERO);
    sheets.text_before(QUANTITY, BODY, &line.quantity.to_string());
    sheets.text_before(UNIT_PRICE, BODY, &line.unit_price.to_string());
    sheets.text_before(RIGHT - 8.0, BODY, &price.to_string());
    sheets.paragraph(MARGIN + 8.0, QUANTITY - MARGIN - 60.0, 13.0, STRONG, line.name.as_str());
    sheets.y += 13.0;
    sheets.make_room(12.0);
    let names: Vec<String> = line.shohibul.iter().map(shohibul).collect();
    sheets.paragraph(MARGIN + 8.0, RIGHT - MARGIN - 16.0, 12.0, SMALL, &format!("Atas nama: {}", names.join("; ")));
    sheets.y += 10.0;
    sheets.rule();
    sheets.y += 16.0;
}

fn shohibul(shohibul: &Shohibul) -> String {
    match &shohibul.father {
        Some(father) => format!("{} bin/binti {father}", shohibul.name),
        None => shohibul.name.to_string(),
    }
}

fn sums(sheets: &mut Sheets, order: &Order, refunds: &[Refund]) {
    sheets.make_room(110.0);
    let mut row = |label: &str, amount: String, look: Style| {
        sheets.text(HALF, look, label);
        sheets.text_before(RIGHT - 8.0, look, &amount);
        sheets.y += 15.0;
    };
    row("Jumlah", order.subtotal.to_string(), BODY);
    if let Some(coupon) = &order.coupon {
        row(&format!("Potongan ({})", coupon.code), format!("- {}", coupon.discount), BODY);
    }
    row("Total", order.total.to_string(), style(Bold, 11.5, GREEN));
    for refund in refunds.iter().filter(|r| r.status != RefundStatus::Failed) {
        let label = if refund.status == RefundStatus::Succeeded { "Dikembalikan" } else { "Pengembalian diproses" };
        row(label, format!("- {}", refund.amount), BODY);
    }
    sheets.y += 12.0;
}

fn payment(sheets: &mut Sheets, order: &Order) {
    sheets.make_room(90.0);
    sheets.rule();
    sheets.y += 20.0;
    sheets.text(MARGIN, LABEL, "PEMBAYARAN");
    sheets.y += 15.0;
    match &order.paid {
        Some(paid) => {
            sheets.text(MARGIN, BODY, &format!("{} diterima pada {}, {}.", paid.amount, paid.at.in_jakarta(), method(paid.method)));
            sheets.y += 26.0;
            sheets.text(MARGIN, SMALL, "Terima kasih. Semoga qurban Anda diterima Allah SWT.");
        }
        None if order.is_payable() => {
            sheets.text(MARGIN, BODY, &format!("Mohon dibayar paling lambat {}.", order.pay_by.in_jakarta()));
        }
        None => sheets.text(MARGIN, BODY, "Tidak ada pembayaran untuk pesanan ini."),
    }
    sheets.y += 13.0;
    sheets.text(MARGIN, SMALL, "Dokumen ini dibuat oleh sistem dan sah tanpa tanda tangan.");
}

const fn method(method: Option<PaymentMethod>) -> &'static str {
    match method {
        Some(PaymentMethod::Ewallet) => "dompet digital",
        Some(PaymentMethod::Qris) => "QRIS",
        Some(PaymentMethod::Card) => "kartu",
        Some(PaymentMethod::DirectDebit) => "debit langsung",
        Some(PaymentMethod::VirtualAccount) => "transfer virtual account",
        Some(PaymentMethod::RetailOutlet) => "gerai ritel",
        Some(PaymentMethod::Other) => "pembayaran daring",
        None => "tanpa pembayaran",
    }
}
