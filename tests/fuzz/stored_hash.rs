#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sekisho::properties::stored_hash(text));
