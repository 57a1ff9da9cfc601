//! Logins, sessions and the people behind them.

use super::{
    Page, Position, Range, Store, StoreError,
    entity::{Entity, Stored},
    keys::{self, Key},
};
use crate::domain::{
    contact::Email,
    identity::{Audience, Customer, LinkPurpose, Login, MailedLink, Session},
    ids::{AdminId, CustomerId, SessionId},
    settings::Settings,
    staff::Admin,
};

/// More sessions than an account has: they end by themselves.
const SESSIONS: usize = 10_000;

impl Store {
    pub async fn login(&self, audience: Audience, email: &Email) -> Result<Option<Stored<Login>>, StoreError> {
        self.get(&keys::login(audience, email)).await
    }

    /// A session with the settings, in one read.
    pub async fn session_and_settings(&self, account: &str, id: SessionId) -> Result<(Option<Stored<Session>>, Settings), StoreError> {
        self.with_settings(keys::session(account, id)).await
    }

    async fn with_settings<E: Entity>(&self, key: Key) -> Result<(Option<Stored<E>>, Settings), StoreError> {
        let mut found = self.get_many([key.clone(), keys::settings()]).await?;
        Ok((found.take(&key)?, found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default()))
    }

    pub async fn session(&self, account: &str, id: SessionId) -> Result<Option<Stored<Session>>, StoreError> {
        self.get(&keys::session(account, id)).await
    }

    /// The session, the admin behind it, and the settings, in one read.
    pub async fn admin_session(
        &self,
        account: &str,
        id: SessionId,
    ) -> Result<(Option<Stored<Session>>, Option<Stored<Admin>>, Settings), StoreError> {
        let (session, profile) = (keys::session(account, id), keys::profile(account));
        let mut found = self.get_many([session.clone(), profile.clone(), keys::settings()]).await?;
        let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
        Ok((found.take(&session)?, found.take(&profile)?, settings))
    }

    pub async fn mailed_link(&self, account: &str, purpose: LinkPurpose) -> Result<Option<Stored<MailedLink>>, StoreError> {
        self.get(&keys::mailed_link(account, purpose)).await
    }

    pub async fn customer(&self, id: CustomerId) -> Result<Option<Stored<Customer>>, StoreError> {
        self.get(&keys::profile(&id.to_string())).await
    }

    pub async fn admin(&self, id: AdminId) -> Result<Option<Stored<Admin>>, StoreError> {
        self.get(&keys::profile(&id.to_string())).await
    }

    /// All staff, oldest first.
    pub async fn staff(&self, limit: usize, after: Option<Position>) -> Result<Page<Stored<Admin>>, StoreError> {
        self.list(Range::by_owner(keys::STAFF).limit(limit).after(after), |_| true).await
    }

    /// Every session of an account that can be read.
    pub async fn sessions(&self, account: &str) -> Result<Vec<Stored<Session>>, StoreError> {
        self.first(Range::of(&keys::account(account)).prefix(keys::SESSION_PREFIX), SESSIONS).await
    }

    /// Ends every session of an account but one: by their keys, for one that cannot be read ends too.
    pub async fn end_sessions(&self, account: &str, keep: Option<SessionId>) -> Result<(), StoreError> {
        let (pk, kept, mut after) = (keys::account(account), keep.map(|id| keys::session(account, id)), None);
        loop {
            let (found, next) = self.query_keys(Range::of(&pk).prefix(keys::SESSION_PREFIX).limit(1000).after(after)).await?.whole()?;
            for key in found.iter().filter(|key| Some(*key) != kept.as_ref()) {
                self.delete(key).await?;
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    pub async fn end_session(&self, account: &str, id: SessionId) -> Result<(), StoreError> {
        self.delete(&keys::session(account, id)).await
    }

    /// Reads back an entity whose conditional write was refused, to see whether it was ours.
    pub async fn read_back<E: Entity>(&self, written: &E) -> Result<Option<Stored<E>>, StoreError> {
        let key: Key = written.key();
        self.get(&key).await
    }
}
