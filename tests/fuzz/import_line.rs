#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sekisho::properties::import_line(text));
