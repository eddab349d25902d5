//! Every command × bad arguments, files and outputs. A command that `tandem --help` names and that has no case here
//! fails the test.

use super::table::{Table, mib};
use super::{deep, memory, noise};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tandem_testkit::program::{tandem, wait_for};

/// No command needs more, whatever it is given.
const PEAK_KIB_MAX: u64 = 512 << 10;

/// What a command did.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) peak_kib: u64,
}

/// Runs `tandem` to its end with the output where `output` says.
pub(super) fn run(folder: &Path, arguments: &[OsString], output: Stdio) -> Result<Ran> {
    let mut child = Command::new(tandem())
        .args(arguments)
        .current_dir(folder)
        .env("TANDEM_RECOVERY_KEY", "3B1X3-EMET1-4VQD2-SQBM1-H222Q-M7MRZ-KMWVZ-C6W57-KM1CJ-KGVVE-NQ338")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()?;
    let pid = child.id();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let text = |source: Option<Box<dyn Read + Send>>| {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            let _ = source.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    std::thread::scope(|scope| {
        let out = scope.spawn(move || text(stdout.map(|out| Box::new(out) as Box<dyn Read + Send>)));
        let err = scope.spawn(move || text(stderr.map(|err| Box::new(err) as Box<dyn Read + Send>)));
        let mut peak_kib = 0;
        let ended = wait_for("the command's end", 200, || {
            peak_kib = peak_kib.max(memory::peak_kib(pid).unwrap_or(0));
            Ok(child.try_wait()?)
        });
        if ended.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let (stdout, stderr) = (out.join().expect("read"), err.join().expect("read"));
        let status = ended.with_context(|| format!("{arguments:?}: {stderr}"))?;
        let code = status.code().with_context(|| format!("{arguments:?} ended by a signal: {stderr}"))?;
        Ok(Ran { code, stdout, stderr, peak_kib })
    })
}

/// The sentences of an answer, without what differs each time.
pub(super) fn sentences(ran: &Ran, folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).display().to_string();
    let told: Vec<String> = ran
        .stderr
        .lines()
        // Lines of the log, which say the same with a time before.
        .filter(|line| !line.get(..5).is_some_and(|start| start.starts_with("20") && start.ends_with('-')))
        // How long it took, and how many rules there are today.
        .filter(|line| !line.ends_with(" ms") && !line.ends_with(" rules"))
        .map(|line| line.replace(&whole, "DIR").replace(&folder.display().to_string(), "DIR"))
        .collect();
    format!("exit {}: {}", ran.code, told.join("\n"))
}

/// What holds of every answer to bad input.
pub(super) fn judge(ran: &Ran, what: &str) -> Result<()> {
    ensure!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
    ensure!(matches!(ran.code, 0..=2), "{what}: exit {}: {}", ran.code, ran.stderr);
    ensure!(ran.peak_kib < PEAK_KIB_MAX, "{what}: {} KiB", ran.peak_kib);
    if ran.code == 1 {
        let says_more = ["hint:", "--help", "Usage", " or ", ";", ":"].iter().any(|sign| ran.stderr.contains(sign));
        ensure!(says_more && !ran.stderr.trim().is_empty(), "{what} does not say what to do: {}", ran.stderr);
    }
    Ok(())
}

struct Desk {
    folder: tempfile::TempDir,
    table: Table,
    tried: Vec<String>,
}

impl Desk {
    fn new(section: &'static str) -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, table: Table::new(section), tried: Vec::new() })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(fs::write(self.path().join(name), bytes)?)
    }

    /// One case; `command` are the words before the arguments.
    fn case(&mut self, command: &str, input: &str, arguments: &[&str]) -> Result<Ran> {
        let words: Vec<OsString> = command.split(' ').chain(arguments.iter().copied()).map(OsString::from).collect();
        self.with(command, input, &words, Stdio::piped())
    }

    fn with(&mut self, command: &str, input: &str, words: &[OsString], output: Stdio) -> Result<Ran> {
        let what = format!("{command}, {input}");
        let ran = run(self.path(), words, output)?;
        judge(&ran, &what)?;
        self.table.row(&format!("`tandem {command}`"), input, &sentences(&ran, self.path()), mib(ran.peak_kib));
        self.tried.push(command.to_owned());
        Ok(ran)
    }
}

/// The commands that help names, subcommands too.
fn commands(desk: &Desk, above: &str) -> Result<Vec<String>> {
    let mut words: Vec<OsString> = above.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect();
    words.push("--help".into());
    let help = run(desk.path(), &words, Stdio::piped())?.stdout;
    let Some((_, list)) = help.split_once("Commands:\n") else { return Ok(vec![above.to_owned()]) };
    let mut found = Vec::new();
    for line in list.lines().take_while(|line| line.starts_with("  ")) {
        let Some(name) = line.split_whitespace().next().filter(|name| *name != "help") else { continue };
        found.extend(commands(desk, format!("{above} {name}").trim())?);
    }
    Ok(found)
}

/// Files that are no logs, or damaged ones. Name, and what it is.
fn bad_files(desk: &Desk) -> Result<Vec<(&'static str, &'static str)>> {
    let line = b"Nov 25 17:19:34 web1 sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2\n".repeat(200);
    let gzip = |bytes: &[u8], times: usize| -> Result<Vec<u8>> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..times {
            packed.write_all(bytes)?;
        }
        Ok(packed.finish()?)
    };
    let packed = gzip(&noise(100_000), 1)?;
    let zstd = zstd::encode_all(line.as_slice(), 3)?;
    fs::create_dir(desk.path().join("bad"))?;
    let write = |name: &str, bytes: &[u8]| desk.write(&format!("bad/{name}"), bytes);
    write("empty.log", b"")?;
    write("noise.log", &noise(100_000))?;
    write("noise.evtx", &[b"ElfFile\0".as_slice(), &noise(8_000)].concat())?;
    write("cut.evtx", b"ElfFile\0\0\0\0")?;
    write("cut.log.gz", &gzip(&line, 1)?[..60])?;
    write("noise.gz", &[b"\x1f\x8b\x08".as_slice(), &noise(5_000)].concat())?;
    write("packed-noise.gz", &packed)?;
    write("cut.log.zst", &zstd[..zstd.len() / 2])?;
    write("bomb.gz", &gzip(&vec![b'a'; 1 << 20], 64)?)?;
    write("bomb.zst", &zstd::encode_all(vec![b'a'; 64 << 20].as_slice(), 3)?)?;
    write("cut.parquet", &[b"PAR1".as_slice(), &noise(2_000)].concat())?;
    write("logs.zip", &[b"PK\x03\x04".as_slice(), &noise(2_000)].concat())?;
    write("utf8.log", b"Nov 25 17:19:34 web1 app: \xff\xfe\xc3(\n")?;
    write("deep.json", format!("{}\n", deep(10_000)).as_bytes())?;
    write("deep.xml", "<Event>".repeat(10_000).as_bytes())?;
    write("cut.json", b"{\"message\":\"whole\"}\n{\"message\":")?;
    write("wrong.json", b"[1,\"x\",null,[[]],{}]")?;
    write("large.json", &[b"{\"message\":\"".as_slice(), &vec![b'x'; 8 << 20], b"\"}\n"].concat())?;
    let mut long = File::create(desk.path().join("bad/line.log"))?;
    for _ in 0..100 {
        long.write_all(&vec![b'a'; 1 << 20])?;
    }
    std::os::unix::fs::symlink("nowhere", desk.path().join("bad/dangling.log"))?;
    ensure!(Command::new("mkfifo").arg(desk.path().join("bad/pipe.log")).status()?.success());
    fs::create_dir(desk.path().join("nothing"))?;
    desk.write("good.log", &line)?;
    Ok(vec![
        ("missing.log", "a file that is not there"),
        ("empty.log", "an empty file"),
        ("dangling.log", "a link that leads nowhere"),
        ("pipe.log", "a pipe in place of a file"),
        ("noise.log", "bytes without meaning"),
        ("noise.evtx", "an event log that is noise after its first bytes"),
        ("cut.evtx", "an event log of 12 bytes"),
        ("cut.log.gz", "gzip that breaks off"),
        ("noise.gz", "gzip that is noise"),
        ("packed-noise.gz", "noise in gzip"),
        ("cut.log.zst", "zstd that breaks off"),
        ("bomb.gz", "a gzip bomb: one line of 64 MB in 64 kB"),
        ("bomb.zst", "a zstd bomb: one line of 64 MB in 6 kB"),
        ("cut.parquet", "Parquet that breaks off"),
        ("logs.zip", "a ZIP archive"),
        ("utf8.log", "invalid UTF-8"),
        ("deep.json", "JSON 10⁴ deep"),
        ("deep.xml", "XML 10⁴ deep"),
        ("cut.json", "JSON that breaks off"),
        ("wrong.json", "a list of numbers and texts"),
        ("large.json", "a JSON document of 8 MB"),
        ("line.log", "a line of 100 MB"),
    ])
}

#[test]
fn commands_read_what_they_can_and_name_what_they_cannot() -> Result<()> {
    let mut desk = Desk::new("files")?;
    let bad = bad_files(&desk)?;
    let places: Vec<String> = bad.iter().map(|(name, _)| format!("bad/{name}")).collect();
    let all: Vec<&str> = places.iter().map(String::as_str).collect();
    let parsed = run(desk.path(), &words(&[&["parse"], all.as_slice()].concat()), Stdio::piped())?;
    judge(&parsed, "parse of all files")?;
    ensure!(parsed.code == 2, "{}", parsed.stderr);
    for ((name, input), place) in bad.iter().zip(&places) {
        let told: Vec<&str> = parsed.stderr.lines().filter(|line| line.contains(place.as_str())).collect();
        let mark = format!("\"file\":\"{place}\"");
        let events = parsed.stdout.lines().filter(|line| line.contains(&mark)).count();
        ensure!(!told.is_empty() || events > 0 || *name == "empty.log", "{input} is taken without a word");
        let events = if events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        let answer = told.iter().map(|line| (*line).to_owned()).chain([events]).collect::<Vec<_>>().join("; ");
        desk.table.row("`tandem parse`", input, &answer.replace(place.as_str(), name), String::new());
    }
    desk.table.row("`tandem parse`", "all of these at once", "exit 2", mib(parsed.peak_kib));
    desk.case("parse", "a folder without files", &["nothing"])?;
    // A good one among them: it is read, and each that is not is named.
    fs::copy(desk.path().join("good.log"), desk.path().join("bad/good.log"))?;
    let imported = run(desk.path(), &words(&["import", "--data", "site", "bad"]), Stdio::piped())?;
    judge(&imported, "import of all files")?;
    ensure!(imported.code == 2, "{}", imported.stderr);
    let damaged = |name: &str| {
        ["cut", "noise", "bomb", "zip", "pipe", "dangling", "large"].iter().any(|part| name.contains(part))
    };
    for (name, _) in bad.iter().filter(|(name, _)| damaged(name)) {
        ensure!(imported.stderr.contains(name), "import does not name {name}: {}", imported.stderr);
    }
    let found =
        run(desk.path(), &words(&["search", "--data", "site", "203.0.113.9", "--limit", "1000"]), Stdio::piped())?;
    ensure!(found.stdout.lines().count() == 200, "the good file is in the table: {}", found.stderr);
    let answer = "exit 2, names each that could not be read; the 200 events of a good file among them are found";
    desk.table.row("`tandem import`", "a folder with all of these and a good file", answer, mib(imported.peak_kib));
    desk.case("import", "a file that is not there", &["--data", "site", "missing.log"])?;
    desk.case("import", "a folder without files", &["--data", "site", "nothing"])?;
    let detected =
        desk.case("detect", "a file that is not there, and noise", &["--", "missing.log", "bad/noise.log"])?;
    ensure!(detected.code == 2, "{}", detected.stderr);
    let ran = desk.with("parse", "the output is full (/dev/full)", &words(&["parse", "good.log"]), full()?)?;
    ensure!(ran.code == 1, "it is not noticed that the output was lost");
    let ran = desk.with("parse", "nobody reads the output (`| head -1`)", &words(&["parse", "good.log"]), unread()?)?;
    ensure!(ran.code == 0, "{}", ran.stderr);
    desk.table.check()
}

#[test]
fn commands_answer_bad_input_with_the_next_step() -> Result<()> {
    let mut desk = Desk::new("commands")?;
    desk.write("good.log", b"Nov 25 17:19:34 web1 app: hello\n")?;
    fs::create_dir(desk.path().join("nothing"))?;
    for site in ["site", "other"] {
        let made = run(desk.path(), &words(&["site", "init", "--data", site]), Stdio::piped())?;
        ensure!(made.code == 0, "{}", made.stderr);
    }
    // One that runs, so that the commands speak to it.
    let site = tandem_testkit::program::Site::start(&desk.path().join("site"), &[])?;
    queries(&mut desk)?;
    content(&mut desk)?;
    sites(&mut desk)?;
    let all = commands(&desk, "")?;
    for command in &all {
        let mut words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        words.push(OsString::from_vec(b"--\xff\xfe".to_vec()));
        let ran = run(desk.path(), &words, Stdio::piped())?;
        judge(&ran, &format!("{command}, an argument that is no UTF-8"))?;
        ensure!(ran.code == 1, "{command} takes an argument that is no UTF-8");
        let tried = command == "import" || desk.tried.iter().any(|tried| tried == command);
        ensure!(tried, "`tandem {command}` has no case of bad input");
    }
    let answer = "exit 1, names the argument and the usage";
    desk.table.row("every command", "an argument that is no UTF-8", answer, String::new());
    site.stop()?;
    desk.table.check()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// An output that has no room.
fn full() -> Result<Stdio> {
    Ok(Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full")?))
}

/// An output that nobody reads.
fn unread() -> Result<Stdio> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    Ok(Stdio::from(writer))
}

fn queries(desk: &mut Desk) -> Result<()> {
    let brackets = "(".repeat(10_000);
    for (input, query) in [
        ("a bracket that never closes", "a:("),
        ("10⁴ brackets", brackets.as_str()),
        ("an expression that is none", "x:/(/"),
    ] {
        let ran = desk.case("search", input, &["--data", "site", query])?;
        ensure!(ran.code == 1, "{input}: {}", ran.stdout);
    }
    desk.case("search", "`--from yesterday`", &["--data", "site", "--from", "yesterday", "x"])?;
    desk.case("search", "`--limit many`", &["--data", "site", "--limit", "many", "x"])?;
    desk.case("search", "no site", &["--data", "nothing", "x"])?;
    for (input, sql) in [
        ("nothing", ""),
        ("a statement that changes", "DROP TABLE events"),
        ("half a statement", "SELECT"),
        ("two statements", "SELECT 1; SELECT 2"),
        ("a file of the machine", "SELECT * FROM '/etc/passwd'"),
        ("10⁴ brackets", brackets.as_str()),
    ] {
        let ran = desk.case("sql", input, &["--data", "site", sql])?;
        ensure!(ran.code == 1, "{input}: {}", ran.stdout);
    }
    for all in [vec!["config", "show", "--data", "site"], vec!["sql", "--data", "site", "SELECT 1 AS n"]] {
        let command = if all[0] == "sql" { "sql" } else { "config show" };
        let ran = desk.with(command, "the output is full (/dev/full)", &words(&all), full()?)?;
        ensure!(ran.code == 1, "{command} does not notice that its output was lost");
        let ran = desk.with(command, "nobody reads the output (`| head -1`)", &words(&all), unread()?)?;
        ensure!(ran.code == 0, "{command}: {}", ran.stderr);
    }
    Ok(())
}

/// Rules, parsers, configurations.
fn content(desk: &mut Desk) -> Result<()> {
    let laughs: Vec<String> = (1..30).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let laughs = laughs.concat();
    desk.write("noise.yml", &noise(2_000))?;
    desk.write("deep.yml", format!("title: {}x{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes())?;
    desk.write("laughs.yml", format!("a0: &a0 [lol]\n{laughs}").as_bytes())?;
    desk.write("wrong.yml", b"title: 7\nlogsource: []\ndetection: nothing\n")?;
    desk.write("noise.tar.gz", &noise(2_000))?;
    let rules = [
        ("a file that is not there", "missing.yml"),
        ("bytes without meaning", "noise.yml"),
        ("YAML 10⁴ deep", "deep.yml"),
        ("YAML whose anchors multiply", "laughs.yml"),
        ("wrong types", "wrong.yml"),
    ];
    let names: Vec<&str> = rules.iter().map(|(_, file)| *file).collect();
    let checked = run(desk.path(), &words(&[&["rules", "check"], names.as_slice()].concat()), Stdio::piped())?;
    judge(&checked, "rules check")?;
    ensure!(checked.code == 1, "{}", checked.stderr);
    for (input, file) in rules {
        let told: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with(file)).collect();
        ensure!(!told.is_empty(), "{input} is taken without a word: {}", checked.stdout);
        desk.table.row("`tandem rules check`", input, &format!("exit 1: {}", told.join("; ")), mib(checked.peak_kib));
    }
    desk.case("rules check", "a folder without rules", &["nothing"])?;
    desk.case("detect", "`--rules` that are not there", &["--rules", "missing.yml", "--", "good.log"])?;
    desk.case("detect", "`--level dreadful`", &["--level", "dreadful", "--", "good.log"])?;
    desk.case("parse", "`--parsers` that are not there", &["--parsers", "missing", "--", "good.log"])?;
    desk.case("rules install", "an archive that is not there", &["--data", "site", "missing.tar.gz"])?;
    desk.case("rules install", "an archive that is noise", &["--data", "site", "noise.tar.gz"])?;
    desk.case("rules install", "no site", &["--data", "nothing", "noise.tar.gz"])?;
    desk.write("noise.toml", &noise(300))?;
    desk.write("types.toml", b"[store]\nretention_days = \"many\"\n")?;
    desk.write("unknown.toml", b"[stroe]\nretention_days = 1\n")?;
    desk.write(
        "range.toml",
        b"[store]\nretention_days = 0\n[syslog]\nframe_bytes_max = 1\n[console]\naddress = \"192.0.2.1:1\"\n",
    )?;
    for (input, file) in [
        ("a file that is not there", "missing.toml"),
        ("a folder in place of a file", "nothing"),
        ("bytes without meaning", "noise.toml"),
        ("wrong types", "types.toml"),
        ("a section that is unknown", "unknown.toml"),
        ("values out of range", "range.toml"),
    ] {
        let ran = desk.case("config check", input, &[file])?;
        ensure!(ran.code == 1, "{input}: {}", ran.stdout);
    }
    Ok(())
}

fn sites(desk: &mut Desk) -> Result<()> {
    desk.case("site init", "a site that is there", &["--data", "site"])?;
    desk.case("site init", "a file in place of a folder", &["--data", "good.log"])?;
    desk.case("site run", "no site", &["--data", "nothing"])?;
    desk.case("site run", "a site that runs already", &["--data", "site"])?;
    desk.case("site run", "an address of another machine", &["--data", "other", "--console", "192.0.2.1:80"])?;
    desk.case("site run", "a port beyond all ports", &["--data", "other", "--console", "127.0.0.1:99999"])?;
    desk.case("site link", "no site", &["--data", "nothing"])?;
    let ran = desk.case("demo", "a real site", &["--data", "other", "--console", "127.0.0.1:0"])?;
    ensure!(ran.code == 1, "the demonstration plays into a real site");
    desk.case("doctor", "no site", &["--data", "nothing"])?;
    desk.case("config show", "no site", &["--data", "nothing"])?;
    desk.case("backup", "a file that is there", &["--data", "site", "good.log"])?;
    desk.case("backup", "a folder that is not there", &["--data", "site", "missing/archive"])?;
    desk.case("backup", "a device that is full", &["--data", "site", "/dev/full"])?;
    let made = run(desk.path(), &words(&["backup", "--data", "site", "archive"]), Stdio::piped())?;
    ensure!(made.code == 0, "{}", made.stderr);
    let archive = fs::read(desk.path().join("archive"))?;
    desk.write("cut-archive", &archive[..archive.len() / 2])?;
    for (input, file) in [
        ("an archive that is not there", "missing"),
        ("an archive that breaks off", "cut-archive"),
        ("an archive that is noise", "noise.yml"),
        ("the key of another archive", "archive"),
    ] {
        let ran = desk.case("restore", input, &["--data", "restored", file])?;
        ensure!(ran.code == 1 && !desk.path().join("restored/control.db").exists(), "{input}: {}", ran.stderr);
    }
    desk.case("restore", "a folder that is in use", &["--data", "site", "archive"])?;
    Ok(())
}

/// Copies a folder.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        } else {
            bail!("{} is neither file nor folder", entry.path().display());
        }
    }
    Ok(())
}
