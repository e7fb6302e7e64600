//! The reader of OpenFst files: any bytes give a graph or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::Graph;
use paretone::units::StateId;

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = Graph::from_openfst(bytes) else { return };
    for state in (0..graph.num_states().min(1000) as u32).map(StateId) {
        let _ = graph.emitting_arcs(state).count() + graph.epsilon_arcs(state).count();
    }
});
