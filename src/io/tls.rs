//! Certificates from files, for servers. They run out, so that others take their place while a server runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the server's own certificate first, then those that lead to a root.
    pub cert: PathBuf,
    /// PEM: the certificate's key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; check its owner and permissions", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no {what} in PEM form (-----BEGIN …); --tls-cert takes the certificates, --tls-key the key", .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// Certificate and key do not go together.
    #[error("the certificate in {} cannot be used with the key in {}: {source}", .files.cert.display(), .files.key.display())]
    Pair {
        /// Both.
        files: Box<TlsFiles>,
        /// Why.
        source: rustls::Error,
    },
}

/// What a server shows its clients, until another certificate takes its place.
#[derive(Clone, Debug)]
pub struct Certificate {
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// From these files.
    pub fn load(files: &TlsFiles) -> Result<Certificate, TlsError> {
        let shown = Arc::new(Shown(RwLock::new(Arc::new(files.read()?))));
        let pair = |source| TlsError::Pair { files: Box::new(files.clone()), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Certificate { shown, config: Arc::new(config) })
    }

    /// What servers are started with.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Shows what these files hold now to every connection from here on. Whether that is another certificate than before.
    /// With an error the one before stays.
    pub fn renew(&self, files: &TlsFiles) -> Result<bool, TlsError> {
        let new = Arc::new(files.read()?);
        let mut shown = self.shown.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_another = shown.cert != new.cert;
        *shown = new;
        Ok(is_another)
    }
}

/// Asked at each handshake.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl TlsFiles {
    /// Reads both, and checks that they go together.
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let certificates = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed(&self.cert, "certificate"))?;
        if certificates.is_empty() {
            return Err(TlsError::Content { path: self.cert.clone(), what: "certificate" });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(failed(&self.key, "key"))?;
        CertifiedKey::from_der(certificates, key, &ring::default_provider())
            .map_err(|source| TlsError::Pair { files: Box::new(self.clone()), source })
    }
}

/// The parser's own words could quote the file, which may hold the key.
fn failed(path: &Path, what: &'static str) -> impl FnOnce(pem::Error) -> TlsError {
    let path = path.to_owned();
    move |error| match error {
        pem::Error::Io(source) => TlsError::Read { path, source },
        _ => TlsError::Content { path, what },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        assert!(matches!(Certificate::load(&files), Err(TlsError::Read { path, .. }) if path == files.cert));
        std::fs::write(&files.cert, "nothing").unwrap();
        assert!(matches!(Certificate::load(&files), Err(TlsError::Content { path, .. }) if path == files.cert));
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.cert, pair.cert.pem()).unwrap();
        std::fs::write(&files.key, pair.cert.pem()).unwrap();
        assert!(matches!(Certificate::load(&files), Err(TlsError::Content { path, .. }) if path == files.key));
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.key, other.signing_key.serialize_pem()).unwrap();
        assert!(matches!(Certificate::load(&files), Err(TlsError::Pair { .. })));
        std::fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        assert!(Certificate::load(&files).is_ok());
    }

    #[test]
    fn another_certificate_takes_the_place_of_one_and_a_broken_pair_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (first, second) = (made(), made());
        std::fs::write(&files.cert, first.cert.pem()).unwrap();
        std::fs::write(&files.key, first.signing_key.serialize_pem()).unwrap();
        let certificate = Certificate::load(&files).unwrap();
        let shown = || certificate.shown.0.read().unwrap().cert.clone();
        assert!(!certificate.renew(&files).unwrap(), "the same as before");
        // Half of a renewal: its certificate is there, its key is not yet.
        std::fs::write(&files.cert, second.cert.pem()).unwrap();
        assert!(matches!(certificate.renew(&files), Err(TlsError::Pair { .. })));
        assert_eq!(shown(), [first.cert.der().clone()]);
        std::fs::write(&files.key, second.signing_key.serialize_pem()).unwrap();
        assert!(certificate.renew(&files).unwrap());
        assert_eq!(shown(), [second.cert.der().clone()]);
    }
}
