//! `--short`: one small round of everything, which shows that a benchmark still
//! runs. Its figures mean nothing.

/// `full`, or `short` when the benchmark was started with `--short`.
pub fn or_short<T>(full: T, short: T) -> T {
    if std::env::args().any(|argument| argument == "--short") { short } else { full }
}
