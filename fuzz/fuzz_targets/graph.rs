//! The reader of graph files: `Graph::open` checks a header, `Graph::verify` all of it; whatever
//! opens can be walked.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use paretone::graph::Graph;
use paretone::units::StateId;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let Ok(graph) = Graph::open(file.path()) else { return };
    for state in (0..graph.num_states().min(1000) as u32).map(StateId) {
        let _ = graph.final_cost(state);
        let _ = graph.emitting_arcs(state).count() + graph.epsilon_arcs(state).count();
    }
    let _ = Graph::verify(file.path());
});
