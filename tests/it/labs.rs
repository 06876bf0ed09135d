//! Two labs, each on a network of its own, and one registry over TLS.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::elsewhere::{Authority, Server, forward};
use crate::machine::{id, is_root, text};
use crate::support::{Bridge, PROGRAM};
use crate::web::get;

/// Where the registry is, as seen from each lab.
const ROOM: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 231, 77, 1), Ipv4Addr::new(10, 231, 78, 1)];

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

    /// What that thread does happens in the network.
    fn inside<T: Send + 'static>(&self, number: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
        let path = Path::new("/var/run/netns").join(&self.0[number]);
        let work = move || {
            let network = std::fs::File::open(path).unwrap();
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        };
        std::thread::spawn(work).join().unwrap()
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
        println!("skipped: `ip netns` cannot make network namespaces here");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let trusted = dir.path().join("authority.pem");
    std::fs::write(&trusted, &authority.pem).unwrap();

    let registry = Bridge::start_command(&dir.path().join("registry"), networks.command(0));
    let user = registry.json(&["registry", "user", "show", "--json"]);
    let base = registry.http();
    let front = TlsFront::start(&networks, &authority, &base);

    let labs: Vec<(Bridge, String)> = (0..2)
        .map(|number| {
            let url = front.urls[number].clone();
            let name = format!("lab-{number}");
            std::fs::write(dir.path().join(&name), format!("{:032x}\n", 0x1ab_0000 + number)).unwrap();
            let config = dir.path().join(format!("{name}.toml"));
            let token = format!(
                "[[registry]]\nurl = \"{url}\"\ntoken = \"{}\"\nuser = \"{}\"\n",
                text(&user, "token"),
                id(&user)
            );
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
    let token = text(&user, "token").to_owned();
    let (status, body) = networks.inside(0, move || get(&base, "/runtimes", Some(&token)));
    assert_eq!(status, 200, "{body}");
    let all: Vec<Value> = serde_json::from_str(&body).unwrap();
    let mut found: Vec<_> = all.iter().map(id).collect();
    let here: Vec<Value> = labs.iter().flat_map(|(lab, _)| lab.boards()).collect();
    let mut wanted: Vec<_> = here.iter().map(id).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    for board in &all {
        println!("{} {} at {}", id(board), board["label"], board["address"]);
    }
    drop(labs);
}

/// TLS in front of a registry, on its addresses in both labs' networks.
struct TlsFront {
    urls: Vec<String>,
    _servers: Vec<Server>,
}

impl TlsFront {
    fn start(networks: &Networks, authority: &Authority, to: &str) -> TlsFront {
        let servers: Vec<Server> = ROOM
            .into_iter()
            .map(|address| {
                let config = Arc::new(Mutex::new(authority.server(&address.to_string())));
                let to = to.strip_prefix("http://").unwrap().to_owned();
                networks.inside(0, move || {
                    let listener = TcpListener::bind((IpAddr::from(address), 0)).unwrap();
                    Server::start(listener, Some(config), move |request| forward(&to, request))
                })
            })
            .collect();
        let urls = servers.iter().map(|server| format!("https://{}", server.address)).collect();
        TlsFront { urls, _servers: servers }
    }
}
