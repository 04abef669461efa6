#!/usr/bin/env python3
"""Reads results of a completions or delta topic, one JSON value a line, and checks that the types of OpenAI's Python client take them.

    pip install openai
    scripts/radixflow topic consume completions --from-beginning --max-records 20 | dev/check_openai_client.py

A field of the wrong type is an error; fields that the client does not know are let through. The client has no finish reason `abort`.
"""

import json
import sys

from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

TYPES = {"chat.completion": ChatCompletion, "chat.completion.chunk": ChatCompletionChunk, "text_completion": Completion}


def check(value):
    """The object's kind, how many choices it has, and whether they carry log-probabilities."""
    body = value["response"]["body"] if "response" in value else value
    if "response" in value:
        assert value["error"] is None and value["response"]["status_code"] == 200, value
    body = {name: field for name, field in body.items() if name != "metadata"}  # the sender's own, any JSON
    if body["object"] == "text_completion":
        for choice in body["choices"]:  # null in OpenAI's own streams too, whatever its type says
            choice["finish_reason"] = choice["finish_reason"] or "stop"
    parsed = TYPES[body["object"]].model_validate(body)
    for field in ("id", "created", "model"):
        assert getattr(parsed, field), field
    for place, choice in enumerate(parsed.choices):
        if body["object"] != "chat.completion.chunk" and len(parsed.choices) > 1:
            assert choice.index == place, choice
        if choice.logprobs is not None and body["object"] != "text_completion":
            for token in choice.logprobs.content:
                assert token.logprob <= 0 and bytes(token.bytes).decode(errors="replace"), token
    if body["object"] != "chat.completion.chunk" and parsed.usage is not None:
        usage = parsed.usage
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
        assert usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens, usage
    batch = "batch line, " if "response" in value else ""
    scores = ", logprobs" if any(choice.logprobs is not None for choice in parsed.choices) else ""
    return f"{batch}{body['object']}, {len(parsed.choices)} choices{scores}"


def main():
    kinds = {}
    for line in sys.stdin:
        kind = check(json.loads(line))
        kinds[kind] = kinds.get(kind, 0) + 1
    for kind, number in sorted(kinds.items()):
        print(f"{number:5d}  {kind}")
    if not kinds:
        sys.exit("nothing came in")


if __name__ == "__main__":
    main()
