//! What an attacker sends: bodies, heads and whole connections that no client of ours would make.

mod bodies;
mod connections;
mod heads;

/// The beginning of an object of so many members.
fn members(count: u32) -> String {
    let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":1,")).collect();
    format!("{{{}", members.concat())
}
