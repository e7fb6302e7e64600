//! The settings of `paretone serve`, from flags, environment and file.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use paretone::service::{
    AllowedHost, AllowedOrigin, Connections, Hosts, JobOptions, Limits, Options,
};
use paretone::tiers::RULES_FILE;
use paretone::units::Seconds;
use serde::Deserialize;

use super::listen::Listen;
use crate::vad::Vad;

/// The settings; what is missing has its default.
#[derive(clap::Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// Listen at this address and port, as in 127.0.0.1:8080 or localhost:8080; a port alone
    /// listens to this machine, :8080 to all that can reach it, and port 0 takes a free one
    /// [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "PARETONE_LISTEN")]
    pub listen: Option<Listen>,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Leave out what is no speech (voice activity detection), or hear all [default: on]
    #[arg(long, value_enum, env = "PARETONE_VAD")]
    pub vad: Option<Vad>,
    /// Serve by these routing rules of `tiers train` [default: rules.toml in the model's folder]
    #[arg(long, value_name = "FILE", env = "PARETONE_RULES")]
    pub rules: Option<PathBuf>,
    /// Recognise in this many threads [default: one per processor]
    #[arg(long, value_name = "N", env = "PARETONE_WORKERS")]
    pub workers: Option<usize>,
    /// Let this many requests wait for one policy; more get 429. Over all policies twice as many
    /// wait, and of one client two thirds of those [default: 64]
    #[arg(long, value_name = "N", env = "PARETONE_QUEUE", help_heading = "Requests")]
    pub queue: Option<usize>,
    /// Answer within this time after the upload, in seconds, or refuse [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_DEADLINE", help_heading = "Requests")]
    pub deadline: Option<Seconds>,
    /// Refuse bodies larger than this, in MiB [default: 32]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_BODY", help_heading = "Requests")]
    pub max_body: Option<u32>,
    /// Refuse recordings longer than this, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_MAX_AUDIO", help_heading = "Requests")]
    pub max_audio: Option<Seconds>,
    /// Bound the memory for uploads, waveforms and scores of all requests, in MiB [default: 1024]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_MEMORY", help_heading = "Requests")]
    pub max_memory: Option<u32>,
    /// Serve at most this many connections at once; others wait [default: 4096]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_CONNECTIONS", help_heading = "Connections")]
    pub max_connections: Option<usize>,
    /// Serve at most this many connections of one client at once [default: half of them]
    #[arg(
        long,
        value_name = "N",
        env = "PARETONE_MAX_CLIENT_CONNECTIONS",
        help_heading = "Connections"
    )]
    pub max_client_connections: Option<usize>,
    /// Open at most this many streams at once; others get 429 [default: 256]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_STREAMS", help_heading = "Streams")]
    pub max_streams: Option<usize>,
    /// Open at most this many streams of one client at once [default: half of them]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_CLIENT_STREAMS", help_heading = "Streams")]
    pub max_client_streams: Option<usize>,
    /// Close a stream that brings no audio for this long, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_STREAM_TIMEOUT", help_heading = "Streams")]
    pub stream_timeout: Option<Seconds>,
    /// Bound the memory for all streams, in MiB [default: 256]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_STREAM_MEMORY", help_heading = "Streams")]
    pub max_stream_memory: Option<u32>,
    /// Keep the graphs of at most this many lists of callers' words, each of some 80 MB; 0: no
    /// words are taken [default: 4]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_WORD_LISTS", help_heading = "Requests")]
    pub max_word_lists: Option<usize>,
    /// Believe the X-Forwarded-For of this proxy, which tells whom it speaks for; may be repeated
    /// [default: none]
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "PARETONE_TRUSTED_PROXY",
        value_delimiter = ',',
        help_heading = "Connections"
    )]
    pub trusted_proxy: Option<Vec<IpAddr>>,
    /// Wait at most this long for a request's head, between parts of its body, and for its caller
    /// to read on, in seconds [default: 15]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_IDLE_TIMEOUT", help_heading = "Connections")]
    pub idle_timeout: Option<Seconds>,
    /// Give a body, and its answer, at most this long to pass, in seconds [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_UPLOAD_TIMEOUT", help_heading = "Connections")]
    pub upload_timeout: Option<Seconds>,
    /// Give answers in progress at most this long once told to stop, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_DRAIN_TIMEOUT", help_heading = "How to stop")]
    pub drain_timeout: Option<Seconds>,
    /// Say "not ready" and serve on for this long once told to stop, in seconds [default: 0]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "PARETONE_DRAIN_DELAY",
        help_heading = "How to stop"
    )]
    pub drain_delay: Option<Seconds>,
    /// Answer /healthz, /readyz and /metrics, and nothing else, at this second address too, with
    /// connections of its own
    #[arg(long, value_name = "ADDRESS", env = "PARETONE_PROBE_LISTEN")]
    pub probe_listen: Option<Listen>,
    /// Answer to this name too where the service listens on loopback alone, such as that of a proxy
    /// in front of it; may be repeated
    #[arg(
        long,
        value_name = "HOST",
        env = "PARETONE_ALLOW_HOST",
        value_delimiter = ',',
        help_heading = "Who may call"
    )]
    pub allow_host: Option<Vec<String>>,
    /// Look at the rules every so many seconds, and read them again where they have changed
    /// [default: on SIGHUP only]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_WATCH_RULES")]
    pub watch_rules: Option<Seconds>,
    /// Serve only callers that show this bearer token; better by environment or file, as flags can
    /// be seen by others
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PARETONE_TOKEN",
        hide_env_values = true,
        help_heading = "Who may call"
    )]
    pub token: Option<String>,
    /// Let pages of this origin call, or * for all; may be repeated [default: none]
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "PARETONE_CORS_ORIGIN",
        value_delimiter = ',',
        help_heading = "Who may call"
    )]
    pub cors_origin: Option<Vec<AllowedOrigin>>,
    /// Watch for drift: have the most accurate version answer this share of the requests too,
    /// unseen [default: 0]
    #[arg(long, value_name = "SHARE", env = "PARETONE_SHADOW")]
    pub shadow: Option<f64>,
    /// Take in jobs (POST /v1/jobs), and keep them in this file [default: no jobs]
    #[arg(long, value_name = "FILE", env = "PARETONE_JOBS", help_heading = "Jobs")]
    pub jobs: Option<PathBuf>,
    /// Let at most this many jobs wait; of one client half of them [default: 1000]
    #[arg(long, value_name = "N", env = "PARETONE_MAX_JOBS", help_heading = "Jobs")]
    pub max_jobs: Option<usize>,
    /// Bound the disk for recordings and answers of jobs, in MiB [default: 4096]
    #[arg(long, value_name = "MIB", env = "PARETONE_MAX_JOBS_DISK", help_heading = "Jobs")]
    pub max_jobs_disk: Option<u32>,
    /// Keep the answer of a job for this long, in seconds [default: 86400]
    #[arg(long, value_name = "SECONDS", value_parser = Seconds::positive, env = "PARETONE_KEEP_JOBS", help_heading = "Jobs")]
    pub keep_jobs: Option<Seconds>,
    /// Allow callbacks to this host, by plain HTTP, with answers of jobs; with or without a port;
    /// may be repeated [default: none]
    #[arg(
        long,
        value_name = "HOST",
        env = "PARETONE_CALLBACK_HOST",
        value_delimiter = ',',
        help_heading = "Jobs"
    )]
    pub callback_host: Option<Vec<AllowedHost>>,
}

impl Settings {
    /// These, and where there are none those of a file.
    pub fn or(self, file: Settings) -> Settings {
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
            max_client_connections: self.max_client_connections.or(file.max_client_connections),
            max_streams: self.max_streams.or(file.max_streams),
            max_client_streams: self.max_client_streams.or(file.max_client_streams),
            stream_timeout: self.stream_timeout.or(file.stream_timeout),
            max_stream_memory: self.max_stream_memory.or(file.max_stream_memory),
            max_word_lists: self.max_word_lists.or(file.max_word_lists),
            trusted_proxy: self.trusted_proxy.or(file.trusted_proxy),
            idle_timeout: self.idle_timeout.or(file.idle_timeout),
            upload_timeout: self.upload_timeout.or(file.upload_timeout),
            drain_timeout: self.drain_timeout.or(file.drain_timeout),
            drain_delay: self.drain_delay.or(file.drain_delay),
            probe_listen: self.probe_listen.or(file.probe_listen),
            allow_host: self.allow_host.or(file.allow_host),
            watch_rules: self.watch_rules.or(file.watch_rules),
            token: self.token.or(file.token),
            cors_origin: self.cors_origin.or(file.cors_origin),
            shadow: self.shadow.or(file.shadow),
            jobs: self.jobs.or(file.jobs),
            max_jobs: self.max_jobs.or(file.max_jobs),
            max_jobs_disk: self.max_jobs_disk.or(file.max_jobs_disk),
            keep_jobs: self.keep_jobs.or(file.keep_jobs),
            callback_host: self.callback_host.or(file.callback_host),
        }
    }

    /// The settings in a file.
    ///
    /// # Errors
    /// It cannot be read, or holds what is no setting.
    pub fn open(path: &Path) -> anyhow::Result<Settings> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let settings: Settings =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        for value in settings.times().into_iter().flatten() {
            Seconds::positive(&value.to_string()).with_context(|| path.display().to_string())?;
        }
        Ok(settings)
    }

    fn times(&self) -> [Option<Seconds>; 8] {
        [
            self.deadline,
            self.max_audio,
            self.idle_timeout,
            self.upload_timeout,
            self.drain_timeout,
            self.watch_rules,
            self.stream_timeout,
            self.keep_jobs,
        ]
    }

    /// Where to listen.
    pub fn address(&self) -> SocketAddr {
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        self.listen.map_or(default, |listen| listen.0)
    }

    /// How the service of a model is set up.
    pub fn options(&self, model: &Path) -> Options {
        let rules = self.rules.clone();
        // Whoever names a file wants that one.
        let rules_may_lack = rules.is_none();
        let mut options = Options::new(rules.unwrap_or_else(|| model.join(RULES_FILE)));
        options.limits = self.limits();
        options.uncertified = rules_may_lack;
        options.workers = self.workers.unwrap_or(options.workers);
        options.queue = self.queue.unwrap_or(options.queue);
        options.deadline = time(self.deadline, options.deadline);
        options.idle = time(self.idle_timeout, options.idle);
        options.upload = time(self.upload_timeout, options.upload);
        options.token.clone_from(&self.token);
        options.cors = self.cors_origin.clone().unwrap_or_default();
        options.trusted_proxies = self.trusted_proxy.clone().unwrap_or_default();
        options.shadow = self.shadow.unwrap_or(0.0);
        options.jobs = self.jobs.clone().map(|file| self.job_options(file));
        options.watch_rules = self.watch_rules.map(duration);
        options.hosts = match &self.allow_host {
            None if !self.address().ip().to_canonical().is_loopback() => Hosts::Any,
            names => Hosts::LoopbackAnd(names.clone().unwrap_or_default()),
        };
        options
    }

    fn job_options(&self, file: PathBuf) -> JobOptions {
        let mut jobs = JobOptions::new(file);
        jobs.most = self.max_jobs.unwrap_or(jobs.most);
        jobs.bytes = self.max_jobs_disk.map_or(jobs.bytes, |mebibytes| u64::from(mebibytes) << 20);
        jobs.keep = time(self.keep_jobs, jobs.keep);
        jobs.callback_hosts = self.callback_host.clone().unwrap_or_default();
        jobs
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.body = self.max_body.map_or(limits.body, mebibytes);
        limits.audio = self.max_audio.unwrap_or(limits.audio);
        limits.memory = self.max_memory.map_or(limits.memory, mebibytes);
        limits.streams = self.max_streams.unwrap_or(limits.streams);
        limits.streams_per_client = self.max_client_streams.unwrap_or(limits.streams.div_ceil(2));
        limits.stream_idle = time(self.stream_timeout, limits.stream_idle);
        limits.word_lists = self.max_word_lists.unwrap_or(limits.word_lists);
        limits.stream_memory = self.max_stream_memory.map_or(limits.stream_memory, mebibytes);
        limits
    }

    /// How connections are treated.
    pub fn connections(&self) -> Connections {
        let mut connections = Connections::default();
        connections.most = self.max_connections.unwrap_or(connections.most);
        connections.per_client =
            self.max_client_connections.unwrap_or(connections.most.div_ceil(2));
        connections.idle = time(self.idle_timeout, connections.idle);
        connections.upload = time(self.upload_timeout, connections.upload);
        connections.drain = time(self.drain_timeout, connections.drain);
        connections.trusted_proxies = self.trusted_proxy.clone().unwrap_or_default();
        connections
    }

    /// Whether what is no speech is left out.
    pub fn has_gate(&self) -> bool {
        self.vad.unwrap_or_default().is_on()
    }

    /// How long the service says that it is not ready before it drains.
    pub fn drain_delay(&self) -> Duration {
        time(self.drain_delay, Duration::ZERO)
    }
}

fn time(asked: Option<Seconds>, default: Duration) -> Duration {
    asked.map_or(default, duration)
}

fn duration(time: Seconds) -> Duration {
    Duration::from_secs_f64(time.0)
}

fn mebibytes(number: u32) -> usize {
    usize::try_from(u64::from(number) << 20).unwrap_or(usize::MAX)
}
