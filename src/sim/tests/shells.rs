//! The shells: a stream within the process, and a terminal that another process could open.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use firmware_proto::{Command, Dialect};
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Config;
use crate::sim::{Opening, blink, duplex, pty, serve_pty};

const PATIENCE: Duration = Duration::from_secs(5);

fn silent(dialect: Dialect) -> Config {
    Config { embedded: None, ..Config::new(dialect) }
}

#[tokio::test]
async fn a_stream_board_answers_and_ends_when_unplugged() {
    let (mut host, board) = duplex(silent(Dialect::Flo01));
    host.write_all(Dialect::Flo01.opening(0).as_bytes()).await.unwrap();
    let mut answer = [0; 8];
    timeout(PATIENCE, host.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[0], 19);
    board.unplug();
    assert_eq!(timeout(PATIENCE, host.read(&mut answer)).await.unwrap().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_board_keeps_paused_time() {
    let dialect = Dialect::Microflo1;
    let graph = blink(dialect, Duration::from_secs(10));
    let (mut host, board) = duplex(Config { embedded: Some(graph), ..Config::new(dialect) });
    let mut boot = [0; 13 * 10];
    host.read_exact(&mut boot).await.unwrap();
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(board.with(|board| board.pins().level(13)), 1, "toggled at 10 s and 20 s");
}

#[tokio::test]
async fn a_terminal_board_waits_with_its_boot_frames() {
    let board = pty(Config::new(Dialect::Microflo1), Opening::Joins).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let terminal = open(board.path());
    let boot = read(&terminal, 60).await;
    assert_eq!(boot.len(), 60);
    rustix::io::write(&terminal, Dialect::Microflo1.opening(200).as_bytes()).unwrap();
    assert_eq!(read(&terminal, 10).await[..2], [200, 19]);
    board.handle().unplug();
    assert!(read(&terminal, 1).await.is_empty(), "the end");
}

#[tokio::test]
async fn opening_a_terminal_board_resets_it() {
    let board = pty(silent(Dialect::Flo01), Opening::Resets).unwrap();
    for _ in 0..3 {
        let terminal = open(board.path());
        tokio::time::sleep(Duration::from_millis(60)).await;
        let ping = Command::Ping([0; 8]).encode(Dialect::Flo01, 0);
        rustix::io::write(&terminal, ping.as_bytes()).unwrap();
        rustix::io::write(&terminal, Dialect::Flo01.opening(0).as_bytes()).unwrap();
        assert_eq!(read(&terminal, 8).await[0], 19, "the session of the last opening is gone");
        drop(terminal);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}

#[tokio::test]
async fn a_served_terminal_has_a_link_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("board");
    {
        let mut serving = Box::pin(serve_pty(&link, silent(Dialect::Flo01), Opening::Joins));
        assert!(timeout(Duration::from_millis(20), &mut serving).await.is_err());
        assert!(link.exists());
    }
    assert!(!link.is_symlink());
}

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty()).unwrap()
}

/// Reads that many bytes; fewer at the end of the stream.
async fn read(terminal: &OwnedFd, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.len() < count {
            let mut buffer = [0; 64];
            let room = count - bytes.len();
            match rustix::io::read(terminal, &mut buffer[..room.min(64)]) {
                Ok(0) | Err(rustix::io::Errno::IO) => break,
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    bytes
}
