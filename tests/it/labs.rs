//! Two labs, each on a network of its own, and one registry over TLS.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::elsewhere::Authority;
use crate::machine::{id, is_root};
use crate::registry_support::{Registry, User};
use crate::support::{Bridge, PROGRAM, skip};

/// Where the registry is, as seen from each lab.
const ROOM: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 231, 77, 1), Ipv4Addr::new(10, 231, 78, 1)];

/// Its port there.
const PORT: u16 = 8443;

/// Network namespaces, gone when dropped.
struct Networks(Vec<String>);

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).output().is_ok_and(|output| output.status.success())
}

impl Networks {
    /// A room and two labs, each connected with the room only.
    fn new() -> Option<Networks> {
        let names = ["room", "lab-a", "lab-b"].map(|name| format!("mfb-{}-{name}", std::process::id()));
        let networks = Networks(names.to_vec());
        for name in &networks.0 {
            if !(ip(&["netns", "add", name]) && ip(&["-n", name, "link", "set", "lo", "up"])) {
                return None;
            }
        }
        let room = &networks.0[0];
        for (number, lab) in networks.0[1..].iter().enumerate() {
            let near = format!("lab{number}");
            let subnet = 77 + number;
            let connected =
                ip(&["-n", room, "link", "add", &near, "type", "veth", "peer", "name", "room", "netns", lab])
                    && ip(&["-n", room, "addr", "add", &format!("10.231.{subnet}.1/24"), "dev", &near])
                    && ip(&["-n", lab, "addr", "add", &format!("10.231.{subnet}.2/24"), "dev", "room"])
                    && ip(&["-n", room, "link", "set", &near, "up"])
                    && ip(&["-n", lab, "link", "set", "room", "up"]);
            if !connected {
                return None;
            }
        }
        Some(networks)
    }

    /// The program in a network.
    fn command(&self, number: usize) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0[number], PROGRAM]);
        command
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for name in &self.0 {
            ip(&["netns", "del", name]);
        }
    }
}

#[test]
fn the_boards_of_two_labs_are_in_one_list_over_tls() {
    if !is_root() {
        return;
    }
    let Some(networks) = Networks::new() else {
        return skip("`ip netns` cannot make network namespaces here; it wants root, iproute2 and CAP_SYS_ADMIN");
    };
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let trusted = dir.path().join("authority.pem");
    std::fs::write(&trusted, &authority.pem).unwrap();

    let registry = registry(&networks, &authority, dir.path());
    let user = registry.local_user();

    let labs: Vec<(Bridge, String)> = (0..2)
        .map(|number| {
            let url = format!("https://{}:{PORT}", ROOM[number]);
            let name = format!("lab-{number}");
            std::fs::write(dir.path().join(&name), format!("{:032x}\n", 0x1ab_0000 + number)).unwrap();
            let config = dir.path().join(format!("{name}.toml"));
            let User { id, token } = &user;
            let token = format!("[[registry]]\nurl = \"{url}\"\ntoken = \"{token}\"\nuser = \"{id}\"\n");
            std::fs::write(&config, token).unwrap();
            let mut command = networks.command(number + 1);
            command.args(["--simulate", "2", "--listen"]).arg(format!("10.231.{}.2:0", 77 + number));
            command.arg("--machine-id").arg(dir.path().join(&name)).arg("--config").arg(config);
            command.env("SSL_CERT_FILE", &trusted);
            (Bridge::start_command(&dir.path().join(format!("state-{number}")), command), url)
        })
        .collect();
    for (lab, url) in &labs {
        lab.wait("its boards are registered over TLS", |lab| {
            let is_there = |board: &Value| {
                board["registries"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|at| at["registry"] == **url && at["registered"] == true)
            };
            let boards = lab.boards();
            boards.len() == 2 && boards.iter().all(is_there)
        });
    }
    let mut list = Command::new("ip");
    list.args(["netns", "exec", &networks.0[0], "curl", "--silent", "--show-error", "--cacert"]).arg(&trusted);
    let list =
        list.args(["-H", &format!("Authorization: Bearer {}", user.token), &format!("{}/runtimes", registry.base)]);
    let list = list.output().unwrap();
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let body = String::from_utf8(list.stdout).unwrap();
    let all: Vec<Value> = serde_json::from_str(&body).unwrap();
    let mut found: Vec<_> = all.iter().map(id).collect();
    let here: Vec<Value> = labs.iter().flat_map(|(lab, _)| lab.boards()).collect();
    let mut wanted: Vec<_> = here.iter().map(id).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    for board in &all {
        println!("{} {} at {}", id(board), board["label"], board["address"]);
        let address = board["address"].as_str().unwrap();
        assert!(address.starts_with("ws://10.231."), "of no use elsewhere: {address}");
    }
    drop(labs);
}

/// `registry serve` with a certificate, on its addresses in both labs' networks.
fn registry(networks: &Networks, authority: &Authority, dir: &Path) -> Registry {
    let names = ROOM.map(|address| address.to_string());
    let (certificate, key) = authority.issue(&[&names[0], &names[1]]);
    let (cert_file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
    std::fs::write(&cert_file, certificate.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let listen = names.map(|name| format!("{name}:{PORT}"));
    let tls = ["--tls-cert", cert_file.to_str().unwrap(), "--tls-key", key_file.to_str().unwrap()];
    let args = [&["--listen", &listen[0], "--listen", &listen[1]], &tls[..]].concat();
    Registry::start_command(&dir.join("registry"), None, networks.command(0), &args)
}
