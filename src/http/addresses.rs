//! The bridge's and its boards' addresses, as others type them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use url::Url;
use uuid::Uuid;

use super::live_url::live_url;
use crate::config::{Ide, WebUrl};

/// Where an IDE of one's own is served, below the bridge's web address.
const OWN_IDE: &str = "ide/";

/// Addresses as others type them. Cheap enough to clone.
#[derive(Clone, Debug)]
pub struct Addresses {
    listening: Vec<SocketAddr>,
    base: Url,
    public: Option<WebUrl>,
    ide: Ide,
    secure: bool,
}

impl Addresses {
    /// From the addresses that are listened on (the first one is shown), `--public-url` and `--ide`.
    pub fn new(listening: Vec<SocketAddr>, public: Option<WebUrl>, ide: Ide) -> Self {
        let base = match &public {
            Some(public) => with_trailing_slash(public.url()),
            None => http_url(listening.first().copied()),
        };
        Addresses { listening, base, public, ide, secure: false }
    }

    /// The same where the server itself speaks TLS: https and wss, unless `--public-url` says otherwise.
    pub fn over_tls(mut self) -> Self {
        self.secure = true;
        if self.public.is_none() && self.base.set_scheme("https").is_err() {
            debug_assert!(false, "{} cannot become https", self.base);
        }
        self
    }

    /// Whether the server itself speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The addresses that are listened on.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// `--public-url`.
    pub fn public(&self) -> Option<&WebUrl> {
        self.public.as_ref()
    }

    /// The IDE that live URLs open.
    pub fn ide(&self) -> &Ide {
        &self.ide
    }

    /// The IDE's address.
    pub fn ide_url(&self) -> String {
        match &self.ide {
            Ide::Url(url) => url.url().to_string(),
            Ide::Dir(_) => format!("{}{OWN_IDE}", self.base),
        }
    }

    /// The bridge's web address, which is also its registry's.
    pub fn http(&self) -> &str {
        self.base.as_str()
    }

    /// A board's FBP address.
    pub fn board(&self, id: Uuid) -> String {
        let mut url = self.base.clone();
        // http and https URLs may be given ws and wss: all four are of the kind that has a host.
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        if url.set_scheme(scheme).is_err() {
            debug_assert!(false, "{url} cannot become {scheme}");
        }
        format!("{url}{id}")
    }

    /// A board's FBP address for registries, which others read: the first address that other hosts can reach, where there is one.
    pub fn board_for_others(&self, id: Uuid) -> String {
        let reachable = self.listening.iter().find(|address| !address.ip().to_canonical().is_loopback());
        match reachable.filter(|_| self.public.is_none()) {
            Some(address) => {
                let outside = Addresses { base: http_url(Some(*address)), ..self.clone() };
                if self.secure { outside.over_tls().board(id) } else { outside.board(id) }
            }
            None => self.board(id),
        }
    }

    /// A board's raw address.
    pub fn raw(&self, id: Uuid) -> String {
        format!("{}/raw", self.board(id))
    }

    /// The link that opens a board in the IDE. It holds the secret: for the board's owner only.
    pub fn live(&self, id: Uuid, secret: &str) -> String {
        live_url(&self.ide_url(), &self.board(id), id, secret)
    }
}

fn with_trailing_slash(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

fn http_url(listening: Option<SocketAddr>) -> Url {
    let address = listening.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
    let ip = if address.ip().is_unspecified() { outward_ip() } else { address.ip() };
    let text = format!("http://{}/", SocketAddr::new(ip, address.port()));
    Url::parse(&text).expect("an http address is a URL")
}

/// The address by which others most likely reach this host: the one that leads out. No packet is sent to find it.
fn outward_ip() -> IpAddr {
    const SOMEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let probe = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(SOMEWHERE)?;
        socket.local_addr()
    };
    probe().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(listen: &str, public: Option<&str>) -> Addresses {
        let public = public.map(|url| url.parse().unwrap());
        Addresses::new(vec![listen.parse().unwrap()], public, "https://app.flowhub.io".parse().unwrap())
    }

    #[test]
    fn registries_get_an_address_that_others_can_reach() {
        let (id, ide) = (Uuid::from_u128(1), "https://app.flowhub.io".parse().unwrap());
        let listening = ["127.0.0.1:3569", "192.0.2.7:8080"].map(|address| address.parse().unwrap()).to_vec();
        let both = Addresses::new(listening, None, ide);
        assert_eq!(both.board(id), format!("ws://127.0.0.1:3569/{id}"));
        assert_eq!(both.board_for_others(id), format!("ws://192.0.2.7:8080/{id}"));
        assert_eq!(both.over_tls().board_for_others(id), format!("wss://192.0.2.7:8080/{id}"));
        assert_eq!(addresses("127.0.0.1:1", None).board_for_others(id), format!("ws://127.0.0.1:1/{id}"));
        let named = addresses("192.0.2.7:80", Some("https://lab.example/x/"));
        assert_eq!(named.board_for_others(id), format!("wss://lab.example/x/{id}"));
    }

    #[test]
    fn boards_are_below_the_first_address_listened_on() {
        let id = Uuid::from_u128(1);
        assert_eq!(addresses("127.0.0.1:3569", None).board(id), format!("ws://127.0.0.1:3569/{id}"));
        assert_eq!(addresses("[::1]:3569", None).raw(id), format!("ws://[::1]:3569/{id}/raw"));
        assert_eq!(addresses("127.0.0.1:80", None).http(), "http://127.0.0.1/");
    }

    #[test]
    fn a_public_url_gives_scheme_host_and_path() {
        let id = Uuid::from_u128(1);
        let secure = addresses("0.0.0.0:3569", Some("https://lab.example/boards"));
        assert_eq!(secure.board(id), format!("wss://lab.example/boards/{id}"));
        assert_eq!(secure.http(), "https://lab.example/boards/");
        assert_eq!(addresses("0.0.0.0:1", Some("http://lab:8080")).board(id), format!("ws://lab:8080/{id}"));
    }

    #[test]
    fn with_tls_boards_are_at_wss() {
        let id = Uuid::from_u128(1);
        let secure = addresses("127.0.0.1:3569", None).over_tls();
        assert_eq!(secure.board(id), format!("wss://127.0.0.1:3569/{id}"));
        assert_eq!(secure.http(), "https://127.0.0.1:3569/");
        assert_eq!(addresses("0.0.0.0:1", Some("http://lab:80")).over_tls().http(), "http://lab/");
    }

    #[test]
    fn an_ide_of_ones_own_is_below_the_bridges_address() {
        let ide = Ide::Dir("/ui".into());
        let own = Addresses::new(vec!["127.0.0.1:3569".parse().unwrap()], None, ide);
        let live = own.live(Uuid::from_u128(1), "s");
        assert!(live.starts_with("http://127.0.0.1:3569/ide/#runtime/endpoint?protocol%3D"), "{live}");
    }

    #[test]
    fn an_unspecified_address_is_never_shown() {
        assert!(!addresses("0.0.0.0:3569", None).http().contains("0.0.0.0"));
    }
}
