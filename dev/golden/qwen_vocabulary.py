"""What the Python package tokenizers makes of many texts in Qwen's real vocabularies, for the tests tagged `qwen`.

  python dev/golden/qwen_vocabulary.py TOKENIZER.json QWEN2.5.gguf OUT.jsonl [--count 100000]

Needs the Python packages tokenizers and gguf. TOKENIZER.json is Qwen3's; Qwen2.5's tokenizer is put together from the GGUF's own
vocabulary. The texts are those of texts.json and `count` random ones (seed 17). Each line of OUT.jsonl is a list: the text, what Qwen3's
vocabulary makes of it, and what Qwen2.5's does, or null if that is the same: ids, the text they decode to, and that without special tokens;
a decoded text is null where it is the text itself.
"""

import argparse
import json
import random
import unicodedata
from pathlib import Path

from texts import DOCUMENTS
from tokenizer_goldens import from_gguf, random_texts
from tokenizers import Tokenizer

SEED = 17
TEXTS = Path(__file__).parents[2] / "gpu-runtime/src/test/resources/golden/text/texts.json"


def random_point(rng):
    """Any code point that UTF-8 has, from a plane that has characters more often than from the rest."""
    while True:
        point = rng.randrange(0x20000) if rng.random() < 0.9 else rng.randrange(0x110000)
        if not 0xD800 <= point < 0xE000:
            return point


def from_document(rng):
    """A piece of ordinary text, some characters of it exchanged for any others."""
    document = rng.choice(DOCUMENTS)
    begin = rng.randrange(len(document))
    piece = list(document[begin : begin + rng.randint(10, 400)])
    for _ in range(rng.choice([0, 0, 1, 3])):
        piece[rng.randrange(len(piece))] = chr(random_point(rng))
    return "".join(piece)


def from_blocks(rng):
    """Characters of one to three blocks of 256, with spaces and signs between."""
    bases = [random_point(rng) & ~0xFF for _ in range(rng.randint(1, 3))]
    points = [rng.choice(bases) + rng.randrange(0x100) for _ in range(rng.randint(1, 40))]
    return "".join(rng.choice(["", "", "", " ", "\n", ".", "'"]) + chr(point) for point in points)


def decomposed(rng):
    """Text whose normal form differs: letters apart from their marks, jamo, marks in the wrong order."""
    text = "".join(chr(rng.choice([rng.randrange(0xC0, 0x250), rng.randrange(0xAC00, 0xD7A4), rng.randrange(0x1E00, 0x2000)])) for _ in range(rng.randint(1, 20)))
    points = list(unicodedata.normalize("NFD", text))
    for _ in range(rng.choice([0, 1, 4])):
        points.insert(rng.randrange(len(points) + 1), chr(rng.randrange(0x300, 0x370)))
    return "".join(points)


def random_text(rng):
    draw = rng.random()
    if draw < 0.5:
        return random_texts(rng, 1)[0]
    return from_document(rng) if draw < 0.7 else from_blocks(rng) if draw < 0.9 else decomposed(rng)


def made_of(text, tokenizer):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    decoded = [tokenizer.decode(ids, skip_special_tokens=skips) for skips in (False, True)]
    return [ids] + [None if d == text else d for d in decoded]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer")
    parser.add_argument("gguf")
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=100_000)
    args = parser.parse_args()
    qwen3, qwen25 = Tokenizer.from_file(args.tokenizer), from_gguf(args.gguf)
    rng = random.Random(SEED)
    listed = json.loads(TEXTS.read_text(encoding="utf-8"))
    with open(args.out, "w", encoding="utf-8", newline="\n") as out:
        for i in range(len(listed) + args.count):
            text = listed[i] if i < len(listed) else random_text(rng)
            third, second = made_of(text, qwen3), made_of(text, qwen25)
            out.write(json.dumps([text, third, None if second == third else second], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
