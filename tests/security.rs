//! `tests/security.md` says which test proves which requirement; here is that it says the truth.
//!
//! 1. Every number from 1 to 88 has one row, in order, and each row has a proof, or says why there is none yet.
//! 2. Every test that a row names is there, is a test, and names the number of the row in a comment. The `run` of a suite
//!    of `make soak` counts as one: those take too long for `cargo test`.
//! 3. Every test that names a number is named in the row of that number.
//!
//! What it does not see: whether a test proves what it says. Standard library only, like `tests/layers.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const LAST: u32 = 88;
/// What makes a function a test.
const TEST: [&str; 3] = ["#[test]", "#[tokio::test", "#[actix_web::test]"];
const MENTION: &str = "security.md ";
/// What a row says that has no proof, or not the whole of one.
const NOT_YET: &str = "not yet: ";

/// Path → text, as the table writes paths: below `tests/api` without that, anything else from the root.
type Sources = BTreeMap<String, String>;

/// A function of a source file, with its comments.
#[derive(Debug)]
struct Function {
    name: String,
    is_test: bool,
    numbers: BTreeSet<u32>,
}

#[test]
fn the_table_of_the_security_requirements_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::new();
    for folder in ["src", "tests"] {
        read(&root.join(folder), root, &mut sources);
    }
    let found = faults(&fs::read_to_string(root.join("tests/security.md")).unwrap(), &sources);
    assert!(found.is_empty(), "tests/security.md:\n  {}", found.join("\n  "));
}

fn read(folder: &Path, root: &Path, sources: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        // The examples of broken tables below are no tests.
        if path.is_dir() && !path.ends_with("target") {
            read(&path, root, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests/security.rs" {
            let short = name.strip_prefix("tests/api/").unwrap_or(&name);
            sources.insert(short.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

/// Everything in which table and sources do not agree.
fn faults(table: &str, sources: &Sources) -> Vec<String> {
    let rows = rows(table);
    let numbers: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let mut found = Vec::new();
    if !numbers.iter().copied().eq(1..=LAST) {
        found.push(format!("the rows are not those from 1 to {LAST}, each once and in order: {numbers:?}"));
    }
    let functions: BTreeMap<&String, Vec<Function>> =
        sources.iter().map(|(path, text)| (path, functions(path, text))).collect();
    let mut named = BTreeSet::new();
    for (number, proof) in &rows {
        let tests = named_tests(proof);
        if tests.is_empty() && !proof.contains(NOT_YET) {
            found.push(format!("{number}: neither a test nor a reason"));
        }
        for (path, name) in tests {
            let tests = functions.get(&path).into_iter().flatten();
            match tests.filter(|function| function.name == name).find(|function| function.is_test) {
                None => found.push(format!("{number}: there is no test {path}::{name}")),
                Some(test) if !test.numbers.contains(number) => {
                    found.push(format!("{number}: {path}::{name} does not say `{MENTION}{number}`"));
                }
                Some(_) => _ = named.insert((*number, path, name)),
            }
        }
    }
    for (path, functions) in functions {
        for test in functions.iter().filter(|function| function.is_test) {
            for number in &test.numbers {
                if !named.contains(&(*number, path.clone(), test.name.clone())) {
                    found.push(format!("{number}: {path}::{} says that it proves it and is not named", test.name));
                }
            }
        }
    }
    found
}

/// Number and proof of each row.
fn rows(table: &str) -> Vec<(u32, &str)> {
    table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').collect();
            let [number, _, proof] = cells.as_slice() else { return None };
            Some((number.trim().parse().ok()?, proof.trim()))
        })
        .collect()
}

/// Path and name of every test of a proof, each written `` `path::name` ``.
fn named_tests(proof: &str) -> Vec<(String, String)> {
    let quoted = proof.split('`').skip(1).step_by(2);
    quoted.filter_map(|test| test.rsplit_once("::")).map(|(path, name)| (path.to_owned(), name.to_owned())).collect()
}

/// The functions of a file. What stands above one belongs to it, and so does what follows up to the next.
fn functions(path: &str, text: &str) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    let mut above = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") || line.starts_with("#[") {
            above.push_str(line);
            above.push('\n');
            continue;
        }
        if let Some(name) = function_name(line) {
            let is_test = above.lines().any(|line| TEST.iter().any(|attribute| line.starts_with(attribute)))
                || path.starts_with("tests/soak/") && name == "run";
            functions.push(Function { name, is_test, numbers: BTreeSet::new() });
        }
        if let Some(function) = functions.last_mut() {
            function.numbers.extend(mentions(&above));
            function.numbers.extend(mentions(line));
        }
        above.clear();
    }
    functions
}

fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let only_words =
        before.split_whitespace().all(|word| word.starts_with("pub") || word == "async" || word == "const");
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (only_words && !name.is_empty()).then_some(name)
}

/// The numbers of `security.md 1`, `security.md 1 and 2`, `security.md 1, 2 and 3`.
fn mentions(text: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for (at, _) in text.match_indices(MENTION) {
        let mut rest = &text[at + MENTION.len()..];
        loop {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let Ok(number) = digits.parse() else { break };
            numbers.insert(number);
            rest = &rest[digits.len()..];
            match rest.strip_prefix(", ").or_else(|| rest.strip_prefix(" and ")) {
                Some(more) => rest = more,
                None => break,
            }
        }
    }
    numbers
}

/// The faults of a table whose first rows are these; the others have a reason.
fn faults_of(first: &[&str], source: &str) -> Vec<String> {
    let rest = (first.len() + 1..=LAST as usize).map(|number| format!("| {number} | x | {NOT_YET}none |"));
    let lines: Vec<String> = first.iter().map(|row| (*row).to_owned()).chain(rest).collect();
    faults(&lines.join("\n"), &Sources::from([("a.rs".to_owned(), source.to_owned())]))
}

const GOOD: &str = "//! A file.\n\n/// security.md 1: it holds.\n#[test]\nfn it_holds() {\n    // security.md 2 and 3\n}\n\
                    /// No test.\nfn helper() {}\n";
const ROWS: [&str; 3] =
    ["| 1 | x | `a.rs::it_holds` |", "| 2 | x | `a.rs::it_holds` |", "| 3 | x | `a.rs::it_holds` |"];

#[test]
fn a_true_table_has_no_faults() {
    assert_eq!(faults_of(&ROWS, GOOD), Vec::<String>::new());
    let asynchronous = GOOD.replace("#[test]\nfn", "#[tokio::test(flavor = \"multi_thread\")]\nasync fn");
    assert_eq!(faults_of(&ROWS, &asynchronous), Vec::<String>::new());
}

#[test]
fn a_test_that_is_gone_is_missed() {
    let renamed = faults_of(&ROWS, &GOOD.replace("it_holds", "it_still_holds"));
    assert!(renamed[0].contains("1: there is no test a.rs::it_holds"), "{renamed:?}");
    assert!(renamed.last().unwrap().contains("3: a.rs::it_still_holds says that it proves it"), "{renamed:?}");
    let disarmed = faults_of(&ROWS, &GOOD.replace("#[test]\n", ""));
    assert_eq!(disarmed.len(), 3, "{disarmed:?}");
    let elsewhere = faults_of(&["| 1 | x | `b.rs::it_holds`, `a.rs::it_holds` |", ROWS[1], ROWS[2]], GOOD);
    assert_eq!(elsewhere, ["1: there is no test b.rs::it_holds"]);
}

#[test]
fn table_and_comments_must_agree() {
    let unsaid = faults_of(&[ROWS[0], ROWS[1], ROWS[2], "| 4 | x | `a.rs::it_holds` |"], GOOD);
    assert_eq!(unsaid, ["4: a.rs::it_holds does not say `security.md 4`"]);
    let unnamed = faults_of(&["| 1 | x | not yet: nothing |", ROWS[1], ROWS[2]], GOOD);
    assert_eq!(unnamed, ["1: a.rs::it_holds says that it proves it and is not named"]);
}

#[test]
fn every_number_has_one_row_with_a_proof_or_a_reason() {
    assert_eq!(faults_of(&["| 1 | x | |"], ""), ["1: neither a test nor a reason"]);
    for wrong in [&["| 1 | x | not yet: x |", "| 1 | x | not yet: x |"][..], &["| 2 | x | not yet: x |"]] {
        let found = faults_of(wrong, "");
        assert!(found[0].contains("each once and in order"), "{found:?}");
    }
}
