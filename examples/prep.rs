use sequester::dataset::image;
use sequester::model::preprocessing::{Filter, Preprocessing};
use std::time::Instant;
fn main() {
    let p =
        Preprocessing { resolution: 224, filter: Filter::TriangleAntialiased, mean: [0.5; 3], std: [0.5; 3] };
    let files: Vec<_> = std::env::args().skip(1).map(std::path::PathBuf::from).collect();
    let bytes: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    let (mut d, mut r) = (f64::MAX, f64::MAX);
    for _ in 0..8 {
        let t = Instant::now();
        for (f, b) in files.iter().zip(&bytes) {
            std::hint::black_box(image::from_bytes(b, f).unwrap());
        }
        d = d.min(t.elapsed().as_secs_f64());
        let t = Instant::now();
        for i in &all {
            std::hint::black_box(p.plane(i));
        }
        r = r.min(t.elapsed().as_secs_f64());
    }
    println!("decode {:.3} ms, resize {:.3} ms", d * 1e3 / files.len() as f64, r * 1e3 / files.len() as f64);
}
