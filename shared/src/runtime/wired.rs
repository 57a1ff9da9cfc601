//! The use cases' state, from the environment and the clients.

use super::{
    clients::Wiring,
    config::{Environment, name},
};
use crate::{
    app::{
        App, Counter, Shop, Site, StartError,
        documents::ReadingRoom,
        jobs::Workshop,
        lap::Share,
        shop_days::Marked,
        uploads::{Darkroom, Intake},
    },
    domain::time::Clock,
    secrets::{
        cursor::CursorKey,
        referral::ReferralKeys,
        token::{Issuer, Verifier},
    },
};

impl Wiring {
    pub fn app(&self, clock: Clock) -> Result<App, StartError> {
        let environment = &self.environment;
        Ok(App {
            store: self.store()?,
            queues: self.queues()?,
            clock,
            entropy: self.entropy.clone(),
            verifier: Verifier::parse(&environment.list(name::TOKEN_PUBLIC_KEYS))?,
            issuer: environment.get(name::TOKEN_SIGNING_KEY).map(Issuer::parse).transpose()?,
            referrals: environment.get(name::REFERRAL_KEYS).map(|_| ReferralKeys::parse(&environment.list(name::REFERRAL_KEYS))).transpose()?,
            vault: if environment.get(name::VAULT_KEYS).is_some() { Some(self.vault()?) } else { None },
            cursors: environment.get(name::CURSOR_KEY).map(CursorKey::parse).transpose()?,
            marked: Marked::default(),
            share: Share::default(),
            site: site(environment),
        })
    }

    pub fn intake(&self, clock: Clock) -> Result<Intake, StartError> {
        Ok(Intake { app: self.app(clock)?, quarantine: self.quarantine()? })
    }

    pub fn darkroom(&self) -> Result<Darkroom, StartError> {
        Ok(Darkroom {
            quarantine: self.quarantine()?,
            media: self.media()?,
            documents: self.documents()?,
            vault: self.vault()?,
            queues: self.queues()?,
            entropy: self.entropy.clone(),
        })
    }

    pub fn reading_room(&self, clock: Clock) -> Result<ReadingRoom, StartError> {
        Ok(ReadingRoom { app: self.app(clock)?, documents: self.documents()? })
    }

    pub fn counter(&self, clock: Clock) -> Result<Counter, StartError> {
        Ok(Counter { shop: self.shop(clock)?, quarantine: self.quarantine()? })
    }

    pub fn workshop(&self, clock: Clock) -> Result<Workshop, StartError> {
        Ok(Workshop { shop: self.shop(clock)?, documents: self.documents()?, archive: self.archive()? })
    }

    pub fn shop(&self, clock: Clock) -> Result<Shop, StartError> {
        Ok(Shop { app: self.app(clock)?, gateway: self.gateway()? })
    }
}

fn site(environment: &Environment) -> Site {
    let text = |name: &str| environment.get(name).unwrap_or_default().trim_end_matches('/').to_owned();
    Site {
        landing: text(name::LANDING_URL),
        api: text(name::API_URL),
        media: text(name::MEDIA_URL),
        cookie_domain: environment.get(name::COOKIE_DOMAIN).map(str::to_owned),
        origins: environment.list(name::ALLOWED_ORIGINS),
        local: environment.is_local(),
        production: environment.is_production(),
    }
}
