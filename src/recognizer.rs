//! The whole pipeline behind one call: a model directory in, words out.
