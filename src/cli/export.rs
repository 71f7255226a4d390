//! `sequester export`: a locked model as TorchScript.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Outcome};
use crate::diagnostic::Result;

/// Write a locked model as TorchScript, for engines that read it.
///
/// The module's forward takes a batch of normalised images, [n, 3, resolution, resolution] in 32-bit floats, and gives one
/// logit an image. It is read back and compared with the locked model before it gets its name. Beside it, NAME.json says
/// which lock it came from, how an image is prepared, and the threshold. The locked weights themselves are in
/// weights.safetensors.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder of a locked model.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The file that is written, such as model.pt.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[cfg(not(feature = "torch"))]
pub fn run(_: &ExportArgs, _: Context) -> Result<Outcome> {
    Err(super::torch_missing("export").into())
}

/// Runs the command.
///
/// # Errors
/// `file-exists`; [`crate::diagnostic::Error::Lock`] when there is no lock or the weights are not the locked ones;
/// `export-differs`.
#[cfg(feature = "torch")]
pub fn run(args: &ExportArgs, context: Context) -> Result<Outcome> {
    use crate::diagnostic::{Diagnostic, Error, Location};
    use crate::digest::Digest;
    use crate::model::lock::{self, Lock};
    use crate::model::torch::torchscript;
    use crate::storage;

    if args.out.exists() {
        let problem = Diagnostic::error("file-exists", "there is a file of this name");
        return Err(problem.at(Location::file(&args.out)).hint("name another --out, or move it away").into());
    }
    let model = Lock::read(&args.model)?;
    let lock_sha256 = Digest::of(&storage::read(&args.model.join(lock::FILE))?);
    let beside = args.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    storage::create_folder(beside)?;
    let wrong = |e: std::io::Error| Error::io("write", &args.out, &e);
    let draft = tempfile::Builder::new().suffix(".pt").tempfile_in(beside).map_err(wrong)?;
    let agreement = torchscript(&args.model, &model, draft.path())?;
    let sha256 = Digest::of(&storage::read(draft.path())?);
    draft.as_file().sync_all().map_err(wrong)?;
    draft.persist_noclobber(&args.out).map_err(|e| wrong(e.error))?;
    let statement = serde_json::json!({
        "format": "sequester-export/1",
        "file_sha256": sha256,
        "lock_sha256": lock_sha256,
        "weights_sha256": model.weights.sha256,
        "architecture": model.architecture,
        "input": {
            "shape": ["n", 3, model.preprocessing.resolution, model.preprocessing.resolution],
            "preprocessing": model.preprocessing,
        },
        "output": "one logit an image; probability = 1 / (1 + exp(-logit)); positive at or above the threshold",
        "threshold": model.operating_point.threshold,
        "compared": {"images": agreement.images, "largest_difference_of_a_logit": agreement.largest},
    });
    let mut name = args.out.clone().into_os_string();
    name.push(".json");
    storage::write_atomic(std::path::Path::new(&name), format!("{statement:#}\n").as_bytes())?;
    if context.json {
        println!("{statement:#}");
    } else {
        println!("exported   {} (SHA-256 {sha256})", args.out.display());
        println!("from lock  {lock_sha256}");
        println!(
            "compared   {} images of random intensities: logits differ by at most {:.1e}",
            agreement.images, agreement.largest
        );
    }
    Ok(Outcome::Done)
}
