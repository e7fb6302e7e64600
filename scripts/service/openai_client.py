"""The official `openai` client against a running `paretone serve`: every format, tiers by name and by field, and errors.

    pip install -r scripts/service/requirements.txt
    python scripts/service/openai_client.py http://127.0.0.1:8080 corpora/samples/river.wav river
"""

import sys

import openai


def main(url: str, recording: str, word: str) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    names = [model.id for model in client.models.list()]
    assert "whisper-1" in names and any(name.endswith("-cost") for name in names), names

    def ask(model="whisper-1", **more):
        with open(recording, "rb") as file:
            return client.audio.transcriptions.create(model=model, file=file, **more)

    assert word in ask().text
    for form in ("text", "srt", "vtt"):
        assert word in ask(response_format=form), form
    verbose = ask(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert any(heard.word == word for heard in verbose.words) and verbose.segments[0].start >= 0 and verbose.duration > 0
    by_name = ask("paretone-5pct-cost").account["tier"]
    by_field = ask(extra_body={"tolerance": "5%", "objective": "cost"}).account["tier"]
    assert by_name == by_field and by_name.startswith("cost/"), (by_name, by_field)
    for model in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"):
        events = list(ask(model, stream=True, language="en-US", prompt="words " * 4000))
        *deltas, done = events
        assert deltas and all(event.type == "transcript.text.delta" for event in deltas), events
        assert done.type == "transcript.text.done" and done.text == "".join(event.delta for event in deltas), events
        assert done.text == ask(model).text, done
    for kind, more in ((openai.NotFoundError, {"model": "gpt-4"}), (openai.BadRequestError, {"extra_body": {"tolerance": "-1"}})):
        try:
            ask(**more)
        except kind as error:
            assert error.body["code"], error.body
        else:
            raise AssertionError(f"no {kind.__name__}")
    print(f"openai {openai.__version__}: {len(names)} models, all formats, events, tiers and errors as expected")


if __name__ == "__main__":
    main(*sys.argv[1:])
