//! What is written by hand, beside the libraries that could take its place, in one run on this machine:
//! `cargo run --release` here prints a Markdown table of seconds an image of `model::forward`, tract and
//! candle (DenseNet121, one image of 224 x 224 at a time, the same random weights), whether they repeat their
//! own bits and how far they are from ours, and of milliseconds a page of `document::writers::html` and maud.
//!
//! Two threads are two engines, each with an image of its own; candle also divides one image between two,
//! which needs a pool of its own size: this program therefore starts itself once a size.

mod candle;
mod html;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use sequester::digest::Digest;
use sequester::model::architecture::Architecture;
use sequester::model::forward::{Forward, Maps};
use sequester::model::lock::Lock;
use sequester::model::onnx::{Output, to_bytes};
use sequester::model::random::initial_weights;
use sequester::model::weights::Weights;
use tract_onnx::prelude::{DatumExt, Framework, InferenceModelExt, IntoRunnable, Tensor, TypedRunnableModel, tvec};

const NETWORK: Architecture = Architecture::Densenet121;
const SIDE: usize = 224;
/// Of the same network; only the size of the image is another.
const LOCK: &[u8] = include_bytes!("../../../fixtures/evidence/v2/locked-model/data/model/lock.json");
const IMAGES: usize = 8;
const ROUNDS: usize = 5;
/// Images a thread and round.
const PASSES: usize = 16;

/// An engine with the network in it.
trait Engine: Clone + Send {
    fn logit(&self, image: &[f32]) -> f32;
}

impl Engine for Forward {
    fn logit(&self, image: &[f32]) -> f32 {
        Self::logit(self, Maps::from_planes(image, [3, SIDE, SIDE]))
    }
}

impl Engine for Arc<TypedRunnableModel> {
    fn logit(&self, image: &[f32]) -> f32 {
        let input = Tensor::from_shape(&[1, 3, SIDE, SIDE], image).expect("an image");
        let output = self.run(tvec!(input.into())).expect("a forward pass");
        output[0].try_as_plain_ram().expect("plain").as_slice::<f32>().expect("floats")[0]
    }
}

impl Engine for candle::Network {
    fn logit(&self, image: &[f32]) -> f32 {
        self.forward(image, SIDE).expect("a forward pass")
    }
}

/// The ONNX file that `sequester export` writes for these weights, as tract runs it.
fn tract(weights: &Weights, folder: &Path) -> Result<Arc<TypedRunnableModel>, Box<dyn Error>> {
    let mut lock = Lock::from_bytes(LOCK, Path::new("lock.json"))?;
    lock.preprocessing.resolution = u32::try_from(SIDE)?;
    let file = folder.join("model.onnx");
    std::fs::write(&file, to_bytes(&lock, Digest::of(b"lock"), weights, Output::Logit)?)?;
    let model = tract_onnx::onnx().model_for_path(&file)?;
    Ok(model.with_input_fact(0, f32::fact([1, 3, SIDE, SIDE]).into())?.into_optimized()?.into_runnable()?)
}

/// Images that differ, with values as after standardisation.
fn images() -> Vec<Vec<f32>> {
    let value = |number: usize, at: usize| ((at * (7919 + 2 * number)) % 1009) as f32 / 252.0 - 2.0;
    (0..IMAGES).map(|number| (0..3 * SIDE * SIDE).map(|at| value(number, at)).collect()).collect()
}

/// Seconds an image: of the clock, and of the processor over all threads.
#[derive(Clone, Copy)]
struct Seconds {
    clock: f64,
    processor: f64,
}

impl Seconds {
    const NONE: Self = Self { clock: f64::INFINITY, processor: f64::INFINITY };

    fn fewest(self, other: Self) -> Self {
        Self { clock: self.clock.min(other.clock), processor: self.processor.min(other.processor) }
    }
}

/// Seconds of the processor that this process has had, over all threads, to a hundredth.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}

/// Seconds an image of so many threads, with an engine each.
fn seconds<E: Engine>(engine: &E, threads: usize, images: &[Vec<f32>]) -> Seconds {
    let engines: Vec<E> = (0..threads).map(|_| engine.clone()).collect();
    let (started, had) = (Instant::now(), processor());
    std::thread::scope(|scope| {
        for engine in engines {
            scope.spawn(move || {
                for image in images.iter().cycle().take(PASSES) {
                    black_box(engine.logit(image));
                }
            });
        }
    });
    let done = (threads * PASSES) as f64;
    Seconds { clock: started.elapsed().as_secs_f64() / done, processor: (processor() - had) / done }
}

/// Whether a second pass, and one in another thread, give the same bits.
fn repeats<E: Engine>(engine: &E, images: &[Vec<f32>], first: &[f32]) -> bool {
    let same = |engine: &E| images.iter().zip(first).all(|(i, f)| engine.logit(i).to_bits() == f.to_bits());
    let other = engine.clone();
    same(engine) && std::thread::scope(|scope| scope.spawn(move || same(&other)).join()).unwrap_or(false)
}

/// Rows of the table: of all engines where the pool has one thread, of candle's pool otherwise.
fn rows(pool: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let weights = initial_weights(NETWORK, 3);
    let images = images();
    let ours = Forward::new(NETWORK, &weights)?;
    let candle = candle::Network::new(NETWORK, &weights)?;
    let mine: Vec<f32> = images.iter().map(|image| Engine::logit(&ours, image)).collect();
    if pool > 1 {
        let best = (0..ROUNDS).map(|_| seconds(&candle, 1, &images)).fold(Seconds::NONE, Seconds::fewest);
        println!("| candle-core, one image on {pool} threads | – | {} | – | – |", cell(best));
        return Ok(());
    }
    let tract = tract(&weights, folder.path())?;
    let mut best = [[Seconds::NONE; 2]; 3];
    for _ in 0..ROUNDS {
        for threads in [1, 2] {
            // Beside each other, so that whatever else the machine does meets all of them.
            let round = [
                seconds(&ours, threads, &images),
                seconds(&tract, threads, &images),
                seconds(&candle, threads, &images),
            ];
            for (best, now) in best.iter_mut().zip(round) {
                best[threads - 1] = best[threads - 1].fewest(now);
            }
        }
    }
    println!(
        "| engine | s an image (of the processor), 1 thread | 2 threads | same bits again | \
         largest difference |"
    );
    println!("|---|---|---|---|---|");
    row("model::forward", &ours, &images, &mine, best[0]);
    row("tract-onnx", &tract, &images, &mine, best[1]);
    row("candle-core", &candle, &images, &mine, best[2]);
    Ok(())
}

fn cell(of: Seconds) -> String {
    format!("{:.4} ({:.4})", of.clock, of.processor)
}

fn row<E: Engine>(name: &str, engine: &E, images: &[Vec<f32>], ours: &[f32], [one, two]: [Seconds; 2]) {
    let logits: Vec<f32> = images.iter().map(|image| engine.logit(image)).collect();
    let away = logits.iter().zip(ours).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    let size = ours.iter().map(|logit| f64::from(logit.abs())).fold(0.0, f64::max);
    let same = if repeats(engine, images, &logits) { "yes" } else { "no" };
    println!("| {name} | {} | {} | {same} | {away:.1e} of {size:.2} |", cell(one), cell(two));
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("html") => {
            html::measure();
            return Ok(());
        }
        Some(pool) => return rows(pool.parse()?),
        None => {}
    }
    for part in ["1", "2", "html"] {
        let pool = if part == "html" { "1" } else { part };
        let status =
            Command::new(std::env::current_exe()?).arg(part).env("RAYON_NUM_THREADS", pool).status()?;
        if !status.success() {
            return Err(format!("the part {part} ended with {status}").into());
        }
        println!();
    }
    Ok(())
}
