//! Announces every ready board on the local network, where others can reach the bridge there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use super::directory::Directory;
use super::heartbeat::Pulse;
use crate::io::mdns::Mdns;
use crate::pure::view::{BoardState, BoardView};

/// The runtime type that boards are announced with.
const TYPE: &str = "microflo";
/// After changes were announced: the network is not to be flooded by a board that comes and goes.
const PAUSE: Duration = Duration::from_millis(250);

/// Starts announcing, if one of the addresses is beyond loopback. Never in the way of anything: what goes wrong is logged.
pub fn start(directory: &Directory, listening: &[SocketAddr], pulse: Pulse) -> Option<JoinHandle<()>> {
    let public = *listening.iter().find(|address| !address.ip().to_canonical().is_loopback())?;
    match Mdns::start(public) {
        Ok(mdns) => Some(tokio::spawn(run(mdns, directory.clone(), pulse))),
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    }
}

async fn run(mut mdns: Mdns, directory: Directory, mut pulse: Pulse) {
    let mut views = directory.watch();
    let mut announced: HashMap<Uuid, String> = HashMap::new();
    loop {
        let boards = views.borrow_and_update().clone();
        follow(&mut mdns, &mut announced, &boards);
        sleep(PAUSE).await;
        if pulse.during(views.changed()).await.is_err() {
            return;
        }
    }
}

/// Makes the announcements follow the boards. A board that restarts is there still.
fn follow(mdns: &mut Mdns, announced: &mut HashMap<Uuid, String>, boards: &[BoardView]) {
    let is_there = |board: &&BoardView| match board.state {
        BoardState::Ready => true,
        BoardState::Opening | BoardState::Booting | BoardState::Handshaking => announced.contains_key(&board.id),
        _ => false,
    };
    let there: HashMap<Uuid, &str> = boards.iter().filter(is_there).map(|board| (board.id, &*board.label)).collect();
    for (id, _) in announced.extract_if(|id, _| !there.contains_key(id)) {
        mdns.withdraw(id);
    }
    for (id, label) in there {
        if announced.get(&id).is_some_and(|before| before == label) {
            continue;
        }
        match mdns.announce(id, TYPE, label) {
            Ok(()) => drop(announced.insert(id, label.to_owned())),
            Err(error) => tracing::warn!(board = %id, "{error}"),
        }
    }
}
