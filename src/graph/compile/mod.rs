//! Compiles the decoding graph.
