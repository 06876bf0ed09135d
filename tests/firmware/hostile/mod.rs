//! Twenty thousand messages that are right, nearly right or junk, from two FBP clients at once with a raw one beside them, while the
//! network runs. Nothing dies, everything is answered, and what the bridge then says is on the board is there, and nothing else.

mod broken;
mod ledger;
mod link;
mod long;
mod picture;
mod probe;
mod random;
mod raw;
mod terminal;
mod valid;
mod world;

use std::time::Instant;

use serde_json::{Value, json};

use self::ledger::Ledger;
use self::link::{Ask, Link};
use self::picture::Picture;
use self::probe::Probe;
use self::random::Random;
use self::raw::RawLink;
use self::terminal::Terminal;
use self::valid::Draft;
use self::world::{Kind, World};
use crate::board::Board;
use crate::client::{Fbp, Raw};
use crate::support::{Bridge, read_secret, secret};

/// Of each test.
const MESSAGES: usize = 10_000;

/// Edges that there are in the end, at least as far as the generator knows.
const COMPARED_EDGES: usize = 15;

/// The seed of the mix that is the same every time.
const SEED: u64 = 20_261_122;

/// Overrides the other test's seed.
const SEED_VARIABLE: &str = "HOSTILE_SEED";

#[test]
fn hostile_messages_of_a_fixed_mix_harm_nobody() {
    withstand(SEED);
}

#[test]
fn hostile_messages_of_a_random_mix_harm_nobody() {
    let given = std::env::var(SEED_VARIABLE).map(|seed| seed.parse().expect("the seed is a number"));
    withstand(given.unwrap_or_else(|_| Random::seed()));
}

fn withstand(seed: u64) {
    println!("{MESSAGES} messages, {SEED_VARIABLE}={seed}");
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let told = runtime.block_on(storm(&shown, &mut Random::new(seed)));
    drop(runtime);
    assert!(board.lives(), "the firmware has died; the log:\n{}", bridge.log());
    assert_eq!(bridge.board_in_state("ready")["id"], shown["id"]);
    agrees(board, bridge, &shown, &told);
}

/// Sends it all, and waits for all answers. The graph as somebody was told it who only listened.
async fn storm(shown: &Value, random: &mut Random) -> Picture {
    let url = shown["url"].as_str().unwrap();
    let secrets = [secret(shown), read_secret(shown)];
    let mut links = [Link::open(url).await, Link::open(url).await];
    let mut observer = Link::open(url).await;
    observer.listen();
    let mut raw = RawLink::open(shown["rawUrl"].as_str().unwrap(), &secrets[0]).await;
    observer.say(hello(&secrets[1])).await;
    observer.all_answered().await;

    let began = Instant::now();
    let mut world = World::new("main");
    let (mut link, mut said) = (0, 0);
    // At the end there is to be something to compare.
    while said < MESSAGES || (world.edges.len() < COMPARED_EDGES && said < MESSAGES + MESSAGES / 5) {
        // What one client says comes in order: so more of it fits.
        link = if random.once_in(25) { random.below(links.len()) } else { link };
        let ask = if random.once_in(4) {
            broken::spoil(valid::next(&mut world.clone(), random), &world, &secrets, random)
        } else {
            fair(valid::next(&mut world, random), &secrets[0], random)
        };
        links[link].say(ask).await;
        said += 1;
        if random.once_in(60) && said < MESSAGES {
            raw.act(random).await;
        }
    }
    for link in &mut links {
        link.all_answered().await;
    }
    raw.all_answered().await;
    // Its answer comes after all that it was told.
    observer.say(hello(&secrets[1])).await;
    observer.all_answered().await;
    println!("answered after {:?}", began.elapsed());
    let heard = &raw.heard;
    println!(
        "raw client: {} commands, {:?} responses, {:?} refusals, {:?} packets",
        raw.commands, heard.responses, heard.refusals, heard.packets
    );
    let accounts = links.map(Link::close);
    accounts.iter().for_each(print);
    assert_eq!(accounts.iter().map(|account| account.answers).sum::<usize>(), said);
    let observed = observer.close();
    print(&observed);
    observed.picture.unwrap()
}

fn print(account: &Ledger) {
    let Ledger { asked, answers, errors, data, told, .. } = account;
    println!("client: {asked} messages, {answers} answers, {errors} of them errors; told {told} times, {data} packets");
}

fn hello(secret: &str) -> Ask {
    let message = json!({ "protocol": "runtime", "command": "getruntime", "payload": { "secret": secret } });
    Ask::fair(message, "runtime", true)
}

fn fair(draft: Draft, secret: &str, random: &mut Random) -> Ask {
    let (protocol, command) = draft.what.split_once(':').unwrap();
    let mut message = json!({ "protocol": protocol, "command": command, "payload": draft.payload });
    if random.once_in(2) {
        message["secret"] = json!(secret);
    } else {
        message["payload"]["secret"] = json!(secret);
    }
    if random.once_in(600) {
        message["payload"]["ballast"] = json!("x".repeat(1_000_000));
    }
    // Others are told these, too, and such news cannot be told from an answer without an id.
    let told = protocol == "graph" || ["started", "stopped"].contains(&draft.reply);
    let with_id = told || !random.once_in(5);
    Ask::fair(message, draft.reply, with_id)
}

/// Compares the graph that the bridge tells with what it told before, and with the board.
fn agrees(board: Board, bridge: Bridge, shown: &Value, told: &Picture) {
    let (mut fbp, mut raw) = (Fbp::connect(shown), Raw::connect(shown));
    let graph = fbp.order("runtime:getruntime", json!({}))["graph"].as_str().unwrap().to_owned();
    let source = fbp.graph(&graph);
    let picture = Picture::of(&source);
    assert_eq!(picture, *told, "the graph is not what was told of it");
    let (ids, edges) = Probe { fbp: &mut fbp, raw: &mut raw, graph: &graph }.compare(&source);
    assert_eq!(edges, picture.edges.len());
    fbp.order("network:stop", json!({ "graph": graph }));
    drop((fbp, raw));
    let log = bridge.log();
    assert!(!log.contains("panicked"), "{log}");
    drop(bridge);

    let mut terminal = Terminal::join(board.link());
    let nodes = terminal.nodes();
    let expected = picture.nodes.iter().map(|(name, component)| (ids[name], Kind::of(component)));
    let mut expected: Vec<_> = expected.collect();
    expected.sort_by_key(|(id, _)| *id);
    let numbers = |(id, kind): &(u8, &Kind)| (*id, u8::try_from(kind.outs.len()).unwrap());
    assert_eq!(nodes, expected.iter().map(numbers).collect::<Vec<_>>(), "other nodes are on the board");
    let components = terminal.components(&nodes);
    assert_eq!(components, expected.iter().map(|(_, kind)| kind.name).collect::<Vec<_>>());
    println!("compared with the board: {} nodes, {edges} edges, 49 ids", nodes.len());
}
