#![no_main]
#![allow(dead_code, unused_imports, reason = "each target makes one of the checks")]

#[path = "../checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::yaml(data));
