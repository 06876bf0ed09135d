//! Random numbers from the system.

use crate::pure::secret::Secret;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Characters in a secret: 62^43 is a little more than 2^256.
pub const SECRET_CHARS: usize = 43;
/// Bytes below this map evenly onto the alphabet; others are drawn again.
const EVEN_BELOW: u8 = 248;

/// The system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random numbers: {0}")]
pub struct RandomError(#[from] getrandom::Error);

/// Random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret of 256 bits: letters and digits only, since Flowhub cuts live URLs at anything else.
pub fn secret() -> Result<Secret, RandomError> {
    let mut text = String::with_capacity(SECRET_CHARS);
    while text.len() < SECRET_CHARS {
        let drawn = bytes::<SECRET_CHARS>()?;
        let even = drawn.into_iter().filter(|byte| *byte < EVEN_BELOW);
        text.extend(even.take(SECRET_CHARS - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte) % 62])));
    }
    Ok(Secret::new(text))
}

/// A random UUID (version 4).
pub fn uuid() -> Result<uuid::Uuid, RandomError> {
    Ok(uuid::Builder::from_random_bytes(bytes()?).into_uuid())
}

/// A number spread evenly over all of `u32`, for jitter. Without random numbers there is no jitter.
pub fn jitter() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_url_safe_and_differ() {
        let secrets: Vec<Secret> = (0..50).map(|_| secret().unwrap()).collect();
        for secret in &secrets {
            assert_eq!(secret.expose().len(), SECRET_CHARS);
            assert!(secret.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert!(secrets.iter().enumerate().all(|(i, a)| secrets[..i].iter().all(|b| a != b)));
    }

    #[test]
    fn uuids_are_version_4() {
        assert_eq!(uuid().unwrap().get_version_num(), 4);
    }
}
