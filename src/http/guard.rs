//! Host and Origin: which requests are answered at all.
//!
//! A page anywhere on the web can make a browser send requests to this port. Two checks keep it out, on every route:
//! `Host` must name this bridge (else a name of the attacker's points here: DNS rebinding), and `Origin`, which browsers
//! send and pages cannot forge, must be on an exact list. What has no `Origin` (a link, a program) has the route's own
//! authentication to pass.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use url::Url;

use super::addresses::Addresses;
use super::refusal::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Why a request was refused before any route saw it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// None, or several.
    #[error("the request must have exactly one Host header")]
    HostCount,
    /// Not a host.
    #[error("the Host header cannot be read")]
    HostUnreadable,
    /// Some other machine's name.
    #[error(
        "Host `{0}` is not this bridge: use localhost or the address that it listens on, \
         or start it with --public-url http://{0}"
    )]
    ForeignHost(String),
    /// Several.
    #[error("the request has more than one Origin header")]
    OriginCount,
    /// Some other site.
    #[error("pages from `{0}` may not use this bridge; if that is your Flowhub, start the bridge with --ide {0}")]
    ForeignOrigin(String),
    /// An IDE may talk to boards and the registry, not manage the bridge.
    #[error("pages from `{0}` may use boards and the registry, not this path")]
    IdeOutOfBounds(String),
    /// A browser sends it on behalf of some other site.
    #[error("this request was started by another site (Sec-Fetch-Site: {0})")]
    CrossSite(String),
}

impl From<GuardError> for Refusal {
    fn from(error: GuardError) -> Self {
        Refusal::new(StatusCode::FORBIDDEN, error.to_string())
    }
}

/// Whose page sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// No page: a link that was followed, or a program.
    NoPage,
    /// A page of this bridge.
    Own,
    /// A page of the configured IDE.
    Ide,
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Guard {
    listening: Vec<(IpAddr, u16)>,
    /// Host and port of the public URL.
    public: Option<(Host, u16)>,
    public_origin: Option<String>,
    ide_origins: HashSet<String>,
}

/// The port of a Host without one, unless the public URL says otherwise.
const HTTP_PORT: u16 = 80;

/// A host, and its port if that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Guard {
    /// The rules for a bridge that is reached at these addresses.
    pub fn new(addresses: &Addresses) -> Self {
        Guard {
            listening: addresses.listening().iter().map(|a| (a.ip().to_canonical(), a.port())).collect(),
            public: addresses.public().and_then(|p| Some((Host::of_url(p.url())?, p.url().port_or_known_default()?))),
            public_origin: addresses.public().map(|public| public.origin()),
            ide_origins: addresses.ide().origin().into_iter().collect(),
        }
    }

    /// Whether a request that came to our address `local` may be answered, and whose it is.
    pub fn check(
        &self,
        local: SocketAddr,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Sender, GuardError> {
        self.check_host(local, uri, headers)?;
        let sender = self.check_origin(local, headers)?;
        match sender {
            Sender::NoPage => check_fetch_site(method, headers)?,
            Sender::Ide if !is_open_to_ide(uri.path()) => {
                let origin = headers.get(ORIGIN).map(|o| String::from_utf8_lossy(o.as_bytes()).into_owned());
                return Err(GuardError::IdeOutOfBounds(origin.unwrap_or_default()));
            }
            Sender::Ide | Sender::Own => {}
        }
        Ok(sender)
    }

    fn check_host(&self, local: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Result<(), GuardError> {
        let mut all = headers.get_all(HOST).iter();
        let (Some(host), None) = (all.next(), all.next()) else {
            return Err(GuardError::HostCount);
        };
        let authority = Authority::try_from(host.as_bytes()).map_err(|_| GuardError::HostUnreadable)?;
        // A request line may name a host too (`GET http://host/`), and then that is the one that counts.
        for authority in [Some(&authority), uri.authority()].into_iter().flatten() {
            let place = Place::of_authority(authority).ok_or(GuardError::HostUnreadable)?;
            if !self.is_ours(&place, local) {
                return Err(GuardError::ForeignHost(authority.to_string()));
            }
        }
        Ok(())
    }

    fn is_ours(&self, place: &Place, local: SocketAddr) -> bool {
        let port = place.port.unwrap_or(HTTP_PORT);
        let ours = match &place.host {
            Host::Name(name) => name == "localhost" && port == local.port(),
            Host::Ip(ip) if is_loopback_name(*ip) => port == local.port(),
            Host::Ip(ip) => {
                (*ip, port) == (local.ip().to_canonical(), local.port())
                    || (!ip.is_unspecified() && self.listening.contains(&(*ip, port)))
            }
        };
        // A proxy that speaks https is reached at a Host without a port too.
        let is_public = |(host, port): &(Host, u16)| *host == place.host && *port == place.port.unwrap_or(*port);
        ours || self.public.as_ref().is_some_and(is_public)
    }

    fn check_origin(&self, local: SocketAddr, headers: &HeaderMap) -> Result<Sender, GuardError> {
        let mut all = headers.get_all(ORIGIN).iter();
        let Some(origin) = all.next() else {
            return Ok(Sender::NoPage);
        };
        if all.next().is_some() {
            return Err(GuardError::OriginCount);
        }
        let text = String::from_utf8_lossy(origin.as_bytes());
        if self.public_origin.as_deref() == Some(&*text) || self.is_own_origin(&text, local) {
            return Ok(Sender::Own);
        }
        if self.ide_origins.contains(&*text) {
            return Ok(Sender::Ide);
        }
        Err(GuardError::ForeignOrigin(text.into_owned()))
    }

    fn is_own_origin(&self, origin: &str, local: SocketAddr) -> bool {
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        // Only what is written exactly as browsers write an origin.
        url.scheme() == "http"
            && url.origin().ascii_serialization() == origin
            && Place::of_url(&url).is_some_and(|place| self.is_ours(&place, local))
    }
}

/// Paths that pages of an IDE may use: boards' sockets, the registry, and the probe that tells whether we run.
fn is_open_to_ide(path: &str) -> bool {
    path != "/api" && !path.starts_with("/api/")
}

/// What has no Origin but says that another site started it: a script or image tag. Following a link is fine.
fn check_fetch_site(method: &Method, headers: &HeaderMap) -> Result<(), GuardError> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match value(SEC_FETCH_SITE) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_)
            if method == Method::GET
                && value(SEC_FETCH_MODE) == Some("navigate")
                && value(SEC_FETCH_DEST) == Some("document") =>
        {
            Ok(())
        }
        Some(site) => Err(GuardError::CrossSite(site.to_owned())),
    }
}

fn is_loopback_name(ip: IpAddr) -> bool {
    ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST
}

impl Place {
    fn of_authority(authority: &Authority) -> Option<Place> {
        if authority.as_str().contains('@') {
            return None;
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => None,
            _ => Some(authority.port_u16()?),
        };
        let host = authority.host();
        let ip = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => Some(IpAddr::V6(v6.parse().ok()?)),
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        Some(Place { host: ip.map_or_else(|| Host::Name(host.to_ascii_lowercase()), Host::Ip), port })
    }

    fn of_url(url: &Url) -> Option<Place> {
        Some(Place { host: Host::of_url(url)?, port: url.port_or_known_default() })
    }
}

impl Host {
    fn of_url(url: &Url) -> Option<Host> {
        Some(match url.host()? {
            url::Host::Domain(name) => Host::Name(name.to_ascii_lowercase()),
            url::Host::Ipv4(ip) => Host::Ip(ip.into()),
            url::Host::Ipv6(ip) => Host::Ip(ip.into()),
        })
    }
}
