//! The decoders mean what is declared: of every key, the ends of its intervals and all its words are taken, and what is
//! beside them, of another kind or missing although it is required, is refused. STATUS reads the configuration first.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cni_plugins::KEYS;
use cni_types::{Absent, Form, Key, PluginKeys};
use serde_json::{Map, Value, json};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_cni-plugins");
/// DEL has to find the files whatever the configuration says.
const LENIENT: [(&str, &str); 2] = [("tuning", "dataDir"), ("flannel", "dataDir")];

struct Plugin {
    keys: &'static PluginKeys,
    dir: PathBuf,
}

impl Plugin {
    fn new(keys: &'static PluginKeys) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("declared").join(keys.plugin);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for name in [keys.plugin, "static"] {
            let _ = symlink(EXECUTABLE, dir.join(name));
        }
        Self { keys, dir }
    }

    /// A configuration with what is required.
    fn base(&self) -> Value {
        let mut conf = json!({"cniVersion": "1.1.0", "name": "n", "type": self.keys.plugin});
        for key in self.keys.keys.iter().copied().flatten().filter(|key| key.absent == Absent::Required) {
            conf[key.name] = sample(key);
        }
        match self.keys.plugin {
            "host-local" => {
                conf["ipam"] =
                    json!({"ranges": [[{"subnet": "10.1.0.0/24"}]], "dataDir": self.dir.join("data")});
            }
            "host-device" => conf["device"] = json!("lo"),
            _ => {}
        }
        conf
    }

    /// Whether the plugin refuses the configuration because of this key.
    fn refuses(&self, conf: &Value, key: &str) -> bool {
        let mut command = Command::new(self.dir.join(self.keys.plugin));
        command.env_clear().envs([("CNI_COMMAND", "STATUS"), ("CNI_PATH", self.dir.to_str().unwrap())]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(conf.to_string().as_bytes()).unwrap();
        let answer = child.wait_with_output().unwrap().stdout;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let text = format!("{} {}", answer["msg"], answer["details"]);
        matches!(answer["code"].as_u64(), Some(6 | 7)) && text.to_lowercase().contains(&key.to_lowercase())
    }
}

/// A key, and how a configuration has it: the objects and lists around it.
struct Place {
    key: &'static Key,
    around: Vec<&'static Key>,
}

impl Place {
    /// All keys below these, but for those of the shared types.
    fn all(keys: &'static [Key], around: &[&'static Key], all: &mut Vec<Self>) {
        for key in keys {
            all.push(Self { key, around: around.to_vec() });
            let inside = [around, &[key]].concat();
            match &key.form {
                Form::Object(keys) => Self::all(keys, &inside, all),
                form => {
                    if let Form::Object(keys) = item(form) {
                        Self::all(keys, &inside, all);
                    }
                }
            }
        }
    }

    /// `conf` with this value here, or without the key.
    fn put(&self, conf: &Value, value: Option<Value>) -> Value {
        let mut conf = conf.clone();
        let mut here = &mut conf;
        for key in &self.around {
            if !here[key.name].is_object() && !here[key.name].is_array() {
                here[key.name] = sample(key);
            }
            here = &mut here[key.name];
            while here.is_array() {
                here = &mut here[0];
            }
        }
        match value {
            Some(value) => {
                here[self.key.name] = value;
                if let Some(other) = self.key.needs {
                    let beside = self.around.last().map(|key| item(&key.form));
                    let keys = if let Some(Form::Object(keys)) = beside { *keys } else { &[] };
                    here[other] = keys.iter().find(|key| key.name == other).map_or_else(|| json!(8), sample);
                }
            }
            None => drop(here.as_object_mut().unwrap().remove(self.key.name)),
        }
        conf
    }
}

fn item(form: &'static Form) -> &'static Form {
    if let Form::List(items) = form { item(items) } else { form }
}

/// A value that the key may have.
fn sample(key: &Key) -> Value {
    match key.name {
        "ipam" => return json!({"type": "static"}),
        "maxID" => return json!(4094),
        "vlanTrunk" => return json!([{"id": 1}]),
        // Words of nobody's language are refused too.
        "conditionsV4" | "conditionsV6" => return json!([]),
        _ => {}
    }
    value(&key.form)
}

fn value(form: &Form) -> Value {
    match form {
        Form::Boolean => json!(true),
        Form::Whole(intervals) => number(intervals[intervals.len() - 1].0),
        Form::Text { check, .. } => {
            let texts = [
                "10.1.0.0/24",
                "10.1.0.7",
                "0000:3b:00.1",
                "02:00:00:00:00:01",
                "/sys/devices/x",
                "routers",
                "x",
            ];
            json!(texts.into_iter().rev().find(|text| check(text).is_ok()).unwrap())
        }
        Form::Words { words, .. } => json!(words[0]),
        Form::List(items) => json!([value(items)]),
        Form::Object(keys) => {
            let required = keys.iter().filter(|key| key.absent == Absent::Required);
            Value::Object(required.map(|key| (key.name.to_owned(), sample(key))).collect::<Map<_, _>>())
        }
        Form::Map(_) | Form::Any => json!({}),
    }
}

fn number(number: i128) -> Value {
    serde_json::from_str(&number.to_string()).unwrap()
}

/// Values that are allowed, and values that are not.
fn good_and_bad(key: &Key) -> (Vec<Value>, Vec<Value>) {
    match &key.form {
        Form::Boolean => (vec![json!(true), json!(false)], vec![json!("true"), json!(1)]),
        Form::Whole(intervals) => {
            let ends = |step: i128| {
                let ends = intervals.iter().flat_map(move |(first, last)| [first - step, last + step]);
                ends.filter(move |end| intervals.iter().any(|(a, b)| (a..=b).contains(&end)) == (step == 0))
            };
            let mut bad = vec![json!("1"), json!(true)];
            bad.extend(ends(1).map(number));
            (ends(0).map(number).collect(), bad)
        }
        Form::Words { words, any_case } => {
            let good = words.iter().map(|word| json!(word));
            let shouted = words.iter().map(|word| json!(word.to_uppercase()));
            let (mut good, mut bad) =
                (good.collect::<Vec<_>>(), vec![json!("no-such-word"), json!(1), json!({})]);
            if *any_case {
                good.extend(shouted);
            } else {
                bad.extend(shouted);
            }
            (good, bad)
        }
        Form::Text { check, .. } => {
            let mut bad = vec![json!(1), json!({"a": 1})];
            bad.extend(
                ["no/such\u{1}text "].into_iter().filter(|text| check(text).is_err()).map(Value::from),
            );
            (vec![sample(key)], bad)
        }
        Form::List(_) => (vec![sample(key)], vec![json!("a"), json!({"a": 1}), json!([[[[]]]])]),
        Form::Object(_) | Form::Map(_) => (vec![], vec![json!("a"), json!([1])]),
        Form::Any => (vec![], vec![]),
    }
}

#[test]
fn what_is_declared_is_what_the_decoders_take() {
    let mut wrong = Vec::new();
    for plugin in KEYS.iter().map(Plugin::new) {
        let base = plugin.base();
        let mut places = Vec::new();
        for keys in plugin.keys.keys {
            Place::all(keys, &[], &mut places);
        }
        for place in places {
            let (name, key) = (place.key.name, plugin.keys.plugin);
            let (good, mut bad) = good_and_bad(place.key);
            if LENIENT.contains(&(key, name)) {
                bad.clear();
            }
            let around: Vec<_> = place.around.iter().map(|key| key.name).collect();
            let mut expect = |conf: Value, refused: bool| {
                if plugin.refuses(&conf, name) != refused {
                    wrong.push(format!("{key} {around:?} {name}: refused is not {refused}: {conf}"));
                }
            };
            for value in good {
                expect(place.put(&base, Some(value)), false);
            }
            for value in bad {
                expect(place.put(&base, Some(value)), true);
            }
            if place.key.absent == Absent::Required {
                expect(place.put(&base, None), true);
            }
            if let Some(other) = place.key.excludes {
                let other = place_of(plugin.keys, other);
                let conf = place.put(&base, Some(sample(place.key)));
                expect(other.put(&conf, Some(sample(other.key))), true);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

fn place_of(keys: &'static PluginKeys, name: &str) -> Place {
    let key = keys.keys.iter().copied().flatten().find(|key| key.name == name).unwrap();
    Place { key, around: Vec::new() }
}
