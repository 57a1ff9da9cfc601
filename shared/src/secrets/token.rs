//! Access tokens: Ed25519, the algorithm pinned, the key chosen by a known id, every claim checked.
//!
//! The signatures are `ring`'s, which the TLS stack brings anyway: `jsonwebtoken` takes its cryptography from a provider.

use crate::domain::{identity::Audience, ids::SessionId, staff::Role, time::Timestamp};
use data_encoding::BASE64;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

const ISSUER: &str = "https://qutab.id";
const TYPE: &str = "access";
/// Names a device that somebody logged in from: no access, only a window of attempts of its own.
const DEVICE_TYPE: &str = "device";
/// What a header of ours says. Whoever sends more asks for a reading of the token that is not made here (`crit`, keys).
const HEADER: &[&str] = &["alg", "kid", "typ"];

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    iat: i64,
    nbf: i64,
    exp: i64,
    typ: String,
}

/// Who a valid token says is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub session: SessionId,
    pub role: Option<Role>,
}

/// A device on which somebody logged in before, as a signed cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub account: String,
    pub id: SessionId,
}

/// Checks tokens: the public keys by their id. Two during a rotation.
#[derive(Clone)]
pub struct Verifier(Vec<(String, DecodingKey)>);

/// Makes tokens: only where people log in.
#[derive(Clone)]
pub struct Issuer {
    id: String,
    key: EncodingKey,
}

/// The keys in the environment are wrong.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the token keys cannot be read")]
pub struct BadKey;

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|k| &k.0)).finish()
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Keys as `id:base64`, 32 bytes each.
    pub fn parse(keys: &[String]) -> Result<Self, BadKey> {
        install();
        let parse = |text: &String| {
            let (id, key) = text.split_once(':').ok_or(BadKey)?;
            let key = BASE64.decode(key.as_bytes()).map_err(|_| BadKey)?;
            if key.len() == 32 { Ok((id.to_owned(), DecodingKey::from_ed_der(&key))) } else { Err(BadKey) }
        };
        keys.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Who the token names, if it is ours, for `audience`, and good at `now`.
    pub fn verify(&self, token: &str, audience: Audience, now: Timestamp) -> Option<Caller> {
        let claims = self.claims(token, TYPE, audience, now)?;
        let role = match claims.role {
            Some(role) => Some(Role::parse(&role).ok()?),
            None => None,
        };
        Some(Caller { account: claims.sub, session: SessionId::parse(&claims.sid)?, role })
    }

    /// The account that logged in on the device, and the device's own name.
    pub fn device(&self, token: &str, audience: Audience, now: Timestamp) -> Option<Device> {
        let claims = self.claims(token, DEVICE_TYPE, audience, now)?;
        Some(Device { account: claims.sub, id: SessionId::parse(&claims.sid)? })
    }

    fn claims(&self, token: &str, typ: &str, audience: Audience, now: Timestamp) -> Option<Claims> {
        if token.len() > 2048 || !is_plain(token) {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.alg != Algorithm::EdDSA {
            return None;
        }
        let (_, key) = self.0.iter().find(|(id, _)| Some(id) == header.kid.as_ref())?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[audience.as_str()]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Time is ours to judge, by the clock that was passed in.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).ok()?.claims;
        let leeway = 60;
        let in_time = now.unix() < claims.exp && claims.nbf <= now.unix() + leeway && claims.iat <= now.unix() + leeway;
        (in_time && claims.typ == typ).then_some(claims)
    }
}

/// Whether the token's header says nothing but what ours say.
fn is_plain(token: &str) -> bool {
    let header = token.split('.').next().and_then(|text| data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok());
    let names = header.and_then(|h| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&h).ok());
    names.is_some_and(|names| names.keys().all(|name| HEADER.contains(&name.as_str())))
}

impl Issuer {
    /// A key as `id:base64` of its PKCS #8 form.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        install();
        let (id, key) = text.split_once(':').ok_or(BadKey)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| BadKey)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).map_err(|_| BadKey)?;
        Ok(Self { id: id.to_owned(), key: EncodingKey::from_ed_der(&key) })
    }

    pub fn issue(&self, audience: Audience, caller: &Caller, now: Timestamp, seconds: i64) -> Result<String, Error> {
        self.sign("at+jwt", TYPE, audience, caller, now, seconds)
    }

    pub fn issue_device(&self, audience: Audience, device: &Device, now: Timestamp, seconds: i64) -> Result<String, Error> {
        let named = Caller { account: device.account.clone(), session: device.id, role: None };
        self.sign("jwt", DEVICE_TYPE, audience, &named, now, seconds)
    }

    fn sign(&self, media: &str, typ: &str, audience: Audience, caller: &Caller, now: Timestamp, seconds: i64) -> Result<String, Error> {
        let header = Header { kid: Some(self.id.clone()), typ: Some(media.into()), ..Header::new(Algorithm::EdDSA) };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: audience.as_str().into(),
            sub: caller.account.clone(),
            sid: caller.session.to_string(),
            role: caller.role.map(|r| r.as_str().into()),
            iat: now.unix(),
            nbf: now.unix(),
            exp: now.unix() + seconds,
            typ: typ.into(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

/// A new key pair in the two forms that the environment holds: for the issuer, and for everybody else.
pub fn generate_keys(id: &str) -> Result<(String, String), BadKey> {
    #[expect(clippy::disallowed_methods, reason = "keys are made by hand or by the local system, never in a request")]
    let random = ring::rand::SystemRandom::new();
    let private = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| BadKey)?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private.as_ref()).map_err(|_| BadKey)?;
    let encode = |bytes: &[u8]| format!("{id}:{}", BASE64.encode(bytes));
    Ok((encode(private.as_ref()), encode(pair.public_key().as_ref())))
}

static PROVIDER: CryptoProvider = CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

fn install() {
    // A second installation in one process is refused and harmless: it is the same provider.
    let _ = PROVIDER.install_default();
}

struct RingSigner(Ed25519KeyPair);
struct RingVerifier(Vec<u8>);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's signature")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes()).ok().filter(|_| *algorithm == Algorithm::EdDSA);
    pair.map(|p| Box::new(RingSigner(p)) as Box<dyn JwtSigner>).ok_or_else(|| ErrorKind::InvalidAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's signature")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if *algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(RingVerifier(key.try_get_as_bytes()?.to_vec())))
}

impl signature::Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

impl signature::Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_says_more_than_ours_is_none() {
        let token = |header: &str| format!("{}.e30.c2ln", data_encoding::BASE64URL_NOPAD.encode(header.as_bytes()));
        assert!(is_plain(&token(r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#)));
        for more in [r#""crit":["exp"]"#, r#""jku":"https://evil.test""#, r#""b64":false"#] {
            assert!(!is_plain(&token(&format!(r#"{{"alg":"EdDSA","kid":"k1",{more}}}"#))), "{more}");
        }
        assert!(!is_plain("x.y.z") && !is_plain(""));
    }

    #[test]
    fn a_signed_token_with_one_wrong_claim_is_none() {
        let (private, public) = generate_keys("k1").unwrap();
        let (issuer, verifier) = (Issuer::parse(&private).unwrap(), Verifier::parse(&[public]).unwrap());
        let now = Timestamp::from_unix(1_800_000_000);
        let session = SessionId::parse("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        let signed = |change: fn(&mut Claims)| {
            let (iat, exp) = (now.unix(), now.unix() + 600);
            let (iss, aud, typ) = (ISSUER.into(), Audience::Customer.as_str().into(), TYPE.into());
            let mut claims = Claims { iss, aud, sub: "cus_x".into(), sid: session.to_string(), role: None, iat, nbf: iat, exp, typ };
            change(&mut claims);
            let header = Header { kid: Some("k1".into()), ..Header::new(Algorithm::EdDSA) };
            verifier.verify(&jsonwebtoken::encode(&header, &claims, &issuer.key).unwrap(), Audience::Customer, now)
        };
        assert!(signed(|_| ()).is_some());
        let wrong: [fn(&mut Claims); 7] = [
            |c| c.iss = "https://evil.test".into(),
            |c| c.aud = "admin".into(),
            |c| c.typ = "refresh".into(),
            |c| c.iat += 3_600,
            |c| c.nbf += 3_600,
            |c| c.exp -= 600,
            |c| c.role = Some("king".into()),
        ];
        for (number, change) in wrong.into_iter().enumerate() {
            assert!(signed(change).is_none(), "claim {number}");
        }
    }

    #[test]
    fn a_token_whose_header_asks_for_more_than_ours_do_is_none() {
        let (private, public) = generate_keys("k1").unwrap();
        let (issuer, verifier) = (Issuer::parse(&private).unwrap(), Verifier::parse(&[public]).unwrap());
        let now = Timestamp::from_unix(1_800_000_000);
        let caller = Caller { account: "cus_x".into(), session: SessionId::parse("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(), role: None };
        let token = issuer.issue(Audience::Customer, &caller, now, 600).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&BASE64.decode(private.split_once(':').unwrap().1.as_bytes()).unwrap()).unwrap();
        let signed = |more: &str| {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"k1"{more}}}"#);
            let said = format!("{}.{claims}", data_encoding::BASE64URL_NOPAD.encode(header.as_bytes()));
            let seal = data_encoding::BASE64URL_NOPAD.encode(pair.sign(said.as_bytes()).as_ref());
            verifier.verify(&format!("{said}.{seal}"), Audience::Customer, now)
        };
        assert_eq!(signed(""), Some(caller));
        for more in
            [r#","crit":["exp"],"exp":1"#, r#","crit":[]"#, r#","b64":false"#, r#","jwk":null"#, r#","jku":"https://evil.test""#, r#","zip":"DEF""#]
        {
            assert_eq!(signed(more), None, "{more}");
        }
    }
}
