//! Sharded scoring on engines that exist: Slurm on one node, Snakemake, and a manifest that Kubernetes takes.
//! A wrapper kills ten tasks at random moments; the table is that of one process all the same.
//!
//! `SEQUESTER_SHARDS=64` runs that many shards; by default it is fewer, since an engine takes its time.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sequester::digest::Digest;

use crate::locked_model::study as with_model;
use crate::support::{Study, sequester};

fn shards() -> u32 {
    std::env::var("SEQUESTER_SHARDS").ok().and_then(|n| n.parse().ok()).unwrap_or(16)
}

/// A program of `.deps/engines`, or the word that the test is skipped.
fn engine(test: &str, name: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".deps/engines/bin").join(name);
    if !program.is_file() {
        eprintln!("{test}: skipped, there is no {name} (scripts/setup-engines.sh)");
        return None;
    }
    Some(program)
}

/// A study with its plan and the job file, and a program that is killed in ten shards the first time.
fn planned(engine: &str) -> (Study, PathBuf, PathBuf) {
    let study = with_model();
    let count = shards().to_string();
    let ran = study.run("score", &["--plan", &count]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let job = study.file(engine);
    let folder = study.path().to_str().expect("UTF-8");
    let ran = sequester(&["export", folder, "--engine", engine, "--out", job.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // At which moment each is killed follows from the plan; how far it is by then, nobody knows.
    let plan = Digest::of(study.read("work/shards/plan.json").as_bytes()).to_string();
    let numbers: Vec<u32> = plan.bytes().filter_map(|c| char::from(c).to_digit(16)).collect();
    let mut victims: Vec<u32> = Vec::new();
    for pair in numbers.windows(2) {
        let shard = (pair[0] * 16 + pair[1]) % shards() + 1;
        if victims.len() < 10 && !victims.contains(&shard) {
            victims.push(shard);
        }
    }
    assert_eq!(victims.len(), 10);
    let moments =
        victims.iter().zip(&numbers).map(|(shard, n)| format!("{shard}) moment=0.{:02};;", 2 * n + 1));
    let wrapper = study.file("sometimes-killed");
    let text = format!(
        "#!/bin/sh\n# The first time that one of these shards runs, it is killed.\nshard= ; next=\n\
         for word in \"$@\"; do [ -n \"$next\" ] && shard=${{word%%/*}}; next=; \
         [ \"$word\" = --shard ] && next=1; done\nmoment=\ncase $shard in {} esac\n\
         if [ -n \"$moment\" ] && mkdir '{}/killed-'\"$shard\" 2>/dev/null; then\n    \
         '{program}' \"$@\" &\n    sleep $moment\n    kill -KILL $! 2>/dev/null\n    wait $!\n    exit 137\n\
         fi\nexec '{program}' \"$@\"\n",
        moments.collect::<Vec<_>>().join(" "),
        study.path().display(),
        program = env!("CARGO_BIN_EXE_sequester"),
    );
    std::fs::write(&wrapper, text).expect("writes");
    let done = Command::new("chmod").arg("+x").arg(&wrapper).status().expect("chmod");
    assert!(done.success());
    (study, job, wrapper)
}

fn is_whole(study: &Study) {
    let whole = with_model();
    assert_eq!(whole.run("score", &[]).code, 0);
    assert_eq!(study.read("scores.csv"), whole.read("scores.csv"), "as if one process had scored");
    let killed = std::fs::read_dir(study.path()).expect("lists").flatten();
    let killed = killed.filter(|entry| entry.file_name().to_string_lossy().starts_with("killed-")).count();
    assert_eq!(killed, 10, "tasks that were killed");
}

#[test]
fn snakemake_runs_every_shard_again_that_was_killed_and_gathers() {
    let Some(snakemake) = engine("snakemake", "snakemake") else { return };
    let (study, job, wrapper) = planned("snakemake");
    let ran = Command::new(snakemake)
        .args(["--snakefile", job.to_str().expect("UTF-8"), "--cores", "2", "--keep-going", "--quiet", "all"])
        .current_dir(study.path())
        .env("SEQUESTER", wrapper)
        .env("HOME", study.path())
        .output()
        .expect("starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    is_whole(&study);
}

#[cfg(unix)]
#[test]
fn kubernetes_takes_the_manifest() {
    let Some(validate) = engine("kubernetes", "kubernetes-validate") else { return };
    let study = with_model();
    assert_eq!(study.run("score", &["--plan", "64"]).code, 0);
    let (folder, job) = (study.path().to_str().expect("UTF-8"), study.file("job.yaml"));
    let out = job.to_str().expect("UTF-8");
    let names = ["--image", "registry.example/sequester:0.2", "--claim", "study"];
    let ran = sequester(
        &[&["export", folder, "--engine", "kubernetes", "--out", out][..], &names, &["--data", "/data/a b"]]
            .concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let judged = |file: &Path| Command::new(&validate).arg("--strict").arg(file).output().expect("starts");
    let good = judged(&job);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stdout));
    // A name with whatever ends a line or means something to Kubernetes stays one text.
    let links = tempfile::tempdir().expect("a folder");
    let name = "a\u{1}\u{1b}[1m\u{7f}\u{85}\u{2028}kind: Pod $(HOSTNAME) $$ \"#'";
    let link = links.path().join(name);
    std::os::unix::fs::symlink(study.path(), &link).expect("links");
    let odd = study.file("odd.yaml");
    let out = odd.to_str().expect("UTF-8");
    let named = ["export", link.to_str().expect("UTF-8"), "--engine", "kubernetes", "--out", out];
    let ran = sequester(&[&named[..], &names].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let good = judged(&odd);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stdout));
    let python = engine("kubernetes", "python").expect("beside the judge");
    let asked = "import sys, yaml; j = yaml.safe_load(open(sys.argv[1], encoding='utf-8')); \
                 print(ascii(j['spec']['template']['spec']['containers'][0]['command'][2]))";
    let ran = Command::new(python).args(["-c", asked, out]).output().expect("starts");
    let read = String::from_utf8_lossy(&ran.stdout);
    // As Python writes it, where Kubernetes makes one dollar of two.
    let expected = "'/data/a\\x01\\x1b[1m\\x7f\\x85\\u2028kind: Pod $$(HOSTNAME) $$$$ \"#\\''";
    assert_eq!(read.trim(), expected, "{}", String::from_utf8_lossy(&ran.stderr));
    // The judge tells: a key that no job has is refused.
    study.replace("job.yaml", "completionMode", "completionsMode");
    assert!(!judged(&job).status.success());
}

/// Daemons of one node, on loopback, that end with the test.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let _ = Command::new("kill").arg(daemon.id().to_string()).status();
            let _ = daemon.wait();
        }
    }
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

#[expect(clippy::disallowed_methods, reason = "daemons are waited for")]
fn pause() {
    std::thread::sleep(Duration::from_millis(100));
}

impl Cluster {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("munge.key"), Digest::of(at("key").as_bytes()).to_string()).expect("writes");
        for name in ["state", "spool"] {
            std::fs::create_dir(at(name)).expect("creates");
        }
        let chmod = |mode: &str, name: &str| {
            assert!(Command::new("chmod").args([mode, &at(name)]).status().expect("chmod").success());
        };
        chmod("600", "munge.key");
        let (controller, node) = (free_port(), free_port());
        let text = format!(
            "ClusterName=shards\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort={controller}\n\
             SlurmdPort={node}\nSlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\n\
             AuthInfo=socket={socket}\n\
             CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\nMpiDefault=none\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSwitchType=switch/none\nReturnToService=2\n\
             SlurmctldPidFile={pid}\nSlurmdPidFile={node_pid}\nStateSaveLocation={state}\n\
             SlurmdSpoolDir={spool}\n\
             SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n\
             JobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nKillWait=2\n\
             NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO\n",
            socket = at("munge.socket"),
            pid = at("slurmctld.pid"),
            node_pid = at("slurmd.pid"),
            state = at("state"),
            spool = at("spool"),
        );
        std::fs::write(at("slurm.conf"), text).expect("writes");
        let start = |program: &str, arguments: &[String]| {
            let log = std::fs::File::create(at(&format!("{program}.log"))).expect("a log");
            Command::new(program)
                .args(arguments)
                .env("SLURM_CONF", at("slurm.conf"))
                .stdout(log.try_clone().expect("a log"))
                .stderr(log)
                .stdin(Stdio::null())
                .spawn()
                .expect("a daemon starts")
        };
        let named = |name: &str, file: &str| format!("--{name}={}", at(file));
        let munge = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            named("key-file", "munge.key"),
            named("socket", "munge.socket"),
            named("pid-file", "munge.pid"),
            named("log-file", "munge.log"),
            named("seed-file", "munge.seed"),
        ];
        let mut daemons = vec![start("munged", &munge)];
        for _ in 0..100 {
            if folder.path().join("munge.socket").exists() {
                break;
            }
            pause();
        }
        daemons.push(start("slurmctld", &["-D".to_owned()]));
        daemons.push(start("slurmd", &["-D", "-N", "localhost"].map(str::to_owned)));
        let cluster = Self { folder, daemons };
        for _ in 0..300 {
            if cluster.ask("sinfo", &["--noheader", "--format=%t"]).contains("idle") {
                return cluster;
            }
            pause();
        }
        let logs = ["munged", "slurmctld", "slurmd"].map(|name| {
            std::fs::read_to_string(cluster.folder.path().join(format!("{name}.log"))).unwrap_or_default()
        });
        panic!("the node does not come up: {}", logs.join("\n"));
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let ran = Command::new(program)
            .args(arguments)
            .env("SLURM_CONF", self.folder.path().join("slurm.conf"))
            .output()
            .expect("starts");
        format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr))
    }

    /// Submits and waits until the array is through.
    fn run(&self, study: &Study, job: &Path, wrapper: &Path, more: &[&str]) {
        let program = format!("--export=ALL,SEQUESTER={}", wrapper.display());
        let folder = format!("--chdir={}", study.path().display());
        let mut arguments = vec!["--parsable", program.as_str(), folder.as_str()];
        arguments.extend(more);
        arguments.push(job.to_str().expect("UTF-8"));
        let id = self.ask("sbatch", &arguments);
        assert!(id.trim().bytes().all(|c| c.is_ascii_digit()), "{id}");
        for _ in 0..6000 {
            if self.ask("squeue", &["--noheader", "--job", id.trim()]).trim().is_empty() {
                return;
            }
            pause();
        }
        panic!("the array does not end");
    }
}

#[test]
fn slurm_runs_an_array_of_shards_and_those_that_were_killed_again() {
    let there = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    let root = Command::new("id").arg("-u").output().is_ok_and(|ran| ran.stdout == b"0\n");
    if !root || !["munged", "slurmctld", "slurmd"].into_iter().all(there) {
        eprintln!(
            "slurm: skipped, there is no Slurm with munge that may be started (scripts/setup-engines.sh)"
        );
        return;
    }
    let (study, job, wrapper) = planned("slurm");
    let cluster = Cluster::start();
    cluster.run(&study, &job, &wrapper, &[]);
    let early = study.run("score", &["--gather"]);
    assert_eq!(early.code, 1, "ten tasks were killed: {}", early.stdout);
    assert!(
        early.stderr.contains("error[shard-missing]: ") && early.stderr.contains("shards are not finished: ")
    );
    // The message names what is left, in the words that sbatch takes.
    let left =
        early.stderr.split("not finished: ").nth(1).and_then(|rest| rest.lines().next()).expect("numbers");
    let array = format!("--array={}", left.replace(' ', ""));
    cluster.run(&study, &job, &wrapper, &[&array]);
    let gathered = study.run("score", &["--gather"]);
    assert_eq!(gathered.code, 0, "{}", gathered.stderr);
    is_whole(&study);
}
