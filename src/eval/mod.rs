//! What did it cost and miss? Word error rate and corpora.
