//! `transcribe --words` and `lexicon`: lists of words are read, put into the graph and written as
//! the user does.

mod tiny_model;

use std::fs;
use std::path::Path;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;
use tiny_model::{paretone, place};

fn heard(folder: &Path, list: &str) -> Value {
    fs::write(folder.join("list.txt"), list).expect("writable");
    let args = ["transcribe", "a.wav", "--format", "json", "--words", "list.txt"];
    let output = paretone(folder, &args).assert().code(0).get_output().clone();
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[test]
fn a_likely_word_is_heard_and_written_as_the_list_has_it() {
    let folder = place();
    let plain = heard(folder.path(), "# none\n");
    let text = plain["text"].as_str().expect("a text");
    assert!(!text.is_empty(), "noise says something to this model");
    // At a boost beyond reason every word is the listed one.
    let own = heard(folder.path(), "Aba-Bah 20 AA B AA\n");
    assert!(own["text"].as_str().expect("a text").contains("Aba-Bah"), "{own}");
    // A word that the model knows, in capitals.
    let known = heard(folder.path(), "AH 20\nBAH 20\n");
    let known = known["text"].as_str().expect("a text");
    assert!(known.contains("BAH"), "{known}");
}

#[test]
fn a_phrase_is_taken_apart_into_words_with_times() {
    let folder = place();
    let own = heard(folder.path(), "Ba Ba Black 20 B AA B AA B AA\n");
    let words = own["words"].as_array().expect("words");
    let at = words.iter().position(|word| word["word"] == "Black").expect("heard");
    assert_eq!(words[at - 1]["word"], "Ba");
    let time = |at: usize, name: &str| words[at][name].as_f64().expect("a time");
    assert!(time(at - 1, "end") <= time(at, "start") + 1e-9);
    assert!(time(at, "start") < time(at, "end"));
}

#[test]
fn lists_that_cannot_be_used_are_refused_with_the_reason() {
    let folder = place();
    for (list, said) in [
        ("bahxq\n", "how \"bahxq\" is said"),
        ("bah 2 B EE\n", "EE"),
        ("bah 2 SIL\n", "SIL"),
        ("route 66\n", "line 1"),
    ] {
        fs::write(folder.path().join("list.txt"), list).expect("writable");
        paretone(folder.path(), &["transcribe", "a.wav", "--words", "list.txt"])
            .assert()
            .code(2)
            .stderr(contains(said));
    }
    paretone(folder.path(), &["transcribe", "a.wav", "--words", "none.txt"])
        .assert()
        .code(2)
        .stderr(contains("none.txt"));
}

#[test]
fn pronunciations_are_told_and_put_on_a_list() {
    let folder = place();
    paretone(folder.path(), &["lexicon", "say", "bah", "BAHAH"])
        .assert()
        .code(0)
        .stdout(contains("bah\tB AA\n").and(contains("BAHAH\tB AA AA\n")));
    paretone(folder.path(), &["lexicon", "say", "xyz"]).assert().code(1).stdout("");
    let add = |word: &str, more: &[&str]| {
        let mut command = paretone(folder.path(), &["lexicon", "add", "names.txt", word]);
        command.args(more);
        command
    };
    add("Bahah", &[]).assert().code(0);
    add("ah bah", &["--boost", "2.5", "--phones", "AA B AA"]).assert().code(0);
    add("xyz", &[]).assert().code(2);
    let list = fs::read_to_string(folder.path().join("names.txt")).expect("written");
    assert_eq!(list, "Bahah\nah bah\t2.5\tAA B AA\n");
    paretone(folder.path(), &["transcribe", "a.wav", "--words", "names.txt"]).assert().code(0);
}

#[test]
fn guesses_at_a_long_list_are_kept_by_its_content_and_a_broken_file_is_written_again() {
    let folder = place();
    let word = |number: u32| format!("{number:09b}").replace('0', "ah").replace('1', "bah");
    let list: String = (0..300).map(|number| format!("{}\n", word(number))).collect();
    let guesses = || -> Vec<_> {
        let files = fs::read_dir(folder.path().join("cache")).expect("a cache");
        let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|name| name == "guesses"));
        paths
    };
    let first = heard(folder.path(), &list)["text"].clone();
    let [path] = &guesses()[..] else { panic!("one file of guesses: {:?}", guesses()) };
    let kept = fs::read(path).expect("guesses");
    assert_eq!(heard(folder.path(), &list)["text"], first);
    fs::write(path, &kept[..kept.len() / 2]).expect("writable");
    assert_eq!(heard(folder.path(), &list)["text"], first);
    assert_eq!(fs::read(path).expect("guesses"), kept);
    heard(folder.path(), "bahbahbah\n");
    assert_eq!(guesses().len(), 1, "a short list is not worth keeping");
    heard(folder.path(), &format!("{list}bahbahbah\n"));
    assert_eq!(guesses().len(), 2);
}

/// What a closed grammar hears in noise.
fn commanded(folder: &Path, grammar: &str) -> String {
    fs::write(folder.join("grammar"), grammar).expect("writable");
    let output = paretone(folder, &["transcribe", "a.wav", "--grammar", "grammar"])
        .assert()
        .code(0)
        .get_output()
        .clone();
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn a_grammar_hears_its_sentences_and_nothing_else() {
    let folder = place();
    assert_eq!(commanded(folder.path(), "Ah ah, bah.\n"), "ah ah bah");
    let either = commanded(folder.path(), "# two\nah ah bah\nbah bahbah ah\n");
    assert!(["ah ah bah", "bah bahbah ah"].contains(&either.as_str()), "{either}");
    let jsgf = "#JSGF V1.0;\ngrammar g;\npublic <s> = bahbah <t> [ah];\n<t> = bah bah | bahah;\n";
    let said = commanded(folder.path(), jsgf);
    let all = ["bahbah bah bah", "bahbah bah bah ah", "bahbah bahah", "bahbah bahah ah"];
    assert!(all.contains(&said.as_str()), "{said}");
}

#[test]
fn a_mixed_grammar_hears_its_sentences_among_others() {
    let folder = place();
    let mixed = |grammar: &str| {
        fs::write(folder.path().join("grammar"), grammar).expect("writable");
        paretone(folder.path(), &["transcribe", "a.wav", "--grammar", "grammar", "--mixed"])
    };
    // What the model hears anyhow is no sentence of this grammar.
    let plain = mixed("bah bahbah bah bahbah ah\n").assert().code(0).get_output().clone();
    assert!(!plain.stdout.is_empty());
    let endless = "#JSGF V1.0;\npublic <a> = ah+;\n";
    mixed(endless).assert().code(2).stderr(contains("cannot be mixed"));
    paretone(folder.path(), &["transcribe", "a.wav", "--mixed"]).assert().code(2);
}

#[test]
fn grammars_that_cannot_be_used_are_refused_with_the_reason() {
    let folder = place();
    for (grammar, said) in [
        ("", "no sentence"),
        ("ah zyx\n", "zyx"),
        ("#JSGF V1.0;\npublic <a> = ah <b>;\n", "line 2"),
    ] {
        fs::write(folder.path().join("grammar"), grammar).expect("writable");
        paretone(folder.path(), &["transcribe", "a.wav", "--grammar", "grammar"])
            .assert()
            .code(2)
            .stderr(contains(said));
    }
}
