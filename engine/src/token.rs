//! Secrets of bearer tokens: made at random, shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;

use crate::digest::digest;
use crate::error::{Error, Result};

/// A new secret: `trl_` and 32 random bytes in URL-safe base 64.
pub(crate) fn new_secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(format!("trl_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The secret that a request with an idempotency key gets, the same whenever it is sent again.
///
/// Only who knows the caller's own secret can compute it, so that it need not be kept for the repetition.
pub fn repeatable_secret(own_secret: &str, key: &str, fingerprint: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(own_secret.as_bytes()).map_err(Error::internal)?;
    mac.update(key.as_bytes());
    mac.update(&[0]);
    mac.update(fingerprint.as_bytes());
    Ok(format!("trl_{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

/// What is kept of a secret: SHA-256 in hexadecimal. Secrets are long and random, so nothing slower is needed.
pub(crate) fn hash_secret(secret: &str) -> String {
    digest(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_their_hash_is_sha_256() {
        assert_ne!(new_secret().expect("random bytes"), new_secret().expect("random bytes"));
        assert_eq!(hash_secret("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_repeatable_secret_depends_on_all_it_is_made_of() {
        let secret = repeatable_secret("own", "key", "print").expect("a secret");
        assert_eq!(secret, repeatable_secret("own", "key", "print").expect("a secret"));
        for other in [("own2", "key", "print"), ("own", "key2", "print"), ("own", "key", "print2")] {
            assert_ne!(secret, repeatable_secret(other.0, other.1, other.2).expect("a secret"));
        }
    }
}
