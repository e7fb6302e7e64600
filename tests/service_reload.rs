//! Rules of a running `paretone serve` are swapped: nothing is lost, every answer is of one rules
//! file, damaged files change nothing, and no more than two sets of workers live.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use service_client::{Server, long_recording, post, problem, sample, until};

/// A server with rules of its own, and their file.
struct Swapped {
    server: Server,
    path: PathBuf,
    text: String,
    _folder: tempfile::TempDir,
}

impl Swapped {
    fn start(flags: &[&str]) -> Swapped {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.toml");
        let text = fs::read_to_string("models/en/rules.toml").unwrap();
        fs::write(&path, &text).unwrap();
        let rules = format!("--rules={}", path.display());
        let flags = [&[rules.as_str(), "--token=t"], flags].concat();
        Swapped { server: Server::start(&flags), path, text, _folder: folder }
    }

    /// Puts rules of another date, hence of another name, into the file.
    fn write(&self, day: usize) {
        let date = format!("2031-01-{day:02}");
        let at = self.text.find("date = \"").unwrap() + "date = \"".len();
        let mut changed = self.text.clone();
        changed.replace_range(at..at + date.len(), &date);
        // Renamed into place, so that nobody reads half of it.
        let new = self.path.with_extension("new");
        fs::write(&new, changed).unwrap();
        fs::rename(new, &self.path).unwrap();
    }

    fn reloads(&self, outcome: &str) -> f64 {
        self.server.metric("paretone_reloads_total", outcome)
    }

    /// The name of the rules in force.
    fn name(&self) -> String {
        let name = self.server.get("/tiers").json()["id"].clone();
        name.as_str().unwrap().to_owned()
    }

    /// The name of the rules that answer.
    fn answered_by(&self) -> String {
        let reply = self.server.post("/compute", "Tolerance: 10%\r\n", &sample("night.wav"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("paretone-certificate").unwrap().to_owned()
    }
}

#[test]
fn rules_are_swapped_under_load_and_nothing_is_lost() {
    let swapped = Swapped::start(&[]);
    let mut known = vec![swapped.name()];
    let is_over = AtomicBool::new(false);
    let mut answers = BTreeMap::<String, usize>::new();
    let most_alive = thread::scope(|scope| {
        let call = || {
            let mut names = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                names.push(swapped.answered_by());
            }
            names
        };
        let watch = || {
            let mut most = 0.0_f64;
            while !is_over.load(Ordering::SeqCst) {
                most = most.max(swapped.server.metric("paretone_rules_alive", ""));
            }
            most
        };
        let callers: Vec<_> = (0..3).map(|_| scope.spawn(call)).collect();
        let watch = scope.spawn(watch);
        for day in 1..=20 {
            swapped.write(day);
            if day % 2 == 0 {
                let reply = swapped.server.post("/reload", "", b"");
                assert_eq!(reply.json()["tiers"], swapped.text.matches("[[tiers]]").count());
            } else {
                swapped.server.signal(Signal::HUP);
            }
            let counted = f64::from(u32::try_from(day).unwrap());
            until("the reload is counted", || swapped.reloads("done") == counted);
            known.push(swapped.name());
        }
        is_over.store(true, Ordering::SeqCst);
        for name in callers.into_iter().flat_map(|caller| caller.join().unwrap()) {
            *answers.entry(name).or_default() += 1;
        }
        watch.join().unwrap()
    });
    let count: usize = answers.values().sum();
    println!(
        "{count} answers of {} rules files under 20 reloads, none lost; sets of workers: at most {most_alive}",
        answers.len()
    );
    assert!(answers.keys().all(|name| known.contains(name)), "{answers:?}");
    assert!(most_alive <= 2.0);
    assert_eq!(known.last(), Some(&swapped.answered_by()));
    until("the last rules are alone", || swapped.server.metric("paretone_rules_alive", "") == 1.0);
}

#[test]
fn damaged_rules_are_refused_and_the_old_ones_stay() {
    let swapped = Swapped::start(&[]);
    let first = swapped.name();
    let foreign = swapped.text.replace("\"v7\"", "\"v70\"");
    let half = &swapped.text[..swapped.text.len() / 2];
    let damaged: [&[u8]; 5] = [b"", half.as_bytes(), foreign.as_bytes(), b"\xff\xfe", b"[[tiers"];
    for bytes in damaged {
        fs::write(&swapped.path, bytes).unwrap();
        problem(&swapped.server.post("/reload", "", b""), 422);
    }
    fs::remove_file(&swapped.path).unwrap();
    problem(&swapped.server.post("/reload", "", b""), 422);
    swapped.server.signal(Signal::HUP);
    until("all are refused", || swapped.reloads("refused") == 7.0);
    assert_eq!(swapped.answered_by(), first, "the old rules stay");
    assert_eq!(swapped.server.metric("paretone_rules_alive", ""), 1.0);
    println!("7 reloads of rules that cannot be used, 7 refused, the old ones stayed");
}

#[test]
fn a_reload_waits_until_the_rules_before_are_done() {
    let swapped = Swapped::start(&["--workers=1", "--max-audio=600"]);
    let server = &swapped.server;
    let long = post("/compute", "Authorization: Bearer t\r\n", &long_recording(120));
    let callers: Vec<TcpStream> = (0..4).map(|_| server.send(&long)).collect();
    until("one is worked for and three wait", || {
        server.metric("paretone_running", "v7") == 1.0 && server.metric("paretone_queue", "") == 3.0
    });
    swapped.write(1);
    assert_eq!(server.post("/reload", "", b"").status, 200);
    assert_eq!(server.metric("paretone_rules_alive", ""), 2.0);
    thread::scope(|scope| {
        swapped.write(2);
        let second = scope.spawn(|| server.post("/reload", "", b""));
        // Four recordings of ten minutes take far longer than this.
        for _ in 0..10 {
            assert_eq!(swapped.reloads("done"), 1.0, "the second reload waits");
            assert_eq!(server.metric("paretone_rules_alive", ""), 2.0);
            thread::sleep(Duration::from_millis(10));
        }
        let middle = swapped.answered_by();
        drop(callers);
        assert_eq!(second.join().unwrap().status, 200);
        assert_ne!(swapped.answered_by(), middle);
    });
    until("all four are stopped", || server.metric("paretone_failures_total", "cancelled") == 4.0);
    println!("1 reload waited for 4 requests of the rules before, and was done once they were");
}

#[test]
fn changed_rules_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    // As a ConfigMap is mounted: a link to a link, the latter of which is replaced.
    let write = |name: &str, text: &str| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("rules.toml"), text).unwrap();
        let link = folder.path().join("new");
        std::os::unix::fs::symlink(name, &link).unwrap();
        std::fs::rename(link, folder.path().join("data")).unwrap();
    };
    let rules = std::fs::read_to_string("models/en/rules.toml").unwrap();
    write("first", &rules);
    let path = folder.path().join("rules.toml");
    std::os::unix::fs::symlink("data/rules.toml", &path).unwrap();
    let flag = format!("--rules={}", path.display());
    let server = Server::start(&[&flag, "--watch-rules=0.05"]);
    let before = server.get("/tiers").json()["id"].clone();
    write("second", "no rules");
    until("bad rules are refused", || server.metric("paretone_reloads_total", "refused") == 1.0);
    assert_eq!(server.get("/tiers").json()["id"], before);
    write("third", &rules);
    until("good ones are read", || server.metric("paretone_reloads_total", "done") == 1.0);
}
