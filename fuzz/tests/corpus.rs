//! Every target over its corpus and over a few thousand inputs that are bent from it, the same in each run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::{collections::BTreeSet, fs, panic, path::Path};

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use tenantry_fuzz::{TARGETS, Target};

/// How many inputs each target gets that are in no file.
const BENT: usize = 2_000;
const MAX_BYTES: usize = 4096;

/// What is put in: pieces that mean something to one reader or another.
const PIECES: [&[u8]; 25] = [
    b"\0",
    b"\n",
    b"\r\n",
    b";",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"+",
    b",",
    b":",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\u0000",
    b"\\\\u0000",
    b"\xff",
    b"\xe2\x80\xae",
    b"Bearer ",
    b"__Host-tenantry_session=",
    b"v1=",
    b"t=1800000000,",
    b"state=",
];

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn below(random: &mut StdRng, end: usize) -> usize {
    random.random_range(0..end.max(1))
}

/// Something like one of the seeds.
fn bend(seeds: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = seeds[below(random, seeds.len())].clone();
    for _ in 0..=below(random, 4) {
        let (from, to) = (below(random, input.len() + 1), below(random, input.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match below(random, 7) {
            0 if from < input.len() => input[from] ^= 1 << below(random, 8),
            1 => drop(input.drain(from..to)),
            2 => {
                let again = input[from..to].to_vec();
                drop(input.splice(to..to, again));
            }
            3 => {
                let piece = PIECES[below(random, PIECES.len())];
                drop(input.splice(from..from, piece.iter().copied()));
            }
            4 => {
                let other = &seeds[below(random, seeds.len())];
                let start = below(random, other.len() + 1);
                drop(input.splice(from..to, other[start..].iter().copied()));
            }
            5 => input.truncate(to),
            _ => {
                let mut noise = vec![0; below(random, 16)];
                random.fill_bytes(&mut noise);
                drop(input.splice(from..from, noise));
            }
        }
        input.truncate(MAX_BYTES);
    }
    input
}

fn try_it(target: &Target, input: &[u8]) {
    if panic::catch_unwind(|| (target.run)(input)).is_err() {
        panic!("{} with {:?}", target.name, String::from_utf8_lossy(input));
    }
}

#[test]
fn nothing_that_strangers_send_breaks_a_promise() {
    for target in TARGETS {
        let seeds = corpus(target.name);
        assert!(seeds.len() >= 3, "{} has too few seeds", target.name);
        for seed in &seeds {
            try_it(target, seed);
        }
        let mut random = StdRng::seed_from_u64(17);
        for _ in 0..BENT {
            try_it(target, &bend(&seeds, &mut random));
        }
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folders: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(folders, targets);
}
