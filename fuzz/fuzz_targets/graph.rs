//! The reader of graph files: `Graph::open` checks a header, `Graph::verify` all of it; whatever
//! opens can be walked.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use paretone::graph::Graph;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let Ok(graph) = Graph::open(file.path()) else { return };
    for state in graph.states().take(1000) {
        let _ = graph.final_cost(state);
        let _ = graph.emitting_arcs(state).count() + graph.epsilon_arcs(state).count();
    }
    let _ = Graph::verify(file.path());
});
