//! The rules of the source tree, read from its text. Standard library only, so that it runs in milliseconds.
//!
//! 1. A module imports only modules that stand above it in `src/lib.rs`: that list is the ranking.
//! 2. A feature is reached through its door alone: never through its `model`, `store`, `service` or `http`.
//! 3. Inside a feature imports go http → service → store → model.
//! 4. One path a line: no `use crate::{…}`.
//! 5. SQL (`sqlx::query…`) is in stores only, and in `db.rs`.
//! 6. No file has more than 300 lines.
//!
//! What it does not see: paths built by macros, and names that a door hands on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Where a feature's files stand, lowest first.
const INNER_RANKS: [&str; 4] = ["model", "store", "service", "http"];
/// The file with SQL of its own besides the stores.
const SQL_FILES: [&str; 1] = ["db.rs"];
const LONGEST_FILE: usize = 300;

/// Path below `src` → text.
type Tree = BTreeMap<String, String>;

#[test]
fn the_source_keeps_its_rules() {
    let mut tree = Tree::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&source, &source, &mut tree);
    assert!(tree.len() > 1, "no source under {}", source.display());
    let found = violations(&tree);
    let mut list = String::new();
    for line in &found {
        writeln!(list, "  {line}").unwrap();
    }
    assert!(found.is_empty(), "the source breaks its own rules:\n{list}");
}

/// The README shows the same ranks to whoever reads the source first.
#[test]
fn the_readme_lists_the_modules_in_their_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, map) = readme.split_once("\nsrc/lib.rs ").unwrap();
    let (map, _) = map.split_once("\nmigrations/").unwrap();
    let names = map.lines().skip(1).flat_map(|line| line.trim().split("  ").next().unwrap().split(' '));
    let mut order = ranking(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    // Of the tests alone.
    order.retain(|module| module != "properties");
    assert_eq!(names.collect::<Vec<_>>(), order);
}

fn read(folder: &Path, source: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, source, tree);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(source).unwrap().to_str().unwrap().replace('\\', "/");
            tree.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every broken rule, as `file:line: what`.
fn violations(tree: &Tree) -> Vec<String> {
    let order = ranking(tree.get("lib.rs").map_or("", String::as_str));
    let mut found = Vec::new();
    for (file, text) in tree {
        let code = code_lines(text);
        if text.lines().count() > LONGEST_FILE {
            found.push(format!("{file}:{}: more than {LONGEST_FILE} lines", LONGEST_FILE + 1));
        }
        for (number, line) in code.iter().enumerate() {
            let mut report = |what: String| found.push(format!("{file}:{}: {what}", number + 1));
            if line.contains("sqlx::query") && !may_hold_sql(file) {
                report("SQL outside of a store".to_owned());
            }
            if file != "main.rs" && file != "lib.rs" {
                for path in paths_in(line) {
                    check_path(file, &path, &order, &mut report);
                }
            }
        }
    }
    for module in modules_of(tree) {
        if !order.contains(&module) {
            found.push(format!("{module}: not in the list of src/lib.rs"));
        }
    }
    found
}

/// The modules in the order of `lib.rs`, lowest first.
fn ranking(lib: &str) -> Vec<String> {
    let module = |line: &str| {
        let line = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    code_lines(lib).iter().filter_map(|line| module(line)).collect()
}

/// The modules that the tree has files of.
fn modules_of(tree: &Tree) -> Vec<String> {
    let mut modules: Vec<_> = tree.keys().map(|file| module_of(file).to_owned()).collect();
    modules.dedup();
    modules.retain(|module| module != "lib" && module != "main");
    modules
}

fn module_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// `http` of `sign_in/http.rs` and of `sign_in/http/password.rs`.
fn inner_of(file: &str) -> Option<&str> {
    let inner = file.split('/').nth(1)?;
    Some(inner.strip_suffix(".rs").unwrap_or(inner))
}

fn may_hold_sql(file: &str) -> bool {
    file.ends_with("/store.rs") || file.contains("/store/") || SQL_FILES.contains(&file)
}

/// The lines without comments and without what strings say, so that prose breaks no rule.
fn code_lines(text: &str) -> Vec<String> {
    let mut inside = false;
    text.lines()
        .map(|line| {
            let mut code = String::new();
            let mut characters = line.chars().peekable();
            while let Some(character) = characters.next() {
                match character {
                    '\\' if inside => {
                        characters.next();
                    }
                    // A character literal of the quote itself opens nothing.
                    '"' if !code.ends_with('\'') || characters.peek() != Some(&'\'') => inside = !inside,
                    '/' if !inside && characters.peek() == Some(&'/') => break,
                    _ if !inside => code.push(character),
                    _ => {}
                }
            }
            code
        })
        .collect()
}

/// Every `crate::…` and `super::…` path of a line, as its segments.
fn paths_in(line: &str) -> Vec<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = ["crate::", "super::"].iter().flat_map(|start| line.match_indices(start));
    starts
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| word(c) || c == ':'))
        .map(|(at, _)| {
            let path = line[at..].split(|c: char| !word(c) && c != ':' && c != '{' && c != '*').next();
            path.unwrap_or_default().split("::").map(str::to_owned).collect()
        })
        .collect()
}

fn check_path(file: &str, path: &[String], order: &[String], report: &mut impl FnMut(String)) {
    let shown = path.join("::");
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    if supers > 0 {
        // From `feature/http.rs` one `super` is the feature, from `feature/http/password.rs` two are, and from
        // `feature/mod.rs` or `module.rs` one is the crate.
        let depth = file.trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').count();
        if supers + 1 == depth {
            check_inner(file, path.get(supers), &shown, report);
        } else if supers >= depth && path.get(supers).is_some_and(|module| order.contains(module)) {
            report(format!("`{shown}` leaves its module: write `crate::`"));
        }
        return;
    }
    let Some(target) = path.get(1) else { return };
    if target.contains('{') || target.contains('*') {
        return report(format!("`{shown}` imports several modules at once: one path a line"));
    }
    let own = module_of(file);
    if target == own {
        return check_inner(file, path.get(2), &shown, report);
    }
    let rank = |module: &str| order.iter().position(|other| other == module);
    match (rank(own), rank(target)) {
        (Some(own_rank), Some(target_rank)) if target_rank > own_rank => {
            report(format!("`{own}` imports `{target}`, which stands below it in lib.rs"));
        }
        (_, None) => report(format!("`{shown}`: `{target}` is not in the list of src/lib.rs")),
        _ => {}
    }
    if path.get(2).is_some_and(|inner| INNER_RANKS.contains(&inner.as_str())) {
        report(format!("`{shown}` passes by the door of `{target}`"));
    }
}

fn check_inner(file: &str, target: Option<&String>, shown: &str, report: &mut impl FnMut(String)) {
    let rank = |inner: &str| INNER_RANKS.iter().position(|other| *other == inner);
    let own = inner_of(file).and_then(rank);
    if let (Some(own), Some(target)) = (own, target.and_then(|target| rank(target)))
        && target > own
    {
        report(format!("`{shown}` climbs from {} to {}", INNER_RANKS[own], INNER_RANKS[target]));
    }
}

/// The faults of one file in a crate of four modules, two of them features.
fn faults_of(file: &str, text: &str) -> Vec<String> {
    let lib = "pub mod clock;\npub mod db;\n// mod hidden;\npub mod accounts;\nmod sign_in;\n";
    let mut tree = Tree::new();
    for (name, text) in [("lib.rs", lib), ("main.rs", "fn main() {}"), (file, text)] {
        tree.insert(name.to_owned(), text.to_owned());
    }
    violations(&tree)
}

fn assert_fault(file: &str, text: &str, fault: &str) {
    let found = faults_of(file, text);
    assert_eq!(found.len(), 1, "{file} `{text}`: {found:?}");
    assert!(found[0].contains(fault), "{found:?}");
}

#[test]
fn imports_down_the_ranks_are_allowed() {
    let good = [
        ("sign_in/service.rs", "use crate::accounts::Account;\nuse crate::clock::now;\nuse super::store;"),
        ("sign_in/mod.rs", "mod store;\npub use store::x;\nuse crate::sign_in::http::routes;"),
        ("sign_in/http/password.rs", "use super::super::service::go;\nuse super::Body;"),
        ("clock.rs", "mod tests { use super::*; }"),
        ("accounts/service.rs", "// crate::sign_in is named in prose\nlet x = \"crate::sign_in\";"),
        ("accounts/service.rs", "let quote = '\"';\nuse crate::db::Db;"),
        ("accounts/store.rs", "sqlx::query!(\"SELECT 1\")"),
        ("accounts/store/rows.rs", "sqlx::query_as!(Row, \"SELECT 1\")"),
        ("db.rs", "sqlx::query(\"SELECT 1\")"),
    ];
    for (file, text) in good {
        assert_eq!(faults_of(file, text), Vec::<String>::new(), "{file} `{text}`");
    }
}

#[test]
fn imports_up_the_ranks_are_found() {
    assert_fault("accounts/service.rs", "use crate::sign_in::start;", "stands below");
    assert_fault("db.rs", "fn f() { crate::accounts::lock() }", "stands below");
    assert_fault("clock.rs", "pub(crate) use crate::db::Db;", "stands below");
    assert_fault("clock.rs", "let quote = '\"'; crate::db::open();", "stands below");
}

#[test]
fn passing_by_a_door_is_found() {
    assert_fault("sign_in/service.rs", "use crate::accounts::store::find;", "passes by the door");
    assert_fault("sign_in/store.rs", "use crate::accounts::model::Account;", "passes by the door");
}

#[test]
fn climbing_inside_a_feature_is_found() {
    assert_fault("accounts/store.rs", "use super::service::x;", "climbs from store to service");
    assert_fault("accounts/model.rs", "use crate::accounts::http::Body;", "climbs from model to http");
    assert_fault("accounts/service/open.rs", "use super::super::http::x;", "climbs from service to http");
}

#[test]
fn other_faults_are_found() {
    assert_fault("accounts/mod.rs", "use crate::{clock, db};", "several modules");
    assert_fault("accounts/mod.rs", "use crate::*;", "several modules");
    assert_fault("accounts/mod.rs", "use super::clock;", "leaves its module");
    assert_fault("accounts/http.rs", "sqlx::query!(\"SELECT 1\")", "SQL outside");
    assert_fault("accounts/mod.rs", "use crate::hidden::x;", "not in the list");
    assert_fault("hidden.rs", "", "not in the list");
    assert_fault("clock.rs", &"\n".repeat(301), "more than 300");
}
