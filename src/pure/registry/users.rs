//! Users' names.

use uuid::Uuid;

/// The longest name, in characters.
const NAME_LIMIT_CHARS: usize = 64;

/// A name that no user may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user's name has 1 to {NAME_LIMIT_CHARS} characters, no control characters, and is not a UUID")]
pub struct BadUserName;

/// The name, if a user may have it. A UUID would be taken for an id.
pub fn user_name(text: &str) -> Result<&str, BadUserName> {
    let name = text.trim();
    let right = (1..=NAME_LIMIT_CHARS).contains(&name.chars().count())
        && !name.contains(char::is_control)
        && Uuid::parse_str(name).is_err();
    if right { Ok(name) } else { Err(BadUserName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_people() {
        assert_eq!(user_name(" Ann Lee "), Ok("Ann Lee"));
        for bad in ["", " ", "a\nb", "11111111-1111-4111-8111-111111111111", &"x".repeat(65)] {
            assert_eq!(user_name(bad), Err(BadUserName), "{bad:?}");
        }
    }
}
