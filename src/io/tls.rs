//! Certificates from files, for servers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

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

impl TlsFiles {
    /// Reads both.
    pub fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let certificates = CertificateDer::pem_file_iter(&self.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed(&self.cert, "certificate"))?;
        if certificates.is_empty() {
            return Err(TlsError::Content { path: self.cert.clone(), what: "certificate" });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(failed(&self.key, "key"))?;
        let pair = |source| TlsError::Pair { files: Box::new(self.clone()), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
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
        assert!(matches!(files.load(), Err(TlsError::Read { path, .. }) if path == files.cert));
        std::fs::write(&files.cert, "nothing").unwrap();
        assert!(matches!(files.load(), Err(TlsError::Content { path, .. }) if path == files.cert));
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.cert, pair.cert.pem()).unwrap();
        std::fs::write(&files.key, pair.cert.pem()).unwrap();
        assert!(matches!(files.load(), Err(TlsError::Content { path, .. }) if path == files.key));
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.key, other.signing_key.serialize_pem()).unwrap();
        assert!(matches!(files.load(), Err(TlsError::Pair { .. })));
        std::fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        assert!(files.load().is_ok());
    }
}
