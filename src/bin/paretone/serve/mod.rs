//! `paretone serve`: tolerance tiers over HTTP, until told to stop.
//!
//! A setting is taken from its flag, else its environment variable, else the file that `--config`
//! names, else its default. SIGHUP reads the rules again; SIGTERM and SIGINT answer what was
//! accepted and stop.

mod listen;
mod settings;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::settings::Settings;
use super::{SOME_FAILED, UsageError, model_folder};
use paretone::recognizer::{self, Opening, Recognizer};
use paretone::service::{
    App, Connections, Edge, End, Front, Options, ServingError, Stopping, give_memory_back,
    probe_router, router as router_of, starting,
};

/// Files that are no connections of callers: the model's, the log, jobs, callbacks, and probes'.
const OTHER_FILES: usize = 256;
/// Connections that are served at once on a listener for probes.
const PROBE_CONNECTIONS: usize = 32;

/// Serve tolerance tiers over HTTP
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read settings from this TOML file, named as the flags: `max-body = 64`
    #[arg(long, value_name = "FILE", env = "PARETONE_SERVE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Write the log's lines in this form
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

/// Serves until told to stop.
///
/// # Errors
/// A [`UsageError`] when the settings, the model, its rules or the address cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = args.config.as_deref().map(Settings::open).transpose();
    let settings = args.settings.or(file.map_err(UsageError)?.unwrap_or_default());
    let folder = model_folder(settings.model.clone())?;
    let options = settings.options(&folder);
    let files = raise_file_limit();
    give_memory_back();
    // Decoding of uploads takes no more threads than recognition does.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(options.workers.max(1) + 1)
        .build()?;
    let end = runtime.block_on(serve(&settings, files, folder, options));
    // What is left after the time for the end is left to die.
    runtime.shutdown_background();
    Ok(match end? {
        End::Complete => ExitCode::SUCCESS,
        End::CutShort => ExitCode::from(SOME_FAILED),
    })
}

/// Listens at once, and serves once the model is open.
async fn serve(
    settings: &Settings,
    files: usize,
    model: PathBuf,
    options: Options,
) -> anyhow::Result<End> {
    let (listener, address) = bind(settings.address()).await?;
    let edge = Edge::default();
    let stages = Opening::default();
    let router = starting(stages.clone());
    let connections = within(settings.connections(), files);
    let front = Front::new(connections, edge.clone(), router.clone());
    let hangup = signal(SignalKind::hangup())?;
    stop_on_signals(&edge.stopping, settings.drain_delay())?;
    let probes = match settings.probe_listen {
        None => None,
        Some(address) => Some(listen_for_probes(address.0, router).await?),
    };
    tracing::info!(%address, "listening, not ready yet");
    let serving = tokio::spawn(front.clone().serve(listener));
    let shared = edge.clone();
    // What happens to the model's files while it serves must not end it.
    let how = recognizer::Options::default()
        .speech_gate(settings.has_gate())
        .private_copies(true)
        .opening(stages);
    let opening = tokio::task::spawn_blocking(move || open(&model, how, options, &shared));
    let app = tokio::select! {
        opened = opening => Arc::new(opened??),
        () = edge.stopping.until_draining() => return Ok(serving.await?),
    };
    front.answer_with(router_of(Arc::clone(&app)));
    if let Some(probes) = probes {
        probes.answer_with(probe_router(Arc::clone(&app)));
    }
    reload_on_signals(&app, hangup);
    tokio::spawn(Arc::clone(&app).watch_rules());
    tokio::spawn(Arc::clone(&app).run_jobs());
    // On standard output, for whoever started it with port 0. Nobody need be reading.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
    tracing::info!(%address, certificate = app.serving().routing.certificate(), "serving");
    let end = serving.await?;
    app.put_jobs_back().await;
    tracing::info!(?end, "stopped");
    Ok(end)
}

async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {address}")).map_err(UsageError)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Probes have connections of their own, and are answered to the last.
async fn listen_for_probes(address: SocketAddr, router: Router) -> anyhow::Result<Front> {
    let (listener, address) = bind(address).await?;
    let mut connections = Connections::default();
    connections.most = PROBE_CONNECTIONS;
    connections.per_client = PROBE_CONNECTIONS / 2;
    let front = Front::new(connections, Edge::default(), router);
    tokio::spawn(front.clone().serve(listener));
    tracing::info!(%address, "listening for probes");
    Ok(front)
}

fn open(
    model: &Path,
    opening: recognizer::Options,
    options: Options,
    edge: &Edge,
) -> anyhow::Result<App> {
    let recognizer = Recognizer::open_with(model, opening)
        .with_context(|| format!("the model in {} cannot be used", model.display()))
        .map_err(UsageError)?;
    let (rules, jobs) = (options.rules.clone(), options.jobs.clone());
    let app = App::new(Arc::new(recognizer), options, edge).map_err(|error| {
        let file = match (&error, jobs) {
            (ServingError::Jobs(_), Some(jobs)) => jobs.file,
            _ => rules,
        };
        anyhow::Error::new(error).context(file.display().to_string())
    });
    Ok(app.map_err(UsageError)?)
}

fn reload_on_signals(app: &Arc<App>, mut hangup: Signal) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // It says itself how it went.
            let _ = app.reload().await;
        }
    });
}

/// The first signal makes the service say that it is not ready, for so long, and then drain; the
/// second makes it drain at once.
fn stop_on_signals(stopping: &Stopping, delay: Duration) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopping = stopping.clone();
    tokio::spawn(async move {
        let mut told = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        told().await;
        // Before anything is said about it, which may take a while or fail.
        stopping.leave();
        // Told again, or the time is over.
        let _ = tokio::time::timeout(delay, told()).await;
        stopping.drain();
        tracing::info!("stopping: what was accepted is answered");
    });
    Ok(())
}

/// Raises the limit of open files as far as may be, and returns it: a connection is a file, and the
/// usual limit of 1024 is for programs that still call `select`.
fn raise_file_limit() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// No more connections than there may be files: where files run out nobody is accepted, probes
/// neither.
fn within(mut connections: Connections, files: usize) -> Connections {
    let most = Connections::within(files.saturating_sub(OTHER_FILES));
    if connections.most > most {
        tracing::warn!(
            "{files} files may be open (ulimit -n), so that {most} connections are served at once, \
             not {}",
            connections.most
        );
        connections.most = most;
        connections.per_client = connections.per_client.min(most.div_ceil(2));
    }
    connections
}
