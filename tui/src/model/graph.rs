//! Who depends on whom, as a tree to be drawn: what is required stands above
//! those that require it.

use std::collections::{BTreeMap, BTreeSet};

/// How deep a tree is drawn: what lies deeper is told as a number.
const DEPTH_MAX: usize = 12;

/// Who requires whom: for each service that is required, those that require it.
pub type Requirers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Where a service that a branch names is drawn with what depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// Here.
    Here,
    /// Above: it requires several, and stands below each of them.
    Above,
    /// Around this branch: they require each other in a circle.
    Circle,
    /// Nowhere: it lies too deep.
    TooDeep,
}

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The service.
    pub name: String,
    /// What is drawn before it: `│  └─ `.
    pub stem: String,
    /// Where what depends on it is drawn.
    pub drawn: Drawn,
}

impl Branch {
    /// A service that has no tree.
    pub const fn alone(name: String) -> Self {
        Self { name, stem: String::new(), drawn: Drawn::Here }
    }
}

/// The trees of a fleet: first those whose root or branches `rank` lowest. Every
/// service is drawn once with all that depends on it, so that the trees are no
/// longer than there are services and requirements. What is neither required
/// nor requires anything is left out.
pub fn forest<'a>(
    requirers: &Requirers<'a>,
    required: &Requirers<'a>,
    rank: impl Fn(&str) -> u8,
) -> Vec<Branch> {
    let mut roots: Vec<&str> =
        requirers.keys().copied().filter(|name| !required.contains_key(name)).collect();
    roots.sort_by_key(|name| (rank(name), *name));
    let mut drawn = BTreeSet::new();
    let mut lines = Vec::new();
    // Those that are in no tree yet stand in circles that nothing leads into.
    let circles = requirers.keys().copied().filter(|name| required.contains_key(name));
    let mut circles: Vec<&str> = circles.collect();
    circles.sort_by_key(|name| (rank(name), *name));
    for root in roots.into_iter().chain(circles) {
        if !drawn.contains(root) {
            grow(root, requirers, &rank, &mut drawn, &mut lines);
        }
    }
    lines
}

/// The tree of one service and all that depend on it, itself first.
pub fn tree(root: &str, requirers: &Requirers<'_>) -> Vec<Branch> {
    let mut lines = Vec::new();
    grow(root, requirers, &|_| 0, &mut BTreeSet::new(), &mut lines);
    lines
}

fn grow<'a>(
    root: &'a str,
    requirers: &Requirers<'a>,
    rank: &impl Fn(&str) -> u8,
    drawn: &mut BTreeSet<&'a str>,
    lines: &mut Vec<Branch>,
) {
    let mut trunk = Trunk { requirers, rank, drawn, lines, around: Vec::new() };
    trunk.grow(root, "", "");
}

/// A tree while it is drawn.
struct Trunk<'t, 'a, R> {
    requirers: &'t Requirers<'a>,
    rank: &'t R,
    drawn: &'t mut BTreeSet<&'a str>,
    lines: &'t mut Vec<Branch>,
    /// The way from the root to here.
    around: Vec<&'a str>,
}

impl<'a, R: Fn(&str) -> u8> Trunk<'_, 'a, R> {
    /// Draws a service at `stem`, and below it, at `below`, what depends on it.
    fn grow(&mut self, name: &'a str, stem: &str, below: &str) {
        let mut above: Vec<&'a str> = self.requirers.get(name).into_iter().flatten().copied().collect();
        above.sort_by_key(|name| ((self.rank)(name), *name));
        let drawn = if self.around.contains(&name) {
            Drawn::Circle
        } else if above.is_empty() {
            Drawn::Here
        } else if self.drawn.contains(name) {
            Drawn::Above
        } else if self.around.len() >= DEPTH_MAX {
            Drawn::TooDeep
        } else {
            Drawn::Here
        };
        self.lines.push(Branch { name: name.to_owned(), stem: stem.to_owned(), drawn });
        if drawn != Drawn::Here {
            return;
        }
        self.drawn.insert(name);
        self.around.push(name);
        let last = above.len().saturating_sub(1);
        for (at, child) in above.into_iter().enumerate() {
            let (fork, line) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.grow(child, &format!("{below}{fork}"), &format!("{below}{line}"));
        }
        self.around.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(edges: &[(&str, &str)], bad: &str) -> Vec<String> {
        let (mut requirers, mut required) = (Requirers::new(), Requirers::new());
        for (from, to) in edges {
            requirers.entry(to).or_default().insert(from);
            required.entry(from).or_default().insert(to);
        }
        let rank = |name: &str| u8::from(name != bad);
        let line = |branch: Branch| {
            let mark = match branch.drawn {
                Drawn::Here => "",
                Drawn::Above => " ^",
                Drawn::Circle => " o",
                Drawn::TooDeep => " …",
            };
            format!("{}{}{mark}", branch.stem, branch.name)
        };
        forest(&requirers, &required, rank).into_iter().map(line).collect()
    }

    #[test]
    fn what_is_required_stands_above_those_that_require_it() {
        let edges = [("web", "library"), ("library", "log"), ("audit", "log"), ("audit", "db")];
        assert_eq!(drawn(&edges, ""), ["db", "└─ audit", "log", "├─ audit", "└─ library", "   └─ web"]);
        assert_eq!(drawn(&edges, "log").first().map(String::as_str), Some("log"), "the worst first");
    }

    #[test]
    fn what_stands_below_several_is_drawn_once_with_all_that_depends_on_it() {
        let edges = [("b", "a"), ("b", "z"), ("c", "b")];
        assert_eq!(drawn(&edges, ""), ["a", "└─ b", "   └─ c", "z", "└─ b ^"]);
    }

    #[test]
    fn circles_end_and_are_marked() {
        assert_eq!(drawn(&[("a", "b"), ("b", "a")], ""), ["a", "└─ b", "   └─ a o"]);
        assert_eq!(drawn(&[("a", "a")], ""), ["a", "└─ a o"]);
        assert_eq!(
            drawn(&[("a", "b"), ("b", "a"), ("a", "root")], ""),
            ["root", "└─ a", "   └─ b", "      └─ a o"]
        );
    }

    #[test]
    fn a_long_chain_is_drawn_as_far_as_it_fits() {
        let names: Vec<String> = (0..500).map(|n| format!("s{n:03}")).collect();
        let edges: Vec<(&str, &str)> =
            names.iter().zip(names.iter().skip(1)).map(|(to, from)| (from.as_str(), to.as_str())).collect();
        let lines = drawn(&edges, "");
        assert!(lines.iter().any(|line| line.ends_with(" …")));
        assert!(lines.len() <= 1_000, "{}", lines.len());
    }
}
