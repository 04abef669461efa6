"""What a transformers model predicts after each token of the texts in texts.py."""

import gzip

import numpy as np
import torch

from texts import DOCUMENTS

POSITIONS = 256
TOP = 64


def next_logprobs(logprobs, ids):
    rows = torch.arange(len(ids) - 1)
    return logprobs[rows, torch.tensor(ids[1:])].numpy().astype("<f4").tobytes()


def teacher_forcing(model, tokenizer, path):
    """next.bin: per document float32 logprobs[positions - 1] of each id after the first.
    teacher.bin.gz: int32 documents, positions, top; per document int32 ids[positions], then per position int32 top ids[top]
    by falling probability and float32 their logprobs[top]; all little endian. The rest's mass is 1 - sum(exp(logprobs))."""
    parts = [np.array([len(DOCUMENTS), POSITIONS, TOP], dtype="<i4").tobytes()]
    next_parts = []
    gaps = []
    for text in DOCUMENTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:POSITIONS]
        if len(ids) < POSITIONS:
            raise ValueError(f"only {len(ids)} tokens: {text[:40]}")
        with torch.no_grad():
            logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
        next_parts.append(next_logprobs(logprobs, ids))
        values, indices = torch.topk(logprobs, TOP)
        gaps += (values[:, 0] - values[:, 1]).tolist()
        parts.append(np.array(ids, dtype="<i4").tobytes())
        for row in range(POSITIONS):
            parts.append(indices[row].numpy().astype("<i4").tobytes())
            parts.append(values[row].numpy().astype("<f4").tobytes())
    (path / "next.bin").write_bytes(b"".join(next_parts))
    (path / "teacher.bin.gz").write_bytes(gzip.compress(b"".join(parts), 9, mtime=0))
    print("positions", len(gaps), "smallest top-1 to top-2 gaps", [float(f"{gap:.2g}") for gap in sorted(gaps)[:5]])
