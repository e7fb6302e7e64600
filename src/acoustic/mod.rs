//! How likely is each pdf? The network and its scores.
