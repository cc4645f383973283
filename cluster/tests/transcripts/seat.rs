//! One of the recorder's connections, taken again.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::client::Outgoing;
use crate::package::{self, Kind};
use crate::replay::PATIENCE;
use crate::socket::Socket;
use crate::transcript::{Action, Frame, Peer, Seen, Server};

/// How often the recorder sent the heartbeats that it did not write down.
const HEARTBEAT: Duration = Duration::from_millis(2500);

/// Ids of the replay's own requests begin here; clients count from 1.
const FENCE_IDS: u32 = 0x7F00_0000;

const ACK: u8 = 2;
const HEARTBEAT_PACKAGE: [u8; 4] = [3, 0, 0, 0];

/// A client that does what a recording says, and what came back.
#[derive(Debug)]
pub struct Seat {
    peer: Peer,
    /// Its heartbeats are in the recording, and have their time.
    is_paced: bool,
    /// It has been asked nothing since all was read.
    is_fenced: bool,
    /// What has come in the present step.
    pub seen: Vec<Seen>,
    /// `None` before it connects and after it has ended.
    socket: Option<Socket>,
    outgoing: Outgoing,
    has_shaken_hands: bool,
    has_acknowledged: bool,
    /// The server handles messages.
    is_working: bool,
    /// When the next heartbeat is due that the recorder did not write down.
    beats_at: Option<Instant>,
    /// Such heartbeats whose answers, not written down either, are yet to come.
    owed_beats: u32,
    /// The last written acknowledgement or heartbeat: when it was sent here, and when there.
    last_beat: Option<(Instant, Duration)>,
    last_fence: u32,
}

impl Seat {
    pub fn new(peer: Peer, is_paced: bool) -> Self {
        Self {
            peer,
            is_paced,
            is_fenced: false,
            seen: Vec::new(),
            socket: None,
            outgoing: Outgoing::new(peer.transport),
            has_shaken_hands: false,
            has_acknowledged: false,
            is_working: false,
            beats_at: None,
            owed_beats: 0,
            last_beat: None,
            last_fence: FENCE_IDS,
        }
    }

    /// Does what the recorded client did when its recording was `at` old.
    ///
    /// # Errors
    ///
    /// It could not connect, or the server did not end a connection that the client ended.
    pub async fn act(&mut self, action: &Action, port: u16, at: Duration) -> Result<(), String> {
        match action {
            Action::Open => {
                let socket = timeout(PATIENCE, Socket::open(self.peer.transport, port)).await;
                let socket = socket
                    .map_err(|_| String::from("no connection in time"))?
                    .map_err(|error| format!("no connection: {error}"))?;
                *self = Self {
                    seen: std::mem::take(&mut self.seen),
                    ..Self::new(self.peer, self.is_paced)
                };
                self.socket = Some(socket);
                Ok(())
            }
            Action::Send {
                frame,
                payload,
                fragments,
            } => {
                self.keep_pace(payload, at).await;
                self.notice_sent(payload, at);
                if let Some(socket) = &mut self.socket {
                    socket.send(*frame, payload, fragments).await;
                }
                Ok(())
            }
            Action::Close => self.close().await,
        }
    }

    /// Waits for one more event, if any can come. Cancel safe.
    pub async fn watch(&mut self) {
        let Some(socket) = &mut self.socket else {
            return std::future::pending().await;
        };
        let seen = socket.next().await;
        self.notice_seen(seen);
    }

    /// Whether nothing more can come.
    pub fn has_ended(&self) -> bool {
        self.socket.is_none()
    }

    /// When this client has to be heard; never if the recorder did not see to that.
    pub fn beats_at(&self) -> Option<Instant> {
        self.beats_at.filter(|_| self.socket.is_some())
    }

    /// Sends a heartbeat that is not in the recording, nor is its answer.
    pub async fn beat(&mut self) {
        self.beats_at = Some(Instant::now() + HEARTBEAT);
        if let Some(socket) = &mut self.socket {
            self.owed_beats += 1;
            socket.send(Frame::Binary, &HEARTBEAT_PACKAGE, &[]).await;
        }
    }

    /// Reads all that the server has said so far. A session that is working is asked for a route
    /// that nobody has: the answer comes behind everything else. That restarts no timer and
    /// changes nothing in a room. Others cannot be asked without changing what they are in: on
    /// them everything is seen at last when the client ends the connection.
    ///
    /// # Errors
    ///
    /// The session does not answer any more.
    pub async fn fence(&mut self) -> Result<(), String> {
        let can_be_asked = self.can_be_asked();
        let Some(socket) = self.socket.as_mut().filter(|_| can_be_asked) else {
            self.notice_what_is_there();
            return Ok(());
        };
        self.last_fence += 1;
        let request = package::encode_request(self.last_fence, "probe.probe.probe", "{}");
        socket.send(Frame::Binary, &request, &[]).await;
        let answered = timeout(PATIENCE, async {
            while let Some(socket) = &mut self.socket {
                let seen = socket.next().await;
                if seen.kind() == Some(Kind::Response(self.last_fence)) {
                    break;
                }
                self.notice_seen(seen);
            }
        });
        answered
            .await
            .map_err(|_| String::from("a session that served its client does so no more"))?;
        self.is_fenced = true;
        Ok(())
    }

    /// Ends the connection and reads it to its end.
    ///
    /// # Errors
    ///
    /// The server does not end it.
    pub async fn close(&mut self) -> Result<(), String> {
        let Some(mut socket) = self.socket.take() else {
            return Ok(());
        };
        socket.close().await;
        // Answers to what it has just asked come too late for a client that goes. The recorder did
        // not write down whether they came.
        let is_late = self.can_be_asked() && !self.is_fenced;
        let ended = timeout(PATIENCE, async {
            loop {
                match socket.next().await {
                    // Nobody recorded how a connection went that the client ended.
                    Seen::Closed => break,
                    Seen::Message {
                        frame: Frame::Close,
                        ..
                    } => {}
                    Seen::Broken(what) => {
                        self.seen.push(Seen::Broken(what));
                        break;
                    }
                    _ if is_late => {}
                    seen => self.notice_seen(seen),
                }
            }
        });
        ended
            .await
            .map_err(|_| String::from("the server did not end a connection that its client ended"))
    }

    /// Whether [`fence`](Self::fence) can ask it.
    pub fn can_be_asked(&self) -> bool {
        self.is_working && self.outgoing.is_whole()
    }

    /// Turns on the heartbeats that the recorder did not write down, when the session wants them.
    pub fn keep_alive(&mut self) {
        if self.is_working && self.peer.server != Server::Gate && self.beats_at.is_none() {
            self.beats_at = Some(Instant::now() + HEARTBEAT);
        }
    }

    /// A heartbeat has its time: after the acknowledgement or heartbeat before it, as long as in
    /// the recording. This is the one thing in a client that a clock decides.
    async fn keep_pace(&self, payload: &[u8], at: Duration) {
        if self.is_paced
            && payload == HEARTBEAT_PACKAGE
            && let Some((sent_at, recorded_at)) = self.last_beat
        {
            sleep_until(sent_at + at.saturating_sub(recorded_at)).await;
        }
    }

    fn notice_sent(&mut self, payload: &[u8], at: Duration) {
        self.is_fenced = false;
        for (package_type, _) in self.outgoing.add(payload) {
            self.notice_package(package_type, at);
        }
    }

    fn notice_package(&mut self, package_type: u8, at: Duration) {
        let is_ack = package_type == ACK && self.has_shaken_hands;
        self.has_acknowledged |= is_ack;
        if self.peer.server == Server::Gate {
            // It says nothing to an acknowledgement, but handles packages one after the other. Of
            // heartbeats it knows nothing.
            self.is_working |= is_ack;
        } else if is_ack || package_type == HEARTBEAT_PACKAGE[0] && self.is_working {
            self.last_beat = Some((Instant::now(), at));
        }
    }

    fn notice_seen(&mut self, seen: Seen) {
        match (&seen, seen.kind()) {
            (_, Some(Kind::Handshake)) => self.has_shaken_hands = true,
            (_, Some(Kind::Heartbeat)) if self.owed_beats > 0 => {
                self.owed_beats -= 1;
                return;
            }
            (_, Some(Kind::Heartbeat)) => self.is_working |= self.has_acknowledged,
            (Seen::Closed | Seen::Broken(_), _) => self.socket = None,
            _ => {}
        }
        self.seen.push(seen);
    }

    fn notice_what_is_there(&mut self) {
        while let Some(seen) = self.socket.as_mut().and_then(Socket::next_now) {
            self.notice_seen(seen);
        }
    }
}
