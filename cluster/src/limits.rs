//! Every bound of the cluster: its unit, its reason, and what happens there.

use std::time::Duration;

/// Longest package body taken from a client, in bytes. The original serves contents of 1 MiB;
/// twice that leaves room for JSON escapes. A longer one closes its connection.
pub const PACKAGE_BODY_LEN_MAX: usize = 2 * 1024 * 1024;

/// Time from accepting a connection to its finished handshake (first byte, WebSocket upgrade,
/// handshake, acknowledgement). A slow phone needs two or three seconds; after this the
/// connection is closed, so that silent ones do not pile up.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Longest head of an HTTP request, in bytes. Browsers with many cookies send four thousand; a longer
/// one closes the connection.
pub const HTTP_HEAD_LEN_MAX: usize = 8 * 1024;

/// Longest silence on a gate connection, which has no heartbeats. The original's raw TCP idle
/// timeout. The connection is closed.
pub const GATE_PATIENCE: Duration = Duration::from_secs(90);

/// Time that a closing connection gets to take its last packages (a kick and its reason).
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Sessions at one frontend. Each may hold a push queue; one more connection is closed at once.
pub const SESSIONS_MAX: usize = 100_000;

/// Pushes and answers waiting for one client, in packages, besides those that are being written (as
/// many at most) and those of a room that it is entering (as many again). One this far behind is
/// not reading: it is kicked, so that a single slow phone does not hold a room's memory. More than
/// a room has members, because all but one may leave it at once, with their connector.
pub const SESSION_QUEUE_LEN: usize = 16_384;

/// The same in bytes: four of the largest messages, so that few large ones weigh like many small.
pub const SESSION_QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// How long packages for a client wait for others that go out in the same write, if it was written to
/// just before and there is much to tell ([`BUSY_ROUND`]). Nobody sees a message come later by
/// so little, and a fifth of what a room may take to hear it.
pub const ROUND: Duration = Duration::from_millis(20);

/// Packages that a connector puts into its sessions' queues in one [`ROUND`], from which on it has
/// much to tell. With less, a write for each costs a tenth of a processor at most.
pub const BUSY_ROUND: usize = 200;

/// How long frames of a link wait for others that go out in the same write, if the link has much to say
/// ([`BUSY_LINK`]): the shortest time that tokio's clock knows, which may take twice as long. Four times
/// something goes over a link until what was said is answered, which is then some 7 ms later: a third of a
/// [`ROUND`], for which answers wait anyway while there is much to tell.
pub const LINK_PAUSE: Duration = Duration::from_millis(1);

/// Frames that one end of a link writes in one [`ROUND`], from which on it has much to say: a write for
/// each, on the nine links of a cluster of six servers, costs a tenth of a processor.
pub const BUSY_LINK: usize = 20;

/// Requests of one session that wait for an answer. At this many its next messages wait for their
/// turn, up to as many again (or the length of one package in bytes), and then its connection is
/// not read until one is answered.
pub const REQUESTS_IN_FLIGHT: usize = 256;

/// Frames sent on a link and not yet acknowledged. The peer is then so far behind that a connector
/// refuses requests; and a chat server cuts the link off, so that the connector's lease runs out,
/// if it stays so far behind for [`behind_patience`].
pub const OUTBOX_LEN: usize = 65_536;

/// That many times as many frames cut a link off at once. So much is said in one step when another
/// connector dies: each of its sessions is a departure, and what waited for it is answered.
pub const OUTBOX_BURST: usize = 4;

/// The same in bytes.
pub const OUTBOX_BYTES: usize = 256 * 1024 * 1024;

/// Longest frame on a link, in bytes: more than a client's largest body, of which each byte may
/// have become a three-byte U+FFFD, and more than the report of the largest room. A longer one
/// closes the link.
pub const FRAME_LEN_MAX: usize = 16 * 1024 * 1024;

/// Longest JSON text that a client's protobuf body stands for, in bytes: with room for names, route
/// and numbers it fits a frame of a link. JSON can be many times as long as the body, because it has the
/// names of fields and escapes. A longer one closes the client's connection.
pub const JSON_LEN_MAX: usize = FRAME_LEN_MAX - 64 * 1024;

/// Longest frame of a peer that has not shown the token yet, in bytes: a hello with long names.
/// A longer one closes the connection.
pub const HELLO_LEN_MAX: usize = 4096;

/// Connections at a chat server's port. Each connector has one; one without a hello ends within
/// [`HELLO_PATIENCE`], so that strangers hold no more than this. One more is closed at once.
pub const LINK_CONNECTIONS_MAX: usize = 4096;

/// Longest user name and longest room name, in bytes. An `enter` with a longer one is refused.
pub const NAME_LEN_MAX: usize = 256;

/// Longest id of a server, in bytes. It is in each hello of a link, which must fit
/// [`HELLO_LEN_MAX`], and in log lines. A `servers.json` with a longer one is refused.
pub const SERVER_ID_LEN_MAX: usize = 256;

/// Most members of one room. With the longest names, each byte written as a JSON escape of six,
/// the answer to `enter` still fits a package (16 MiB). One more is refused.
pub const ROOM_MEMBERS_MAX: usize = 10_000;

// The death of one connector must not cost the others' clients and links (unless names are so long
// that their departures are too many bytes).
const _: () = assert!(SESSION_QUEUE_LEN > ROOM_MEMBERS_MAX);
const _: () = assert!(OUTBOX_BURST * OUTBOX_LEN > 2 * SESSIONS_MAX);

/// Time for a connector to say its hello on a fresh connection; then it is closed.
pub const HELLO_PATIENCE: Duration = Duration::from_secs(1);

/// Interval of a connector's pings on a link: its lease counts from the last that was answered, and
/// the more often, the more of it is left when the link goes down.
pub fn ping_interval(lease: Duration) -> Duration {
    lease / 8
}

/// Time for the answer to a ping; then the connection is given up while most of the lease is left
/// to try another.
pub fn ping_patience(lease: Duration) -> Duration {
    lease * 3 / 8
}

/// Time for a dial to be accepted, and again for its welcome: short enough for another try in what
/// the lease leaves after a silence was noticed.
pub fn dial_patience(lease: Duration) -> Duration {
    lease / 4
}

/// How long a link may hold more than [`OUTBOX_LEN`].
pub fn behind_patience(lease: Duration) -> Duration {
    lease / 4
}

/// Wait between two attempts to dial a chat server that refused.
pub const REDIAL_PAUSE: Duration = Duration::from_millis(100);

/// Wait after a failed `accept` (out of file descriptors): trying at once would spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
