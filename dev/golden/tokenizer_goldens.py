"""Golden token ids for the tests of io.radixflow.text.

  python dev/golden/tokenizer_goldens.py OUT --smollm2 SmolLM2.gguf [--texts texts.json]

Needs the Python packages tokenizers and gguf. SmolLM2's tokenizer is put together from the GGUF's own vocabulary: the conversion in
transformers drops the rule that digits stand alone, so its ids are wrong. OUT gets

  texts.json          the texts: those of --texts, then 500 random ones (seed 11)
  smollm2-ids.json    their ids in SmolLM2's vocabulary
  tiny-smollm.json, tiny-qwen2.json   tokenizers of a few hundred tokens, trained here, as tokenizer.json
  tiny-ids.json       for each of them: ids of every text, and the text that they decode to with and without special tokens
  utf8.json           random byte strings in hex and what Python decodes them to with errors="replace" (seed 13)
"""

import argparse
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL, USER_DEFINED = 3, 4


def set_parts(tokenizer, pre):
    """Normalizer, pre-tokenizer and decoder that llama.cpp's name `pre` stands for."""
    if pre == "smollm":
        first, use_regex = pre_tokenizers.Digits(individual_digits=True), True
    else:
        first, use_regex = pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"), False
        tokenizer.normalizer = normalizers.NFC()
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, byte_level])
    tokenizer.decoder = decoders.ByteLevel()


def from_gguf(path):
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    set_parts(tokenizer, fields["tokenizer.ggml.pre"].contents())
    for token, kind in zip(tokens, types):
        if kind in (CONTROL, USER_DEFINED):
            tokenizer.add_tokens([AddedToken(token, normalized=False, special=kind == CONTROL)])
    return tokenizer


def random_texts(rng, count):
    """Texts of pieces that sit on the borders of the split rules, one in ten of any characters at all."""
    words = "the and Flink stream naïve İstanbul straße don't we'LL I'm 'S Größe κόσμος слово שלום नमस्ते 東京 안녕".split()
    signs = list(".,;:!?()[]{}<>|/\\\"'`~@#$%^&*-_=+") + ["...", "->", "::", "”", "…", "€", "½", "Ⅷ", "\u0301", "\u200d", "\u00ad"]
    spaces = [" ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2029", "\x0b", "\x85"]
    digits = ["0", "7", "42", "1999", "3.5", "٣", "४", "１２"]
    markers = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_start", "|>", "<think>", "</think>", "<tool_call>"]
    emoji = ["😀", "👩‍💻", "🇯🇵", "👍🏿", "\U0001f9ff", "\U00020000"]
    kinds, weights = [words, signs, spaces, digits, markers, emoji], [8, 5, 6, 3, 1, 2]
    texts = []
    for _ in range(count):
        length = rng.randint(1, 24)
        if rng.random() < 0.1:
            points = [rng.choice([rng.randrange(0x20), rng.randrange(0x300), rng.randrange(0x3000), rng.randrange(0xE000, 0x110000)]) for _ in range(length)]
            texts.append("".join(map(chr, points)))
        else:
            texts.append("".join(rng.choice(kind) for kind in rng.choices(kinds, weights, k=length)))
    return texts


def train_tiny(pre, texts):
    tokenizer = Tokenizer(models.BPE())
    set_parts(tokenizer, pre)
    trainer = trainers.BpeTrainer(
        vocab_size=640, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in ("<think>", "</think>")])
    return tokenizer


def random_bytes(rng, count):
    """Byte strings of whole code points, cut ones, surrogates, overlong forms and bytes that UTF-8 never has."""
    pieces = [c.encode() for c in "aé中😀\ufffd"] + [bytes([b]) for b in (0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF)]
    pieces += [bytes.fromhex(h) for h in ("e0a0", "e080", "eda080", "ed9f", "f090", "f08080", "f48f", "f490", "f4908080", "e4b8", "f09f98", "efbf")]
    return [b"".join(rng.choices(pieces, k=rng.randint(1, 12))) for _ in range(count)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--smollm2", required=True)
    parser.add_argument("--texts")
    args = parser.parse_args()

    def save(name, value):
        with open(os.path.join(args.out, name), "w") as file:
            json.dump(value, file, separators=(",", ":"))

    texts = json.load(open(args.texts)) if args.texts else []
    texts += random_texts(random.Random(11), 500)
    save("texts.json", texts)
    smollm2 = from_gguf(args.smollm2)
    save("smollm2-ids.json", [smollm2.encode(text, add_special_tokens=False).ids for text in texts])
    tiny = {}
    for pre in ("smollm", "qwen2"):
        tokenizer = train_tiny(pre, texts)
        tokenizer.save(os.path.join(args.out, f"tiny-{pre}.json"), pretty=False)
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        tiny[pre] = {
            "ids": ids,
            "decoded": [tokenizer.decode(i, skip_special_tokens=False) for i in ids],
            "decodedWithoutSpecial": [tokenizer.decode(i, skip_special_tokens=True) for i in ids],
        }
    save("tiny-ids.json", tiny)
    save("utf8.json", [[b.hex(), b.decode("utf-8", errors="replace")] for b in random_bytes(random.Random(13), 2000)])


if __name__ == "__main__":
    main()
