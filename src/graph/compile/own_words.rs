//! Words of a user's put into a graph that is compiled already, in a fraction of the time that
//! compiling takes.
//!
//! A graph says where it forgets the words before ([`Gateway`]): the states of the shortest
//! history, one for each phone before and self-loop. From there the new words' prefix tree is
//! entered, and there it ends. A state is where its row of arcs is, and rows are packed without
//! gaps, so a gateway cannot grow in place: each is written again after the end of the graph, with
//! its old arcs and those into the new tree, and every arc to the old place is redirected to the
//! new one. The search needs no change.
//!
//! For the graph of a large vocabulary (six million arcs) that is a copy of its arrays and one pass
//! over them, some 50 ms; the tree of a thousand words takes about as long.

use std::collections::HashMap;

use crate::acoustic::Hmm;
use crate::graph::container::Section;
use crate::graph::rows::{ARC_LIMIT, PackedArc};
use crate::graph::{Gateway, Graph, GraphError, WORD_END};
use crate::units::{Cost, PdfId, PhoneId, StateId, WordId};

use super::assemble::Pauses;
use super::dictionary::{Dictionary, Pronunciation};
use super::histories::{History, Leaf};
use super::inputs::check_phones;
use super::nodes::NodeArc;
use super::roots::{RootKey, Roots};
use super::steps::Steps;
use super::topology::Topology;
use super::tree::{Grower, Stem};
use super::{CompileError, CompileOptions, weights};

/// The history that all gateways have.
const SHORTEST: History = History(0);

/// One way to say a word that is added.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnWord {
    /// The word; ids above those of the graph's own words tell them apart.
    pub word: WordId,
    /// How it is said: at least one phone, none of them silence.
    pub phones: Vec<PhoneId>,
    /// What the word costs after the shortest history, pronunciation included, word penalty not.
    pub cost: Cost,
}

/// The graph with words added after its shortest history: wherever the language model backs off
/// that far, they may follow, and whatever may follow there may follow them.
///
/// # Errors
/// [`CompileError`]: the graph does not say where words can be added, a pronunciation does not fit
/// the acoustic model, or the graph becomes too large.
pub fn with_own_words(
    graph: &Graph,
    hmm: &Hmm,
    words: &[OwnWord],
    options: &CompileOptions,
) -> Result<Graph, CompileError> {
    let topology = Topology::of(hmm);
    let (pauses, word_penalty) = weights(options)?;
    let gateways = graph.gateways.as_slice();
    if gateways.is_empty() {
        return Err(CompileError::NoGateways);
    }
    let mut said = Vec::new();
    for own in words {
        check_phones(own.word, &own.phones, &topology)?;
        let Some(cost) = Steps::of(own.cost) else {
            continue;
        };
        said.push(Pronunciation { phones: own.phones.clone(), word: own.word, cost });
    }
    let dictionary = Dictionary::new(said);
    let mut leaves: Vec<Leaf> = (0..dictionary.len() as u32)
        .map(|rank| {
            let said = dictionary.get(rank);
            Leaf { rank, cost: said.cost + word_penalty, target: SHORTEST }
        })
        .collect();
    leaves.sort_unstable();
    let roots = Roots::of_one_history(keys(gateways, &dictionary, &topology, pauses));
    let extension = Extension {
        graph,
        topology: &topology,
        roots: &roots,
        pauses,
        siblings: siblings(gateways),
        grower: Grower::new(&dictionary, &topology, &roots),
    };
    Ok(extension.build(&leaves)?)
}

/// The gateways of each phone before, any of which has the arcs of all.
fn siblings(gateways: &[Gateway]) -> HashMap<u32, u32> {
    let ordinary = gateways.iter().filter(|gateway| gateway.initial == 0);
    ordinary.map(|gateway| (gateway.left, gateway.state)).collect()
}

/// The roots there are, those that the new words end in, and those of the silences after them.
fn keys(
    gateways: &[Gateway],
    dictionary: &Dictionary,
    topology: &Topology,
    pauses: Pauses,
) -> Vec<RootKey> {
    let key = |left, again| RootKey { history: SHORTEST, left, again };
    let ordinary = gateways.iter().filter(|gateway| gateway.initial == 0);
    let mut keys: Vec<RootKey> = ordinary
        .map(|gateway| {
            let again = (gateway.again != Gateway::NO_LOOP).then_some(PdfId(gateway.again));
            key(PhoneId(gateway.left), again)
        })
        .collect();
    let mut before: Vec<PhoneId> = keys.iter().map(|key| key.left).collect();
    before.push(topology.silence);
    let mut enter = |before, last| keys.push(key(last, Some(topology.pdfs(before, last).again)));
    let mut lasts = vec![topology.silence];
    for rank in 0..dictionary.len() as u32 {
        match dictionary.get(rank).phones[..] {
            [.., before, last] => {
                enter(before, last);
                lasts.push(last);
            }
            [only] => {
                // A word of one phone may follow whatever comes before a root.
                (0..topology.phones as u32).for_each(|before| enter(PhoneId(before), only));
                lasts.push(only);
            }
            [] => unreachable!("pronunciations have phones"),
        }
    }
    if pauses.silence.is_some() {
        for left in before.into_iter().chain(lasts) {
            enter(left, topology.silence);
        }
    }
    keys
}

/// A graph that gets more rows.
struct Extension<'a> {
    graph: &'a Graph,
    topology: &'a Topology,
    roots: &'a Roots,
    pauses: Pauses,
    /// By the phone before: a gateway's state.
    siblings: HashMap<u32, u32>,
    grower: Grower<'a>,
}

/// A row to be laid out.
struct Row {
    /// The state whose place it takes.
    replaces: Option<u32>,
    /// What the row is a gateway for; its state is not known yet.
    gateway: Option<Gateway>,
    again: Option<PdfId>,
    /// Arcs within the old graph.
    old: Vec<(PackedArc, u32)>,
    /// Arcs to states of the extension.
    new: Vec<NodeArc>,
    end: Cost,
}

impl Extension<'_> {
    fn build(mut self, leaves: &[Leaf]) -> Result<Graph, GraphError> {
        let stems = self.grower.stems(leaves);
        let mut rows = self.root_rows(&stems);
        let first = self.roots.initial() + 1;
        rows.resize_with(first as usize, Row::nowhere);
        for state in first..first + self.grower.nodes.len() as u32 {
            let (again, arcs) = self.grower.nodes.get(state);
            rows.push(Row { again: Some(again), new: arcs.to_vec(), ..Row::nowhere() });
        }
        lay_out(self.graph, &rows)
    }

    /// The rows of the roots, by number; after them that of the initial state, if it is a gateway.
    fn root_rows(&mut self, stems: &[Stem]) -> Vec<Row> {
        let (graph, roots) = (self.graph, self.roots);
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        let mut initial = None;
        for gateway in graph.gateways.as_slice() {
            match gateway.initial {
                0 => drop(known.insert((gateway.left, gateway.again), gateway.state)),
                _ => initial = Some(gateway.state),
            }
        }
        let silence = self.topology.silence;
        let mut rows = Vec::with_capacity(roots.len() + 1);
        for (_, key) in roots.of(SHORTEST) {
            let again = key.again.map_or(Gateway::NO_LOOP, |pdf| pdf.0);
            let extra = match key.left == silence {
                true => Steps::FREE,
                false => self.pauses.none,
            };
            let mut row = match known.get(&(key.left.0, again)) {
                Some(&state) => self.copied(state),
                None => self.made(key),
            };
            row.again = key.again;
            row.gateway = Some(Gateway { state: 0, left: key.left.0, again, initial: 0 });
            row.new.extend(self.grower.root_arcs(stems, key.left, extra));
            rows.push(row);
        }
        if let Some(state) = initial {
            let mut row = self.copied(state);
            row.gateway =
                Some(Gateway { state: 0, left: silence.0, again: Gateway::NO_LOOP, initial: 1 });
            let extra = self.pauses.none;
            row.new.extend(self.grower.root_arcs(stems, silence, extra));
            rows.push(row);
        }
        rows
    }

    /// The row of a gateway, its self-loop left out.
    fn copied(&self, state: u32) -> Row {
        let view = self.graph.view();
        let arcs = view.emitting_row(state).filter(|(_, arc)| !arc.is_dead());
        let is_loop = |arc: PackedArc| arc.next() == StateId(state) && !arc.has_label();
        let others = arcs.filter(|(_, arc)| !is_loop(*arc));
        Row {
            replaces: Some(state),
            old: others.map(|(at, arc)| (arc, view.label(at))).collect(),
            end: self.graph.final_cost(StateId(state)),
            ..Row::nowhere()
        }
    }

    /// Makes the row of a root that the graph lacks: a copy of its siblings', with a silence of its
    /// own. If no word of the graph ends in the phone before it, the row is a copy of the one after
    /// a silence.
    fn made(&self, key: RootKey) -> Row {
        let silence = self.topology.silence;
        let mut row = match self.siblings.get(&key.left.0) {
            Some(&state) => self.copied(state),
            None => {
                let sibling = self.siblings.get(&silence.0);
                let row = sibling.map_or_else(Row::nowhere, |&state| self.copied(state));
                row.dearer(self.pauses.none)
            }
        };
        row.replaces = None;
        row.old.retain(|(_, label)| *label != WORD_END);
        if let Some(cost) = self.pauses.silence.filter(|_| key.left != silence) {
            let pdfs = self.topology.pdfs(key.left, silence);
            row.new.push(NodeArc {
                pdf: pdfs.entry.0,
                label: WORD_END,
                next: self.roots.entered(SHORTEST, silence, pdfs.again),
                cost,
            });
        }
        row
    }
}

impl Row {
    /// Its arcs and their labels as the graph holds them, in order, none marked last; the row is
    /// that of `state`, and `place` says where each row begins.
    fn packed(&self, state: u32, place: &[u32]) -> Vec<(PackedArc, u32)> {
        let again = self.again.map(|pdf| (PackedArc::new(Some(pdf.0), false, 0.0, state), 0));
        let new = self.new.iter().map(|arc| {
            let next = place[arc.next as usize];
            let packed = PackedArc::new(Some(arc.pdf), arc.label != 0, arc.cost.cost().0, next);
            (packed, arc.label)
        });
        let all = self.old.iter().copied().chain(again).chain(new);
        let mut packed: Vec<_> = all.map(|(arc, label)| (arc.opened(), label)).collect();
        packed.sort_unstable();
        packed
    }

    /// No arcs.
    fn nowhere() -> Row {
        Row {
            replaces: None,
            gateway: None,
            again: None,
            old: Vec::new(),
            new: Vec::new(),
            end: Cost::IMPOSSIBLE,
        }
    }

    /// The same row, of which each way costs more.
    fn dearer(mut self, by: Steps) -> Row {
        for (arc, label) in &mut self.old {
            let cost = arc.cost() + by.cost();
            *arc = PackedArc::new(Some(arc.pdf().0), *label != 0, cost.0, arc.next().0);
        }
        self.end = self.end + by.cost();
        self
    }

    /// Arcs, of which there is one that leads nowhere where there are none.
    fn len(&self) -> usize {
        let arcs = usize::from(self.again.is_some()) + self.old.len() + self.new.len();
        arcs.max(1)
    }
}

/// The graph with rows behind it.
fn lay_out(graph: &Graph, rows: &[Row]) -> Result<Graph, GraphError> {
    let old = graph.arcs.as_slice();
    let mut place = Vec::with_capacity(rows.len());
    let mut end = old.len();
    for row in rows {
        place.push(end as u32);
        end += row.len();
    }
    if end > ARC_LIMIT {
        return Err(GraphError::TooLarge {
            what: "arcs",
            found: end as u64,
            limit: ARC_LIMIT as u64,
        });
    }
    let mut arcs = Vec::with_capacity(end);
    let mut labels = Vec::with_capacity(end);
    arcs.extend_from_slice(old);
    labels.extend_from_slice(graph.labels.as_slice());
    let mut added = (0, graph.num_pdfs, graph.longest_row);
    for (row, &state) in rows.iter().zip(&place) {
        let mut laid = row.packed(state, &place);
        added.0 += laid.len() as u32;
        added.1 = laid.iter().fold(added.1, |most, (arc, _)| most.max(arc.pdf().0 + 1));
        added.2 = added.2.max(laid.len() as u32);
        match laid.last_mut() {
            Some((arc, _)) => *arc = arc.made_last(),
            None => laid.push((PackedArc::DEAD, 0)),
        }
        arcs.extend(laid.iter().map(|(arc, _)| *arc));
        labels.extend(laid.iter().map(|(_, label)| *label));
    }
    lead_to_new_places(&mut arcs, rows, &place);
    let (final_states, final_costs) = finals(graph, rows, &place);
    Ok(Graph {
        start: start(graph, rows, &place),
        num_pdfs: added.1,
        num_states: graph.num_states + rows.len() as u32,
        num_arcs: (graph.num_arcs.0 + added.0, graph.num_arcs.1),
        epsilon_end: graph.epsilon_end,
        longest_row: added.2,
        arcs: Section::Owned(arcs),
        labels: Section::Owned(labels),
        final_states: Section::Owned(final_states),
        final_costs: Section::Owned(final_costs),
        gateways: Section::Owned(gateways(rows, &place)),
    })
}

/// Every arc that leads to a row's old place leads to its new one.
fn lead_to_new_places(arcs: &mut [PackedArc], rows: &[Row], place: &[u32]) {
    let mut is_moved = vec![0u64; arcs.len().div_ceil(64)];
    let mut moved = HashMap::new();
    for (row, &to) in rows.iter().zip(place) {
        if let Some(from) = row.replaces {
            is_moved[from as usize / 64] |= 1 << (from % 64);
            moved.insert(from, to);
        }
    }
    for arc in arcs {
        let next = arc.next().0;
        let bits = is_moved.get(next as usize / 64).copied().unwrap_or(0);
        if bits >> (next % 64) & 1 == 1 {
            *arc = arc.with_next(moved[&next]);
        }
    }
}

/// Where utterances start.
fn start(graph: &Graph, rows: &[Row], place: &[u32]) -> u32 {
    let at = rows.iter().position(|row| row.replaces == Some(graph.start));
    at.map_or(graph.start, |at| place[at])
}

/// The gateways in their places, so that more words can be added.
fn gateways(rows: &[Row], place: &[u32]) -> Vec<Gateway> {
    let placed = |(row, &state): (&Row, &u32)| {
        let gateway = row.gateway?;
        Some(Gateway { state, ..gateway })
    };
    rows.iter().zip(place).filter_map(placed).collect()
}

/// Final states, the new ones last, and their costs.
fn finals(graph: &Graph, rows: &[Row], place: &[u32]) -> (Vec<u32>, Vec<f32>) {
    let mut states = graph.final_states.as_slice().to_vec();
    let mut costs = graph.final_costs.as_slice().to_vec();
    for (row, &state) in rows.iter().zip(place) {
        if row.end != Cost::IMPOSSIBLE {
            states.push(state);
            costs.push(row.end.0);
        }
    }
    (states, costs)
}

#[cfg(test)]
mod tests {
    use crate::graph::WordTable;
    use crate::graph::compile::compile;
    use crate::graph::lexicon::Lexicon;
    use crate::graph::ngram::{arpa::Arpa, pack::pack};

    use super::*;

    const WORDS: &str = "<eps>\n<s>\n</s>\n<unk>\nyes\nno\nso\n";
    const ARPA: &str = "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-99 <s> -0.4\n-0.5 </s>\n-0.6 yes -0.3\n-0.7 no\n-0.8 so\n\n\
        \\2-grams:\n-0.2 <s> yes\n-0.3 yes no\n\n\\end\\\n";

    fn hmm() -> Hmm {
        Hmm::open(std::path::Path::new("models/en")).unwrap()
    }

    fn compiled(lexicon: &str, arpa: &str, hmm: &Hmm) -> (Graph, CompileOptions) {
        let words = WordTable::from_reader(WORDS.as_bytes(), "words").unwrap();
        let lexicon =
            Lexicon::from_reader(lexicon.as_bytes(), "lexicon", &words, &hmm.phones).unwrap();
        let ngram =
            pack(Arpa::from_reader(arpa.as_bytes(), "arpa", &words).unwrap(), &words, 0).unwrap();
        let options = CompileOptions::default().word_penalty(Cost(0.25));
        (compile(hmm, &lexicon, &ngram, &options).unwrap(), options)
    }

    /// The cheapest cost of saying phones, one frame each, with the words put out.
    fn cheapest(graph: &Graph, hmm: &Hmm, words: &[&[&str]]) -> Option<(f64, Vec<u32>)> {
        use crate::acoustic::HmmArc;
        let id = |name: &str| PhoneId(hmm.phones.iter().position(|p| p == name).unwrap() as u32);
        let mut left = hmm.silence();
        let mut pdfs = Vec::new();
        for phone in words.iter().flat_map(|word| word.iter()) {
            pdfs.push(hmm.pdf(left, id(phone), HmmArc::Entry));
            left = id(phone);
        }
        // Dijkstra by layers: state -> (cost, words).
        type At = std::collections::BTreeMap<u32, (f64, Vec<u32>)>;
        let close = |layer: &mut At| {
            let mut queue: Vec<u32> = layer.keys().copied().collect();
            while let Some(state) = queue.pop() {
                let (cost, said) = layer[&state].clone();
                for arc in graph.epsilon_arcs(StateId(state)) {
                    let total = cost + f64::from(arc.cost.0);
                    if layer.get(&arc.next.0).is_none_or(|(known, _)| total < *known) {
                        layer.insert(arc.next.0, (total, said.clone()));
                        queue.push(arc.next.0);
                    }
                }
            }
        };
        let mut layer = At::from([(graph.start().0, (0.0, Vec::new()))]);
        close(&mut layer);
        for pdf in pdfs {
            let mut next = At::new();
            for (&state, (cost, said)) in &layer {
                for arc in graph.emitting_arcs(StateId(state)).filter(|arc| arc.pdf == Some(pdf)) {
                    let total = cost + f64::from(arc.cost.0);
                    if next.get(&arc.next.0).is_none_or(|(known, _)| total < *known) {
                        let word = arc.word();
                        let more = (word != WordId::EPSILON).then_some(word.0);
                        let said = said.iter().copied().chain(more).collect();
                        next.insert(arc.next.0, (total, said));
                    }
                }
            }
            close(&mut next);
            layer = next;
        }
        let ends = layer.into_iter().filter_map(|(state, (cost, said))| {
            let end = graph.final_cost(StateId(state));
            (end != Cost::IMPOSSIBLE).then(|| (cost + f64::from(end.0), said))
        });
        ends.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    const LEXICON: &str = "yes\tY EH S\nno\tN OW\nso\tS OW\n";

    fn own(word: u32, said: &str, cost: f32, hmm: &Hmm) -> OwnWord {
        let id = |name: &str| PhoneId(hmm.phones.iter().position(|p| p == name).unwrap() as u32);
        OwnWord { word: WordId(word), phones: said.split(' ').map(id).collect(), cost: Cost(cost) }
    }

    #[test]
    fn own_words_cost_what_they_would_if_the_graph_were_compiled_with_them() {
        let hmm = hmm();
        // `so` in the language model, and added to a graph without it at the same cost.
        let (whole, options) = compiled(LEXICON, ARPA, &hmm);
        let without = LEXICON.replace("so\tS OW\n", "");
        let (small, _) = compiled(&without, ARPA, &hmm);
        let cost = 0.8 * std::f32::consts::LN_10;
        let added = with_own_words(&small, &hmm, &[own(6, "S OW", cost, &hmm)], &options).unwrap();
        let (yes, no, so): (&[&str], &[&str], &[&str]) =
            (&["Y", "EH", "S"], &["N", "OW"], &["S", "OW"]);
        for sentence in [
            vec![so],
            vec![yes, so],
            vec![so, yes],
            vec![no, so, so],
            vec![so, no, yes, so],
            vec![yes, no],
        ] {
            let expected = cheapest(&whole, &hmm, &sentence).unwrap();
            let found = cheapest(&added, &hmm, &sentence).unwrap();
            assert!((expected.0 - found.0).abs() < 1e-3, "{sentence:?}: {expected:?} {found:?}");
            assert_eq!(expected.1, found.1, "{sentence:?}");
            if sentence.contains(&so) {
                assert_eq!(cheapest(&small, &hmm, &sentence), None);
            }
        }
    }

    #[test]
    fn a_graph_with_own_words_is_sound_and_takes_more() {
        let hmm = hmm();
        let (small, options) = compiled("yes\tY EH S\nno\tN OW\n", ARPA, &hmm);
        let mut graph = small;
        for (word, said) in [(7, "HH AA"), (8, "AA"), (9, "HH S")] {
            graph = with_own_words(&graph, &hmm, &[own(word, said, 2.0, &hmm)], &options).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.graph");
        graph.save(&path).unwrap();
        Graph::verify(&path).unwrap();
        let (ha, a): (&[&str], &[&str]) = (&["HH", "AA"], &["AA"]);
        let (hs, no): (&[&str], &[&str]) = (&["HH", "S"], &["N", "OW"]);
        let (_, said) = cheapest(&graph, &hmm, &[ha, a, a, hs, no, ha]).unwrap();
        assert_eq!(said, [7, 8, 8, 9, 5, 7]);
    }

    #[test]
    fn a_unigram_takes_words_at_its_start() {
        let hmm = hmm();
        let arpa =
            "\\data\\\nngram 1=4\n\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.6 yes\n-0.7 no\n\n\\end\\\n";
        let (graph, options) = compiled("yes\tY EH S\nno\tN OW\n", arpa, &hmm);
        let graph = with_own_words(&graph, &hmm, &[own(6, "S OW", 1.0, &hmm)], &options).unwrap();
        let (_, said) = cheapest(&graph, &hmm, &[&["S", "OW"], &["N", "OW"]]).unwrap();
        assert_eq!(said, [6, 5]);
    }

    #[test]
    fn what_cannot_be_added_is_refused() {
        let hmm = hmm();
        let (graph, options) = compiled("yes\tY EH S\nno\tN OW\n", ARPA, &hmm);
        let silence = own(6, "SIL", 1.0, &hmm);
        assert!(with_own_words(&graph, &hmm, &[silence], &options).is_err());
        let mut builder = crate::graph::GraphBuilder::new();
        let state = builder.add_state();
        builder.set_start(state);
        let other = builder.build().unwrap();
        let word = own(6, "S", 1.0, &hmm);
        let error = with_own_words(&other, &hmm, &[word], &options).unwrap_err();
        assert!(matches!(error, CompileError::NoGateways));
    }
}
