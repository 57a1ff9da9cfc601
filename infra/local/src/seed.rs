//! The shop that the local system opens with.

use qutab::{
    app::{
        App, Problem,
        affiliates::{self, Application},
        audit::Reviewer,
        review,
        sessions::{self, NewCustomer},
    },
    domain::{
        Wrong,
        affiliate::{AffiliateStatus, Details, ReferralCode},
        catalog::{Category, Portion, Product, Slug, SlugOwner, Stock},
        contact::{Email, Phone},
        coupon::{Coupon, CouponCode, Discount},
        identity::{Audience, Customer, Language, Login},
        ids::{AdminId, AffiliateId, CustomerId, PictureId, ProductId},
        money::{BasisPoints, Rupiah},
        platform::Platform,
        staff::{Admin, Role},
        text::{Description, Motivation, PersonName, Place, Title},
    },
    files::{self, Media, Rendered},
    secrets::password::{self, Password},
    store::{keys, transaction::Transaction},
};

/// Password of every seeded login. Only ever used on one's own machine.
pub const PASSWORD: &str = "kurban-lokal-2026";

/// A customer, and an approved affiliate with the code of the links, for whoever wants to look around.
pub const CUSTOMER: &str = "pembeli@qutab.test";
pub const AFFILIATE: &str = "promotor@qutab.test";
pub const CODE: &str = "PROMOTOR1";

/// The seeded staff: address and role.
pub const STAFF: &[(&str, Role)] = &[
    ("owner@qutab.test", Role::Owner),
    ("finance@qutab.test", Role::Finance),
    ("ops@qutab.test", Role::Operations),
    ("viewer@qutab.test", Role::Viewer),
];

/// Slug, name, category, portion, price, weight, place, units.
type Row = (&'static str, &'static str, Category, Portion, i64, (u16, u16), &'static str, u32);

const PRODUCTS: &[Row] = &[
    ("sapi-limosin", "Sapi Limosin", Category::Sapi, Portion::Whole, 25_000_000, (300, 350), "Lombok Timur", 12),
    ("patungan-sapi", "Patungan Sapi 1/7", Category::Sapi, Portion::Share, 3_600_000, (300, 350), "Lombok Timur", 140),
    ("kambing-standar", "Kambing Standar", Category::Kambing, Portion::Whole, 2_750_000, (23, 28), "Sumba Barat", 200),
    ("kambing-super", "Kambing Super", Category::Kambing, Portion::Whole, 3_950_000, (32, 40), "Gunungkidul", 80),
    ("domba-garut", "Domba Garut", Category::Domba, Portion::Whole, 3_250_000, (26, 32), "Garut", 60),
];

/// What the shop says of every animal.
const DESCRIPTION: &str = "Sehat, cukup umur dan diperiksa dokter hewan. Disembelih sesuai syariat, dagingnya disalurkan kepada yang membutuhkan, dan Anda menerima laporannya.";

/// Drawings for the seeded products, by slug.
const PICTURES: &[(&str, &[u8])] = &[
    ("sapi-limosin", include_bytes!("../pictures/sapi-limosin.jpg")),
    ("patungan-sapi", include_bytes!("../pictures/patungan-sapi.jpg")),
    ("kambing-standar", include_bytes!("../pictures/kambing-standar.jpg")),
    ("kambing-super", include_bytes!("../pictures/kambing-super.jpg")),
    ("domba-garut", include_bytes!("../pictures/domba-garut.jpg")),
];

fn wrong(error: Wrong) -> Problem {
    Problem::internal(error)
}

pub fn product_id(slug: &str) -> ProductId {
    ProductId::named(&[slug])
}

/// Puts the shop there; what is there already stays.
pub async fn seed(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    for (slug, name, category, portion, price, weight_kg, place, units) in PRODUCTS {
        let id = product_id(slug);
        let product = Product {
            id,
            slug: Slug::parse(slug).map_err(wrong)?,
            name: Title::parse(name).map_err(wrong)?,
            category: *category,
            portion: *portion,
            price: Rupiah::new(*price),
            weight_kg: *weight_kg,
            location: Place::parse(place).map_err(wrong)?,
            description: Some(Description::parse(DESCRIPTION).map_err(wrong)?),
            pictures: Vec::new(),
            season: 1448,
            active: true,
            commission: None,
        };
        let owner = SlugOwner { slug: product.slug.clone(), product: id };
        let mut tx = Transaction::new();
        tx.create(&product, ()).create(&owner, ()).create(&Stock { product: id, available: *units }, ());
        app.store.commit(tx).await?;
    }
    let coupon = Coupon {
        code: CouponCode::parse("BERKAH10").map_err(wrong)?,
        discount: Discount::Percent { rate: BasisPoints::percent(10), cap: Some(Rupiah::new(500_000)) },
        valid_from: now,
        valid_until: now.plus_days(365),
        minimum_order: Rupiah::new(1_000_000),
        limit: 100,
        used: 0,
        active: true,
        affiliate: None,
        per_customer: None,
        categories: Vec::new(),
        products: Vec::new(),
    };
    app.store.create(&coupon).await?;
    for (email, role) in STAFF {
        staff(app, email, *role).await?;
    }
    Ok(())
}

/// Somebody of staff, who logs in with [`PASSWORD`]. Who is there already stays.
pub async fn staff(app: &App, email: &str, role: Role) -> Result<(), Problem> {
    let now = app.clock.now();
    let id = AdminId::named(&[email]);
    let email = Email::parse(email).map_err(wrong)?;
    if app.store.login(Audience::Admin, &email).await?.is_some() {
        return Ok(());
    }
    let password_hash = password::hash(&Password::parse(PASSWORD).map_err(wrong)?, &app.entropy)?;
    let login =
        Login { audience: Audience::Admin, email: email.clone(), account: id.to_string(), password_hash, created_at: now, vouched_until: None };
    let name = PersonName::parse(&format!("Staf {}", role.as_str())).map_err(wrong)?;
    let admin = Admin { id, name, email, role, active: true, created_at: now, role_changed_at: None, second_factor: None };
    let mut tx = Transaction::new();
    tx.create(&login, ()).create(&admin, ());
    app.store.commit(tx).await?;
    Ok(())
}

/// A picture for every seeded product that has none.
pub async fn pictures(app: &App, media: &Media) -> Result<(), Problem> {
    for (slug, file) in PICTURES {
        let Some(read) = app.store.get::<Product>(&keys::product(product_id(slug))).await? else { continue };
        if !read.value.pictures.is_empty() {
            continue;
        }
        let Rendered { picture, sizes } = files::render(PictureId::named(&[slug]), file).map_err(Problem::internal)?;
        for (size, jpeg) in sizes {
            media.put(&picture, size, jpeg).await.map_err(Problem::unavailable)?;
        }
        app.store.save(&read, &Product { pictures: vec![picture], ..read.value.clone() }).await?;
    }
    Ok(())
}

/// A customer and an approved affiliate, made by the use cases themselves. Who is there already stays.
pub async fn people(app: &App) -> Result<(), Problem> {
    let email = Email::parse(CUSTOMER).map_err(wrong)?;
    if app.store.login(Audience::Customer, &email).await?.is_none() {
        let (name, phone) = (PersonName::parse("Pembeli Contoh").map_err(wrong)?, Phone::parse("081200000001").map_err(wrong)?);
        sessions::register(
            app,
            NewCustomer { name, email: email.clone(), phone, password: Password::parse(PASSWORD).map_err(wrong)?, language: Language::Id },
            "seed",
        )
        .await?;
    }
    // The address counts as proved: an unproved one holds a single unpaid order, and nobody tries a shop out with one.
    let login = app.store.login(Audience::Customer, &email).await?.and_then(|l| CustomerId::parse(&l.value.account));
    let id = login.ok_or_else(|| Problem::internal("the seeded customer has no login"))?;
    if let Some(read) = app.store.customer(id).await?
        && read.value.verified_at.is_none()
    {
        app.store.save(&read, &Customer { verified_at: Some(app.clock.now()), ..read.value.clone() }).await?;
    }
    let email = Email::parse(AFFILIATE).map_err(wrong)?;
    if app.store.login(Audience::Affiliate, &email).await?.is_none() {
        let text = |text| PersonName::parse(text).map_err(wrong);
        let details = Details {
            first_name: text("Promotor")?,
            last_name: text("Contoh")?,
            whatsapp: Phone::parse("081200000002").map_err(wrong)?,
            city: Place::parse("Bandung").map_err(wrong)?,
            social: [(Platform::Instagram, "https://instagram.com/qutab".to_owned())].into(),
            primary_platform: Platform::Instagram,
            reason: Motivation::parse("Mengajak pengikut saya berkurban ke daerah yang jarang terjangkau").map_err(wrong)?,
            language: Language::Id,
        };
        let application = Application { email: email.clone(), password: Password::parse(PASSWORD).map_err(wrong)?, details };
        affiliates::apply(app, application, "seed").await?;
    }
    let login = app.store.login(Audience::Affiliate, &email).await?.and_then(|l| AffiliateId::parse(&l.value.account));
    let id = login.ok_or_else(|| Problem::internal("the seeded affiliate has no login"))?;
    if app.store.affiliate(id).await?.is_some_and(|a| a.value.status == AffiliateStatus::Pending) {
        let owner = Reviewer { admin: AdminId::named(&[STAFF[0].0]), address: None };
        review::approve(app, owner, id, Some(ReferralCode::parse(CODE).map_err(wrong)?)).await?;
    }
    Ok(())
}
