//! The job file of a plan for engines that run many tasks: Slurm, Snakemake, Kubernetes.
//!
//! Each task is `sequester score STUDY --shard I/N`, which scores what the plan says and goes on where it was
//! killed; the last is `--gather`, which refuses whatever is missing.

use std::fmt::Write as _;

use crate::diagnostic::line::{shell_word, stays_in_line};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;

/// What a job file is made from.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The study's folder as the tasks see it.
    pub study: &'a str,
    /// The score table as the tasks see it.
    pub scores: &'a str,
    /// Where the shards lie.
    pub shards_folder: &'a str,
    /// Further options of `score`, such as `--data DIR`.
    pub options: &'a [String],
    /// Shards of the plan.
    pub shards: u32,
    /// The plan.
    pub plan_sha256: Digest,
}

impl Job<'_> {
    /// Lines of a comment. A name that would leave its line is not in them: what stands behind it could be a
    /// directive or a key.
    fn intro(&self, how: &[String]) -> String {
        let study = told(self.study).unwrap_or("a study");
        let first = format!("Scores {study} in {} shards by the plan {}.", self.shards, self.plan_sha256);
        std::iter::once(&first).chain(how).map(|line| format!("# {line}\n")).collect()
    }

    fn command(&self) -> String {
        let mut words = vec!["score".to_owned(), shell_word(self.study)];
        words.extend(self.options.iter().map(|option| shell_word(option)));
        words.join(" ")
    }

    /// The command that gathers, for a comment.
    fn gathering(&self) -> String {
        let command = self.command();
        format!("sequester {} --gather", told(&command).unwrap_or("score STUDY"))
    }

    /// A batch script for `sbatch`: an array of one task a shard. `$SEQUESTER` names another program.
    pub fn slurm(&self) -> String {
        let Self { shards, .. } = self;
        let name = &self.plan_sha256.to_string()[..8];
        let command = self.command();
        format!(
            "#!/bin/sh\n{}#SBATCH --job-name=score-{name}\n#SBATCH --array=1-{shards}\n\
             #SBATCH --cpus-per-task=1\n#SBATCH --requeue\n#SBATCH --output=score-{name}-%a.log\n\
             #SBATCH --open-mode=append\nset -eu\nexec \"${{SEQUESTER:-sequester}}\" {command} \\\n    \
             --shard \"$SLURM_ARRAY_TASK_ID/{shards}\" --workers \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
            self.intro(&[
                format!("sbatch THIS, and when the array is done: {}", self.gathering()),
                "Killed tasks go on where they stopped: sbatch --array=NUMBERS THIS.".to_owned(),
                "An array may be no larger than MaxArraySize.".to_owned(),
            ]),
        )
    }

    /// A workflow for Snakemake: one rule a shard, and one that gathers.
    ///
    /// # Errors
    /// `usage` where a path of its inputs and outputs has braces, in which it sees a wildcard, or angle
    /// brackets, in which it sees a variable: it has no way to say that they are none.
    pub fn snakemake(&self) -> Result<String> {
        for path in [self.shards_folder, self.scores] {
            if path.contains(['{', '}', '<', '>']) {
                let message = "Snakemake sees wildcards in the braces or angle brackets of this path";
                let problem = Diagnostic::error(Code::Usage, message).at(Location::file(path));
                return Err(Error::usage(
                    problem.hint("rename the folder, or name it by a link without such characters"),
                ));
            }
        }
        let mut text =
            self.intro(&["snakemake --snakefile THIS --cores N --keep-going --rerun-incomplete".to_owned()]);
        let folder = quoted(self.shards_folder);
        let arguments: Vec<String> =
            std::iter::once(self.study.to_owned()).chain(self.options.iter().cloned()).collect();
        let listed = arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
        let _ = write!(
            text,
            "import os\n\nPROGRAM = os.environ.get(\"SEQUESTER\", \"sequester\")\nSHARDS = {shards}\n\
             FOLDER = {folder}\nARGUMENTS = [{listed}]\n\n\n\
             rule all:\n    input:\n        {scores},\n    default_target: True\n\n\n\
             rule shard:\n    input:\n        FOLDER + \"/plan.json\",\n    output:\n        \
             FOLDER + \"/{{shard}}/scores.csv\",\n    wildcard_constraints:\n        \
             shard=\"[0-9]{{5}}\",\n    threads: 1\n    retries: 3\n    params:\n        \
             number=lambda wildcards: int(wildcards.shard),\n    shell:\n        \
             \"{{PROGRAM:q}} score {{ARGUMENTS:q}} --shard {{params.number}}/{{SHARDS}} \
             --workers {{threads}}\"\n\n\n\
             rule gather:\n    input:\n        expand(FOLDER + \"/{{shard}}/scores.csv\", \
             shard=[f\"{{n:05d}}\" for n in range(1, SHARDS + 1)]),\n    output:\n        {scores},\n    \
             shell:\n        \"{{PROGRAM:q}} score {{ARGUMENTS:q}} --gather\"\n",
            shards = self.shards,
            scores = quoted(self.scores),
        );
        Ok(text)
    }

    /// An indexed job for Kubernetes. The study lies in the volume of the claim, at the path that `study`
    /// names; `mount` is where the volume is mounted.
    pub fn kubernetes(&self, image: &str, claim: &str, mount: &str) -> String {
        let name = &self.plan_sha256.to_string()[..8];
        let mut command = vec!["sequester".to_owned(), "score".to_owned(), self.study.to_owned()];
        command.extend(self.options.iter().cloned());
        command.extend(["--shard", "auto", "--workers", "1"].map(str::to_owned));
        // Of two dollars Kubernetes makes one, and of `$(NAME)` what its environment says.
        let command = command.iter().map(|word| quoted(&word.replace('$', "$$")));
        let command = command.collect::<Vec<_>>().join(", ");
        format!(
            "{intro}apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: score-{name}\nspec:\n  \
             completionMode: Indexed\n  completions: {shards}\n  parallelism: {parallel}\n  \
             backoffLimitPerIndex: 3\n  template:\n    spec:\n      restartPolicy: Never\n      \
             containers:\n        - name: score\n          image: {image}\n          \
             command: [{command}]\n          resources:\n            requests:\n              \
             cpu: \"1\"\n              memory: 1Gi\n          volumeMounts:\n            - name: study\n\
             \x20             mountPath: {mount}\n      volumes:\n        - name: study\n          \
             persistentVolumeClaim:\n            claimName: {claim}\n",
            intro = self.intro(&[format!(
                "kubectl apply --filename THIS, and when the job is complete: {}",
                self.gathering()
            )]),
            shards = self.shards,
            parallel = self.shards.min(50),
            image = quoted(image),
            mount = quoted(mount),
            claim = quoted(claim),
        )
    }
}

/// Whether a character stays as it is in a line of whoever reads job files: control characters and
/// separators of lines end one or are refused, and some are no characters at all.
fn is_plain(c: char) -> bool {
    stays_in_line(c.encode_utf8(&mut [0; 4])) && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text for a comment, where it stays in its line.
fn told(text: &str) -> Option<&str> {
    text.chars().all(is_plain).then_some(text)
}

/// A text in double quotes. What JSON writes is a text of YAML and of Python too, once what JSON leaves as it
/// is has been escaped in the same way.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(study: &str) -> Job<'_> {
        Job {
            study,
            scores: "/data/study/scores.csv",
            shards_folder: "/data/study/work/shards",
            options: &[],
            shards: 64,
            plan_sha256: Digest::of(b"plan"),
        }
    }

    #[test]
    fn every_engine_runs_each_shard_and_names_the_plan() {
        let job = job("/data/study");
        let plan = Digest::of(b"plan").to_string();
        let (slurm, snakemake) = (job.slurm(), job.snakemake().expect("no braces"));
        let kubernetes = job.kubernetes("registry/sequester:0.2", "study", "/data");
        for text in [&slurm, &snakemake, &kubernetes] {
            assert!(text.contains(&plan) && text.contains("64") && text.contains("--gather"), "{text}");
        }
        assert!(
            slurm.contains("#SBATCH --array=1-64\n") && slurm.contains("score /data/study \\\n"),
            "{slurm}"
        );
        assert!(snakemake.contains("{PROGRAM:q} score {ARGUMENTS:q} --shard {params.number}/{SHARDS}"));
        assert!(kubernetes.contains("completions: 64\n") && kubernetes.contains("\"--shard\", \"auto\""));
    }

    #[test]
    fn names_with_blanks_and_quotes_stay_one_word() {
        let job = job("/data/my study's \"first\"");
        assert!(job.slurm().contains("score '/data/my study'\\''s \"first\"' \\\n"), "{}", job.slurm());
        let snakemake = job.snakemake().expect("no braces");
        assert!(snakemake.contains("ARGUMENTS = [\"/data/my study's \\\"first\\\"\"]"));
        let kubernetes = job.kubernetes("image", "claim", "/data");
        assert!(kubernetes.contains("\"/data/my study's \\\"first\\\"\""), "{kubernetes}");
        let two_lines = Job { study: "a\n#SBATCH --exclusive", ..job };
        // Slurm reads directives up to the first command.
        let slurm = two_lines.slurm();
        let directives = slurm.split("\nset -eu\n").next().expect("before the commands");
        assert!(!directives.contains("--exclusive"), "{slurm}");
        assert!(slurm.contains("exec \"${SEQUESTER:-sequester}\" score 'a\n#SBATCH --exclusive'"), "{slurm}");
    }

    #[test]
    fn kubernetes_expands_nothing_in_a_name() {
        let options = ["--data".to_owned(), "/data/$$(USER)".to_owned()];
        let job = Job { options: &options, ..job("/data/$(HOSTNAME) $x") };
        let text = job.kubernetes("image", "claim", "/data/$(HOSTNAME)");
        let command = text.lines().find(|line| line.contains("command:")).expect("a command");
        assert!(
            command.contains("\"/data/$$(HOSTNAME) $$x\", \"--data\", \"/data/$$$$(USER)\""),
            "{command}"
        );
        // A path where something is mounted is taken as it is.
        assert!(text.contains("mountPath: \"/data/$(HOSTNAME)\"\n"), "{text}");
    }

    #[test]
    fn snakemake_takes_no_wildcard_for_a_folder() {
        for name in ["/data/{shard}", "/data/a{", "/data/<log>"] {
            let scores = format!("{name}/scores.csv");
            let folder = format!("{name}/work/shards");
            for job in [Job { scores: &scores, ..job(name) }, Job { shards_folder: &folder, ..job(name) }] {
                let error = job.snakemake().expect_err("refused");
                assert_eq!((error.exit_code(), error.diagnostics()[0].location.is_some()), (2, true));
            }
            // What is an argument is no pattern.
            assert!(job(name).snakemake().is_ok());
        }
    }

    /// How the text between double quotes reads: the escapes that YAML, Python and JSON share.
    fn unquoted(text: &str) -> String {
        serde_json::from_str(text).expect("one text in quotes")
    }

    /// The value behind the only place of a key.
    fn value<'t>(text: &'t str, key: &str) -> &'t str {
        let mut found = text.split('\n').filter_map(|line| line.trim_start().strip_prefix(key));
        let value = found.next().expect("there");
        assert_eq!(found.next(), None, "{key} twice");
        value.trim_start()
    }

    const HOSTILE: &str = "([ -~]|\\$\\(|[\u{1}\u{7}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{1b}\u{7f}\
                           \u{85}\u{9b}\u{a0}\u{2028}\u{2029}\u{202e}\u{feff}\
                           \u{fffe}\u{ffff}\u{1f600}]){1,9}";

    proptest! {
        /// Whatever a folder is called: the file has the lines that it has for a plain name, the keys among
        /// them, and the name is read back as it is.
        #[test]
        fn no_name_adds_a_line_or_breaks_one(name in HOSTILE) {
            let study = format!("/data/{name}");
            let plain = job("/data/study");
            let options = ["--data".to_owned(), study.clone()];
            let job = Job { options: &options, ..job(&study) };
            let lines = |text: &str| text.split('\n').count();
            // Whatever ends a line for some reader of them.
            let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'..);
            let kubernetes = job.kubernetes(&name, &name, &study);
            let snakemake = job.snakemake().expect("its folders are plain");
            for text in [&kubernetes, &snakemake] {
                let wrong = text.chars().find(|c| *c != '\n' && ends(*c) && *c < '\u{10000}');
                prop_assert_eq!(wrong, None, "{}", text);
            }
            prop_assert_eq!(lines(&kubernetes), lines(&plain.kubernetes("image", "claim", "/data")));
            prop_assert_eq!(lines(&snakemake), lines(&plain.snakemake().expect("plain")));
            let known = ["# ", "apiVersion: ", "kind: ", "metadata:", "spec:"];
            let at_start = kubernetes.split('\n').filter(|l| !l.is_empty() && !l.starts_with(' '));
            for line in at_start {
                prop_assert!(known.iter().any(|start| line.starts_with(start)), "{}", line);
            }
            for (key, expected) in [("image:", &name), ("claimName:", &name), ("mountPath:", &study)] {
                prop_assert_eq!(&unquoted(value(&kubernetes, key)), expected);
            }
            let command: Vec<String> =
                serde_json::from_str(value(&kubernetes, "command:")).expect("a list of texts");
            prop_assert_eq!(&command[2], &study.replace('$', "$$"));
            let arguments: Vec<String> =
                serde_json::from_str(value(&snakemake, "ARGUMENTS =")).expect("a list of texts");
            prop_assert_eq!(arguments, [study.as_str(), "--data", study.as_str()]);
            // Of a batch script the directives are what they are, and the name is one word behind them.
            let slurm = job.slurm();
            let directives = |text: &str| -> Vec<String> {
                let head = text.split("\nset -eu\n").next().unwrap_or_default();
                let own = head.split('\n').filter(|line| line.starts_with("#SBATCH"));
                own.map(str::to_owned).collect()
            };
            prop_assert_eq!(directives(&slurm), directives(&plain.slurm()));
            prop_assert!(slurm.contains(&shell_word(&study)));
        }
    }
}
