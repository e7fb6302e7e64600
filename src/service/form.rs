//! The multipart form of a transcription request, read as it arrives.
//!
//! Fields and their meaning are those of OpenAI's `POST /v1/audio/transcriptions`; `tolerance`,
//! `objective` and `words` are ours. Fields that a model without a temperature cannot use are
//! ignored, as unknown ones are.

use axum::body::Bytes;
use futures_util::Stream;
use multer::{Field, Multipart};

use super::error::Rejection;
use super::memory::{Held, Memory};
use super::metered::{Between, KEPT, Metered};
use super::own_words::{LARGEST_LIST, OwnWords};
use super::request::{self, Ask};
use super::upload::Upload;

/// Largest field that is read, in bytes; others are passed over whatever their size.
const LARGEST_FIELD: usize = 4 << 10;
/// Fields that are read, besides the file and the model.
const READ: [&str; 7] = [
    "tolerance",
    "objective",
    "response_format",
    "timestamp_granularities[]",
    "timestamp_granularities",
    "language",
    "stream",
];
/// Most fields of a form.
const MOST_FIELDS: usize = 64;

/// The shape of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `{"text": …}`.
    #[default]
    Json,
    /// The words.
    Text,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
    /// JSON with segments or words and their times.
    VerboseJson,
}

impl Format {
    fn of(name: &str) -> Result<Format, Rejection> {
        match name {
            "json" => Ok(Format::Json),
            "text" => Ok(Format::Text),
            "srt" => Ok(Format::Srt),
            "vtt" => Ok(Format::Vtt),
            "verbose_json" => Ok(Format::VerboseJson),
            _ => Err(wrong("response_format", "json, text, srt, vtt or verbose_json")),
        }
    }
}

/// What times verbose JSON tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granularities {
    /// Of words.
    pub word: bool,
    /// Of segments; also where nothing was asked for.
    pub segment: bool,
}

/// A transcription request.
#[derive(Debug, Default)]
pub struct Form {
    /// The file.
    pub upload: Option<Upload>,
    /// Its name.
    pub name: Option<String>,
    /// What the fields `tolerance` and `objective` ask for, else the headers, else the field
    /// `model`.
    pub ask: Ask,
    /// The words to expect.
    pub words: OwnWords,
    /// The shape of the answer.
    pub format: Format,
    /// The times in it.
    pub granularities: Granularities,
    /// Whether the answer comes as events.
    pub stream: bool,
}

impl Form {
    /// Reads a form from the parts of a body; the file is counted in `memory`, and `asked` is what
    /// the headers ask for.
    ///
    /// # Errors
    /// The body is no form, too large or too slow, or a field is not what it should be.
    pub async fn read<S>(
        memory: &Memory,
        parts: S,
        content_type: &str,
        asked: Ask,
    ) -> Result<Form, Rejection>
    where
        S: Stream<Item = Result<Bytes, Rejection>> + Send + 'static,
    {
        let boundary = multer::parse_boundary(content_type).map_err(|_| {
            Rejection::Unsupported("this path reads multipart/form-data with a boundary".into())
        })?;
        let mut kept = Held::default();
        memory.grow(&mut kept, KEPT)?;
        let between = Between::default();
        let mut multipart = Multipart::new(Metered::new(parts, between.clone()), boundary);
        let (mut form, mut model) = (Form::default(), Ask::default());
        for _ in 0..MOST_FIELDS {
            let Some(field) = multipart.next_field().await.map_err(damaged)? else {
                form.ask = form.ask.or(asked).or(model);
                return Ok(form);
            };
            let mut content = Content { field, between: &between };
            match content.field.name() {
                Some("file") => form.take_file(memory, &mut content).await?,
                Some("model") => model = Ask::of_model(&content.text().await?)?,
                Some("words") => {
                    memory.grow(&mut kept, LARGEST_LIST)?;
                    form.words.list = content.text_of(LARGEST_LIST).await?;
                }
                Some("prompt") => {
                    memory.grow(&mut kept, LARGEST_LIST)?;
                    form.words.prompt = content.head(LARGEST_LIST).await?;
                }
                Some(name) if READ.contains(&name) => {
                    let name = name.to_owned();
                    form.set(&name, &content.text().await?)?;
                }
                _ => while content.chunk().await?.is_some() {},
            }
        }
        Err(Rejection::BadRequest(format!("a form has at most {MOST_FIELDS} fields")))
    }

    async fn take_file(
        &mut self,
        memory: &Memory,
        content: &mut Content<'_>,
    ) -> Result<(), Rejection> {
        if self.upload.is_some() {
            return Err(Rejection::BadRequest("one request has one file".into()));
        }
        self.name = content.field.file_name().map(str::to_owned);
        let mut upload = Upload::default();
        while let Some(part) = content.chunk().await? {
            upload.push(memory, &part)?;
        }
        self.upload = Some(upload);
        Ok(())
    }

    /// Sets what a field other than the file says.
    ///
    /// # Errors
    /// Its value is none of those it may have.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Rejection> {
        match name {
            "tolerance" => self.ask.tolerance = Some(request::tolerance(value)?),
            "objective" => self.ask.objective = Some(request::objective(value)?),
            "response_format" => self.format = Format::of(value)?,
            "timestamp_granularities[]" | "timestamp_granularities" => match value {
                "word" => self.granularities.word = true,
                "segment" => self.granularities.segment = true,
                _ => return Err(wrong(name, "word or segment")),
            },
            "language" if !is_english(value) => {
                return Err(Rejection::Unprocessable("the model hears English only".into()));
            }
            "stream" => self.stream = truth(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// A field whose content is read.
struct Content<'b> {
    field: Field<'static>,
    between: &'b Between,
}

impl Content<'_> {
    /// The next part of it.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Rejection> {
        self.between.content();
        let chunk = self.field.chunk().await.map_err(damaged)?;
        self.between.content();
        Ok(chunk)
    }

    /// All of it, as text.
    async fn text(&mut self) -> Result<String, Rejection> {
        self.text_of(LARGEST_FIELD).await
    }

    /// The first bytes of it, as text.
    async fn head(&mut self, most: usize) -> Result<String, Rejection> {
        let mut bytes = Vec::new();
        while let Some(part) = self.chunk().await? {
            let room = most - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// All of it, as text of at most so many bytes.
    async fn text_of(&mut self, most: usize) -> Result<String, Rejection> {
        let mut bytes = Vec::new();
        while let Some(part) = self.chunk().await? {
            bytes.extend_from_slice(&part);
            if bytes.len() > most {
                let why = format!("this field has at most {most} bytes");
                return Err(Rejection::TooLarge(why));
            }
        }
        String::from_utf8(bytes).map_err(|_| Rejection::BadRequest("a field is no UTF-8".into()))
    }
}

/// Whether a language tag, or a language's name, is English: `en`, `EN`, `en-US`, `en_GB`,
/// `English` (RFC 5646; the names are those of OpenAI's interface).
fn is_english(language: &str) -> bool {
    let language = language.trim();
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    ["", "en", "eng", "english"].iter().any(|name| primary.eq_ignore_ascii_case(name))
}

/// A truth as forms write it.
fn truth(value: &str) -> Result<bool, Rejection> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(wrong("stream", "true or false")),
    }
}

fn wrong(field: &str, expected: &str) -> Rejection {
    Rejection::BadRequest(format!("{field} must be {expected}"))
}

/// What broke the form: the body's own end, or its shape.
fn damaged(error: multer::Error) -> Rejection {
    match error {
        multer::Error::StreamReadFailed(source) => match source.downcast::<Rejection>() {
            Ok(rejection) => *rejection,
            Err(source) => Rejection::BadRequest(format!("the body broke off: {source}")),
        },
        error => Rejection::BadRequest(format!("no multipart form: {error}")),
    }
}
