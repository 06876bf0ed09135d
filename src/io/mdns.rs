//! Boards on the local network's multicast DNS, as `_fbp-ws._tcp`.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mdns_sd::{ServiceDaemon, ServiceInfo};
use uuid::Uuid;

/// The service type.
pub const SERVICE: &str = "_fbp-ws._tcp.local.";
/// The longest label in a TXT record, in bytes: with its key it fits into one string of 255.
const LABEL_BYTES: usize = 240;
/// The longest part of a host's name that is used, in bytes: a name in DNS has 63.
const HOST_BYTES: usize = 48;

/// How long saying goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_millis(500);

/// Why something is not announced.
#[derive(Debug, thiserror::Error)]
#[error("multicast DNS: {0}; the boards are served all the same (`mdns = false` switches announcements off)")]
pub struct MdnsError(#[from] mdns_sd::Error);

/// The announcements of this host. Dropping it withdraws them.
pub struct Mdns {
    daemon: ServiceDaemon,
    host: String,
    ip: IpAddr,
    port: u16,
    announced: HashMap<Uuid, String>,
}

impl std::fmt::Debug for Mdns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mdns").field("ip", &self.ip).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Mdns {
    /// For a bridge that listens there; an unspecified address stands for all that this host has.
    pub fn start(listening: SocketAddr) -> Result<Mdns, MdnsError> {
        let daemon = ServiceDaemon::new()?;
        let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let plain = node.split('.').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric);
        let host = format!("microflo-{}-{}.local.", plain.take(HOST_BYTES).collect::<String>(), listening.port());
        Ok(Mdns { daemon, host, ip: listening.ip(), port: listening.port(), announced: HashMap::new() })
    }

    /// Announces a board, or that it has another label now.
    pub fn announce(&mut self, id: Uuid, kind: &str, label: &str) -> Result<(), MdnsError> {
        let id_text = id.to_string();
        let path = format!("/{id}");
        let label = &label[..label.floor_char_boundary(LABEL_BYTES)];
        let text = [("txtvers", "1"), ("id", &id_text), ("type", kind), ("label", label), ("path", &path)];
        let name = format!("microflo-{id}");
        let info = if self.ip.is_unspecified() {
            ServiceInfo::new(SERVICE, &name, &self.host, (), self.port, &text[..])?.enable_addr_auto()
        } else {
            ServiceInfo::new(SERVICE, &name, &self.host, self.ip, self.port, &text[..])?
        };
        let full_name = info.get_fullname().to_owned();
        self.daemon.register(info)?;
        self.announced.insert(id, full_name);
        Ok(())
    }

    /// Takes a board's announcement back.
    pub fn withdraw(&mut self, id: Uuid) {
        if let Some(name) = self.announced.remove(&id) {
            // Its answer tells nothing that matters.
            drop(self.daemon.unregister(&name));
        }
    }
}

impl Drop for Mdns {
    fn drop(&mut self) {
        for (_, name) in self.announced.drain() {
            drop(self.daemon.unregister(&name));
        }
        if let Ok(done) = self.daemon.shutdown() {
            let _ = done.recv_timeout(GOODBYE_LIMIT);
        }
    }
}
