//! Whose word counts for a board, key by key: `--device`, `--board`, the user's file, a drop-in, the system's file, what is for
//! all.

use std::sync::Arc;

use firmware_proto::Dialect;
use uuid::Uuid;

use super::plan::{Plan, Planner};
use crate::actors::board::Target;
use crate::actors::registrar::EMBEDDED;
use crate::config::{BoardOption, BoardRule, Layer, Origin, Places, Settings, Surroundings, file};
use crate::pure::families::{Family, ModemLines};
use crate::pure::firmwares::Firmwares;
use crate::pure::introduction::Introduction;
use crate::pure::model::build::Build;
use crate::pure::model::library::Library;
use crate::pure::port::Port;
use crate::pure::view::RegistrationWish;

/// The board's port.
const PATH: &str = "/dev/ttyS9";
const ID: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
/// Sources, the strongest first.
const SOURCES: [&str; 5] = ["--device", "--board", "user", "drop-in", "system"];

/// A component map, which does not matter here.
const COMPONENTS: &str = r#"{"components":{"Forward":{"id":11,"inPorts":{"in":{"id":0,"type":"all"}},"outPorts":{}}}}"#;

/// How the value of source number N is written, in TOML.
type Written = fn(usize) -> String;
/// What the board has of it, as it is written; `None` where nobody says anything.
type Shown = fn(&Planned) -> Option<String>;

struct Key {
    name: &'static str,
    written: Written,
    shown: Shown,
    /// Whether `--device` takes it too.
    option: bool,
}

impl Key {
    /// Whether that source can say it. A secret is not for the command line.
    fn is_of(&self, source: &str) -> bool {
        match source {
            "--device" => self.option,
            "--board" => self.name != "secret",
            _ => true,
        }
    }
}

const fn key(name: &'static str, option: bool, written: Written, shown: Shown) -> Key {
    Key { name, written, shown, option }
}

/// Every key that `[[board]]` has but `match`.
const KEYS: [Key; 13] = [
    key("label", true, |n| format!("\"label {n}\""), |it| it.plan.label.as_ref().map(|label| format!("\"{label}\""))),
    key(
        "description",
        false,
        |n| format!("\"text {n}\""),
        |it| it.wish.description.as_ref().map(|text| format!("\"{text}\"")),
    ),
    key(
        "registry",
        true,
        |n| format!("\"https://r{n}.example\""),
        |it| {
            let names = it.wish.registries.as_ref()?;
            assert_eq!(names[0], EMBEDDED, "beside the embedded one");
            Some(format!("\"{}\"", names[1..].join(" ")))
        },
    ),
    key(
        "user",
        true,
        |n| format!("\"{n}1111111-1111-4111-8111-111111111111\""),
        |it| it.wish.user.map(|user| format!("\"{user}\"")),
    ),
    key(
        "secret",
        false,
        |n| format!("\"a-secret-of-source-{n}\""),
        |it| it.plan.secret.as_ref().map(|secret| format!("\"{}\"", secret.expose())),
    ),
    key(
        "baud",
        true,
        |n| (19_200 << n).to_string(),
        |it| match it.plan.session.bauds[..] {
            [rate] => Some(rate.to_string()),
            _ => None,
        },
    ),
    key(
        "dialect",
        true,
        |n| format!("\"{}\"", Dialect::ALL[n % 2].name()),
        |it| it.plan.session.dialect.map(|dialect| format!("\"{}\"", dialect.name())),
    ),
    key(
        "reset",
        true,
        |n| format!("\"{}\"", ["none", "on-open"][n % 2]),
        |it| match (&it.plan.target, it.plan.session.boot_window.is_zero()) {
            (Target::Port { .. }, false) => Some("\"on-open\"".to_owned()),
            (Target::Port { lines: ModemLines::Keep, .. }, true) => Some("\"none\"".to_owned()),
            _ => None,
        },
    ),
    key(
        "components",
        true,
        |n| format!("\"/builds/{n}\""),
        |it| it.build.as_ref().map(|build| format!("\"{}\"", build.origin)),
    ),
    key(
        "graph",
        false,
        |n| format!("\"/graphs/{n}\""),
        |it| it.build.as_ref().and_then(|build| build.graph.as_ref()).map(|graph| graph["name"].to_string()),
    ),
    key(
        "firmware",
        false,
        |n| format!("\"firmware-{n}\""),
        |it| it.build.as_ref().map(|build| format!("\"{}\"", build.origin)),
    ),
    key("restore", true, |n| (n % 2 == 0).to_string(), |it| it.says_restore.then(|| it.plan.restore.to_string())),
    key("ignore", false, |n| (n % 2 == 0).to_string(), |it| it.says_ignore.then(|| it.ignored.to_string())),
];

/// What is decided for the board.
struct Planned {
    plan: Plan,
    wish: RegistrationWish,
    build: Option<Build>,
    ignored: bool,
    /// Whether anybody says something, where that cannot be told from the default.
    says_restore: bool,
    says_ignore: bool,
}

/// Configuration files in a directory, and what is typed.
struct Host {
    dir: tempfile::TempDir,
    device: String,
    boards: Vec<BoardRule>,
    says: Vec<&'static str>,
}

impl Host {
    fn new() -> Host {
        Host { dir: tempfile::tempdir().unwrap(), device: PATH.to_owned(), boards: Vec::new(), says: Vec::new() }
    }

    /// That source says so of the board.
    fn says(&mut self, source: &str, key: &Key, value: &str) {
        self.says.push(key.name);
        let below = match source {
            "--device" => {
                self.device += &format!(",{}={}", key.name, value.trim_matches('"'));
                return;
            }
            "--board" => {
                let option: BoardOption =
                    format!("path={PATH},{}={}", key.name, value.trim_matches('"')).parse().unwrap();
                self.boards.push(option.into_rule(&Origin::Flag));
                return;
            }
            "user" => "home/microflo-bridge/config.toml",
            "drop-in" => "etc/conf.d/1.toml",
            _ => "etc/config.toml",
        };
        let path = self.dir.path().join(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap_or_default();
        // A rule of its own for each key, and one for another board before it.
        text += &format!("[[board]]\nmatch = {{ path = \"/dev/other\" }}\n{} = {}\n", key.name, (key.written)(1));
        text += &format!("[[board]]\nmatch = {{ path = \"{PATH}\" }}\n{} = {value}\n", key.name);
        std::fs::write(&path, text).unwrap();
    }

    fn planned(&self) -> Planned {
        let home = self.dir.path().join("home");
        let places = Places::new(Surroundings::fake(&[("XDG_CONFIG_HOME", home)], false));
        let layer = file::load(None, &places.with_system_config(self.dir.path().join("etc"))).unwrap();
        let layer = Layer { board: self.boards.clone(), ..Layer::default() }.over(layer);
        let settings = Settings::decide(layer, &Places::new(Surroundings::fake(&[], false)));
        let library = || Library::from_json(COMPONENTS).unwrap();
        let numbers = || 0..SOURCES.len();
        let graph = |n: usize| Arc::new(serde_json::json!({ "name": format!("/graphs/{n}"), "processes": {} }));
        let mut firmwares = Firmwares::default();
        for n in numbers() {
            let name = format!("firmware-{n}");
            firmwares.add(&name, Build::of(library(), name.clone()), []);
        }
        let planner = Planner {
            devices: vec![self.device.parse().unwrap()],
            rules: settings.boards,
            builds: numbers()
                .map(|n| format!("/builds/{n}"))
                .map(|path| (path.clone().into(), Build::of(library(), path)))
                .collect(),
            graphs: numbers().map(|n| (format!("/graphs/{n}").into(), graph(n))).collect(),
            bauds: settings.bauds,
            registries: settings.registries,
        };
        let port = Port::Named(PATH.into());
        let family = Family::UNLISTED;
        Planned {
            plan: planner.plan(&port, ID, &family, &firmwares, &Introduction::default()),
            wish: planner.wish(&port, ID),
            build: planner.build(&port, ID, &firmwares, &Introduction::default()),
            ignored: planner.ignores(&port, ID),
            says_restore: self.says.contains(&"restore"),
            says_ignore: self.says.contains(&"ignore"),
        }
    }
}

#[test]
fn of_every_combination_of_sources_the_strongest_decides_each_key_of_a_board() {
    let mut combinations = 0;
    for key in &KEYS {
        for mask in 0..1_usize << SOURCES.len() {
            let mut host = Host::new();
            let says = |number: &usize| mask & (1 << number) != 0 && key.is_of(SOURCES[*number]);
            for number in (0..SOURCES.len()).filter(says) {
                host.says(SOURCES[number], key, &(key.written)(number));
            }
            // A graph belongs to components, whoever names those.
            if key.name == "graph" {
                host.says("system", &KEYS[8], "\"/builds/0\"");
            }
            let strongest = (0..SOURCES.len()).find(says).map(key.written);
            let shown = (key.shown)(&host.planned());
            // What the lines of an unlisted family are left to is what `none` does.
            let usual = (key.name == "reset" && strongest.is_none()).then(|| "\"none\"".to_owned());
            assert_eq!(shown, strongest.or(usual), "{} with sources {mask:05b}", key.name);
            combinations += 1;
        }
    }
    println!("{} keys, {combinations} combinations of {SOURCES:?}", KEYS.len());
}

/// A stronger source that speaks of one key does not silence a weaker one that speaks of another.
#[test]
fn each_key_of_a_board_is_decided_by_itself() {
    // `firmware` and `components` are two words for one thing.
    let keys = || KEYS.iter().filter(|key| key.name != "firmware");
    for key in keys() {
        // A value that is not the usual one.
        let value = (key.written)(if key.name == "reset" { 3 } else { 2 });
        let mut host = Host::new();
        host.says("system", key, &value);
        keys().filter(|other| other.name != key.name).for_each(|other| host.says("user", other, &(other.written)(1)));
        assert_eq!((key.shown)(&host.planned()), Some(value), "{}", key.name);
    }
}

/// What is said of one board, wherever that stands, beats what is said of all, wherever that stands.
#[test]
fn a_boards_own_word_beats_what_is_for_all_also_from_a_weaker_source() {
    let mut host = Host::new();
    for name in ["registry", "user", "baud"] {
        let key = KEYS.iter().find(|key| key.name == name).unwrap();
        host.says("system", key, &(key.written)(3));
    }
    let home = host.dir.path().join("home/microflo-bridge");
    std::fs::create_dir_all(&home).unwrap();
    let all = "registry = \"https://all.example\"\nuser = \"aaaaaaaa-1111-4111-8111-111111111111\"\nbauds = [38400]\n";
    std::fs::write(home.join("config.toml"), all).unwrap();
    let planned = host.planned();
    assert_eq!(planned.wish.registries, Some(vec![EMBEDDED.to_owned(), "https://r3.example".to_owned()]));
    assert_eq!(planned.wish.user.map(|user| user.to_string()), Some("31111111-1111-4111-8111-111111111111".to_owned()));
    assert_eq!(planned.plan.session.bauds, [19_200 << 3]);
    // Another board has what is for all: it wishes nothing of its own.
    let mut other = Host::new();
    other.dir = host.dir;
    std::fs::remove_dir_all(other.dir.path().join("etc")).unwrap();
    let planned = other.planned();
    assert_eq!((planned.wish.registries, planned.wish.user), (None, None));
    assert_eq!(planned.plan.session.bauds, [38_400]);
}

/// One list of keys for the table: a key that is added to `[[board]]` has to be added here.
#[test]
fn the_table_has_every_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.toml");
    std::fs::write(&path, "[[board]]\nmatch = { path = \"x\" }\nnothing = 1\n").unwrap();
    let error = file::load(Some(&path), &Places::new(Surroundings::fake(&[], false))).unwrap_err().to_string();
    let (_, keys) = error.split_once("the keys here are ").unwrap();
    let mut keys: Vec<&str> = keys.split(", ").filter(|key| *key != "match").collect();
    let mut table: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    keys.sort_unstable();
    table.sort_unstable();
    assert_eq!(table, keys);
}
