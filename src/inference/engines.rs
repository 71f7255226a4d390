//! The job file of a plan for engines that run many tasks: Slurm, Snakemake, Kubernetes.
//!
//! Each task is `sequester score STUDY --shard I/N`, which scores what the plan says and goes on where it was
//! killed; the last is `--gather`, which refuses whatever is missing.

use std::fmt::Write as _;

use crate::diagnostic::line::shell_word;
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
    /// Lines of a comment; a name cannot end one, since what stands behind it could be a directive.
    fn intro(&self, how: &[String]) -> String {
        let first =
            format!("Scores {} in {} shards by the plan {}.", self.study, self.shards, self.plan_sha256);
        let line = |text: &String| format!("# {}\n", text.replace(['\n', '\r'], " "));
        std::iter::once(&first).chain(how).map(line).collect()
    }

    fn command(&self) -> String {
        let mut words = vec!["score".to_owned(), shell_word(self.study)];
        words.extend(self.options.iter().map(|option| shell_word(option)));
        words.join(" ")
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
                format!("sbatch THIS, and when the array is done: sequester {command} --gather"),
                "Killed tasks go on where they stopped: sbatch --array=NUMBERS THIS.".to_owned(),
                "An array may be no larger than MaxArraySize.".to_owned(),
            ]),
        )
    }

    /// A workflow for Snakemake: one rule a shard, and one that gathers.
    pub fn snakemake(&self) -> String {
        let mut text =
            self.intro(&["snakemake --snakefile THIS --cores N --keep-going --rerun-incomplete".to_owned()]);
        let folder = python(self.shards_folder);
        let arguments: Vec<String> =
            std::iter::once(self.study.to_owned()).chain(self.options.iter().cloned()).collect();
        let listed = arguments.iter().map(|word| python(word)).collect::<Vec<_>>().join(", ");
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
            scores = python(self.scores),
        );
        text
    }

    /// An indexed job for Kubernetes. The study lies in the volume of the claim, at the path that `study`
    /// names; `mount` is where the volume is mounted.
    pub fn kubernetes(&self, image: &str, claim: &str, mount: &str) -> String {
        let name = &self.plan_sha256.to_string()[..8];
        let mut command = vec!["sequester".to_owned(), "score".to_owned(), self.study.to_owned()];
        command.extend(self.options.iter().cloned());
        command.extend(["--shard", "auto", "--workers", "1"].map(str::to_owned));
        let command = command.iter().map(|word| yaml(word)).collect::<Vec<_>>().join(", ");
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
                "kubectl apply --filename THIS, and when the job is complete: sequester {} --gather",
                self.command()
            )]),
            shards = self.shards,
            parallel = self.shards.min(50),
            image = yaml(image),
            mount = yaml(mount),
            claim = yaml(claim),
        )
    }
}

/// A text of Python.
fn python(text: &str) -> String {
    // What JSON writes is a text of Python too, as no slash is escaped there.
    serde_json::Value::from(text).to_string()
}

/// A text of YAML, which takes those of JSON.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
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
        let (slurm, snakemake) = (job.slurm(), job.snakemake());
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
        assert!(job.snakemake().contains("ARGUMENTS = [\"/data/my study's \\\"first\\\"\"]"));
        let kubernetes = job.kubernetes("image", "claim", "/data");
        assert!(kubernetes.contains("\"/data/my study's \\\"first\\\"\""), "{kubernetes}");
        let two_lines = Job { study: "a\n#SBATCH --exclusive", ..job };
        // Slurm reads directives up to the first command.
        let slurm = two_lines.slurm();
        let directives = slurm.split("\nset -eu\n").next().expect("before the commands");
        assert!(
            directives.contains("--exclusive") && !directives.contains("\n#SBATCH --exclusive"),
            "{slurm}"
        );
    }
}
