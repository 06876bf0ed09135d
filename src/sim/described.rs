//! What a self-describing board tells of itself.

use std::sync::{Arc, Mutex, PoisonError};

use firmware_proto::descriptor::serve::{STORE_BYTES, Store};
use firmware_proto::descriptor::{Firmware, Identity, Query, Reply};

/// The descriptor of a simulated board, and the memory for its id and label.
#[derive(Clone, Debug)]
pub struct Described {
    /// The descriptor's bytes, as they lie in the firmware. They may be damaged or cut.
    pub content: Arc<[u8]>,
    /// What the board says of them. It may be a lie: another checksum, a length without end, a version to come.
    pub identity: Identity,
    /// Where it keeps its id and label; `None`: nowhere.
    pub eeprom: Option<Eeprom>,
}

impl Described {
    /// A board that tells the truth, with a new EEPROM.
    pub fn new(content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        Described { identity: Identity::of(&content), content, eeprom: Some(Eeprom::default()) }
    }

    pub(super) fn answer(&self, query: Query) -> Reply {
        let firmware = Firmware::claiming(&self.content, self.identity);
        match &self.eeprom {
            Some(eeprom) => firmware.answer(query, Some(&mut eeprom.clone())),
            None => firmware.answer(query, None::<&mut Eeprom>),
        }
    }
}

/// Memory that survives resets. Clones are the same chip, so that a test can put it on another board.
#[derive(Clone, Debug)]
pub struct Eeprom(Arc<Mutex<Chip>>);

#[derive(Debug)]
struct Chip {
    bytes: [u8; STORE_BYTES],
    wear: u64,
}

impl Default for Eeprom {
    /// An erased chip.
    fn default() -> Self {
        Eeprom(Arc::new(Mutex::new(Chip { bytes: [u8::MAX; STORE_BYTES], wear: 0 })))
    }
}

impl Eeprom {
    /// A chip that another one was copied to, as when boards are cloned.
    pub fn copied(&self) -> Self {
        let bytes = self.with(|chip| chip.bytes);
        Eeprom(Arc::new(Mutex::new(Chip { bytes, wear: 0 })))
    }

    /// How many bytes were changed so far: a real chip takes each change 100 000 times.
    pub fn wear(&self) -> u64 {
        self.with(|chip| chip.wear)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Chip) -> T) -> T {
        // Bytes are whole whatever panicked.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Eeprom {
    fn read(&self, at: usize) -> u8 {
        self.with(|chip| chip.bytes[at])
    }

    fn write(&mut self, at: usize, byte: u8) {
        self.with(|chip| {
            if chip.bytes[at] != byte {
                chip.bytes[at] = byte;
                chip.wear += 1;
            }
        });
    }
}
