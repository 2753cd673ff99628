#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sekisho::properties::credential(text));
