//! Packages, one after the other and one in each WebSocket message.

use bytes::{Bytes, BytesMut};
use cluster::wire::package::{self, HEAD_LEN, Package, PackageError};

const BODY_LEN_MAX: usize = 1000;

/// The first byte says how the others are cut.
pub fn run(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else {
        return;
    };
    let (packages, error, rest) = read([bytes].into_iter());
    let pieces = bytes.chunks(usize::from(cut) + 1);
    assert_eq!(
        read(pieces),
        (packages.clone(), error, rest.clone()),
        "reads of {} bytes gave something else",
        usize::from(cut) + 1
    );

    let mut written = BytesMut::new();
    for package in &packages {
        written.extend_from_slice(&package::encode(package.kind, &package.body));
    }
    written.extend_from_slice(&rest);
    assert_eq!(written, bytes, "what was read is not what is written");

    match package::whole(Bytes::copy_from_slice(bytes), BODY_LEN_MAX) {
        // Short messages are filled up with zeros, so only the beginning comes back.
        Ok(package) => {
            let len = bytes.len().saturating_sub(HEAD_LEN);
            assert_eq!(package.body[..len], bytes[bytes.len() - len..]);
            assert!(package.body[len..].iter().all(|&byte| byte == 0));
            assert!(package.body.len() <= BODY_LEN_MAX);
        }
        Err(PackageError::Trailing(count)) => {
            assert_eq!(packages[0].body.len() + HEAD_LEN + count, bytes.len());
        }
        Err(PackageError::Empty) => assert!(bytes.is_empty()),
        // The same as on a stream, if there are bytes enough.
        Err(other) => assert!(error == Some(other) || bytes.len() < HEAD_LEN),
    }
}

/// The packages in `pieces`, what ended them if something did, and what was left over.
fn read<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Package>, Option<PackageError>, BytesMut) {
    let mut packages = Vec::new();
    let mut buffer = BytesMut::new();
    let mut error = None;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while error.is_none() {
            match package::take(&mut buffer, BODY_LEN_MAX) {
                Ok(Some(package)) => {
                    assert!(package.body.len() <= BODY_LEN_MAX);
                    packages.push(package);
                }
                Ok(None) => break,
                Err(found) => error = Some(found),
            }
        }
    }
    (packages, error, buffer)
}
