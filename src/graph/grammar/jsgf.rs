//! JSGF, as far as it says which sentences there are: rules, `|`, `( )`, `[ ]`, `*`, `+`, quoted
//! words, comments. Weights (`/2/`) and tags (`{…}`) are passed over. Rules may not call
//! themselves, as an automaton cannot count, and no other grammars are imported. A rule may be
//! called by its name with that of its grammar in front, whole (`<com.acme.lights.room>`) or its
//! last part (`<lights.room>`).

use std::collections::HashMap;

use super::automaton::Builder;
use super::{GrammarError, plain};

/// Deepest nesting of brackets and rules.
const DEEPEST: usize = 100;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Rule(String),
    Mark(char),
}

/// A rule's tokens, each with its line.
struct Rule {
    is_public: bool,
    line: usize,
    tokens: Vec<(Token, usize)>,
}

/// Reads a grammar; all its public rules may be said.
pub(super) fn read(text: &str, name: &str) -> Result<Builder, GrammarError> {
    let (rules, grammar) = rules(text, name)?;
    let mut public: Vec<(&String, &Rule)> =
        rules.iter().filter(|(_, rule)| rule.is_public).collect();
    public.sort_by_key(|(_, rule)| rule.line);
    if public.is_empty() {
        return Err(wrong(
            name,
            1,
            "there is no public rule: write `public` before the one to be said",
        ));
    }
    let mut expansion = Expansion {
        rules: &rules,
        builder: Builder::default(),
        name,
        grammar: &grammar,
        open: Vec::new(),
    };
    let end = expansion.builder.state(name)?;
    expansion.builder.end(end);
    for (rule, at) in public {
        let start = expansion.builder.start();
        expansion.call(rule, (start, end), at.line)?;
    }
    Ok(expansion.builder)
}

/// The line of the first rule in a text that does not begin as JSGF does.
pub(super) fn line_without_header(text: &str) -> Option<usize> {
    let is_rule = |line: &str| {
        let line = line.trim_start();
        let rule = line.strip_prefix("public").map_or(line, str::trim_start);
        let named = rule.strip_prefix('<').and_then(|rule| rule.split_once('>'));
        let grammar =
            line.strip_prefix("grammar ").is_some_and(|name| name.trim_end().ends_with(';'));
        grammar || named.is_some_and(|(_, rest)| rest.trim_start().starts_with('='))
    };
    text.lines().position(is_rule).map(|before| before + 1)
}

fn wrong(name: &str, line: usize, what: impl Into<String>) -> GrammarError {
    GrammarError::Syntax { name: name.to_owned(), line, what: what.into() }
}

/// All rules by name, and what the grammar calls itself.
fn rules(text: &str, name: &str) -> Result<(HashMap<String, Rule>, String), GrammarError> {
    let tokens = tokens(text, name)?;
    let (mut rules, mut grammar) = (HashMap::new(), String::new());
    let mut statements: Vec<&[(Token, usize)]> =
        tokens.split(|(token, _)| *token == Token::Mark(';')).collect();
    if let Some((_, line)) = statements.pop().and_then(<[_]>::first) {
        return Err(wrong(name, *line, "the last rule does not end with a semicolon"));
    }
    for statement in statements {
        let word = |token: &Token, known: &str| matches!(token, Token::Word(word) if word == known);
        let (is_public, rest) = match statement {
            [] => continue,
            [(first, _), ..] if word(first, "#jsgf") => continue,
            [(first, _), rest @ ..] if word(first, "grammar") => {
                if let [(Token::Word(called), _)] = rest {
                    grammar.clone_from(called);
                }
                continue;
            }
            [(first, line), ..] if word(first, "import") => {
                return Err(wrong(
                    name,
                    *line,
                    "import: write the other grammar's rules into this one",
                ));
            }
            [(first, _), rest @ ..] if word(first, "public") => (true, rest),
            rest => (false, rest),
        };
        let (rule, line, tokens) = match rest {
            [(Token::Rule(rule), line), (Token::Mark('='), _), tokens @ ..] => {
                (rule, *line, tokens)
            }
            _ => {
                let line = statement[0].1;
                return Err(wrong(name, line, "a rule is written as `<name> = words;`"));
            }
        };
        if ["NULL", "VOID"].contains(&rule.as_str()) {
            return Err(wrong(
                name,
                line,
                format!("<{rule}> is JSGF's own: give the rule another name"),
            ));
        }
        let made = Rule { is_public, line, tokens: tokens.to_vec() };
        if rules.insert(rule.clone(), made).is_some() {
            return Err(wrong(name, line, format!("there are two rules <{rule}>")));
        }
    }
    Ok((rules, grammar))
}

/// The tokens of a text; comments, weights and tags are left out.
fn tokens(text: &str, name: &str) -> Result<Vec<(Token, usize)>, GrammarError> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let until = |end: &str, skip: usize| {
            let found = rest[skip..].find(end).map(|at| skip + at);
            found.ok_or_else(|| wrong(name, line, format!("{first:?} is not closed by {end:?}")))
        };
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => until("*/", 2)? + 2,
            '/' => weight(&rest[..until("/", 1)? + 1], name, line)?,
            '{' => {
                let end = closing(rest, '}');
                end.ok_or_else(|| wrong(name, line, "'{' is not closed by \"}\""))? + 1
            }
            '<' => {
                let end = until(">", 1)?;
                tokens.push((Token::Rule(rest[1..end].trim().to_owned()), line));
                end + 1
            }
            '"' => {
                let end = closing(rest, '"');
                let end = end.ok_or_else(|| wrong(name, line, "'\"' is not closed by \"\\\"\""))?;
                let said = unescaped(&rest[1..end]);
                let words = said.split_whitespace().map(plain);
                tokens.extend(words.map(|word| (Token::Word(word), line)));
                end + 1
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ if ";=|()[]*+".contains(first) => {
                tokens.push((Token::Mark(first), line));
                1
            }
            _ => {
                let is_end =
                    |letter: char| letter.is_whitespace() || ";=|()[]*+/{}<>\"".contains(letter);
                let end = rest.find(is_end).unwrap_or(rest.len());
                if end == 0 {
                    return Err(wrong(name, line, format!("{first:?} closes nothing")));
                }
                tokens.push((Token::Word(plain(&rest[..end])), line));
                end
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens.retain(|(token, _)| *token != Token::Word(String::new()));
    Ok(tokens)
}

/// Where what begins with a text's first letter is closed; a backslash takes the letter behind it.
fn closing(text: &str, close: char) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == close => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

/// The bytes of a weight, `/2.5/`.
fn weight(text: &str, name: &str, line: usize) -> Result<usize, GrammarError> {
    let number = text.trim_matches('/').trim();
    match number.parse::<f64>() {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok(text.len()),
        _ => Err(wrong(
            name,
            line,
            format!("/{number}/ is no weight: it is a number from 0 on, as in /2.5/"),
        )),
    }
}

/// Rules being written down as an automaton, copied wherever they are called.
struct Expansion<'g> {
    rules: &'g HashMap<String, Rule>,
    builder: Builder,
    name: &'g str,
    /// What the grammar calls itself.
    grammar: &'g str,
    /// Rules and brackets that are open.
    open: Vec<&'g str>,
}

/// The tokens of a rule that are left.
type Left<'g> = &'g [(Token, usize)];

impl<'g> Expansion<'g> {
    fn wrong<T>(&self, line: usize, what: impl Into<String>) -> Result<T, GrammarError> {
        Err(wrong(self.name, line, what))
    }

    /// A rule between two states.
    fn call(
        &mut self,
        rule: &str,
        between: (usize, usize),
        line: usize,
    ) -> Result<(), GrammarError> {
        match rule {
            "NULL" => {
                self.builder.skip(between.0, between.1);
                return Ok(());
            }
            "VOID" => return Ok(()),
            _ => {}
        }
        let Some((known, found)) = self.rules.get_key_value(self.own(rule)) else {
            return match rule.contains('.') {
                true => self.wrong(
                    line,
                    format!("<{rule}> is of another grammar: write its rule into this one"),
                ),
                false => self.wrong(line, format!("there is no rule <{rule}>")),
            };
        };
        if self.open.contains(&known.as_str()) {
            return self
                .wrong(line, format!("<{rule}> calls itself: write what repeats with * or +"));
        }
        self.enter(known, line)?;
        let left = self.alternatives(&found.tokens, between, found.line)?;
        self.open.pop();
        match left {
            [] => Ok(()),
            [(token, line), ..] => self.wrong(*line, format!("{token:?} closes nothing")),
        }
    }

    /// A rule's name without that of the grammar.
    fn own<'r>(&self, rule: &'r str) -> &'r str {
        let last = self.grammar.rsplit('.').next().unwrap_or_default();
        let behind = |grammar: &str| rule.strip_prefix(grammar)?.strip_prefix('.');
        behind(self.grammar).or_else(|| behind(last)).unwrap_or(rule)
    }

    fn enter(&mut self, what: &'g str, line: usize) -> Result<(), GrammarError> {
        self.open.push(what);
        match self.open.len() > DEEPEST {
            true => {
                self.wrong(line, format!("brackets and rules are nested more than {DEEPEST} deep"))
            }
            false => Ok(()),
        }
    }

    /// Sequences with bars between them, up to a closing bracket or the end.
    fn alternatives(
        &mut self,
        mut left: Left<'g>,
        (from, to): (usize, usize),
        line: usize,
    ) -> Result<Left<'g>, GrammarError> {
        loop {
            let (rest, end) = self.sequence(left, from, line)?;
            self.builder.skip(end, to);
            match rest {
                [(Token::Mark('|'), _), rest @ ..] => left = rest,
                rest => return Ok(rest),
            }
        }
    }

    /// Items one after the other; returns the state after them.
    fn sequence(
        &mut self,
        mut left: Left<'g>,
        from: usize,
        line: usize,
    ) -> Result<(Left<'g>, usize), GrammarError> {
        let (mut at, mut is_empty) = (from, true);
        loop {
            let (start, end) = (self.builder.state(self.name)?, self.builder.state(self.name)?);
            left = match left {
                [(Token::Word(word), _), rest @ ..] => {
                    self.builder.say(start, word, end);
                    rest
                }
                [(Token::Rule(rule), line), rest @ ..] => {
                    self.call(rule, (start, end), *line)?;
                    rest
                }
                [(Token::Mark(open @ ('(' | '[')), line), rest @ ..] => {
                    self.bracket((*open, *line), rest, (start, end))?
                }
                [(Token::Mark(mark), line), ..] if !matches!(mark, '|' | ')' | ']') => {
                    return self.wrong(*line, format!("{mark:?} stands where a word may"));
                }
                _ if is_empty => return self.wrong(line_of(left, line), "there are no words here"),
                _ => return Ok((left, at)),
            };
            self.builder.skip(at, start);
            while let [(Token::Mark(mark @ ('*' | '+')), _), rest @ ..] = left {
                self.builder.skip(end, start);
                if *mark == '*' {
                    self.builder.skip(start, end);
                }
                left = rest;
            }
            (at, is_empty) = (end, false);
        }
    }

    fn bracket(
        &mut self,
        (open, line): (char, usize),
        left: Left<'g>,
        (start, end): (usize, usize),
    ) -> Result<Left<'g>, GrammarError> {
        self.enter("", line)?;
        let rest = self.alternatives(left, (start, end), line)?;
        self.open.pop();
        let close = match open {
            '(' => ')',
            _ => {
                self.builder.skip(start, end);
                ']'
            }
        };
        match rest {
            [(Token::Mark(mark), _), rest @ ..] if *mark == close => Ok(rest),
            _ => self.wrong(line, format!("{open:?} is not closed by {close:?}")),
        }
    }
}

fn line_of(left: Left<'_>, otherwise: usize) -> usize {
    left.first().map_or(otherwise, |(_, line)| *line)
}
