//! The command as a shell sees it: exit codes, formats, order, standard input.

mod tiny_model;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use tempfile::TempDir;
use tiny_model::{noise, transcribed_with, wav};

fn paretone() -> Command {
    Command::cargo_bin("paretone").expect("the binary is built with the tests")
}

#[test]
fn usage_errors_exit_2() {
    for (args, said) in [
        (&["transcribe"][..], "FILE"),
        (&["transcribe", "--beam", "-1", "a.wav"], "beam"),
        (&["transcribe", "--beam", "NaN", "a.wav"], "beam"),
        (&["transcribe", "--jobs", "0", "a.wav"], "jobs"),
        (&["transcribe", "--format", "docx", "a.wav"], "format"),
        (&["transcribe", "--format", "srt", "a.wav", "b.wav"], "one file"),
        (&["transcribe", "-", "-"], "once"),
        (&["transcribe", "--model", "no/such/model", "a.wav"], "no/such/model"),
        (&["no-such-command"], "no-such-command"),
    ] {
        paretone().args(args).assert().code(2).stderr(contains(said)).stdout("");
    }
}

/// A matrix of floats as NumPy saves it.
fn npy(rows: &[[f32; 4]]) -> Vec<u8> {
    let shape = format!("({}, 4)", rows.len());
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[test]
fn scores_of_a_ctc_network_are_searched() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let tokens = file("tokens.txt", b"<blk>\na\nb\nl\n");
    let words = file("words.txt", b"<eps>\n<s>\n</s>\n<unk>\nball\nall\n");
    let lexicon = file("lexicon.txt", b"ball\tb a l l\nall\ta l l\n");
    let arpa =
        "\\data\\\nngram 1=4\n\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.5 ball\n-0.5 all\n\n\\end\\\n";
    let arpa = file("lm.arpa", arpa.as_bytes());
    let graph = folder.path().join("tlg.graph");
    let graph = graph.to_str().unwrap();
    let compile = ["graph", "compile", "--topology", "ctc", "--tokens", &tokens];
    let parts = ["--lexicon", &lexicon, "--arpa", &arpa, "--words", &words];
    paretone().args(compile).args(parts).args(["--out", graph]).assert().code(0);

    // b, a, l, blank, l: each heard for two frames.
    let frame = |token: usize| -> [f32; 4] {
        std::array::from_fn(|column| if column == token { -0.1 } else { -4.0 })
    };
    let said: Vec<[f32; 4]> =
        { [2, 1, 3, 0, 3].into_iter() }.flat_map(|token| [frame(token); 2]).collect();
    let sound = file("a.npy", &npy(&said));
    let damaged = file("b.npy", b"\x93NUMPY");
    let decode = ["decode", "--graph", graph, "--words", &words, "--scores"];
    paretone().args(decode).arg(&sound).assert().code(0).stdout("ball\n");
    let both = paretone().args(decode).args([&damaged, &sound]).assert();
    both.code(1).stdout("\nball\n").stderr(contains("b.npy"));
    let json = paretone()
        .args(decode)
        .arg(&sound)
        .args(["--format", "json", "--n-best", "2"])
        .assert()
        .code(0);
    let json = json.get_output().stdout.clone();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["words"][0]["word"], "ball");
    assert_eq!(json["words"][0]["end"], 0.2);
    assert_eq!(json["alternatives"][0]["text"], "ball");
    let no_tokens = ["graph", "compile", "--topology", "ctc", "--out", graph];
    paretone().args(no_tokens).args(parts).assert().code(2).stderr(contains("--tokens"));
}

#[test]
fn help_and_version_exit_0() {
    paretone().arg("--help").assert().code(0).stdout(contains("transcribe"));
    paretone().arg("--version").assert().code(0).stdout(contains(env!("CARGO_PKG_VERSION")));
    paretone().args(["transcribe", "--help"]).assert().code(0).stdout(contains("--no-rescore"));
}

/// What nobody watches is coloured only where that is asked for.
#[test]
fn help_errors_and_log_lines_are_coloured_as_color_says() {
    let escape = contains("\x1b[");
    for flags in [&["--color", "always"][..], &["--color=never", "--color=always"]] {
        paretone().args(["transcribe", "--help"]).args(flags).assert().stdout(escape.clone());
        paretone().args(flags).arg("--nonsense").assert().code(2).stderr(escape.clone());
    }
    for flags in [&[][..], &["--color", "never"], &["--color=auto"]] {
        let help = paretone().args(["transcribe", "--help"]).args(flags).assert().code(0);
        help.stdout(escape.clone().not());
        let wrong = paretone().args(flags).arg("--nonsense").assert().code(2);
        wrong.stderr(escape.clone().not());
    }
    paretone().args(["--color", "sometimes", "--help"]).assert().stdout(escape.not());
}

/// A folder with the tiny model, three good recordings (a, b, c) and a bad one.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    tiny_model::write(folder.path());
    let put =
        |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).expect("writable");
    put("a.wav", wav(16000, &noise(24000)));
    put("b.wav", wav(8000, &noise(4000)));
    put("c.wav", wav(44100, &noise(44100)));
    put("empty.wav", Vec::new());
    folder
}

fn transcribe(folder: &Path) -> Command {
    let mut command = paretone();
    command
        .current_dir(folder)
        .env("PARETONE_CACHE", folder.join("cache"))
        .env_remove("PARETONE_MODEL");
    command.args(["transcribe", "--model", "tiny"]);
    command
}

fn json_lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

#[test]
fn answers_come_in_the_order_of_the_files_whatever_the_jobs() {
    let folder = workplace();
    let files = ["c.wav", "a.wav", "b.wav", "a.wav", "c.wav"];
    let mut first = None;
    for jobs in ["1", "4"] {
        let output = transcribe(folder.path())
            .args(["--format", "json", "--jobs", jobs])
            .args(files)
            .output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        let mut lines = json_lines(&output.stdout);
        let names: Vec<_> =
            lines.iter().map(|line| line["file"].as_str().expect("a name")).collect();
        assert_eq!(names, files);
        for line in &mut lines {
            assert!(line["audio_seconds"].as_f64().expect("a number") > 0.4);
            assert!(line["real_time_factor"].as_f64().expect("a number") > 0.0);
            let words = line["words"].as_array().expect("a list");
            let text: Vec<_> = words.iter().map(|w| w["word"].as_str().expect("a word")).collect();
            assert_eq!(line["text"], text.join(" "));
            line["seconds"].take();
            line["real_time_factor"].take();
        }
        assert_eq!(*first.get_or_insert_with(|| lines.clone()), lines);
    }
}

#[test]
fn a_model_read_into_memory_hears_what_a_mapped_one_does() {
    let folder = workplace();
    let heard = |flags: &[&str]| {
        let command = &mut transcribe(folder.path());
        let output = command.args(flags).args(["a.wav", "b.wav", "c.wav"]).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let mapped = heard(&[]);
    assert!(!mapped.is_empty());
    assert_eq!(heard(&["--no-mmap"]), mapped);
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let folder = workplace();
    let files = ["a.wav", "empty.wav", "missing.wav", "b.wav"];
    let text = transcribe(folder.path()).args(files).assert().code(1);
    let text = text.stderr(contains("empty.wav")).stderr(contains("missing.wav"));
    let out = String::from_utf8(text.get_output().stdout.clone()).expect("UTF-8");
    assert_eq!(out.lines().count(), 4, "a line for each file: {out:?}");
    let json = transcribe(folder.path()).args(["--format", "json"]).args(files).assert().code(1);
    let lines = json_lines(&json.get_output().stdout);
    let failed: Vec<bool> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(failed, [false, true, true, false]);
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let folder = workplace();
    let named = transcribe(folder.path()).arg("a.wav").output().expect("it runs").stdout;
    let bytes = fs::read(folder.path().join("a.wav")).expect("readable");
    transcribe(folder.path()).arg("-").write_stdin(bytes).assert().code(0).stdout(named);
    transcribe(folder.path()).arg("-").write_stdin("").assert().code(1).stderr(contains("empty"));
}

#[test]
fn subtitles_and_ctm_have_their_shape() {
    let folder = workplace();
    transcribe(folder.path())
        .args(["--format", "vtt", "a.wav"])
        .assert()
        .code(0)
        .stdout(contains("WEBVTT"));
    transcribe(folder.path()).args(["--format", "srt", "a.wav"]).assert().code(0);
    let ctm = transcribe(folder.path()).args(["--format", "ctm", "a.wav", "c.wav"]).output();
    let ctm = String::from_utf8(ctm.expect("it runs").stdout).expect("UTF-8");
    for line in ctm.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        // Uncalibrated, there is no confidence.
        assert!(fields.len() == 5 && fields[1] == "1", "{line:?}");
        assert!(fields[2].parse::<f64>().is_ok() && fields[3].parse::<f64>().is_ok(), "{line:?}");
    }
}

/// The largest sizes a header can claim, under a limit on memory that a file believed would break.
#[cfg(target_os = "linux")]
#[test]
fn memory_follows_the_bytes_not_the_header() {
    let folder = workplace();
    let mut liar = wav(16000, &noise(1600));
    liar[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    liar[40..44].copy_from_slice(&(u32::MAX - 36).to_le_bytes());
    fs::write(folder.path().join("liar.wav"), liar).expect("writable");
    fs::write(folder.path().join("silence.wav"), wav(16000, &vec![0; 600 * 16000]))
        .expect("writable");
    fs::write(folder.path().join("noise.wav"), wav(16000, &noise(120 * 16000))).expect("writable");
    let program = assert_cmd::cargo::cargo_bin("paretone");
    let script = format!(
        "ulimit -v 600000; exec {program:?} transcribe --model tiny --jobs 1 liar.wav silence.wav noise.wav"
    );
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path()).env("PARETONE_CACHE", folder.path().join("cache"));
    // All are heard; of the first more was promised, which is told.
    let told = contains("liar.wav: only a part was heard").count(1);
    let said = shell.args(["-c", &script]).assert().code(1).stderr(told);
    assert_eq!(String::from_utf8_lossy(&said.get_output().stdout).lines().count(), 3);
}

/// The files below a folder, as paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("readable") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).expect("below it");
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn a_folder_of_recordings_gets_a_folder_of_answers_and_is_resumed() {
    let folder = workplace();
    let at = |name: &str| folder.path().join(name);
    for place in ["in/one", "in/two"] {
        fs::create_dir_all(at(place)).expect("a folder");
        fs::copy(at("a.wav"), at(place).join("1.wav")).expect("a recording");
    }
    fs::write(at("in/notes.txt"), "no recording").expect("writable");
    let arguments = ["in", "b.wav", "--output-dir", "out", "--format", "srt,json"];
    let made = ["b.json", "b.srt", "one/1.json", "one/1.srt", "two/1.json", "two/1.srt"];
    let run = transcribe(folder.path()).args(arguments).assert().code(0);
    run.stdout("");
    assert_eq!(files(&at("out")), made);
    let json = fs::read_to_string(at("out/one/1.json")).expect("an answer");
    assert!(json.contains("in/one/1.wav"), "{json}");
    // Of what is missing or older than its recording only that is made again.
    let marked = "not made again";
    for name in ["out/b.srt", "out/one/1.srt", "out/two/1.srt"] {
        fs::write(at(name), marked).expect("writable");
    }
    fs::remove_file(at("out/two/1.json")).expect("it was there");
    let again = transcribe(folder.path()).args(arguments).arg("--resume").assert();
    again.code(0).stderr(contains("2 recordings are done"));
    let now = |name: &str| fs::read_to_string(at(name)).expect("an answer") == marked;
    assert_eq!([now("out/b.srt"), now("out/one/1.srt"), now("out/two/1.srt")], [true, true, false]);
    // Answers made otherwise are not mixed with these.
    let otherwise =
        transcribe(folder.path()).args(arguments).args(["--resume", "--beam", "8"]).assert();
    otherwise.code(2).stderr(contains("were made without --beam 8: give another"));
}

#[test]
fn answers_go_to_a_file_whose_extension_names_the_format() {
    let folder = workplace();
    let text = transcribe(folder.path()).arg("a.wav").output().expect("it runs").stdout;
    let run = transcribe(folder.path()).args(["-o", "a.txt", "a.wav"]).assert();
    run.code(0).stdout("");
    assert_eq!(fs::read(folder.path().join("a.txt")).expect("an answer"), text);
    transcribe(folder.path()).args(["-o", "a.vtt", "a.wav"]).assert().code(0);
    let vtt = fs::read_to_string(folder.path().join("a.vtt")).expect("an answer");
    assert!(vtt.starts_with("WEBVTT"), "{vtt}");
    for (arguments, said) in [
        (&["-o", "a.wav", "a.wav"][..], "is a recording"),
        (&["-o", "no/such/folder/a.txt", "a.wav"], "no/such/folder"),
        (&["-o", "a.txt", "--format", "srt,vtt", "a.wav"], "--output-dir"),
        (&["-o", "a.txt", "--output-dir", "out", "a.wav"], "output-dir"),
        (&["--resume", "a.wav"], "output-dir"),
        (&["*.flac"], "no file matches"),
    ] {
        let run = transcribe(folder.path()).args(arguments).assert();
        run.code(2).stderr(contains(said));
    }
    assert!(folder.path().join("a.wav").metadata().expect("still there").len() > 44);
}

#[test]
fn ctm_names_recordings_of_the_same_name_apart() {
    let folder = workplace();
    for place in ["x", "y"] {
        fs::create_dir(folder.path().join(place)).expect("a folder");
        fs::copy(folder.path().join("a.wav"), folder.path().join(place).join("1.wav"))
            .expect("a recording");
    }
    let run = transcribe(folder.path()).args(["--format", "ctm", "x/1.wav", "y/1.wav"]).output();
    let ctm = String::from_utf8(run.expect("it runs").stdout).expect("UTF-8");
    let names: Vec<&str> = ctm.lines().flat_map(|line| line.split(' ').next()).collect();
    assert!(names.iter().all(|name| ["x/1", "y/1"].contains(name)), "{ctm}");
    let of = |name: &str| names.iter().filter(|other| **other == name).count();
    assert_eq!(of("x/1"), of("y/1"));
}

#[test]
fn defaults_come_from_the_users_file_and_flags_go_before() {
    let folder = workplace();
    let with = |text: &str, arguments: &[&str]| transcribed_with(folder.path(), text, arguments);
    with("[transcribe]\nformat = \"vtt\"\n", &[]).code(0).stdout(contains("WEBVTT"));
    let json = with("[transcribe]\nformat = \"vtt\"\n", &["--format", "json"]).code(0);
    assert_eq!(json_lines(&json.get_output().stdout).len(), 1);
    with("[transcribe]\ntempo = 3\n", &[]).code(2).stderr(contains("config.toml"));
    with("[transcribe\n", &[]).code(2).stderr(contains("config.toml"));
}

#[test]
fn quiet_says_errors_only_and_every_subcommand_tells_the_version() {
    let folder = workplace();
    let mut command = transcribe(folder.path());
    command.env("PARETONE_CACHE", "/dev/null/cache");
    command.arg("a.wav").assert().code(0).stderr(contains("PARETONE_CACHE"));
    let mut command = transcribe(folder.path());
    command.env("PARETONE_CACHE", "/dev/null/cache");
    command.args(["-q", "a.wav"]).assert().code(0).stderr("");
    let version = concat!("paretone ", env!("CARGO_PKG_VERSION"), "\n");
    for arguments in [&["--version"][..], &["transcribe", "--version"], &["bench", "-V"]] {
        paretone().args(arguments).assert().code(0).stdout(version);
    }
}

#[test]
fn the_cache_is_listed_and_cleaned() {
    let folder = workplace();
    transcribe(folder.path()).arg("a.wav").assert().code(0);
    let cache = |arguments: &[&str]| {
        let mut command = paretone();
        command.env("PARETONE_CACHE", folder.path().join("cache"));
        command.arg("cache").args(arguments).assert()
    };
    cache(&["list"]).code(0).stdout(contains(".graph\n"));
    cache(&["clean", "--keep", "1G"]).code(0).stdout(contains("0 files"));
    cache(&["clean"]).code(0).stdout(contains("1 files"));
    let list = cache(&["list"]).code(0);
    assert_eq!(list.get_output().stdout.iter().filter(|&&byte| byte == b'\n').count(), 1);
    cache(&["clean", "--keep", "lots"]).code(2).stderr(contains("lots"));
}

#[test]
fn bench_counts_only_what_can_be_read() {
    let folder = workplace();
    let list = |name: &str, rows: &[&str]| {
        let rows = rows.iter().map(|row| format!("{row}\t{row}\tah bah\n"));
        let text = format!("id\tpath\ttext\n{}", rows.collect::<String>());
        fs::write(folder.path().join(name), text).expect("writable");
    };
    list("some.tsv", &["a.wav", "empty.wav", "missing.wav"]);
    list("one.tsv", &["a.wav"]);
    list("none.tsv", &["empty.wav", "missing.wav"]);
    let bench = |name: &str, outcomes: &str| {
        let mut command = paretone();
        command.current_dir(folder.path()).env("PARETONE_CACHE", folder.path().join("cache")).args(
            ["bench", "--model", "tiny", "--analyse", "--manifest", name, "--outcomes", outcomes],
        );
        command
    };
    let some = bench("some.tsv", "some.csv").assert().code(1);
    let some = some.stderr(contains("2 of 3 recordings cannot be recognised"));
    let one = bench("one.tsv", "one.csv").assert().code(0);
    let rates = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let lines = text.lines().filter(|line| line.contains("all") && !line.contains("done in"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!rates(&one.get_output().stdout).is_empty());
    assert_eq!(rates(&some.get_output().stdout), rates(&one.get_output().stdout));
    let rows =
        |name: &str| fs::read_to_string(folder.path().join(name)).expect("written").lines().count();
    assert_eq!((rows("some.csv"), rows("one.csv")), (2, 2));
    bench("none.tsv", "none.csv")
        .assert()
        .code(2)
        .stderr(contains("none of the 2 recordings"))
        .stdout("");
}

#[test]
fn a_graph_of_ones_own_is_searched_in_place_of_the_models() {
    let folder = workplace();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let arpa = "\\data\\\nngram 1=3\n\n\\1-grams:\n-99\t<s>\n-0.5\t</s>\n-0.3\tbah\n\n\\end\\\n";
    fs::write(at("bah.arpa"), arpa).expect("writable");
    let compile =
        ["graph", "compile", "--lexicon", "tiny/lexicon.txt", "--words", "tiny/words.txt"];
    paretone()
        .current_dir(folder.path())
        .args(compile)
        .args(["--arpa", "bah.arpa", "--model", "tiny", "--out", "bah.graph"])
        .assert()
        .code(0);
    let own = transcribe(folder.path())
        .args(["--graph", "bah.graph", "--format", "json", "a.wav"])
        .assert()
        .code(0);
    let line = &json_lines(&own.get_output().stdout)[0];
    let said = line["words"].as_array().expect("words");
    assert!(said.iter().all(|word| word["word"] == "bah"), "{line}");
    assert!(line["confidence"].is_null());
    fs::write(at("empty.graph"), "").expect("writable");
    for (graph, what) in [("none.graph", "none.graph"), ("empty.graph", "empty.graph")] {
        transcribe(folder.path())
            .args(["--graph", graph, "a.wav"])
            .assert()
            .code(2)
            .stderr(contains(what));
    }
}

#[test]
fn load_says_why_requests_were_not_answered() {
    let folder = workplace();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    drop(taken);
    paretone()
        .current_dir(folder.path())
        .args(["load", "a.wav", "--rate", "20", "--seconds", "0.3", "--tolerance", "0"])
        .args(["--url", &format!("http://{address}")])
        .assert()
        .code(1)
        .stdout(contains("times: no connection: Connection refused"));
}
