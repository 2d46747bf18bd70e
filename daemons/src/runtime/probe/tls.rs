//! The probe of a certificate: a handshake, the name and the dates in what is shown.
//!
//! The certificate has to name the host (a subject alternative name, as browsers
//! ask for) and the server has to hold its key. Whether the chain is trusted is
//! not asked, for inside a fleet it often leads to a private authority, or to the
//! certificate itself. An `https` probe asks for that too.

use super::spec::Place;
use super::{Failure, Passed, address, certificate, connect};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use shared::wire::monitor::Phase;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much is read at a time, and in all: no handshake is longer.
const READ: usize = 16 * 1024;
const READ_MAX: usize = 256 * 1024;

/// Makes handshakes.
#[derive(Clone)]
pub struct Handshakes(Arc<ClientConfig>);

impl Handshakes {
    /// # Errors
    /// When the cryptography has no cipher suites.
    pub fn new() -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(AnyChain(Arc::clone(&provider)));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Whether the certificate that is shown at a place lasts.
    pub async fn probe(&self, place: &Place, warn: Duration) -> Passed {
        let stream = connect(&address::resolve(&place.host, place.port).await?).await?;
        let name = ServerName::try_from(place.host.clone())
            .map_err(|e| Failure::new(Phase::Tls, format!("'{}': {e}", place.host)))?;
        let connection =
            ClientConnection::new(Arc::clone(&self.0), name).map_err(|e| Failure::new(Phase::Tls, e))?;
        let shown = shake(connection, stream).await?;
        certificate::judge(&shown, warn, SystemTime::now())
    }
}

/// The certificate that is shown in a handshake.
async fn shake(mut connection: ClientConnection, mut stream: TcpStream) -> Result<Vec<u8>, Failure> {
    let failed = |e: &dyn ToString| Failure::new(Phase::Tls, e.to_string());
    let mut buffer = vec![0; READ];
    let mut taken = 0;
    while connection.is_handshaking() {
        let mut out = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut out).map_err(|e| failed(&e))?;
        }
        stream.write_all(&out).await.map_err(|e| failed(&e))?;
        if !connection.is_handshaking() {
            break;
        }
        let count = stream.read(&mut buffer).await.map_err(|e| failed(&e))?;
        taken += count;
        if count == 0 || taken > READ_MAX {
            return Err(failed(&"the handshake was broken off"));
        }
        let mut read = buffer.get(..count).unwrap_or_default();
        while !read.is_empty() {
            connection.read_tls(&mut read).map_err(|e| failed(&e))?;
            connection.process_new_packets().map_err(|e| failed(&e))?;
        }
    }
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    shown.map(|certificate| certificate.to_vec()).ok_or_else(|| failed(&"it shows no certificate"))
}

/// Takes any chain, but only for the name and from a server that has the key.
#[derive(Debug)]
struct AnyChain(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyChain {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
