//! Questions and answers, and how to reach a person.

use super::{Wrong, contact::Phone, identity::Language};
use serde::{Deserialize, Serialize};

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bilingual {
    pub id: String,
    pub en: String,
}

impl Bilingual {
    pub fn new(id: &str, en: &str) -> Self {
        Self { id: id.into(), en: en.into() }
    }

    pub fn of(&self, language: Language) -> &str {
        if language == Language::Id { &self.id } else { &self.en }
    }
}

/// Whose questions these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    Customer,
    Affiliate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faq {
    pub reader: Reader,
    pub question: Bilingual,
    pub answer: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Digits of an E.164 number without the plus, as `wa.me` wants them.
    pub whatsapp: String,
    pub email: String,
    pub hours: Bilingual,
}

/// All of it. Kept apart from the other settings, which every order reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Helpdesk {
    pub faq: Vec<Faq>,
    pub contact: Contact,
}

impl Default for Helpdesk {
    fn default() -> Self {
        Self { faq: questions(), contact: Contact::default() }
    }
}

/// What somebody writes about: it chooses the first words of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    General,
    Order,
    Payment,
    Affiliate,
}

impl Topic {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "general" => Ok(Self::General),
            "order" => Ok(Self::Order),
            "payment" => Ok(Self::Payment),
            "affiliate" => Ok(Self::Affiliate),
            _ => Err(Wrong::new("unknown_value", "must be one of general, order, payment, affiliate")),
        }
    }

    /// The first words of a message; `about` is an order's number or the like.
    pub fn message(self, language: Language, about: Option<&str>) -> String {
        let (id, en) = match self {
            Self::General => ("saya ingin bertanya tentang qurban di Qutab.", "I have a question about qurban at Qutab."),
            Self::Order => ("saya ingin bertanya tentang pesanan saya", "I have a question about my order"),
            Self::Payment => ("saya ingin bertanya tentang pembayaran pesanan saya", "I have a question about the payment of my order"),
            Self::Affiliate => ("saya ingin bertanya tentang program afiliasi Qutab.", "I have a question about the Qutab affiliate programme."),
        };
        let (greeting, words) = if language == Language::Id { ("Assalamu'alaikum", id) } else { ("Hello", en) };
        let about = about.filter(|_| matches!(self, Self::Order | Self::Payment)).map(|a| format!(" {a}")).unwrap_or_default();
        format!("{greeting}, {words}{about}")
    }
}

impl Default for Contact {
    fn default() -> Self {
        let hours = Bilingual::new("Senin sampai Sabtu, 08.00-17.00 WIB", "Monday to Saturday, 8 am to 5 pm (UTC+7)");
        Self { whatsapp: "6281200000000".into(), email: "halo@qutab.id".into(), hours }
    }
}

impl Contact {
    /// A link that opens WhatsApp with the message filled in.
    pub fn whatsapp_link(&self, message: &str) -> String {
        let text: String = message
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        format!("https://wa.me/{}?text={text}", self.whatsapp)
    }

    /// The number as `wa.me` wants it.
    pub fn number_of(phone: &Phone) -> String {
        phone.as_str().trim_start_matches('+').to_owned()
    }
}

/// The questions that everybody asks, until an admin writes others.
fn questions() -> Vec<Faq> {
    let faq = |reader, question, answer| Faq { reader, question, answer };
    vec![
        faq(
            Reader::Customer,
            Bilingual::new("Kapan hewan qurban saya disembelih?", "When is my animal slaughtered?"),
            Bilingual::new(
                "Pada 10 sampai 13 Dzulhijjah. Setiap tahap dapat Anda ikuti di halaman pesanan.",
                "On 10 to 13 Dzulhijjah. You can follow every step on the page of your order.",
            ),
        ),
        faq(
            Reader::Customer,
            Bilingual::new("Atas nama siapa qurban ditunaikan?", "In whose name is the qurban given?"),
            Bilingual::new(
                "Atas nama shohibul qurban yang Anda tulis pada pesanan. Seekor sapi utuh dapat memuat hingga tujuh nama.",
                "In the names that you give with the order. A whole cow takes up to seven.",
            ),
        ),
        faq(
            Reader::Customer,
            Bilingual::new("Bagaimana cara membayar?", "How do I pay?"),
            Bilingual::new(
                "Melalui tautan pembayaran pada pesanan: transfer bank, QRIS, dompet digital, kartu, atau gerai ritel.",
                "Through the payment link of the order: bank transfer, QRIS, e-wallets, cards or shops.",
            ),
        ),
        faq(
            Reader::Customer,
            Bilingual::new("Dapatkah pesanan dibatalkan?", "Can an order be cancelled?"),
            Bilingual::new(
                "Sebelum dibayar, kapan saja. Setelah dibayar, hubungi kami: pengembalian dana mengikuti jarak ke hari Idul Adha.",
                "Before payment, at any time. After it, write to us: the refund depends on how far Eid is.",
            ),
        ),
        faq(
            Reader::Affiliate,
            Bilingual::new("Kapan komisi dapat ditarik?", "When can I withdraw my commission?"),
            Bilingual::new(
                "Setelah pesanan selesai dan 30 hari berlalu sejak pembayaran.",
                "Once the order is completed and 30 days have passed since the payment.",
            ),
        ),
        faq(
            Reader::Affiliate,
            Bilingual::new("Mengapa komisi saya batal?", "Why was my commission void?"),
            Bilingual::new(
                "Komisi batal bila dana pesanan dikembalikan kepada pembeli.",
                "A commission is void when the order's money goes back to the buyer.",
            ),
        ),
    ]
}
