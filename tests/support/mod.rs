//! The real program, started as a user starts it, and looked at from outside.
#![allow(dead_code, unreachable_pub)] // each test program uses its part

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_microflo-bridge");

/// How long anything may take on a busy machine; nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Says why a test cannot run here. Where everything has to run, under `CI=true`, that is a failure.
pub fn skip(why: &str) {
    println!("skipped: {why}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "cannot be skipped under CI=true: {why}");
}

/// A running bridge with a state directory of its own. Stopped with SIGTERM when dropped.
pub struct Bridge {
    child: RefCell<Child>,
    state: PathBuf,
    log: PathBuf,
}

impl Bridge {
    /// Starts `run` with these arguments, on a free port, and waits until it answers.
    pub fn start(state: &Path, args: &[&str]) -> Bridge {
        let mut command = Command::new(PROGRAM);
        command.args(args);
        Bridge::start_command(state, command)
    }

    /// The same with a command that was prepared by the test (another user, environment…): `run` and the usual arguments
    /// go in front of its own, behind the program's name.
    pub fn start_command(state: &Path, prepared: Command) -> Bridge {
        std::fs::create_dir_all(state).unwrap();
        let log = state.with_extension("log");
        let out = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(prepared.get_program());
        let args: Vec<_> = prepared.get_args().collect();
        let is_program = |arg: &&OsStr| Path::new(arg).file_name() == Path::new(PROGRAM).file_name();
        let (before, own) = args.split_at(args.iter().position(is_program).map_or(0, |at| at + 1));
        command.args(before).args(["run", "--listen", "127.0.0.1:0", "--state-dir"]).arg(state).args(own);
        for (key, value) in prepared.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let bridge = Bridge { child: RefCell::new(child), state: state.to_owned(), log };
        bridge.wait("the bridge answers", |bridge| bridge.try_cli(&["list", "--json"]).is_some());
        bridge
    }

    /// What a client command prints, parsed.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.cli(args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?} printed {text:?}: {error}"))
    }

    /// What a client command prints; it must succeed.
    pub fn cli(&self, args: &[&str]) -> String {
        self.try_cli(args).unwrap_or_else(|| panic!("{args:?} failed; the log:\n{}", self.log()))
    }

    /// What a client command says when it fails, as it must.
    pub fn cli_error(&self, args: &[&str]) -> String {
        let output = Command::new(PROGRAM).args(args).arg("--state-dir").arg(&self.state).output().unwrap();
        assert!(!output.status.success(), "{args:?} should fail");
        String::from_utf8(output.stderr).unwrap()
    }

    fn try_cli(&self, args: &[&str]) -> Option<String> {
        let output = Command::new(PROGRAM).args(args).arg("--state-dir").arg(&self.state).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// All boards, gone ones excluded.
    pub fn boards(&self) -> Vec<Value> {
        self.json(&["list", "--json"]).as_array().unwrap().clone()
    }

    /// The only board, once its state is that.
    pub fn board_in_state(&self, state: &str) -> Value {
        self.wait(&format!("a board is {state}"), |bridge| bridge.boards().iter().any(|board| board["state"] == state));
        self.boards().into_iter().find(|board| board["state"] == state).unwrap()
    }

    /// Waits until that holds.
    pub fn wait(&self, what: &str, holds: impl Fn(&Bridge) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let ended = self.child.borrow_mut().try_wait().unwrap();
            assert!(ended.is_none(), "the bridge ended with {ended:?} instead of: {what}\nlog:\n{}", self.log());
            assert!(
                began.elapsed() < PATIENCE,
                "in vain: {what}\nboards: {:#?}\nlog:\n{}",
                self.try_cli(&["list", "--json", "--all"]),
                self.log()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Where it listens, for example `http://127.0.0.1:3569`.
    pub fn http(&self) -> String {
        let user = self.json(&["registry", "user", "show", "--json"]);
        user["url"].as_str().unwrap().trim_end_matches('/').to_owned()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.borrow().id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        // Its own child, by pid.
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let _ = child.wait();
    }
}

/// The secret in a board's live URL.
pub fn secret(board: &Value) -> String {
    let live = board["liveUrl"].as_str().unwrap();
    live.rsplit_once("secret%3D").unwrap().1.to_owned()
}

/// The secret in a board's read-only live URL.
pub fn read_secret(board: &Value) -> String {
    let live = board["readOnlyLiveUrl"].as_str().unwrap();
    live.rsplit_once("secret%3D").unwrap().1.to_owned()
}
