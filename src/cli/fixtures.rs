//! Boards for tests.

use uuid::Uuid;

use crate::http::board_json::{BoardJson, FirmwareJson};
use crate::pure::view::{BoardState, RegistryStatus};

/// A ready board.
pub(super) fn board(id: u128, label: &str) -> BoardJson {
    BoardJson {
        id: Uuid::from_u128(id),
        label: label.into(),
        rung: "path".into(),
        device: Some("/dev/ttyACM0".into()),
        usb: None,
        firmware: Some(FirmwareJson { dialect: "uC/Flo01".into(), baud: 9600 }),
        state: BoardState::Ready,
        reason: String::new(),
        warnings: vec![],
        clients: 0,
        url: format!("ws://127.0.0.1:3569/{}", Uuid::from_u128(id)),
        raw_url: format!("ws://127.0.0.1:3569/{}/raw", Uuid::from_u128(id)),
        components: None,
        live_url: None,
        read_only_live_url: None,
        registries: vec![RegistryStatus {
            registry: "embedded".into(),
            registered: false,
            detail: "not ready".into(),
            trouble: false,
        }],
    }
}
