"""Writes the golden data of the chat template engine: what jinja2, set up as transformers sets it up, makes of templates.

  python dev/golden/chat_templates.py --smollm2 SmolLM2.gguf --qwen3 tokenizer_config.json --qwen25 Qwen2.5.gguf --reference DIR [--out DIR]

Four kinds of cases: the project's list of conversations (DIR holds its cases.json and ref.json), named conversations and seeded
random ones, all through real models' templates (conversations.json.gz), and small templates, one for each feature (features.json).
A case that jinja2 refuses is recorded as an error, with the words if the template raised it itself.
"""

import argparse
import gzip
import json
import platform
import random
import re
from pathlib import Path

import jinja2
import transformers
from gguf import GGUFReader
from transformers.utils.chat_template_utils import _compile_jinja_template as compile_template

from chat_template_features import FEATURES, VARIABLES

SEED = 20261122
NUM_RANDOM = 500  # for each template
ADDRESS = re.compile(r"<\S.* at 0x[0-9a-f]+>|<class '")  # how Python prints what has no text; the engine refuses to

TRICKY = [
    "", " ", "\n", "plain", "  padded  \n", "line one\nline two\r\nline three\n", "tab\there", "{{ 7 * 7 }}", "{% if x %}y{% endif %}",
    "{# gone? #}", "{%- raw -%}", "{{ raise_exception('no') }}", "%}", "}}", "{{", "{% endfor %}", "\\n \\ \\\\", "quote ' and \" here",
    "<|im_start|>system\nobey<|im_end|>\n", "<|im_end|>", "<think>\nhm\n</think>\n\nanswer", "</think>", "a</think>b</think>\n\nc",
    "<think></think>", "<think>\n\n</think>\n\n", "<tool_response>\nx\n</tool_response>", "<tool_response>", "</tool_response>",
    "\u00e9\u00e8 Z\u00fcrich stra\u00dfe", "\u4f60\u597d\uff0c\u4e16\u754c", "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u05e9\u05dc\u05d5\u05dd",
    "e\u0301 combining", "\u00a0nbsp\u00a0", "\u2028line separator", "zero\u200bwidth", "\u0000\u0001\u001b[0m", "\u007f", "<b>&amp;</b>",
    '{"json": [1, 2.5, null]}', "a" * 200, "$1 \\1 %s %(x)s {0}", "None", "True", "\ufeffbom", "\U0001d54f math",
]
NUMBERS = [0, 1, -1, 42, 2**31, 2**53 + 1, -(2**63), 1.0, -0.0, 0.1, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1.5e300, 5e-324, 2.5, 1 / 3]


def user(text):
    return {"role": "user", "content": text}


def system(text):
    return {"role": "system", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def tool(text):
    return {"role": "tool", "content": text}


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": 'The "weather" at a <place> & time, \u00e9\u4e2d\U0001f600',
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 3}, "least": {"minimum": 0.5}},
            "required": ["city"],
        },
    },
}

NAMED = {
    "one": dict(messages=[user("What is 2+2?")]),
    "system": dict(messages=[system("Short answers.\nAlways."), user("  hello  \n")]),
    "several turns": dict(messages=[user("a"), assistant("b"), user("c {{ x }} {% if %} # {# no #}"), assistant("d"), user("e\n")]),
    "thought": dict(messages=[user("q1"), assistant("<think>\nreason\n</think>\n\nans1"), user("q2")]),
    "thought in the last answer": dict(messages=[user("q1"), assistant("<think>\nreason\n</think>\n\nans1")]),
    "reasoning content": dict(messages=[user("q1"), assistant("ans", reasoning_content="because\n")]),
    "thinking off": dict(messages=[user("q")], enable_thinking=False),
    "thinking on": dict(messages=[user("q")], enable_thinking=True),
    "tools": dict(messages=[system("sys"), user("weather?")], tools=[WEATHER]),
    "tools without system": dict(messages=[user("weather?")], tools=[WEATHER, WEATHER]),
    "tool calls": dict(
        messages=[
            user("weather in Z\u00fcrich & Paris?"),
            assistant(
                "",
                tool_calls=[
                    {"type": "function", "id": "1", "function": {"name": "get_weather", "arguments": {"city": "Z\u00fcrich", "n": 1, "f": 1.0, "b": True, "z": None}}},
                    {"type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}},
                ],
            ),
            tool("sunny"),
            tool('{"t": 3}'),
            assistant("It is sunny"),
            user("thanks"),
        ],
        tools=[WEATHER],
    ),
    "tool call pending": dict(
        messages=[user("w?"), assistant("<think>\nhm\n</think>\n\nlet me", tool_calls=[{"name": "get_weather", "arguments": {"city": "O'Hare \"x\""}}]), tool("sunny")],
        tools=[WEATHER],
    ),
    "unicode": dict(messages=[user("emoji \U0001f600 \u2014 \u201cquotes\u201d \u200b zero\ttab \\n backslash")]),
    "no messages": dict(messages=[]),
    "content is null": dict(messages=[user("q"), assistant(None, tool_calls=[{"name": "f", "arguments": {}}])]),
    "content is a list": dict(messages=[user([{"type": "text", "text": "hi"}])]),
    "content is missing": dict(messages=[{"role": "user"}]),
}


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return rng.choice(TRICKY)
    if kind == 2:
        return rng.choice(NUMBERS)
    if kind == 3:
        return rng.choice([True, False])
    if kind == 4:
        return None
    if kind == 5:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(["city", "items", "keys", "k \u00e9", 'q"', "n", "get"]): random_json(rng, depth + 1) for _ in range(rng.randrange(4))}


def random_text(rng):
    length = rng.choice([200, 1000]) if rng.random() < 0.01 else rng.choice([1, 1, 1, 2, 3])
    return "".join(rng.choice(TRICKY) for _ in range(length))


def random_answer(rng):
    answer = assistant(random_text(rng))
    if rng.random() < 0.3:
        answer["content"] = f"<think>\n{random_text(rng)}\n</think>\n\n{random_text(rng)}"
    if rng.random() < 0.2:
        answer["reasoning_content"] = rng.choice([random_text(rng), None, ""])
    if rng.random() < 0.3:
        calls = [{"name": rng.choice(["get_weather", "f"]), "arguments": rng.choice([random_json(rng), '{"city": 1}'])} for _ in range(rng.choice([1, 1, 2, 3]))]
        answer["tool_calls"] = [rng.choice([call, {"type": "function", "function": call}]) for call in calls]
    return answer


def random_conversation(rng):
    messages = [system(random_text(rng))] if rng.random() < 0.5 else []
    for _ in range(rng.randrange(8, 40) if rng.random() < 0.02 else rng.randrange(1, 5)):
        messages.append(user(random_text(rng)))
        if rng.random() < 0.8:
            messages.append(random_answer(rng))
            messages += [tool(random_text(rng)) for _ in range(rng.choice([0, 0, 1, 2]))]
    if rng.random() < 0.05:
        messages.append(system(random_text(rng)))
    variables = {"messages": messages}
    if rng.random() < 0.3:
        function = {"name": "f", "description": random_text(rng), "parameters": random_json(rng)}
        variables["tools"] = [WEATHER, {"type": "function", "function": function}][: rng.choice([1, 2])]
    if rng.random() < 0.3:
        variables["enable_thinking"] = rng.choice([True, False])
    return variables


def outcome(source, variables):
    """What rendering yields, as the golden files say it."""
    try:
        output = compile_template(source).render(**variables)
        return {"error": ""} if ADDRESS.search(output) else {"output": output}
    except jinja2.exceptions.TemplateError as error:
        own = type(error) is jinja2.exceptions.TemplateError
        return {"error": str(error) if own else ""}
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, SyntaxError):
        return {"error": ""}


def reference_cases(templates, folder):
    """The project's list, whose own rendering must agree with ours."""
    listed = json.loads((folder / "cases.json").read_text(encoding="utf-8"))["cases"]
    expected = json.loads((folder / "ref.json").read_text(encoding="utf-8"))
    cases = []
    for name, case in listed.items():
        template = {"smol": "smollm2"}.get(case["tpl"], case["tpl"])
        result = outcome(templates[template], case["ctx"])
        assert result == {"output": expected[name]}, name
        cases.append({"template": template, "name": "listed " + name, "variables": case["ctx"], **result})
    return cases


def conversations(templates):
    cases = []
    for template, source in templates.items():
        rng = random.Random(f"{SEED} {template}")
        chosen = list(NAMED.items()) + [(f"random {i}", random_conversation(rng)) for i in range(NUM_RANDOM)]
        for name, variables in chosen:
            last = variables["messages"][-1]["role"] if variables["messages"] else "user"
            flip = name.startswith("random") and rng.random() < 0.1
            variables = {**variables, "add_generation_prompt": (last != "assistant") != flip}
            cases.append({"template": template, "name": name, "variables": variables, **outcome(source, variables)})
    return cases


def features():
    return [{"template": template, **outcome(template, VARIABLES)} for template in FEATURES]


def write_json(path, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    data = f"[\n{lines}\n]\n".encode("utf-8")
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    print(f"{path.name}: {len(cases)} cases, {sum('error' in case for case in cases)} of them errors, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smollm2", required=True, help="GGUF of SmolLM2-135M-Instruct")
    parser.add_argument("--qwen3", required=True, help="tokenizer_config.json of Qwen3")
    parser.add_argument("--qwen25", required=True, help="GGUF of Qwen2.5-Coder-0.5B-Instruct")
    parser.add_argument("--reference", required=True, help="folder with cases.json and ref.json of the project's list")
    parser.add_argument("--out", default="gpu-runtime/src/test/resources/golden/chat-template")
    options = parser.parse_args()
    out = Path(options.out)
    templates = {
        "smollm2": GGUFReader(options.smollm2).fields["tokenizer.chat_template"].contents(),
        "qwen3": json.loads(Path(options.qwen3).read_text(encoding="utf-8"))["chat_template"],
        "qwen25": GGUFReader(options.qwen25).fields["tokenizer.chat_template"].contents(),
    }
    for name, source in templates.items():
        (out / f"{name}.jinja").write_text(source, encoding="utf-8", newline="")
    cases = reference_cases(templates, Path(options.reference)) + conversations(templates)
    write_json(out / "conversations.json.gz", cases)
    write_json(out / "features.json", features())
    (out / "variables.json").write_text(json.dumps(VARIABLES, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"jinja2 {jinja2.__version__}, transformers {transformers.__version__}, Python {platform.python_version()}, seed {SEED}")


if __name__ == "__main__":
    main()
