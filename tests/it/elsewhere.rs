//! A small web server that is as bad as a test wants it to be, plain or over TLS.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// How often a server that is to stop looks whether it is.
const POLL: Duration = Duration::from_millis(20);

/// One request as it came.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

/// What a connection gets: these bytes, or nothing at all while it lasts.
pub(crate) enum Answer {
    Bytes(Vec<u8>),
    Nothing,
}

/// An HTTP answer.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    Answer::Bytes(text.into_bytes())
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(
        listener: TcpListener,
        tls: Option<Arc<Mutex<Arc<ServerConfig>>>>,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, handler): (_, Arc<Handler>) = (Arc::new(AtomicBool::new(false)), Arc::new(handler));
        let stopping = stop.clone();
        let accepting = thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::park_timeout(POLL);
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                let (tls, handler) = (tls.as_ref().map(|tls| tls.lock().unwrap().clone()), handler.clone());
                thread::spawn(move || match tls {
                    Some(config) => {
                        let tls = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(tls, stream), &*handler);
                    }
                    None => serve(stream, &*handler),
                });
            }
        });
        Server { address, stop, accepting: Some(accepting) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.accepting.take().unwrap().join();
    }
}

/// One request and its answer; what goes wrong is the client's to notice.
fn serve(mut stream: impl Read + Write, handler: &Handler) {
    let Some(request) = read_request(&mut stream) else { return };
    match handler(&request) {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        }
        // Until the client has enough.
        Answer::Nothing => while matches!(stream.read(&mut [0]), Ok(1..)) {},
    }
}

fn read_request(stream: &mut impl Read) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut rest = vec![0; length.unwrap_or(0_usize).saturating_sub(body.len())];
    stream.read_exact(&mut rest).ok()?;
    body.append(&mut rest);
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Request { method, path, body })
}

/// The records of a registry that keeps what it is given.
#[derive(Clone, Default)]
pub(crate) struct Records(Arc<Mutex<HashMap<String, Value>>>);

impl Records {
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let mut records = self.0.lock().unwrap();
        let id = request.path.rsplit('/').next().unwrap().to_owned();
        let status = match (request.method.as_str(), records.contains_key(&id)) {
            ("PUT", _) => {
                records.insert(id, serde_json::from_slice(&request.body).unwrap());
                200
            }
            (_, false) => 404,
            ("DELETE", true) => records.remove(&id).map_or(404, |_| 204),
            (_, true) => 200,
        };
        answer(status, "", "")
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// An authority that tests trust, by a file that `SSL_CERT_FILE` names.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // With the name that its certificates have by default, they would look signed by themselves.
        params.distinguished_name.push(rcgen::DnType::CommonName, "an authority for tests");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A server that shows a certificate for that name or address.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(&[name]);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }

    /// A certificate for those names or addresses, and its key.
    pub(crate) fn issue(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}
