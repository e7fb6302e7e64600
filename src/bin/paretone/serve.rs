//! `paretone serve`: tolerance tiers over HTTP, until told to stop.
//!
//! A setting is taken from its flag, else its environment variable, else the file that `--config`
//! names, else its default. SIGHUP reads the rules again; SIGTERM and SIGINT answer what was
//! accepted and stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::vad::Vad;
use super::{SOME_FAILED, UsageError, model_folder};
use paretone::recognizer::{self, Recognizer};
use paretone::service::{App, End, Options, router, serve};
use paretone::tiers::RULES_FILE;
use paretone::units::Seconds;

/// Serve tolerance tiers over HTTP
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A TOML file of settings, named as the flags: `max-body = 64`
    #[arg(long, value_name = "FILE", env = "PARETONE_CONFIG")]
    pub config: Option<PathBuf>,
    /// The shape of the log's lines
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "PARETONE_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// What the flags and the environment say.
    #[command(flatten)]
    pub settings: Settings,
}

/// The shape of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The settings; what is missing has its default.
#[derive(clap::Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "PARETONE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Voice activity detection: whether what is no speech is left out [default: on]
    #[arg(long, value_enum, env = "PARETONE_VAD")]
    pub vad: Option<Vad>,
    /// The routing rules of `tiers train` [default: rules.toml in the model's folder]
    #[arg(long, value_name = "FILE", env = "PARETONE_RULES")]
    pub rules: Option<PathBuf>,
    /// Threads that recognise [default: one per processor]
    #[arg(long, value_name = "N", env = "PARETONE_WORKERS")]
    pub workers: Option<usize>,
    /// Most requests that wait for one policy; more get 429 [default: 64]
    #[arg(long, value_name = "N", env = "PARETONE_QUEUE")]
    pub queue: Option<usize>,
    /// Longest time from upload to answer, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_DEADLINE")]
    pub deadline: Option<Seconds>,
    /// Largest body, in MiB [default: 32]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_BODY")]
    pub max_body: Option<u32>,
    /// Longest recording, in seconds [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_MAX_AUDIO")]
    pub max_audio: Option<Seconds>,
    /// Memory for uploads and waveforms of all requests, in MiB [default: 512]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_MEMORY")]
    pub max_memory: Option<u32>,
    /// Most open connections; others wait [default: 4096]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_CONNECTIONS")]
    pub max_connections: Option<usize>,
    /// Longest wait for a request's head, and between parts of its body, in seconds [default: 15]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_IDLE_TIMEOUT")]
    pub idle_timeout: Option<Seconds>,
    /// Longest time that a body may take, in seconds [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_UPLOAD_TIMEOUT")]
    pub upload_timeout: Option<Seconds>,
    /// Longest time for answers in progress once told to stop, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_DRAIN_TIMEOUT")]
    pub drain_timeout: Option<Seconds>,
    /// Serve only callers that show this bearer token; better by environment or file, as flags can be
    /// seen by others
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PARETONE_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Let pages of this origin call; may be repeated [default: none]
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "PARETONE_CORS_ORIGIN",
        value_delimiter = ','
    )]
    pub cors_origin: Option<Vec<String>>,
    /// Share of requests that the most accurate version answers too, unseen, to watch for drift
    /// [default: 0]
    #[arg(long, value_name = "SHARE", env = "PARETONE_SHADOW")]
    pub shadow: Option<f64>,
}

impl Settings {
    /// These, and where there are none those of a file.
    fn or(self, file: Settings) -> Settings {
        Settings {
            listen: self.listen.or(file.listen),
            model: self.model.or(file.model),
            vad: self.vad.or(file.vad),
            rules: self.rules.or(file.rules),
            workers: self.workers.or(file.workers),
            queue: self.queue.or(file.queue),
            deadline: self.deadline.or(file.deadline),
            max_body: self.max_body.or(file.max_body),
            max_audio: self.max_audio.or(file.max_audio),
            max_memory: self.max_memory.or(file.max_memory),
            max_connections: self.max_connections.or(file.max_connections),
            idle_timeout: self.idle_timeout.or(file.idle_timeout),
            upload_timeout: self.upload_timeout.or(file.upload_timeout),
            drain_timeout: self.drain_timeout.or(file.drain_timeout),
            token: self.token.or(file.token),
            cors_origin: self.cors_origin.or(file.cors_origin),
            shadow: self.shadow.or(file.shadow),
        }
    }

    fn open(path: &Path) -> anyhow::Result<Settings> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let settings: Settings =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        for value in settings.times().into_iter().flatten() {
            Seconds::positive(&value.to_string()).with_context(|| path.display().to_string())?;
        }
        Ok(settings)
    }

    fn times(&self) -> [Option<Seconds>; 5] {
        [
            self.deadline,
            self.max_audio,
            self.idle_timeout,
            self.upload_timeout,
            self.drain_timeout,
        ]
    }

    fn options(&self, model: &Path) -> Options {
        let rules = self.rules.clone();
        let mut options = Options::new(rules.unwrap_or_else(|| model.join(RULES_FILE)));
        let (limits, connections) = (&mut options.limits, &mut options.connections);
        let time = |asked: Option<Seconds>, default| {
            asked.map_or(default, |time| Duration::from_secs_f64(time.0))
        };
        limits.body = self.max_body.map_or(limits.body, mebibytes);
        limits.audio = self.max_audio.unwrap_or(limits.audio);
        limits.memory = self.max_memory.map_or(limits.memory, mebibytes);
        connections.most = self.max_connections.unwrap_or(connections.most);
        connections.idle = time(self.idle_timeout, connections.idle);
        connections.upload = time(self.upload_timeout, connections.upload);
        connections.drain = time(self.drain_timeout, connections.drain);
        options.workers = self.workers.unwrap_or(options.workers);
        options.queue = self.queue.unwrap_or(options.queue);
        options.deadline = time(self.deadline, options.deadline);
        options.token.clone_from(&self.token);
        options.cors = self.cors_origin.clone().unwrap_or_default();
        options.shadow = self.shadow.unwrap_or(0.0);
        options
    }
}

fn mebibytes(number: u32) -> usize {
    usize::try_from(u64::from(number) << 20).unwrap_or(usize::MAX)
}

/// Serves until told to stop.
///
/// # Errors
/// A [`UsageError`] when the settings, the model, its rules or the address cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = args.config.as_deref().map(Settings::open).transpose();
    let settings = args
        .settings
        .or(file.map_err(UsageError)?.unwrap_or_default());
    let folder = model_folder(settings.model.clone())?;
    let opening =
        recognizer::Options::default().speech_gate(settings.vad.unwrap_or_default().is_on());
    let recognizer = Recognizer::open_with(&folder, opening)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    let options = settings.options(&folder);
    let rules = options.rules.display().to_string();
    let workers = options.workers.max(1);
    let app = App::new(Arc::new(recognizer), options)
        .context(rules)
        .map_err(UsageError)?;
    raise_file_limit();
    // Decoding of uploads takes no more threads than recognition does.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(workers + 1)
        .build()?;
    let listen = settings
        .listen
        .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
    let end = runtime.block_on(listen_on(listen, Arc::new(app)))?;
    // What is left after the time for the end is left to die.
    runtime.shutdown_background();
    Ok(match end {
        End::Complete => ExitCode::SUCCESS,
        End::CutShort => ExitCode::from(SOME_FAILED),
    })
}

async fn listen_on(address: SocketAddr, app: Arc<App>) -> anyhow::Result<End> {
    let listener = TcpListener::bind(address).await;
    let listener = listener
        .with_context(|| format!("cannot listen on {address}"))
        .map_err(UsageError)?;
    let address = listener.local_addr()?;
    obey_signals(&app)?;
    // On standard output, for whoever started it with port 0.
    println!("listening on http://{address}");
    tracing::info!(%address, certificate = app.serving().routing.certificate(), "serving");
    let router = router(Arc::clone(&app));
    let end = serve(app, router, listener).await;
    tracing::info!(?end, "stopped");
    Ok(end)
}

fn obey_signals(app: &Arc<App>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let reloading = Arc::clone(app);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // It says itself how it went.
            let _ = reloading.reload().await;
        }
    });
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let app = Arc::clone(app);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what was accepted is answered");
        app.drain();
    });
    Ok(())
}

/// A connection is a file, and the usual limit of 1024 is for programs that still call `select`.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}
