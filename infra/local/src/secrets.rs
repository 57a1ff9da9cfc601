//! The secrets of one machine, made once and kept in the data directory; what Secrets Manager holds in AWS.

use data_encoding::BASE64;
use qutab::{domain::time::Entropy, secrets::token::generate_keys};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// By the template's name: `tokens:signing_key`.
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads the secrets of a data directory, or makes them; only the owner may read the file.
    pub fn of(directory: &Path, entropy: &Entropy) -> Result<Self, String> {
        let file = directory.join("secrets.json");
        let unreadable = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
        let mut made = Self::fresh(entropy)?;
        if let Ok(found) = File::open(&file) {
            let found: Self = serde_json::from_reader(found).map_err(|e| unreadable(&e))?;
            if made.values.keys().all(|name| found.values.contains_key(name)) {
                return Ok(found);
            }
            // A directory of an older version lacks what came later.
            made.values.extend(found.values);
        }
        let mut open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file).map_err(|e| unreadable(&e))?;
        let text = serde_json::to_vec_pretty(&made).map_err(|e| unreadable(&e))?;
        open.write_all(&text).and_then(|()| open.sync_all()).map_err(|e| unreadable(&e))?;
        Ok(made)
    }

    fn fresh(entropy: &Entropy) -> Result<Self, String> {
        let (signing, public) = generate_keys("local").map_err(|e| e.to_string())?;
        let random = || BASE64.encode(&entropy.bytes::<32>());
        let values = [
            ("tokens:signing_key", signing),
            ("tokens:public_keys", public),
            ("tokens:cursor_key", random()),
            ("referral:keys", random()),
            ("zendit:secret", random()),
            ("zendit:webhook_token", random()),
            ("whatsapp:token", random()),
            ("vault:keys", format!("local:{}", random())),
            ("vault:finder", random()),
            ("staff-vault:keys", format!("local:{}", random())),
            ("staff-vault:finder", random()),
        ];
        Ok(Self { values: values.map(|(n, v)| (n.to_owned(), v)).into() })
    }

    pub fn get(&self, name: &str) -> Result<&str, String> {
        self.values.get(name).map(String::as_str).ok_or_else(|| format!("there is no secret {name} on this machine"))
    }

    /// Carries out a `{{resolve:secretsmanager:qutab/stage/GROUP:SecretString:KEY}}` of the template.
    pub fn resolve<'a>(&'a self, value: &'a str) -> Result<&'a str, String> {
        let Some(reference) = value.strip_prefix("{{resolve:secretsmanager:").and_then(|r| r.strip_suffix("}}")) else { return Ok(value) };
        let (id, key) = reference.split_once(":SecretString:").ok_or_else(|| format!("cannot read the secret reference {value}"))?;
        self.get(&format!("{}:{key}", id.rsplit('/').next().unwrap_or(id)))
    }
}
