//! `sequester export`: a locked model as ONNX or TorchScript; results and bills of materials in the formats
//! of others.

use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::libtorch::{self, Libtorch};
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::inference::engines::Job;
use crate::interchange::{Features, program_bom};
use crate::model::lock::{self, Lock};
use crate::model::onnx::{self, Output};
use crate::model::scorer::locked_weights;
use crate::storage;
use crate::workflow::interchange;
use crate::workflow::report::find_bundle;
use crate::workflow::sharded;
use crate::workflow::study::Study;

/// Write a locked model, results or bills of materials in formats that others read.
///
///   sequester export model/ --out model.onnx                      the model, for engines that read it
///   sequester export my-study --format ml-bom --out ml-bom.json   CycloneDX 1.7: model and performance
///   sequester export my-study --format ars --out ars.json         CDISC ARS 1.0: every estimate and endpoint
///   sequester export --format sbom --out sbom.json                CycloneDX 1.7: this program's parts
///   sequester export my-study --engine slurm --out score.sbatch   the job of a score plan, one task a shard
///
/// Of a study or bundle nothing is written unless its evidence verifies (exit code 20); numbers are
/// those of results.json to the last character, and the same bundle gives the same bytes.
///
/// The model takes a batch of normalised images, [n, 3, resolution, resolution] in 32-bit floats,
/// and gives one logit an image; ONNX on request the probability. Beside it, NAME.json says which
/// lock it came from, how an image is prepared, and the threshold; an ONNX file holds the same as
/// metadata. TorchScript needs a build with libtorch; it is read back and compared with the locked
/// model before it gets its name. The locked weights themselves are in weights.safetensors.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ExportArgs {
    /// Folder of a locked model; for ml-bom and ars a study (its newest run) or a bundle; nothing for sbom.
    #[arg(value_name = "MODEL|STUDY|BUNDLE", required_unless_present = "format")]
    target: Option<PathBuf>,
    /// The file that is written, such as model.onnx, model.pt or ml-bom.json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What is written [default: onnx for a name in .onnx, else torchscript].
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Of a study with a plan of shards (score --plan): the job file for this engine.
    #[arg(long, value_name = "ENGINE", value_enum, conflicts_with = "format")]
    engine: Option<Engine>,
    /// With --engine: folder that the study's paths are relative to; with kubernetes as the tasks see it.
    #[arg(long, value_name = "DIR", requires = "engine")]
    data: Option<PathBuf>,
    /// With --engine: the folder that score --out names, where the plan lies [default: the study folder].
    #[arg(long, value_name = "DIR", requires = "engine")]
    study_out: Option<PathBuf>,
    /// With --engine kubernetes: the container image with this program.
    #[arg(long, value_name = "NAME", required_if_eq("engine", "kubernetes"))]
    image: Option<String>,
    /// With --engine kubernetes: the claim of the volume that holds the study.
    #[arg(long, value_name = "NAME", required_if_eq("engine", "kubernetes"))]
    claim: Option<String>,
    /// With --engine kubernetes: where the volume is mounted; the study's folder (and that of --study-out)
    /// lies directly in it.
    #[arg(long, value_name = "DIR", default_value = "/data", requires = "engine")]
    mount: PathBuf,
    /// What the model gives.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "logit")]
    output: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Onnx,
    Torchscript,
    MlBom,
    Sbom,
    Ars,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Slurm,
    Snakemake,
    Kubernetes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Logit,
    Probability,
}

impl ExportArgs {
    fn format(&self) -> Format {
        let named_onnx = self.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"));
        self.format.unwrap_or(if named_onnx { Format::Onnx } else { Format::Torchscript })
    }
}

/// Whether the command is for the program with libtorch.
pub fn needs_libtorch(args: &ExportArgs) -> bool {
    args.engine.is_none() && args.format() == Format::Torchscript
}

/// Runs the command.
///
/// # Errors
/// `file-exists`; [`Error::Evidence`] when a bundle does not verify; [`Error::Lock`] when there is no lock
/// or the weights are not the locked ones; `export-differs`.
pub fn run(args: &ExportArgs, context: Context) -> Result<Outcome> {
    if let Some(engine) = args.engine {
        return job(args, engine, context);
    }
    let format = args.format();
    if format == Format::Torchscript && args.output == What::Probability {
        let problem = Diagnostic::error(Code::Usage, "TorchScript gives logits alone");
        return Err(Error::usage(problem.hint("--format onnx, or take the logistic function of the logit")));
    }
    not_there(&args.out)?;
    let beside = args.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match format {
        Format::Sbom => return sbom(args, beside, context),
        Format::MlBom => return of_bundle(args, interchange::Kind::MlBom, beside, context),
        Format::Ars => return of_bundle(args, interchange::Kind::Ars, beside, context),
        Format::Onnx | Format::Torchscript => {}
    }
    let folder = target(args, "a folder of a locked model")?;
    let model = Lock::read(folder)?;
    let lock_sha256 = lock::digest(folder)?;
    storage::create_folder(beside)?;
    let (compared, words) = if format == Format::Onnx {
        as_onnx(args, folder, &model, lock_sha256)?
    } else {
        as_torchscript(args, folder, &model, beside, context.libtorch)?
    };
    let sha256 = Digest::of(&storage::read(&args.out)?);
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
        "output": match args.output {
            What::Logit =>
                "one logit an image; probability = 1 / (1 + exp(-logit)); positive at or above the threshold",
            What::Probability => "one probability an image; positive at or above the threshold",
        },
        "threshold": model.operating_point.threshold,
        "compared": compared,
    });
    let mut name = args.out.clone().into_os_string();
    name.push(".json");
    storage::write_atomic(Path::new(&name), format!("{statement:#}\n").as_bytes())?;
    if context.json {
        println!("{statement:#}");
    } else {
        println!("exported   {} (SHA-256 {sha256})", args.out.display());
        println!("from lock  {lock_sha256}");
        println!("compared   {words}");
    }
    Ok(Outcome::Done)
}

/// Nothing is written over.
fn not_there(out: &Path) -> Result<()> {
    if out.exists() {
        let problem = Diagnostic::error(Code::FileExists, "there is a file of this name");
        return Err(problem.at(Location::file(out)).hint("name another --out, or move it away").into());
    }
    Ok(())
}

/// A path as a job file holds it.
///
/// # Errors
/// `not-utf8`: a name that stands for it would be another folder.
fn text_of(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        // As JSON can say it.
        let shown = path.to_string_lossy().into_owned();
        Diagnostic::error(Code::NotUtf8, "this path is not UTF-8, and a job file would name another")
            .at(Location::file(shown))
            .hint("rename it, or name it by a link whose path is UTF-8")
            .into()
    })
}

/// A folder by its whole path, since tasks start in folders of their own. A link stays one: tasks may know
/// the folder by no other name. Where `..` leads only the file system knows.
fn whole(folder: &Path) -> Result<PathBuf> {
    let wrong = |e: std::io::Error| Error::io("look at", folder, &e);
    let path = std::path::absolute(folder).map_err(wrong)?;
    if path.components().any(|part| part == Component::ParentDir) {
        return std::fs::canonicalize(&path).map_err(wrong);
    }
    Ok(path)
}

/// Where tasks find the folders of a study.
struct TaskFolders {
    study: PathBuf,
    out: PathBuf,
    data: Option<PathBuf>,
}

impl TaskFolders {
    /// On a file system that all share.
    fn shared(folder: &Path, out: Option<&Path>, data: Option<&Path>) -> Result<Self> {
        let study = whole(folder)?;
        let out = out.map_or_else(|| Ok(study.clone()), whole)?;
        Ok(Self { study, out, data: data.map(whole).transpose()? })
    }

    /// In a container: the volume holds the study's folder, and data lie where they are said to lie.
    fn in_container(args: &ExportArgs, folder: &Path) -> Result<Self> {
        let wrong =
            |message: &str, hint: &str| Error::usage(Diagnostic::error(Code::Usage, message).hint(hint));
        for (option, name) in [("--image", &args.image), ("--claim", &args.claim)] {
            if name.as_deref().is_none_or(|name| name.trim().is_empty()) {
                return Err(wrong(&format!("{option} names nothing"), "the engine asks for a name"));
            }
        }
        let absolute = |path: &Path| {
            path.starts_with("/") && !path.components().any(|part| part == Component::ParentDir)
        };
        if !absolute(&args.mount) || text_of(&args.mount)?.contains(':') {
            let message = format!("--mount is `{}`", args.mount.display());
            return Err(wrong(&message, "give an absolute path without `..` and `:`, such as /data"));
        }
        if let Some(data) = args.data.as_deref().filter(|data| !absolute(data)) {
            let message = format!("--data is `{}`", data.display());
            return Err(wrong(&message, "give the absolute path that the tasks see, such as /data/films"));
        }
        let here = Self::shared(folder, args.study_out.as_deref(), None)?;
        let within = |path: &Path| path.file_name().map(|name| args.mount.join(name));
        let nameless = || wrong("a folder in the volume needs a name", "give the study a folder of its own");
        let study = within(&here.study).ok_or_else(nameless)?;
        let out = match here.out.strip_prefix(&here.study) {
            Ok(below) if below.as_os_str().is_empty() => study.clone(),
            Ok(below) => study.join(below),
            Err(_) => within(&here.out).ok_or_else(nameless)?,
        };
        if out == study && here.out != here.study {
            return Err(wrong(
                "the study and --study-out have one name, and would be one folder of the volume",
                "rename one of them",
            ));
        }
        Ok(Self { study, out, data: args.data.clone() })
    }
}

/// Writes the job file of a plan.
fn job(args: &ExportArgs, engine: Engine, context: Context) -> Result<Outcome> {
    not_there(&args.out)?;
    let folder = target(args, "a study")?;
    let places = match engine {
        Engine::Kubernetes => TaskFolders::in_container(args, folder)?,
        Engine::Slurm | Engine::Snakemake => {
            TaskFolders::shared(folder, args.study_out.as_deref(), args.data.as_deref())?
        }
    };
    let study = Study::open(folder, args.data.as_deref(), args.study_out.as_deref())?;
    let planned = sharded::planned(&study)?;
    let mut options = Vec::new();
    if let Some(data) = &places.data {
        options.extend(["--data".to_owned(), text_of(data)?]);
    }
    if args.study_out.is_some() {
        options.extend(["--out".to_owned(), text_of(&places.out)?]);
    }
    let job = Job {
        study: &text_of(&places.study)?,
        scores: &text_of(&study.protocol.scores.file.below(&places.out))?,
        shards_folder: &text_of(&places.out.join(sharded::FOLDER))?,
        options: &options,
        shards: planned.plan.shards,
        plan_sha256: planned.sha256,
    };
    let name = |of: &Option<String>| of.clone().unwrap_or_default();
    let text = match engine {
        Engine::Slurm => job.slurm(),
        Engine::Snakemake => job.snakemake()?,
        Engine::Kubernetes => job.kubernetes(&name(&args.image), &name(&args.claim), &text_of(&args.mount)?),
    };
    storage::write_atomic(&args.out, text.as_bytes())?;
    if context.json {
        let told = serde_json::json!({
            "format": "sequester-engine/1", "file": args.out.display().to_string(),
            "file_sha256": Digest::of(text.as_bytes()), "plan_sha256": planned.sha256,
            "shards": planned.plan.shards,
        });
        println!("{told:#}");
    } else {
        println!("exported   {}", args.out.display());
        println!("from plan  {} of {} shards", planned.sha256, planned.plan.shards);
    }
    Ok(Outcome::Done)
}

/// What is exported, where the format needs something.
fn target<'a>(args: &'a ExportArgs, what: &str) -> Result<&'a Path> {
    args.target.as_deref().ok_or_else(|| {
        Error::usage(Diagnostic::error(Code::Usage, format!("name {what} before the options")))
    })
}

/// Writes the bill of materials of this program.
fn sbom(args: &ExportArgs, beside: &Path, context: Context) -> Result<Outcome> {
    if args.target.is_some() {
        let problem =
            Diagnostic::error(Code::Usage, "sbom is about this program, and takes no model or study");
        return Err(Error::usage(problem.hint("leave the folder out, or ask for --format ml-bom")));
    }
    let program = std::env::current_exe().ok().and_then(|path| Digest::of_file(&path).ok());
    let features = Features { pdf: cfg!(feature = "pdf"), torch: cfg!(feature = "torch") };
    let bom = program_bom(features, program.map(|digest| digest.to_string()).as_deref());
    storage::create_folder(beside)?;
    written(args, "sbom", None, &bom, context)
}

/// Writes what is made of a bundle, once its evidence verifies.
fn of_bundle(args: &ExportArgs, kind: interchange::Kind, beside: &Path, context: Context) -> Result<Outcome> {
    let bundle = find_bundle(target(args, "a study or a bundle")?, None)?;
    let (root, document) = interchange::export(&bundle, kind)?;
    storage::create_folder(beside)?;
    written(args, kind.name(), Some(root), &document, context)
}

fn written(
    args: &ExportArgs,
    kind: &str,
    root: Option<Digest>,
    document: &serde_json::Value,
    context: Context,
) -> Result<Outcome> {
    let text = format!("{document:#}\n");
    storage::write_atomic(&args.out, text.as_bytes())?;
    let sha256 = Digest::of(text.as_bytes());
    if context.json {
        let told = serde_json::json!({
            "format": "sequester-interchange/1", "kind": kind, "file": args.out, "file_sha256": sha256,
            "root": root,
        });
        println!("{told:#}");
    } else {
        println!("exported   {} (SHA-256 {sha256})", args.out.display());
        if let Some(root) = root {
            println!("from       evidence with the root digest {root}, which verifies");
        }
    }
    Ok(Outcome::Done)
}

/// Writes ONNX; gives what was compared, as data and in words.
fn as_onnx(
    args: &ExportArgs,
    folder: &Path,
    model: &Lock,
    lock_sha256: Digest,
) -> Result<(serde_json::Value, String)> {
    let output = match args.output {
        What::Logit => Output::Logit,
        What::Probability => Output::Probability,
    };
    let bytes = onnx::to_bytes(model, lock_sha256, &locked_weights(model, folder)?, output)?;
    storage::write_atomic(&args.out, &bytes)?;
    let words = "the file reads back as it was written; it was not run: this program has no engine for ONNX";
    Ok((serde_json::Value::Null, words.to_owned()))
}

/// Writes TorchScript; gives what was compared, as data and in words.
fn as_torchscript(
    args: &ExportArgs,
    folder: &Path,
    model: &Lock,
    beside: &Path,
    libtorch: Option<&Libtorch>,
) -> Result<(serde_json::Value, String)> {
    let libtorch = libtorch.ok_or_else(|| {
        libtorch::missing("export --format torchscript")
            .hint(format!("write ONNX with --format onnx, or {}", libtorch::REMEDY))
    })?;
    let wrong = |e: std::io::Error| Error::io("write", &args.out, &e);
    let draft = tempfile::Builder::new().suffix(".pt").tempfile_in(beside).map_err(wrong)?;
    let (images, largest) = (libtorch.torchscript)(folder, model, draft.path())?;
    draft.as_file().sync_all().map_err(wrong)?;
    draft.persist_noclobber(&args.out).map_err(|e| wrong(e.error))?;
    let words = format!("{images} images of random intensities: logits differ by at most {largest:.1e}");
    Ok((serde_json::json!({"images": images, "largest_difference_of_a_logit": largest}), words))
}
