//! The reader of OpenFst files: any bytes give a graph or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::Graph;

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = Graph::from_openfst(bytes) else { return };
    for state in graph.states().take(1000) {
        let _ = graph.emitting_arcs(state).count() + graph.epsilon_arcs(state).count();
    }
});
