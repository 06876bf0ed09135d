//! Live URLs: one link that opens a board in Flowhub or NoFlo UI. It holds the board's secret.

use std::fmt::Write;

use uuid::Uuid;

/// The link that opens the runtime `id`, which listens at `address`, in the IDE at `ide`.
///
/// All that follows the `?` is one percent-encoded string: the IDE splits its fragment at `/`, so a bare `ws://` would be cut.
pub fn live_url(ide: &str, address: &str, id: Uuid, secret: &str) -> String {
    let endpoint = format!("protocol=websocket&address={address}&type=microflo&id={id}&secret={secret}");
    format!("{ide}#runtime/endpoint?{}", encode_uri_component(&endpoint))
}

/// JavaScript's `encodeURIComponent`.
fn encode_uri_component(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_endpoint_is_one_encoded_string() {
        let url = live_url("https://ide.example/", "ws://127.0.0.1:3569/x", Uuid::from_u128(1), "s3cret");
        assert_eq!(
            url,
            "https://ide.example/#runtime/endpoint?protocol%3Dwebsocket%26address%3Dws%3A%2F%2F127.0.0.1%3A3569%2Fx\
             %26type%3Dmicroflo%26id%3D00000000-0000-0000-0000-000000000001%26secret%3Ds3cret"
        );
    }

    #[test]
    fn encoding_is_that_of_javascript() {
        assert_eq!(encode_uri_component("aZ9-_.!~*'() &=/é"), "aZ9-_.!~*'()%20%26%3D%2F%C3%A9");
    }
}
