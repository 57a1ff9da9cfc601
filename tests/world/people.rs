//! Who acts in a story: customers, affiliates and staff, logged in.

use super::{Affiliate, PASSWORD, World};
use argon2::password_hash::PasswordHasher;
use qutab::{
    domain::{
        contact::Email,
        identity::{Audience, Customer, Login, Session},
        ids::{CustomerId, SessionId},
        staff::Role,
    },
    secrets::{refresh::RefreshToken, token::Caller},
};
use serde_json::json;

impl World {
    async fn login(&self, path: &str, email: &str) -> String {
        let answer = self.post(path, "", json!({ "email": email, "password": PASSWORD })).await.ok();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// An admin's token, of a login at most some minutes ago.
    pub async fn admin(&self, role: &str) -> String {
        let known = self.admins.lock().unwrap().get(role).cloned();
        if let Some((at, token)) = known
            && self.now().since(at) < 300
        {
            return token;
        }
        let token = self.login("/api/admin/auth/login", &format!("{role}@qutab.test")).await;
        self.admins.lock().unwrap().insert(role.to_owned(), (self.now(), token.clone()));
        token
    }

    /// A customer who has proved the address.
    pub async fn customer(&self, name: &str) -> String {
        let token = self.newcomer(name).await;
        let store = &self.shop.app.store;
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        let login = store.login(Audience::Customer, &email).await.unwrap().unwrap();
        let customer = store.customer(CustomerId::parse(&login.value.account).unwrap()).await.unwrap().unwrap();
        store.save(&customer, &Customer { verified_at: Some(self.now()), ..customer.value.clone() }).await.unwrap();
        token
    }

    /// A customer who has just registered: nobody has proved the address.
    pub async fn newcomer(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let phone = format!("0812{:08}", name.bytes().fold(7_u32, |n, b| n.wrapping_mul(31).wrapping_add(u32::from(b))) % 100_000_000);
        let body = json!({ "name": format!("Pembeli {name}"), "email": email, "phone": phone, "password": PASSWORD });
        self.post("/api/auth/register", "", body).await.ok();
        self.login("/api/auth/login", &email).await
    }

    /// Logs a registered customer in again: access tokens end after minutes.
    pub async fn customer_again(&self, name: &str) -> String {
        self.login("/api/auth/login", &format!("{name}@example.com")).await
    }

    pub async fn affiliate_again(&self, affiliate: &Affiliate) -> Affiliate {
        Affiliate { token: self.login("/api/affiliate/auth/login", &affiliate.email).await, ..affiliate.clone() }
    }

    /// An approved affiliate: token, id and code.
    pub async fn affiliate(&self, name: &str) -> Affiliate {
        let email = format!("{name}@promo.example.com");
        let body = json!({ "first_name": name, "last_name": "Promotor", "email": email, "password": PASSWORD, "whatsapp": "081377700011",
            "city": "Bandung", "primary_platform": "instagram", "social": { "instagram": format!("https://instagram.com/{name}") },
            "reason": "Ingin mengajak pengikut saya berkurban" });
        self.post("/api/affiliate/auth/register", "", body).await.ok();
        let token = self.login("/api/affiliate/auth/login", &email).await;
        let id = self.get("/api/affiliate/status", &token).await.ok()["affiliate_id"].as_str().unwrap().to_owned();
        let ops = self.admin("ops").await;
        let code = self.post(&format!("/api/admin/applications/{id}/approve"), &ops, json!({})).await.ok()["code"].as_str().unwrap().to_owned();
        Affiliate { token, id, code, email }
    }

    pub async fn verify_bank(&self, affiliate: &Affiliate) {
        let body = json!({ "bank_code": "014", "account_number": "1234567890", "holder_name": "Promotor Handal", "current_password": PASSWORD });
        self.send("PUT", "/api/affiliate/bank-account", Some(&affiliate.token), &[], Some(body)).await.ok();
        self.verify_saved_bank(affiliate).await;
    }

    /// Verifies the account that is saved now.
    pub async fn verify_saved_bank(&self, affiliate: &Affiliate) {
        let finance = self.admin("finance").await;
        let path = format!("/api/admin/bank-accounts/{}", affiliate.id);
        let version = self.get(&path, &finance).await.ok()["version"].clone();
        self.post(&format!("{path}/verify"), &finance, json!({ "version": version })).await.ok();
    }

    /// Gives a login the same password at a price for runs in which hashing would take most of the time.
    pub async fn cheapen_password(&self, audience: Audience, email: &str) {
        let store = &self.shop.app.store;
        let login = store.login(audience, &Email::parse(email).unwrap()).await.unwrap().unwrap();
        let parameters = argon2::Params::new(8, 1, 1, None).unwrap();
        let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, parameters);
        let password_hash = hasher.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes ..").unwrap().to_string();
        store.save(&login, &Login { password_hash, ..login.value.clone() }).await.unwrap();
    }

    /// A token of a session that was opened without a password, for runs in which logging in would take most of the time.
    pub async fn token(&self, audience: Audience, account: &str, role: Option<Role>) -> String {
        let (app, now) = (&self.shop.app, self.now());
        let id = SessionId::fresh(now, &app.entropy);
        let refresh_hash = RefreshToken::new(account, id, &app.entropy).hash();
        let (device, expires_at) = (String::new(), now.plus_days(1));
        let session = Session { id, audience, account: account.into(), role, refresh_hash, device, created_at: now, used_at: now, expires_at };
        app.store.append(&session).await.unwrap();
        app.issuer().unwrap().issue(audience, &Caller { account: account.into(), session: id, role }, now, 600).unwrap()
    }
}
