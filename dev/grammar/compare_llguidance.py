#!/usr/bin/env python3
"""llguidance's side of a comparison of token masks; ours is io.radixflow.grammar.MaskDump. README.md says how to run both.

    walk    MODELS SPACE CASES SCHEMA_FILE...   sequences of tokens for each schema: instances and random walks
    compare MODELS SPACE CASES DUMP QUESTIONS   masks bit by bit along them; asks about a sample of the disagreements
    report  QUESTIONS ANSWERS                   the disagreements by cause, as tables of Markdown
"""
import collections
import functools
import json
import pathlib
import random
import sys
import time

import jsonschema
import llguidance.numpy
import numpy
from llguidance import LLMatcher, LLTokenizer

END = "<|im_end|>"
WALKS, WALK_LEN, ATTEMPTS, SAMPLES, MOST_NOTED = 3, 40, 60, 2, 300
CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER


class Oracle:
    def __init__(self, models, space):
        file = pathlib.Path(models, "qwen3-tokenizer", "tokenizer.json")
        added = json.loads(file.read_text())["added_tokens"]
        self.end = next(token["id"] for token in added if token["content"] == END)
        self.added = {token["id"] for token in added}
        self.tokenizer = LLTokenizer(file.read_text(), eos_token=self.end)
        self.size = self.tokenizer.vocab_size
        self.bits = llguidance.numpy.allocate_token_bitmask(1, self.size)
        self.options = {"json_allow_general_unicode_escapes": True}
        self.options |= {"whitespace_pattern": space} if space else {"whitespace_flexible": False}

    def matcher(self, schema, is_forcing=False):
        """
        Where only some bytes can follow, llguidance by default allows their canonical tokens alone; without forcing it allows every token.
        Raises ValueError with the refusal.
        """
        schema = {True: {}, False: {"not": {}}}[schema] if isinstance(schema, bool) else schema
        if is_forcing:
            grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=self.options)
        else:
            json_schema = json.dumps({**schema, "x-guidance": self.options})
            grammar = LLMatcher.grammar_from_lark('%llguidance {"no_forcing": true}\nstart: %json ' + json_schema)
        matcher = LLMatcher(self.tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher

    @functools.cache
    def bytes_of(self, token):
        return self.tokenizer.decode_bytes([int(token)])

    def fill(self, matcher):
        llguidance.numpy.fill_next_token_bitmask(matcher, self.bits)

    def mask(self, matcher):
        if matcher.is_stopped():
            allowed = numpy.zeros(self.size, bool)
            allowed[self.end] = True
            return allowed
        self.fill(matcher)
        return numpy.unpackbits(self.bits[0].view(numpy.uint8), bitorder="little")[: self.size].astype(bool)

    def walk(self, matcher, chance, length, is_closing=False):
        ids = []
        while len(ids) < length and not matcher.is_stopped():
            allowed = numpy.flatnonzero(self.mask(matcher))
            if is_closing and matcher.is_accepting():
                break
            pick = allowed[int(len(allowed) * chance.random() ** 3)]
            if is_closing:
                closing = [i for i in allowed[:200] if self.bytes_of(i) in (b'"', b"}", b"]", b"0")]
                pick = closing[0] if closing and chance.random() < 0.8 else pick
            if pick == self.end:
                break
            ids.append(int(pick))
            if not matcher.consume_token(ids[-1]):
                return None
        return ids

    def completed(self, matcher_at, prefix):
        """A whole text behind the prefix, or None if no short one was found."""
        for attempt in range(ATTEMPTS):
            matcher = matcher_at.deep_copy()
            ids = self.walk(matcher, random.Random(attempt), 80, is_closing=True)
            if ids is not None and matcher.is_accepting():
                return (prefix + self.tokenizer.decode_bytes(ids)).decode(errors="replace")
        return None


def schemas(files):
    """(name, schema, instances) of files that hold one schema, lines of schemas, or tests of JSON-Schema-Test-Suite."""
    for file in map(pathlib.Path, files):
        if file.suffix == ".jsonl":
            for number, line in enumerate(file.read_text().splitlines()):
                yield f"random-{number}", json.loads(line), []
            continue
        content = json.loads(file.read_text())
        if not isinstance(content, list):
            yield file.stem, content, []
            continue
        for group in content:
            instances = [test["data"] for test in group["tests"]]
            yield f"suite/{file.stem}: {group['description']}", group["schema"], instances


def walk(models, space, out, *files):
    oracle = Oracle(models, space)
    with open(out, "w") as lines:
        for name, schema, instances in schemas(files):
            texts = [json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in instances]
            sequences = [oracle.tokenizer.tokenize_str(text) for text in texts if text.isprintable()]
            try:
                for seed in range(WALKS):
                    sequences.append(oracle.walk(oracle.matcher(schema), random.Random(seed), WALK_LEN) or [])
            except ValueError:
                pass  # compare says so
            lines.write(json.dumps({"name": name, "schema": schema, "sequences": sequences}) + "\n")


def context(prefix):
    """Where in JSON the text stands: value, string (or name), escape, number, or between tokens."""
    is_string, is_escape, since = False, False, ""
    stack = []
    for char in prefix:
        if is_string:
            if is_escape:
                is_escape = False
            elif char == "\\":
                is_escape = True
            elif char == '"':
                is_string = False
            since += char
        elif char == '"':
            is_string, since = True, ""
            is_name = bool(stack) and stack[-1] == "{"
        else:
            if char in "{[":
                stack.append(char)
            elif char in "}]" and stack:
                stack.pop()
            elif char == ":" and stack:
                stack[-1] = ":"
            elif char == "," and stack and stack[-1] == ":":
                stack[-1] = "{"
            since = since + char if char in "0123456789+-.eE" else ""
    if is_string:
        return "escape" if is_escape or "\\u" in since[-6:] else "name" if is_name else "string"
    if since and since[-1] in "0123456789+-.eE":
        return "number"
    return "before a name" if stack and stack[-1] == "{" else "between"


def cause(where, token):
    text = token.decode(errors="replace")
    if where in ("string", "name", "escape"):
        if "\\/" in text or where == "escape" and text[:1] == "/":
            return "escape of a slash"
        if "\x7f" in text:
            return "delete character"
        if "\\" in text or where == "escape":
            return f"escape in a {'name' if where == 'name' else 'string'}"
        if "\ufffd" in text or b"\xef\xbf\xbd" in token:
            return "part of a character"
        return f"inside a {where}"
    if any(c in " \t\n\r" for c in text.split('"')[0]):
        return "white space"
    if where == "number" or text[:1] in "0123456789-":
        return "number"
    return where


def compare(models, space, cases, dump, out):
    oracle = Oracle(models, space)
    ours = numpy.memmap(pathlib.Path(dump, "masks.bin"), numpy.uint8, "r").reshape(-1, 8 * ((oracle.size + 63) // 64))
    counts = collections.Counter()
    refusals = collections.Counter()
    times = collections.defaultdict(list)
    groups = collections.defaultdict(lambda: [0, 0, []])  # (cause, side, case) -> masks, tokens, samples
    with open(cases) as case_lines, open(pathlib.Path(dump, "masks.jsonl")) as dump_lines:
        for case, dumped in zip(map(json.loads, case_lines), map(json.loads, dump_lines)):
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            try:
                timed = oracle.matcher(case["schema"], is_forcing=True)
                oracle.fill(timed)
                first = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
                matcher = oracle.matcher(case["schema"])
            except ValueError as refusal:
                matcher = None
                refusals["llguidance: " + str(refusal).split("\n")[0][:90]] += 1
            if "refusal" in dumped:
                refusals["ours: " + dumped["refusal"].split(" at #")[0][:90]] += 1
            counts["both" if matcher and "refusal" not in dumped else "only llguidance" if matcher
                   else "only ours" if "refusal" not in dumped else "neither"] += 1
            if not matcher or "refusal" in dumped:
                continue
            times["their first"].append(first)
            times["our first"].append((dumped["firstCpu"], dumped["firstWall"]))
            for sequence in dumped["sequences"]:
                follow(oracle, (matcher, timed), ours, case, sequence, (counts, times, groups))
    show(counts, refusals, times)
    write_questions(oracle, groups, out)


def follow(oracle, matchers, ours, case, sequence, results):
    matcher, timed = matchers
    counts, times, groups = results
    matcher.reset()
    timed.reset()
    prefix = b""
    for step, number in enumerate(sequence["masks"]):
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        if not timed.is_stopped():
            oracle.fill(timed)
            times["their mask"].append((time.thread_time_ns() - cpu, time.perf_counter_ns() - wall))
            times["our mask"].append((sequence["cpu"][step], sequence["wall"][step]))
        theirs = oracle.mask(matcher)
        own = numpy.unpackbits(ours[number], bitorder="little")[: oracle.size].astype(bool)
        counts["masks"] += 1
        counts["bits"] += oracle.size
        differ = numpy.flatnonzero(theirs != own)
        counts["equal masks"] += len(differ) == 0
        counts["bits that differ"] += len(differ)
        note(oracle, matcher, case, (sequence["ids"][:step], prefix), (differ, theirs), groups)
        if step == len(sequence["ids"]):
            return
        token = sequence["ids"][step]
        if not theirs[token] or not matcher.consume_token(token):
            return
        timed.consume_token(token)
        prefix += oracle.bytes_of(token)


def note(oracle, matcher, case, at, differing, groups):
    ids, prefix = at
    differ, theirs = differing
    seen = set()
    where = context(prefix.decode(errors="replace"))
    share = max(1, len(differ) // MOST_NOTED)
    for token in map(int, differ[::share]):
        why = "end of the text" if token == oracle.end else "added token" if token in oracle.added else cause(where, oracle.bytes_of(token))
        group = groups[why, "llguidance only" if theirs[token] else "ours only", case["name"]]
        group[0] += why not in seen
        seen.add(why)
        group[1] += share
        if len(group[2]) < SAMPLES and why + str(theirs[token]) not in seen:
            seen.add(why + str(theirs[token]))
            text = prefix if token == oracle.end else prefix + oracle.bytes_of(token)
            whole = None
            if theirs[token]:
                after = matcher.deep_copy()
                is_done = token == oracle.end or after.consume_token(token)
                whole = text.decode(errors="replace") if token == oracle.end else oracle.completed(after, text) if is_done else None
            group[2].append((ids + [token] * (token != oracle.end), text, whole, case["schema"]))


def write_questions(oracle, groups, out):
    with open(out, "w") as lines:
        number = 0
        for (why, side, name), (masks, tokens, samples) in groups.items():
            lines.write(json.dumps({"group": [why, side, name], "masks": masks, "tokens": tokens}) + "\n")
            for ids, text, whole, schema in samples:
                question = {"id": number, "group": [why, side, name], "schema": schema, "text": text.decode(errors="replace")}
                if side == "ours only":
                    question["ids"] = ids
                elif whole is not None:
                    question["value"] = whole
                lines.write(json.dumps(question) + "\n")
                number += 1


def show(counts, refusals, times):
    print("| schemas | |\n| --- | --- |")
    for key in ("both", "only llguidance", "only ours", "neither"):
        print(f"| {key} | {counts[key]} |")
    print("\n| masks | equal | bits | that differ |\n| --- | --- | --- | --- |")
    print(f"| {counts['masks']:,} | {counts['equal masks']:,} | {counts['bits']:,} | {counts['bits that differ']:,} |")
    print("\n| microseconds | p50 | p90 | p99 | max | number |\n| --- | --- | --- | --- | --- | --- |")
    for key, pairs in times.items():
        for name, column in ("processor", 0), ("clock", 1):
            values = numpy.array([pair[column] for pair in pairs]) / 1e3
            cells = [f"{numpy.percentile(values, p):,.1f}" for p in (50, 90, 99, 100)]
            print(f"| {key}, {name} | {' | '.join(cells)} | {len(values):,} |")
    print("\nRefused:")
    for why, count in refusals.most_common():
        print(f"- {count} x {why}")


def parse(text):
    """The value of a text, or None with why not."""
    try:
        return json.loads(text), None
    except ValueError as error:
        return None, "no JSON: " + str(error)


def verdict(question, answer):
    schema = question["schema"]
    text = answer.get("text") if "ids" in question else question.get("value")
    if text is None:
        return "no short completion found", ""
    value, fault = parse(text)
    if fault:
        return "wrong: " + fault[:40], text
    is_valid = jsonschema.Draft202012Validator(schema, format_checker=CHECKER).is_valid(value)
    if not is_valid:
        return "wrong: completes to an invalid instance", text
    if "ids" in question:
        return "right: completes to an instance", text
    return ("spelling: ours takes the value otherwise" if answer["isAccepted"] else "value: ours takes it in no spelling"), text


def report(questions, answers):
    replies = {reply["id"]: reply for reply in map(json.loads, open(answers))}
    totals = collections.defaultdict(lambda: [0, 0, set()])
    verdicts = collections.defaultdict(collections.Counter)
    examples = {}
    for line in map(json.loads, open(questions)):
        why, side, name = line["group"]
        if "masks" in line:
            total = totals[side, why]
            total[0] += line["masks"]
            total[1] += line["tokens"]
            total[2].add(name)
            continue
        try:
            found, text = verdict(line, replies.get(line["id"], {}))
        except Exception as error:  # a schema that the validator can't read
            found, text = "not checked: " + type(error).__name__, ""
        verdicts[side, why][found] += 1
        examples.setdefault((side, why, found), []).append((name, line["text"][-60:], text[:120]))
    print("| allowed by | where | schemas | masks | bits | samples |\n| --- | --- | --- | --- | --- | --- |")
    for key, (masks, tokens, names) in sorted(totals.items()):
        samples = "; ".join(f"{count} {found}" for found, count in verdicts[key].most_common())
        print(f"| {key[0]} | {key[1]} | {len(names)} | {masks:,} | {tokens:,} | {samples} |")
    for key, found in sorted(examples.items()):
        print(f"\n{key}: {len(found)}")
        for name, text, whole in found[:6]:
            print(f"  {name} | {text!r} | {whole!r}")


if __name__ == "__main__":
    {"walk": walk, "compare": compare, "report": report}[sys.argv[1]](*sys.argv[2:])
