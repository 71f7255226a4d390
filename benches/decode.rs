//! Images decoded a second on one thread: one line of JSON a kind of file; `benches/decode.sh` runs it beside
//! its peers. Argument: a folder with a folder a kind. `stored` before it: the stored values of each DICOM
//! file instead, one line of JSON a file, or why there are none; `scripts/decoders.sh` compares them with
//! those of others.

use std::path::{Path, PathBuf};
use std::time::Instant;

use sequester::imaging::{dicom, image};

/// CPU seconds of the process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |place: usize| fields.get(place).and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN);
    // utime and stime, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn stored(folder: &Path) {
    for file in entries(folder).iter().flat_map(|kind| entries(kind)) {
        if file.extension().is_none_or(|end| end != "dcm") {
            continue;
        }
        let line = match dicom::stored(&file) {
            Ok(stored) => serde_json::json!({ "file": file, "values": stored.values }),
            Err(error) => {
                let problem = error.diagnostics().remove(0);
                serde_json::json!({ "file": file, "code": problem.code, "message": problem.message })
            }
        };
        println!("{line}");
    }
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let folder = arguments.pop().expect("a folder");
    if arguments == ["stored"] {
        return stored(Path::new(&folder));
    }
    for kind in entries(Path::new(&folder)).into_iter().filter(|path| path.is_dir()) {
        let files = entries(&kind);
        image::load(&files[0]).expect("decodes");
        let (started, spent, mut count) = (Instant::now(), cpu(), 0_u32);
        while started.elapsed().as_secs_f64() < 1.5 {
            for path in &files {
                image::load(path).expect("decodes");
            }
            count += files.len() as u32;
        }
        let (wall, spent) = (started.elapsed().as_secs_f64(), cpu() - spent);
        let what = kind.file_name().unwrap_or_default().to_string_lossy();
        let line = serde_json::json!({
            "what": what,
            "who": "Sequester",
            "images_a_second": f64::from(count) / wall,
            "core_seconds": spent / f64::from(count),
        });
        println!("{line}");
    }
}
