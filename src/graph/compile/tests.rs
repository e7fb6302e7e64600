//! tmp
use super::literal::*;
use super::*;
use crate::units::PhoneId;
use std::collections::HashMap;
use std::time::Instant;
#[test]
#[ignore]
fn synth() {
    let words: HashMap<String, u32> = std::fs::read_to_string("/work/tmp/lm/words.txt")
        .unwrap()
        .lines()
        .enumerate()
        .map(|(i, w)| (w.into(), i as u32))
        .collect();
    let mut phones: Vec<String> = vec!["SIL".into(), "SPN".into()];
    let mut prons = vec![];
    for line in std::fs::read_to_string("/work/tmp/lm/lexicon.txt")
        .unwrap()
        .lines()
    {
        let (w, p) = line.split_once('\t').unwrap();
        let Some(&w) = words.get(w) else { continue };
        let ph = p
            .split(' ')
            .map(|p| {
                let i = phones.iter().position(|x| x == p).unwrap_or_else(|| {
                    phones.push(p.into());
                    phones.len() - 1
                });
                PhoneId(i as u32)
            })
            .collect();
        prons.push(Pronunciation {
            phones: ph,
            word: WordId(w),
            cost: Steps::FREE,
        });
    }
    let arpa = std::env::var("ARPA").unwrap_or("/work/tmp/compile/synth.arpa".into());
    let mut grams = vec![];
    let mut n = 0;
    for line in std::fs::read_to_string(arpa).unwrap().lines() {
        if line.starts_with('\\') {
            n = line[1..2].parse().unwrap_or(0);
            continue;
        }
        if n == 0 || line.is_empty() {
            continue;
        }
        let mut f = line.split('\t');
        let c: f32 = f.next().unwrap().parse().unwrap();
        let w: Vec<u32> = f.next().unwrap().split(' ').map(|w| words[w]).collect();
        let b: f32 = f.next().map_or(0.0, |b| b.parse().unwrap());
        grams.push((w, -c * 2.302585, -b * 2.302585));
    }
    let t = Instant::now();
    let model = LiteralModel::new(3, &grams);
    drop(grams);
    println!("model {:?} states {}", t.elapsed(), model.num_states());
    let n = phones.len() as u32;
    println!("{n} phones, {} prons", prons.len());
    let hash = |x: u32| xxhash_rust::xxh3::xxh3_64(&x.to_le_bytes());
    // 2000 of 3362: tie left contexts into about 24 classes per phone
    let top = topology(n, 4096, |l, p, a| {
        if p == 0 {
            a
        } else {
            2 + (p * 24 + (hash(l * 64 + p) % 24) as u32) * 2 + a
        }
    });
    let t = Instant::now();
    let (g, r) = assemble(&top, prons, &model, &CompileOptions::default()).unwrap();
    println!("{:?} {r:?}", t.elapsed());
    println!(
        "states {} arcs {:?} finals {}",
        g.num_states(),
        g.num_arcs(),
        g.num_final()
    );
    let t = Instant::now();
    g.save(std::path::Path::new("/work/tmp/compile/synth.graph"))
        .unwrap();
    println!("save {:?}", t.elapsed());
}
