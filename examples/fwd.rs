use sequester::model::architecture::Architecture;
use sequester::model::forward::{Forward, Maps};
use sequester::model::random::initial_weights;
fn main() {
    let arch = if std::env::args().nth(1).as_deref() == Some("e") {
        Architecture::ALL[1]
    } else {
        Architecture::ALL[0]
    };
    let f = Forward::new(arch, &initial_weights(arch, 1)).unwrap();
    let planes: Vec<f32> = (0..3 * 224 * 224).map(|i| ((i * 7919) % 1000) as f32 / 1000.0).collect();
    for _ in 0..3 {
        f.logit(Maps::from_planes(&planes, [3, 224, 224]));
    }
    let n: usize = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(100);
    let mut best = f64::MAX;
    let t = std::time::Instant::now();
    for _ in 0..n {
        let t = std::time::Instant::now();
        std::hint::black_box(f.logit(Maps::from_planes(&planes, [3, 224, 224])));
        best = best.min(t.elapsed().as_secs_f64());
    }
    println!("{arch}: mean {:.2} ms best {:.2} ms", t.elapsed().as_secs_f64() * 1e3 / n as f64, best * 1e3);
}
