//! Settings from outside: which source wins, what is shown of it, and what a mistake looks like.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::machine::{id, text};
use crate::support::{Bridge, PROGRAM};

/// The sources, the strongest first.
const SOURCES: [&str; 5] = ["flag", "env", "user", "drop-in", "system"];

/// Key, option, variable, and how the value of source number N is written.
type Setting = (&'static str, &'static str, &'static str, fn(usize) -> String);

const SETTINGS: [Setting; 9] = [
    ("listen", "--listen", "MICROFLO_BRIDGE_LISTEN", |n| format!("127.0.0.1:{}", 5000 + n)),
    ("registry", "--registry", "MICROFLO_BRIDGE_REGISTRY", |n| format!("https://registry{n}.example")),
    ("user", "--user", "MICROFLO_BRIDGE_USER", |n| format!("{n}1111111-1111-4111-8111-111111111111")),
    ("public_url", "--public-url", "MICROFLO_BRIDGE_PUBLIC_URL", |n| format!("https://boards{n}.example")),
    ("ide", "--ide", "MICROFLO_BRIDGE_IDE", |n| format!("https://ide{n}.example")),
    ("tls_cert", "--tls-cert", "MICROFLO_BRIDGE_TLS_CERT", |n| format!("/certificates/{n}.pem")),
    ("tls_key", "--tls-key", "MICROFLO_BRIDGE_TLS_KEY", |n| format!("/keys/{n}.pem")),
    ("state_dir", "--state-dir", "MICROFLO_BRIDGE_STATE_DIR", |n| format!("/state/{n}")),
    ("generic", "--generic", "MICROFLO_BRIDGE_GENERIC", |n| ["ask", "open", "never"][n % 3].to_owned()),
];

/// A host's configuration files in a directory.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, source: &str) -> std::path::PathBuf {
        let below = match source {
            "user" => "home/.config/microflo-bridge/config.toml",
            "drop-in" => "etc/conf.d/50-lab.toml",
            "system" => "etc/config.toml",
            _ => panic!("{source} is no file"),
        };
        self.0.path().join(below)
    }

    fn write(&self, source: &str, text: &str) {
        let path = self.path(source);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The program on that host.
    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        command.env("HOME", self.0.path().join("home"));
        command.env("MICROFLO_BRIDGE_SYSTEM_CONFIG", self.0.path().join("etc"));
        command.env("XDG_CONFIG_HOME", "");
    }
}

/// Keys that are no text.
#[test]
fn of_mdns_bauds_and_the_token_the_strongest_source_decides_too() {
    for mask in 0..1_usize << SOURCES.len() {
        let files = Files::new();
        let (mut command, mut options) = (files.command(), vec!["config", "show", "--json"]);
        let of_files = |number: &usize| *number > 1;
        let says = |number: &usize| mask & (1 << number) != 0;
        let mdns = |number: usize| number % 2 == 1;
        for number in (0..SOURCES.len()).filter(says) {
            match SOURCES[number] {
                "flag" => options.extend(["--mdns", "false"]),
                "env" => {
                    command.env("MICROFLO_BRIDGE_MDNS", mdns(number).to_string());
                    command.env("MICROFLO_BRIDGE_REGISTRY_TOKEN", "token");
                }
                file => {
                    let bauds = 19_200 << number;
                    files.write(
                        file,
                        &format!("mdns = {}\nbauds = [{bauds}]\nregistry_token = \"token\"\n", mdns(number)),
                    );
                }
            }
        }
        let output = command.args(options).output().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let place = |number: Option<usize>, variable: &str, line: usize| match number.map(|number| SOURCES[number]) {
            None => "default".to_owned(),
            Some("flag") => "command line".to_owned(),
            Some("env") => variable.to_owned(),
            Some(file) => format!("{}:{line}", files.path(file).display()),
        };
        let strongest = (0..SOURCES.len()).find(says);
        let shown = row(&rows, "mdns");
        assert_eq!(text(shown, "value"), strongest.is_none_or(mdns).to_string(), "{mask:05b}");
        assert_eq!(text(shown, "origin"), place(strongest, "MICROFLO_BRIDGE_MDNS", 1), "{mask:05b}");
        let strongest = (0..SOURCES.len()).filter(of_files).find(says);
        let shown = row(&rows, "bauds");
        let bauds = strongest.map_or("9600, 115200".to_owned(), |number| (19_200 << number).to_string());
        assert_eq!((text(shown, "value"), text(shown, "origin")), (&*bauds, &*place(strongest, "", 2)), "{mask:05b}");
        let strongest = (1..SOURCES.len()).find(says);
        let origin = place(strongest, "MICROFLO_BRIDGE_REGISTRY_TOKEN", 3);
        assert_eq!(text(row(&rows, "registry_token"), "origin"), origin, "{mask:05b}");
    }
}

fn show(command: &mut Command) -> Vec<Value> {
    let output = command.args(["config", "show", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn row<'a>(rows: &'a [Value], key: &str) -> &'a Value {
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is not among {rows:#?}"))
}

#[test]
fn every_combination_of_sources_gives_the_strongest_ones_value_and_its_place() {
    for mask in 0..1_usize << SOURCES.len() {
        let files = Files::new();
        let mut options = Vec::new();
        let mut command = files.command();
        for (number, source) in SOURCES.iter().enumerate().filter(|(number, _)| mask & (1 << number) != 0) {
            let mut lines = String::from("# a comment\n");
            for (key, option, variable, value) in SETTINGS {
                match *source {
                    "flag" => options.extend([option.to_owned(), value(number)]),
                    "env" => drop(command.env(variable, value(number))),
                    _ => lines += &format!("{key} = \"{}\"\n", value(number)),
                }
            }
            if number > 1 {
                files.write(source, &lines);
            }
        }
        // Options come behind the command.
        command.args(["config", "show", "--json"]).args(&options);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let strongest = (0..SOURCES.len()).find(|number| mask & (1 << number) != 0);
        for (line, (key, _, variable, value)) in SETTINGS.into_iter().enumerate() {
            let shown = row(&rows, key);
            let origin = match strongest.map(|number| SOURCES[number]) {
                None => "default".to_owned(),
                Some("flag") => "command line".to_owned(),
                Some("env") => variable.to_owned(),
                Some(file) => format!("{}:{}", files.path(file).display(), line + 2),
            };
            assert_eq!(text(shown, "origin"), origin, "{key} with sources {mask:05b}");
            if let Some(number) = strongest {
                assert!(text(shown, "value").ends_with(&value(number)), "{key} with sources {mask:05b}: {shown}");
            }
        }
    }
    println!("{} settings from {} combinations of {SOURCES:?}", SETTINGS.len(), 1 << SOURCES.len());
}

/// What each of some simulated boards has, by the strongest file that speaks of it.
#[test]
fn per_board_the_users_file_beats_a_drop_in_beats_the_systems_and_each_beats_what_is_for_all() {
    let (files, dir) = (Files::new(), tempfile::tempdir().unwrap());
    let start = |name: &str| {
        let mut command = Command::new(PROGRAM);
        files.surround(&mut command);
        command.args(["--simulate", "4", "--registry", "http://127.0.0.1:9/all"]);
        let bridge = Bridge::start_command(&dir.path().join(name), command);
        bridge.wait("all are ready", |bridge| {
            let boards = bridge.boards();
            boards.len() == 4 && boards.iter().all(|board| board["state"] == "ready")
        });
        bridge
    };
    let bridge = start("first");
    let ids: Vec<String> = bridge.boards().iter().map(|board| id(board).to_owned()).collect();
    drop(bridge);
    // The first board is in all files, the last in none.
    for (count, source) in [(3, "system"), (2, "drop-in"), (1, "user")] {
        let rule = |id: &String| {
            let registry = format!("http://127.0.0.1:9/{source}");
            format!("[[board]]\nmatch = {{ id = \"{id}\" }}\nlabel = \"{source}\"\nregistry = \"{registry}\"\n")
        };
        files.write(source, &ids[..count].iter().map(rule).collect::<String>());
    }
    let bridge = start("second");
    let of = |number: usize| bridge.boards().into_iter().find(|board| id(board) == ids[number]).unwrap();
    for (number, source) in ["user", "drop-in", "system", "all"].into_iter().enumerate() {
        let url = format!("http://127.0.0.1:9/{source}");
        bridge.wait(&format!("board {number} is as {source} says"), |_| {
            let board = of(number);
            let registries = board["registries"].as_array().unwrap();
            let names: Vec<_> = registries.iter().map(|registry| text(registry, "registry")).collect();
            names == ["embedded", &url] && (source == "all" || text(&board, "label") == source)
        });
        println!("board {number}: {} at {}", of(number)["label"], of(number)["registries"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_line_or_the_environment_says_of_a_board_beats_the_files() {
    let (files, dir) = (Files::new(), tempfile::tempdir().unwrap());
    let line = crate::machine::arduino();
    let path = line.path().display();
    files
        .write("user", &format!("[[board]]\nmatch = {{ path = \"{path}\" }}\nlabel = \"file\"\nregistry = \"none\"\n"));
    for (place, label) in
        [("flag", "Option"), ("env", "Variable"), ("board-flag", "Board"), ("board-env", "Board 2"), ("file", "file")]
    {
        let mut command = Command::new(PROGRAM);
        files.surround(&mut command);
        let spec = format!("{path},label={label},registry=http://127.0.0.1:9/{place}");
        let board = format!("path={path},label={label},registry=http://127.0.0.1:9/{place}");
        if place.starts_with("board") {
            command.args(["--device", &path.to_string()]);
        }
        match place {
            "flag" => drop(command.args(["--device", &spec])),
            "env" => drop(command.env("MICROFLO_BRIDGE_DEVICE", &spec)),
            "board-flag" => drop(command.args(["--board", "serial=1,label=Other", "--board", &board])),
            "board-env" => drop(command.env("MICROFLO_BRIDGE_BOARD", format!("serial=1,label=Other;{board}"))),
            _ => drop(command.args(["--device", &path.to_string()])),
        }
        let bridge = Bridge::start_command(&dir.path().join(place), command);
        let board = bridge.board_in_state("ready");
        assert_eq!(text(&board, "label"), label);
        let url = format!("http://127.0.0.1:9/{place}");
        bridge.wait("its registries", |bridge| {
            let names: Vec<_> = bridge.boards()[0]["registries"].as_array().unwrap().clone();
            let named = |name: &str| names.iter().any(|registry| registry["registry"] == name);
            if place == "file" { names.is_empty() } else { named(&url) && named("embedded") }
        });
    }
}

fn run_with(config: &Path) -> Output {
    let state = config.parent().unwrap().join("state");
    Command::new(PROGRAM)
        .args(["run", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(state)
        .arg("--config")
        .arg(config)
        .output()
        .unwrap()
}

#[test]
fn a_mistake_shows_file_line_column_and_the_nearest_key() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("bridge.toml");
    for (content, place, words) in [
        ("# mine\n  listn = \"127.0.0.1:1\"\n", "2:3", "unknown key `listn`; the nearest is `listen`"),
        (
            "[[board]]\nmatch = { vid = \"2341\" }\nlable = \"x\"\n",
            "3:1",
            "unknown key `lable`; the nearest is `label`",
        ),
        ("[[board]]\nmatch = { serail = \"1\" }\n", "2:11", "unknown key `serail`; the nearest is `serial`"),
        ("[[registry]]\nurl = \"https://x\"\ntoken_ = \"1\"\n", "3:1", "unknown key `token_`; the nearest is `token`"),
        ("registry = \"http://lab.example\"\n", "1:12", "unencrypted"),
        ("[[board]]\nmatch = { vid = \"2341\" }\nsecret = \"hunter2\"\n", "3:10", "a secret has at least 16"),
        ("[[board]]\nmatch = { vid = \"2341\" }\nreset = \"often\"\n", "3:9", "no reset policy"),
    ] {
        std::fs::write(&config, content).unwrap();
        let output = run_with(&config);
        let said = String::from_utf8(output.stderr).unwrap();
        print!("{said}");
        assert!(!output.status.success());
        assert!(said.contains(&format!("{}:{place}: ", config.display())), "{content:?}: {said}");
        assert!(said.contains(words) && !said.contains("hunter2"), "{content:?}: {said}");
    }
}

#[test]
fn secrets_are_never_shown() {
    let files = Files::new();
    let text = "registry_token = \"common-token-1\"\nregistry = [\"https://a.example\"]\n\
                [[board]]\nmatch = { vid = \"2341\" }\nsecret = \"0123456789abcdef\"\n";
    files.write("user", text);
    files.write("system", "[[registry]]\nurl = \"https://b.example\"\ntoken = \"token-of-b-1\"\ndefault = false\n");
    let mut command = files.command();
    let rows = show(command.env("MICROFLO_BRIDGE_REGISTRY_TOKEN", "token-of-env"));
    assert_eq!(text_of(&rows, "registry_token"), "set (not shown)");
    assert_eq!(row(&rows, "registry_token")["origin"], "MICROFLO_BRIDGE_REGISTRY_TOKEN");
    assert_eq!(text_of(&rows, "registry https://b.example token"), "set (not shown)");
    assert_eq!(text_of(&rows, "board vid=2341 secret"), "set (not shown)");
    let plain = files.command().args(["config", "show"]).output().unwrap();
    let all = format!("{rows:?}{}", String::from_utf8(plain.stdout).unwrap());
    println!("{all}");
    for secret in ["common-token-1", "token-of-b-1", "token-of-env", "0123456789abcdef"] {
        assert!(!all.contains(secret), "{secret} is shown");
    }
}

fn text_of<'a>(rows: &'a [Value], key: &str) -> &'a str {
    text(row(rows, key), "value")
}
