//! # microflo-bridge: how it is built
//!
//! A host daemon for MicroFlo boards that have no network of their own. Layers are folders; imports point down only.
//!
//! | layer | holds | must not |
//! |---|---|---|
//! | [`cli`] | the commands | decide anything |
//! | [`daemon`], [`registry_server`] | what `run` and `registry serve` start, and in which order it stops | |
//! | [`http`] | the one port and the control socket: router, WebSockets, API, registry routes, who may ask | touch a serial port |
//! | [`actors`] | the only long-lived tasks: one loop per board, the supervisor, the registrar | decide what a byte means |
//! | [`config`] | settings and where they come from | |
//! | [`sim`] | the simulated board | know the bridge |
//! | [`io`] | one adapter per outside thing: serial port, sysfs, hotplug, store, registry client | decide anything |
//! | [`pure`] | session, graph model, FBP, `.fbp` files, identity, registry rules | read a clock, a file or a socket |
//! | [`firmware_proto`] | the wire, both dialects | need an operating system |
//!
//! ## A packet's way through the house
//!
//! A board writes a `PacketSent` frame. [`io::serial`] has its port; the loop in [`actors::board`] reads the bytes and gives them
//! to [`pure::board::Board`]. There [`pure::session`] cuts them into frames and knows that this one is an event, not an answer;
//! [`pure::fbp`] knows which edge it travelled and says `network:data` to every client that may see it, and the raw clients get the
//! frame itself. The loop puts each message into that client's bounded queue; [`http::ws`] writes it to the socket.
//!
//! The other way: a client sends `graph:addnode`. [`http::ws`] hands the text to the loop, [`pure::fbp`] checks it against the graph and
//! the board's limits and asks for `CreateComponent`, [`pure::session`] sends it when fewer than 60 bytes are unanswered, and when the
//! board's `NodeAdded` arrives the answer goes to the asker and the change to everybody else.
//!
//! ## Plugging in
//!
//! [`io::hotplug`] hints, [`io::scan`] tells the truth. [`actors::supervisor`] compares it with the boards that it has, asks
//! [`pure::identity`] for ids and [`pure::admission`] whether to open a port, stores the secret, and starts a loop. The loops report
//! their state to [`actors::status`]; the supervisor publishes snapshots ([`pure::view`]) that HTTP, the command line and
//! [`actors::registrar`] read through the [`actors::directory`].
//!
//! ## A board that says who it is
//!
//! After each handshake [`pure::session`] asks the board what it says of itself, before it is up: stock firmware does not know the
//! question. What comes is an [`pure::introduction::Introduction`]. The loop hands it to the supervisor and waits, with the port open
//! and the board not yet ready; the supervisor keeps what the firmware says, asks [`pure::identity`] again, and answers who the
//! board is: its id, label and secrets, its component map, what was saved of it. So a board is never shown ready, or registered,
//! under an id that it does not keep.
//!
//! ## What outlives a restart
//!
//! Soon after a change [`pure::fbp`] has a snapshot of the board: the graph in names, and the numbers that its nodes have. The
//! loop hands it to [`actors::keeper`], which writes it without anybody waiting. The next loop of that board, of this run or another,
//! is given it back. If the board's session still answers ([`pure::session::Start`]), it has not restarted: some questions show that it
//! has the same nodes, and all goes on. If it has restarted, it says so itself: what it runs gets the names of its source
//! ([`pure::model::build`]), and with `restore` the graph that it had before is uploaded again. Whatever is not certain is not shown.
//!
//! ## What proves that it lives
//!
//! Every loop has a pulse of [`actors::heartbeat`], one more arm of its `select!`. A thread of its own asks all of them again and again; only
//! when each has answered does [`io::systemd`] tell the watchdog so. A loop that hangs is named in the log, and does not answer.
//!
//! ## The dashboard
//!
//! [`http::dashboard`] serves the page, [`http::events`] tells it of the boards: the supervisor's snapshots, compared with what was told
//! before, and once a second what [`actors::traffic`]'s meters show, which each board's loop turns without waiting for anybody. The
//! packets that the page shows come over the board's own WebSocket, as for every other client.
//!
//! ## What is absent, and must stay so
//!
//! - **Pure code has no clock.** Time is an argument, so a test jumps through hours in no time.
//! - **No loop waits for another.** Every queue is bounded; a slow client is dropped, a slow registry is retried by a task of its own,
//!   and a board reports its state into a slot that never blocks.
//! - **Nothing reaches a board unchecked.** FBP and raw clients share one request table and one mirror of the board; what can crash
//!   firmware is refused before it is sent.
//! - **No secret in a log.** Secrets are [`pure::secret::Secret`]s, whose `Debug` shows nothing.
//! - **No device number is identity.** `ttyUSB0` names a port to open, never a board.

pub mod actors;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod http;
pub mod io;
pub mod pure;
pub mod registry_server;
pub mod sim;
