//! A board in JSON: what the API gives and the command line reads.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::addresses::Addresses;
use crate::actors::directory::Secrets;
use crate::pure::port::{Port, UsbPort};
use crate::pure::view::{BoardState, BoardView, RegistryStatus};

/// A board as `/api/boards` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardJson {
    /// The stable id.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// What the id is made of: `serial`, `path`, `device` or `simulated`.
    pub rung: String,
    /// The device node; a simulated board has none.
    pub device: Option<String>,
    /// What USB says of it; not for named ports and simulated boards.
    pub usb: Option<UsbJson>,
    /// Once the handshake is done.
    pub firmware: Option<FirmwareJson>,
    /// The state.
    pub state: BoardState,
    /// Why, and what to do.
    pub reason: String,
    /// Things worth knowing.
    pub warnings: Vec<String>,
    /// Where its component map is from, if it has one.
    #[serde(default)]
    pub components: Option<String>,
    /// Open WebSockets.
    pub clients: usize,
    /// The FBP address, without a secret.
    pub url: String,
    /// The raw address, without a secret.
    pub raw_url: String,
    /// The link that opens it in the IDE; it holds the secret, and is there only for those who may have it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub live_url: Option<String>,
    /// The link that opens it there for looking only; it holds the other secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub read_only_live_url: Option<String>,
    /// Where it is registered.
    pub registries: Vec<RegistryStatus>,
}

/// What USB says of a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbJson {
    /// Vendor id, four hexadecimal digits.
    pub vid: String,
    /// Product id, four hexadecimal digits.
    pub pid: String,
    /// The serial number.
    pub serial: Option<String>,
    /// The manufacturer's name.
    pub manufacturer: Option<String>,
    /// The product's name.
    pub product: Option<String>,
    /// The interface number.
    pub interface: u8,
    /// The physical path: controller and hub ports.
    pub path: String,
}

/// A board's firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareJson {
    /// The dialect by its name on the wire.
    pub dialect: String,
    /// Bits per second.
    pub baud: u32,
}

impl BoardJson {
    /// A board as others see it; with its secrets, as its owner does.
    pub fn new(view: &BoardView, addresses: &Addresses, secrets: Option<&Secrets>) -> Self {
        let usb = match &view.port {
            Port::Usb(usb) => Some(UsbJson::from(usb)),
            Port::Named(_) | Port::Simulated(_) => None,
        };
        BoardJson {
            id: view.id,
            label: view.label.clone(),
            rung: view.rung.to_owned(),
            device: view.port.device().map(|path| path.display().to_string()),
            usb,
            firmware: view.firmware.map(|f| FirmwareJson { dialect: f.dialect.name().to_owned(), baud: f.baud }),
            state: view.state,
            reason: view.reason.clone(),
            warnings: view.warnings.clone(),
            components: view.components.clone(),
            clients: view.clients,
            url: addresses.board(view.id),
            raw_url: addresses.raw(view.id),
            live_url: secrets.map(|secrets| addresses.live(view.id, secrets.full.expose())),
            read_only_live_url: secrets.map(|secrets| addresses.live(view.id, secrets.read.expose())),
            registries: view.registries.clone(),
        }
    }
}

impl From<&UsbPort> for UsbJson {
    fn from(usb: &UsbPort) -> Self {
        UsbJson {
            vid: format!("{:04x}", usb.vid),
            pid: format!("{:04x}", usb.pid),
            serial: usb.serial.clone(),
            manufacturer: usb.manufacturer.clone(),
            product: usb.product.clone(),
            interface: usb.interface,
            path: usb.path.clone(),
        }
    }
}
