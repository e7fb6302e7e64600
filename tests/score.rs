//! `paretone score`: tables, files and exit codes on a corpus small enough to count by hand.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fs;
use std::io::Write;

use assert_cmd::Command;

const MANIFEST: &str = "\
id\tpath\ttext\tspeaker\taccent\tset\tsplit
a-1\ta.wav\tHe came, to day.\tann\tIrish\tclean\tdev
b-1\tb.wav\tone two three four\tbob\tScottish\tclean\tdev
b-2\tb.wav\tfive\tbob\tScottish\tother\tdev
c-1\tc.wav\tnever scored\tcid\t\tclean\ttest
";

/// Runs `paretone score` with further arguments in a folder with the manifest and hypotheses; (exit
/// code, stdout).
fn score(hypotheses: &str, arguments: &[&str]) -> (i32, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ref.tsv"), MANIFEST).unwrap();
    fs::write(folder.path().join("hyp.tsv"), hypotheses).unwrap();
    let mut command = Command::cargo_bin("paretone").unwrap();
    command.current_dir(&folder).args(["score", "--ref", "ref.tsv", "--hyp", "hyp.tsv"]);
    let output = command.args(["--split", "dev"]).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text, folder)
}

/// The fields of the line that starts with `name`.
fn line(text: &str, name: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
    line.unwrap_or_else(|| panic!("no line {name} in\n{text}"))
        .split_whitespace()
        .map(str::to_string)
        .collect()
}

#[test]
fn tables_count_errors_by_group() {
    let hypotheses = "a-1\the came today\nb-1\tone too three\nb-2\tfive six\n";
    let (code, text, folder) = score(hypotheses, &["--alignments", "--out", "out"]);
    assert_eq!(code, 0);
    // 3 + 4 + 1 reference words; one substitution, one deletion, one insertion.
    let total = line(&text, "all");
    assert_eq!(total[1..4], ["3", "8", "37.50"]);
    assert_eq!(total[total.len() - 4..], ["50.00", "1", "1", "1"]);
    assert_eq!(line(&text, "Irish")[1..4], ["1", "3", "0.00"]);
    assert_eq!(line(&text, "other")[1..4], ["1", "1", "100.00"]);
    assert!(text.contains("REF: one TWO three FOUR\nHYP: one TOO three ****"), "{text}");
    let trn = fs::read_to_string(folder.path().join("out/ref.trn")).unwrap();
    assert_eq!(trn, "he came today (a-1)\none two three four (b-1)\nfive (b-2)\n");
}

#[test]
fn strict_scoring_leaves_compounds() {
    let hypotheses = "a-1\the came today\nb-1\tone two three four\nb-2\tfive\n";
    let (_, text, _folder) = score(hypotheses, &["--strict"]);
    assert_eq!(line(&text, "all")[2..4], ["9", "22.22"]);
}

#[test]
fn a_missing_hypothesis_is_silence_and_tells() {
    let (code, text, _folder) = score("a-1\the came today\n", &[]);
    assert_eq!((code, line(&text, "all")[3].as_str()), (1, "62.50"));
    let (code, text, _folder) = score("a-1\the came today\n", &["--only-given"]);
    assert_eq!((code, line(&text, "all")[3].as_str()), (0, "0.00"));
}

/// The same answers in every form, the silent one left out of the CTM as it must be.
#[test]
fn every_form_of_hypotheses_scores_the_same() {
    let tsv = "a-1\the came today\nb-1\tone two three\nb-2\t\n";
    let (_, expected, folder) = score(tsv, &[]);
    let forms = [
        ("hyp.txt", "a-1 he came today\nb-1 one two three\nb-2\n"),
        ("hyp.trn", "he came today (a-1)\none two three (b-1)\n(b-2)\n"),
        (
            "hyp.ctm",
            "a-1 1 0 1 he 1\na-1 1 1 1 came 1\na-1 1 2 1 today 1\nb-1 1 0 1 one 1\nb-1 1 1 1 two 1\nb-1 1 2 1 three 1\n",
        ),
        (
            "hyp.json",
            "{\"file\":\"a-1.wav\",\"text\":\"he came today\"}\n{\"file\":\"b-1.wav\",\"text\":\"one two three\"}\n{\"file\":\"b-2.wav\",\"text\":\"\"}\n",
        ),
    ];
    for (name, text) in forms {
        fs::write(folder.path().join(name), text).unwrap();
        let mut command = Command::cargo_bin("paretone").unwrap();
        let output = command
            .current_dir(&folder)
            .args(["score", "--ref", "ref.tsv", "--split", "dev", "--hyp", name])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{name}");
        // From standard input, whose form its first line tells.
        let mut command = Command::cargo_bin("paretone").unwrap();
        let reads = ["score", "--ref", "ref.tsv", "--split", "dev", "--hyp", "-"];
        let output = command.current_dir(&folder).args(reads).write_stdin(text).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{name} at -");
    }
}

/// Kaldi's marks for nothing, as other programs and editors store texts.
#[test]
fn texts_may_be_compressed_or_in_utf16_and_hold_marks() {
    let (_, expected, folder) = score("a-1\the came today\nb-1\tone two three\nb-2\t\n", &[]);
    let text = "a-1 <s> he <eps> came today </s>\nb-1 one two three\nb-2 <eps>\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        let units = units.iter().map(|&unit| bytes(unit));
        std::iter::once(mark).chain(units).flatten().collect::<Vec<u8>>()
    };
    for (name, bytes) in [
        ("plain", text.into()),
        ("text.gz", gzip.finish().unwrap()),
        ("little", utf16([0xff, 0xfe], u16::to_le_bytes)),
        ("big", utf16([0xfe, 0xff], u16::to_be_bytes)),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let mut command = Command::cargo_bin("paretone").unwrap();
        let reads = ["score", "--ref", "ref.tsv", "--split", "dev", "--hyp", name];
        let output = command.current_dir(&folder).args(reads).output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{name}: {:?}",
            String::from_utf8(output.stderr)
        );
    }
}

/// Nine thousand words and more: more than a matrix of all pairs could hold.
#[test]
fn a_recording_of_hours_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let words = |wrong: usize| {
        let word = |k: usize| match k % wrong {
            0 => format!("x{k}"),
            _ => format!("w{}", k * k % 977),
        };
        (1..30_000).map(word).collect::<Vec<_>>().join(" ")
    };
    fs::write(folder.path().join("ref.txt"), format!("talk {}\n", words(40_000))).unwrap();
    fs::write(folder.path().join("hyp.txt"), format!("talk {}\n", words(10))).unwrap();
    let mut command = Command::cargo_bin("paretone").unwrap();
    let output = command
        .current_dir(&folder)
        .args(["score", "--ref", "ref.txt", "--hyp", "hyp.txt"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let total = line(&text, "all");
    assert_eq!(total[1..4], ["1", "29999", "10.00"], "{text}");
    assert_eq!(total[total.len() - 3..], ["2999", "0", "0"]);
}

#[test]
fn unusable_files_are_usage_errors() {
    assert_eq!(score("no tab\n", &[]).0, 2);
    assert_eq!(score("a-1\tx\n", &["--set", "nowhere"]).0, 2);
}
