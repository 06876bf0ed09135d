//! Who listens where, from the kernel's tables of TCP sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Roots, processes, text};
use crate::pure::doctor::Listen;
use crate::pure::program::Program;

/// The state of a listening socket.
const LISTENING: &str = "0A";

/// A socket that listens.
#[derive(Debug, PartialEq, Eq)]
struct Listener {
    address: SocketAddr,
    inode: String,
}

/// Those of the addresses that somebody listens on.
pub fn taken(roots: &Roots, wanted: &[SocketAddr]) -> Vec<Listen> {
    let net = roots.proc().join("net");
    let tables = [text(&net.join("tcp")), text(&net.join("tcp6"))];
    let listeners: Vec<Listener> = tables.iter().flat_map(|table| table.lines().filter_map(listener)).collect();
    let of = |wanted: &SocketAddr| {
        let listener = listeners.iter().find(|listener| collide(listener.address, *wanted))?;
        Some(Listen { address: wanted.to_string(), holder: owner(roots, &listener.inode) })
    };
    wanted.iter().filter(|address| address.port() != 0).filter_map(of).collect()
}

/// `0: 0100007F:0DF1 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 4711 …`
fn listener(line: &str) -> Option<Listener> {
    let mut fields = line.split_whitespace().skip(1);
    let address = address(fields.next()?)?;
    let is_listening = fields.nth(1)? == LISTENING;
    let inode = fields.nth(5)?.to_owned();
    is_listening.then_some(Listener { address, inode })
}

/// Hexadecimal, in words of this machine's order of bytes.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words: Vec<[u8; 4]> = ip
        .as_bytes()
        .chunks_exact(8)
        .map(|word| Some(u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?.to_ne_bytes()))
        .collect::<Option<_>>()?;
    let ip = match *words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(word)),
        [_, _, _, _] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Whether one cannot listen where the other does. An IPv6 socket on all addresses has those of IPv4, too.
fn collide(there: SocketAddr, wanted: SocketAddr) -> bool {
    let (there_ip, wanted_ip) = (there.ip().to_canonical(), wanted.ip().to_canonical());
    let all = |ip: IpAddr, other: IpAddr| ip.is_unspecified() && (ip.is_ipv6() || other.is_ipv4());
    there.port() == wanted.port() && (there_ip == wanted_ip || all(there_ip, wanted_ip) || all(wanted_ip, there_ip))
}

fn owner(roots: &Roots, inode: &str) -> Option<Program> {
    let socket = format!("socket:[{inode}]");
    let has_it = |(_, dir): &(Program, std::path::PathBuf)| {
        let links = dir.join("fd").read_dir().ok().into_iter().flatten().flatten();
        links.filter_map(|link| link.path().read_link().ok()).any(|target| target.as_os_str() == socket.as_str())
    };
    processes::all(roots).find(has_it).map(|(program, _)| program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_with_its_program() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let roots = Roots { sysfs: "/sys".into(), dev: "/dev".into(), system: "/".into() };
        let found = taken(&roots, &[address]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].holder.as_ref().map(|holder| holder.pid), Some(std::process::id()));
        drop(socket);
        assert_eq!(taken(&roots, &[address]), []);
    }

    #[test]
    fn addresses_collide_as_bind_says() {
        let collides = |there: &str, wanted: &str| collide(there.parse().unwrap(), wanted.parse().unwrap());
        assert!(collides("0.0.0.0:3569", "127.0.0.1:3569"));
        assert!(collides("[::]:3569", "127.0.0.1:3569"));
        assert!(collides("[::1]:3569", "[::]:3569"));
        assert!(!collides("127.0.0.1:3569", "127.0.0.1:3570"));
        assert!(!collides("127.0.0.1:3569", "[::1]:3569"));
        assert!(!collides("0.0.0.0:3569", "[::1]:3569"));
        assert!(!collides("192.0.2.1:3569", "127.0.0.1:3569"));
    }

    #[test]
    fn the_header_and_other_states_are_no_listeners() {
        assert_eq!(
            listener(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
            ),
            None
        );
        let connected =
            "   1: 0100007F:0DF1 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1";
        assert_eq!(listener(connected), None);
    }
}
