//! Reads and writes OpenFst's binary files.
