//! Boards with real firmware, each a process of its own.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::support::{Bridge, PATIENCE, PROGRAM};

/// An Arduino's clock.
const CLOCK_HZ: f64 = 16e6;

/// A firmware's component map.
const MAP: &str = "componentlib-map.json";

/// Where the rig is. Whatever is missing is built first, by one test for all: the scripts hold locks.
static RIG: LazyLock<PathBuf> = LazyLock::new(|| {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output =
        Command::new(repo.join("tests/firmware/build-all.sh")).env("MICROFLO_BRIDGE", PROGRAM).output().unwrap();
    assert!(output.status.success(), "the rig cannot be built: {output:?}");
    std::env::var_os("MICROFLO_RIG_DIR").map_or_else(|| repo.join("target/rig"), PathBuf::from)
});

/// A file of the rig.
pub(crate) fn rig(path: &str) -> PathBuf {
    RIG.join(path)
}

/// A running board. Killed when dropped.
pub(crate) struct Board {
    child: Child,
    link: PathBuf,
    map: PathBuf,
    stderr: PathBuf,
}

impl Board {
    /// The linux firmware with the embedded graph `name`, its terminal in `dir`.
    pub(crate) fn linux(name: &str, dir: &Path) -> Board {
        Board::linux_at(name, dir, "board")
    }

    /// The same with a name for its terminal.
    pub(crate) fn linux_at(name: &str, dir: &Path, link: &str) -> Board {
        let firmware = rig(&format!("linux/{name}"));
        let link = dir.join(link);
        let mut command = Command::new(firmware.join("firmware"));
        command.arg(&link);
        Board::start(command, link, firmware.join(MAP))
    }

    /// A simulated board in a process of its own; `args` as for `simulate`.
    pub(crate) fn simulated(args: &[&str], dir: &Path) -> Board {
        let mut command = Command::new(PROGRAM);
        command.arg("simulate").args(args).arg("--dir").arg(dir);
        Board::start(command, dir.join("board-1"), dir.join("components.json"))
    }

    /// The Arduino firmware `name` on an emulated Mega: 9600 baud, a receiver that loses bytes, and a bootloader that is deaf
    /// for a second after a reset, which opening the terminal is.
    pub(crate) fn mega(name: &str, dir: &Path) -> Board {
        Board::arduino("mega", name, dir)
    }

    /// The same on an Uno or Mega. Its EEPROM is the file `eeprom` of `dir`.
    pub(crate) fn arduino(board: &str, name: &str, dir: &Path) -> Board {
        Board::emulated(board, &rig(&format!("avr/{board}-{name}")).join("fw.elf"), dir, &["--deaf-ms", "1000"])
    }

    /// The self-describing linux firmware; its id and label are in the file `store` of `dir`.
    pub(crate) fn described_linux(dir: &Path) -> Board {
        let firmware = rig("linux/described");
        let link = dir.join("board");
        let mut command = Command::new(firmware.join("firmware"));
        command.arg(&link).arg(dir.join("store"));
        Board::start(command, link, firmware.join(MAP))
    }

    /// The self-describing Arduino firmware on an emulated Uno or Mega at 9600 baud, which opening the terminal does not reset. Its
    /// EEPROM is the file `eeprom` of `dir`.
    pub(crate) fn described_avr(board: &str, dir: &Path) -> Board {
        Board::avr(board, "described", dir)
    }

    /// The same with any firmware.
    pub(crate) fn avr(board: &str, name: &str, dir: &Path) -> Board {
        Board::emulated(board, &rig(&format!("avr/{board}-{name}")).join("fw.elf"), dir, &[])
    }

    /// An Uno with firmware that the test has built.
    pub(crate) fn uno(firmware: &Path, dir: &Path) -> Board {
        Board::emulated("uno", firmware, dir, &[])
    }

    fn emulated(board: &str, firmware: &Path, dir: &Path, opening: &[&str]) -> Board {
        let mcu = if board == "uno" { "atmega328p" } else { "atmega2560" };
        let link = dir.join("board");
        let mut command = Command::new(rig("avrboard"));
        command.args(["--mcu", mcu, "--elf"]).arg(firmware).arg("--eeprom").arg(dir.join("eeprom"));
        command.args(opening).arg("--link").arg(&link);
        Board::start(command, link, firmware.with_file_name(MAP))
    }

    fn start(mut command: Command, link: PathBuf, map: PathBuf) -> Board {
        // A killed linux firmware leaves its link behind.
        let _ = std::fs::remove_file(&link);
        let stderr = link.with_extension("err");
        let file = File::create(&stderr).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let board = Board { child, link, map, stderr };
        let began = Instant::now();
        while !board.link.exists() {
            assert!(began.elapsed() < PATIENCE, "the board makes no terminal: {}", board.said());
            std::thread::sleep(Duration::from_millis(1));
        }
        board
    }

    /// Its terminal.
    pub(crate) fn link(&self) -> &Path {
        &self.link
    }

    /// Its component map.
    pub(crate) fn map(&self) -> &Path {
        &self.map
    }

    /// What `--device` takes.
    pub(crate) fn device(&self) -> String {
        device(&self.link, &self.map)
    }

    /// A bridge that has this board only.
    pub(crate) fn bridge(&self, dir: &Path) -> Bridge {
        Bridge::start(&dir.join("state"), &["--device", &self.device()])
    }

    /// Another program has the port meanwhile, and says this.
    pub(crate) fn talk(&self, bytes: &[u8]) {
        let path = self.link.canonicalize().unwrap();
        let mut port = File::options().read(true).write(true).open(path).unwrap();
        let mut modes = rustix::termios::tcgetattr(&port).unwrap();
        modes.make_raw();
        rustix::termios::tcsetattr(&port, rustix::termios::OptionalActions::Now, &modes).unwrap();
        port.write_all(bytes).unwrap();
        // Until it has read and carried out all of it.
        std::thread::sleep(Duration::from_millis(200));
    }

    /// Whether the firmware still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it as pulling the plug does. When it is over the terminal has gone.
    pub(crate) fn kill(&mut self) -> Instant {
        let killed = Instant::now();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        killed
    }

    /// Presses the emulator's reset button.
    pub(crate) fn press_reset(&self) -> Instant {
        self.signal(Signal::USR1);
        Instant::now()
    }

    /// The emulator's counters.
    pub(crate) fn counters(&self) -> Counters {
        let before = self.said().lines().count();
        self.signal(Signal::USR2);
        let began = Instant::now();
        loop {
            let said = self.said();
            if said.ends_with('\n')
                && let Some(line) = said.lines().skip(before).find(|line| line.contains(" overruns "))
            {
                return Counters::parse(line);
            }
            assert!(began.elapsed() < PATIENCE, "no counters: {said}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it wrote to stderr.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `--device` takes.
pub(crate) fn device(link: &Path, map: &Path) -> String {
    format!("{},components={}", link.display(), map.display())
}

/// What the emulated UART has seen, in bytes, until a moment of the board's own clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    /// Clock cycles that the board has run. A host that is too busy for real time makes it run slower.
    cycles: u64,
    /// The board received.
    pub(crate) received: u64,
    /// Were lost because the receiver was full.
    pub(crate) overruns: u64,
    /// Were lost because nobody read.
    pub(crate) discarded: u64,
}

impl Counters {
    fn parse(line: &str) -> Counters {
        let field = |name| {
            let mut words = line.split_whitespace().skip_while(|word| *word != name);
            words.nth(1).unwrap().parse().unwrap()
        };
        Counters {
            cycles: field("cycles"),
            received: field("received"),
            overruns: field("overruns"),
            discarded: field("discarded"),
        }
    }

    /// The time that the board has run since `before`.
    pub(crate) fn ran_since(&self, before: &Counters) -> Duration {
        Duration::from_secs_f64((self.cycles - before.cycles) as f64 / CLOCK_HZ)
    }

    /// Bytes that were lost, on either side.
    pub(crate) fn lost(&self) -> u64 {
        self.overruns + self.discarded
    }
}
