"""Golden token ids and decoded texts of the kinds of tokenizer.json that model families use, for the tests of io.radixflow.text.

  python dev/golden/tokenizer_kinds.py TEXTS.json OUT.json.gz

Needs the Python package tokenizers. A tokenizer of a few hundred tokens is trained on the texts for each kind. OUT.json.gz holds for each:
the tokenizer.json, the ids of every text, and the text that these ids add to a text that has begun (decoding them alone would leave out
the blank that SentencePiece writes before the first word).
"""

import gzip
import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SENTENCE_PIECE_STEPS = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]


def byte_level(split):
    """GPT-2's parts, or Llama 3's if a split rule is given."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=split is not None))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    tokenizer.pre_tokenizer = level if split is None else pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), level])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, pre_tokenizers.ByteLevel.alphabet()


def trained(tokenizer, alphabet, texts):
    limit = 1000 if alphabet else 120  # so that some characters fall back to bytes
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, limit_alphabet=limit, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def with_bytes(tokenizer):
    """The same merges, with a token for each byte in front, as SentencePiece numbers them."""
    model = json.loads(tokenizer.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    tokens += [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in tokens]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer.model = models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    for token in tokens[:3]:
        tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True)])
    return tokenizer


def llama2(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(SENTENCE_PIECE_STEPS + [decoders.Strip(" ", 1, 0)])
    return with_bytes(trained(tokenizer, [], texts))


def mistral(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(SENTENCE_PIECE_STEPS + [decoders.Strip(" ", 1, 0)])
    return with_bytes(trained(tokenizer, [], texts))


def gemma(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(SENTENCE_PIECE_STEPS)
    tokenizer = with_bytes(trained(tokenizer, [], texts))
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in ("\u2581\u2581", "\u2581\u2581\u2581", "\n\n")])
    return tokenizer


def t5(texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace("\u2581", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=900, unk_token="<unk>", special_tokens=["<pad>", "</s>", "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(texts[:100], trainer)  # few enough that some characters stay unknown
    return tokenizer


def main():
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    kinds = {
        "gpt2": trained(*byte_level(None), texts),
        "llama3": trained(*byte_level(LLAMA3_SPLIT), texts),
        "llama2": llama2(texts),
        "mistral": mistral(texts),
        "gemma": gemma(texts),
        "t5": t5(texts),
    }
    goldens = {}
    for kind, tokenizer in kinds.items():
        tokenizer.add_special_tokens([AddedToken("<|im_end|>", normalized=False, special=True)])
        tokenizer.add_tokens([AddedToken("<think>", normalized=False, special=False)])
        begun = tokenizer.encode("a a", add_special_tokens=False).ids
        head = tokenizer.decode(begun, skip_special_tokens=False)
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        decoded = [tokenizer.decode(begun + i, skip_special_tokens=False)[len(head) :] for i in ids]
        goldens[kind] = {"tokenizer": tokenizer.to_str(), "ids": ids, "decoded": decoded}
    Path(sys.argv[2]).write_bytes(gzip.compress(json.dumps(goldens, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    main()
