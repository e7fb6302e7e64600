//! The web page at `/`, for people: a recording or the microphone, a tolerance, and what came of
//! it.
//!
//! Its files are part of the program. They hold no secret and are served to everybody, so that a
//! page can ask for the token that the rest of the service wants. The policy that goes with them
//! lets the page load nothing from elsewhere, run no script but these files, and call nobody but
//! this service.
//!
//! Reference: Content Security Policy Level 3, <https://www.w3.org/TR/CSP3/>.

use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::error::Rejection;

/// What the page may do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
/// Of what a browser offers to pages, this one may ask for the microphone alone.
const PERMISSIONS: (HeaderName, &str) =
    (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const WAVE: &str = "audio/wav";

/// A file of the page.
struct File {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// The files by name, out of the folder `page`.
macro_rules! files {
    ($($name:literal $media_type:ident),* $(,)?) => {
        &[$(File {
            name: $name,
            media_type: $media_type,
            bytes: include_bytes!($name),
        }),*]
    };
}

const INDEX: File = File { name: "", media_type: HTML, bytes: include_bytes!("index.html") };
/// For who has no recording at hand.
const SAMPLE: File = File {
    name: "sample.wav",
    media_type: WAVE,
    bytes: include_bytes!("../../../corpora/samples/river.wav"),
};
const FILES: &[File] = files![
    "style.css" CSS,
    "page.js" SCRIPT,
    "account.js" SCRIPT,
    "chart.js" SCRIPT,
    "front.js" SCRIPT,
    "microphone.js" SCRIPT,
    "microphone-worklet.js" SCRIPT,
    "player.js" SCRIPT,
    "policy.js" SCRIPT,
    "recording.js" SCRIPT,
    "savings.js" SCRIPT,
    "service.js" SCRIPT,
    "speaking.js" SCRIPT,
    "stream.js" SCRIPT,
    "take-away.js" SCRIPT,
    "tier-table.js" SCRIPT,
    "tolerance.js" SCRIPT,
    "transcript.js" SCRIPT,
    "write.js" SCRIPT,
];

/// The page.
pub async fn index() -> Response {
    INDEX.respond()
}

/// A file that the page refers to.
///
/// # Errors
/// There is none of that name.
pub async fn file(Path(name): Path<String>) -> Result<Response, Rejection> {
    let mut files = FILES.iter().chain([&SAMPLE]);
    let found = files.find(|file| file.name == name);
    let missing = || Rejection::NotFound("the page has no file of that name".into());
    Ok(found.ok_or_else(missing)?.respond())
}

impl File {
    fn respond(&self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.media_type),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            // A newer program must not be met by an older one's scripts.
            (CACHE_CONTROL, "no-cache"),
            PERMISSIONS,
        ];
        (headers, self.bytes).into_response()
    }
}
