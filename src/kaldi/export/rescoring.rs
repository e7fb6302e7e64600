//! Our n-grams as `rescore/G.carpa` and `rescore/G.fst`: the large one, which libvosk rescores
//! with, and the one in the graph, whose costs it takes away first.

use std::collections::HashMap;
use std::path::Path;

use super::super::KaldiError;
use super::super::output::Output;
use super::Files;
use crate::graph::ngram::arpa::Arpa;
use crate::graph::ngram::{BEGIN, END, MAX_ORDER, Ngram};
use crate::graph::{Automaton, FstArc};
use crate::units::WordId;

/// Bits of a word in the key of an n-gram.
const BITS: usize = 16;
/// How far behind a history those that go on from it can begin.
const FARTHEST: usize = (1 << 30) - 1;
/// ln of what has no probability: Kaldi's −99, to the base of 10.
const NOTHING: f32 = -99.0 * std::f32::consts::LN_10;

/// Writes both files.
pub(super) fn write(
    model: &Path,
    small: &Ngram,
    words: usize,
    files: &mut Files<'_>,
) -> Result<(), KaldiError> {
    let path = model.join("rescore.ngram");
    if !path.is_file() {
        let what = format!("it has no large n-gram ({}) to rescore with", path.display());
        return Err(KaldiError::NotExportable(what));
    }
    let large = Tree::of(&Ngram::verify(&path)?.unpack());
    files.put("rescore/G.carpa", &const_arpa(&large, words)?)?;
    let mut bytes = Vec::new();
    let subtracted = subtracted(&Tree::of(&small.unpack()))?;
    subtracted.write(&mut bytes).map_err(|error| KaldiError::io(&path, error))?;
    files.put("rescore/G.fst", &bytes)
}

/// An n-gram.
struct Node {
    /// Its words, the first highest, and as few zeros behind them as there is room.
    key: u64,
    order: usize,
    /// −ln p, and −ln of the back-off weight.
    cost: f32,
    backoff: f32,
    /// Where the n-grams that are one word longer begin in [`Tree::children`].
    children: usize,
}

/// All n-grams, each before those that it begins.
struct Tree {
    order: usize,
    nodes: Vec<Node>,
    /// By node, those that are one word longer, ascending.
    children: Vec<u32>,
}

impl Tree {
    fn of(arpa: &Arpa) -> Tree {
        let mut nodes = Vec::with_capacity(arpa.orders.iter().map(Vec::len).sum());
        for (order, entries) in (1..).zip(&arpa.orders) {
            nodes.extend(entries.iter().map(|entry| Node {
                key: entry.key << (BITS * (MAX_ORDER - order)),
                order,
                cost: entry.cost,
                backoff: entry.backoff,
                children: 0,
            }));
        }
        nodes.sort_unstable_by_key(|node| (node.key, node.order));
        // By order, the node under which the next ones lie.
        let mut above = [None; MAX_ORDER + 1];
        let mut parents = vec![None; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            parents[at] = above[node.order - 1];
            above[node.order] = Some(at);
            above[node.order + 1..].fill(None);
        }
        let mut counts = vec![0; nodes.len() + 1];
        parents.iter().flatten().for_each(|parent| counts[parent + 1] += 1);
        for (at, node) in nodes.iter_mut().enumerate() {
            counts[at + 1] += counts[at];
            node.children = counts[at];
        }
        let mut children = vec![0; counts[nodes.len()]];
        for (at, parent) in (0u32..).zip(&parents) {
            if let Some(parent) = *parent {
                children[counts[parent]] = at;
                counts[parent] += 1;
            }
        }
        Tree { order: arpa.orders.len(), nodes, children }
    }

    /// The n-grams that are one word longer.
    fn longer(&self, at: usize) -> &[u32] {
        let end = self.nodes.get(at + 1).map_or(self.children.len(), |next| next.children);
        &self.children[self.nodes[at].children..end]
    }

    /// Whether it is written as a history.
    fn is_history(&self, at: usize) -> bool {
        self.nodes[at].order == 1 || !self.longer(at).is_empty()
    }
}

impl Node {
    fn last_word(&self) -> u32 {
        (self.key >> (BITS * (MAX_ORDER - self.order))) as u32 & 0xFFFF
    }

    fn ln_probability(&self) -> f32 {
        if self.cost.is_finite() { -self.cost } else { NOTHING }
    }
}

/// The bytes of a `G.carpa`, laid out as Kaldi does: nothing stands for words without a
/// probability, as here.
fn const_arpa(tree: &Tree, words: usize) -> Result<Vec<u8>, KaldiError> {
    let (mut begins, mut size) = (vec![0; tree.nodes.len()], 0);
    for (at, begin) in begins.iter_mut().enumerate().filter(|(at, _)| tree.is_history(*at)) {
        *begin = size;
        size += 3 + 2 * tree.longer(at).len();
    }
    if size > FARTHEST {
        let what = "its large n-gram has more histories than Kaldi's form has room for here";
        return Err(KaldiError::NotExportable(what.into()));
    }
    let mut out = Output::new();
    out.token("<ConstArpaLm>").token("<LmInfo>");
    out.size(BEGIN.index()).size(END.index()).int(-1).size(tree.order).token("</LmInfo>");
    out.token("<LmStates>").long(size as i64);
    let mut unigrams = vec![0i64; words];
    for (at, node) in tree.nodes.iter().enumerate().filter(|(at, _)| tree.is_history(*at)) {
        if node.order == 1 {
            unigrams[node.last_word() as usize] = begins[at] as i64 + 1;
        }
        out.raw(&node.ln_probability().to_le_bytes()).raw(&(-node.backoff).to_le_bytes());
        out.raw(&(tree.longer(at).len() as i32).to_le_bytes());
        for &child in tree.longer(at) {
            let longer = &tree.nodes[child as usize];
            let info = match tree.is_history(child as usize) {
                true => 2 * (begins[child as usize] - begins[at]) as u32 + 1,
                false => longer.ln_probability().to_bits() & !1,
            };
            out.raw(&longer.last_word().to_le_bytes()).raw(&info.to_le_bytes());
        }
    }
    out.token("</LmStates>").token("<LmUnigram>").size(words);
    unigrams.iter().for_each(|address| {
        out.raw(&address.to_le_bytes());
    });
    out.token("</LmUnigram>").token("<LmOverflow>").size(0).token("</LmOverflow>");
    out.token("</ConstArpaLm>");
    Ok(out.into_bytes())
}

/// The states of an automaton, by the histories that they are; state 0 is that of nothing.
fn subtracted(tree: &Tree) -> Result<Automaton, KaldiError> {
    let histories: Vec<usize> = (0..tree.nodes.len())
        .filter(|&at| tree.nodes[at].last_word() == BEGIN.0 || !tree.longer(at).is_empty())
        .collect();
    let state = |at: usize| (tree.nodes[at].key, tree.nodes[at].order);
    let states: HashMap<(u64, usize), u32> =
        (1u32..).zip(&histories).map(|(number, &at)| (state(at), number)).collect();
    // The longest end of an n-gram that is a history.
    let history = |(mut key, mut order): (u64, usize)| {
        while order > 0 {
            if let Some(number) = states.get(&(key, order)) {
                return *number;
            }
            (key, order) = (key << BITS, order - 1);
        }
        0
    };
    let unigrams: Vec<u32> =
        (0u32..).zip(&tree.nodes).filter(|(_, node)| node.order == 1).map(|(at, _)| at).collect();
    let (mut rows, mut arcs, mut finals) = (vec![0], Vec::new(), Vec::new());
    for at in std::iter::once(None).chain(histories.iter().map(|at| Some(*at))) {
        if let Some(Node { key, order, backoff, .. }) = at.map(|at| &tree.nodes[at]) {
            let next = history((key << BITS, order - 1));
            arcs.push(FstArc { input: 0, output: 0, cost: *backoff, next });
        }
        let mut last = f32::INFINITY;
        for &longer in at.map_or(unigrams.as_slice(), |at| tree.longer(at)) {
            let node = &tree.nodes[longer as usize];
            let word = node.last_word();
            match WordId(word) {
                END => last = node.cost,
                BEGIN => {}
                _ if !node.cost.is_finite() => {}
                _ => {
                    let next = history(state(longer as usize));
                    arcs.push(FstArc { input: word, output: word, cost: node.cost, next });
                }
            }
        }
        finals.push(last);
        rows.push(arcs.len() as u32);
    }
    let start = history((u64::from(BEGIN.0) << (BITS * (MAX_ORDER - 1)), 1));
    Ok(Automaton::new(start, rows, arcs, finals)?)
}
