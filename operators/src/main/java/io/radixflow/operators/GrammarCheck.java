package io.radixflow.operators;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.GrammarException;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.RecordException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compiles the grammars of records ahead of the engines, so that one that can't be used is the dead letter of its record alone. Keeps what came out
 * of the latest ones. Not thread-safe.
 */
final class GrammarCheck {

    private static final int MAX_KEPT_CHARS = 8 << 20;
    private static final String FINE = "";

    private final SecondsHistogram compileTime;
    private final Map<GrammarSpec, String> verdicts = new LinkedHashMap<>(16, 0.75f, true);
    private int keptChars;

    GrammarCheck(SecondsHistogram compileTime) {
        this.compileTime = compileTime;
    }

    /** @throws RecordException {@code invalid_schema} with what is wrong and where */
    void check(GrammarSpec spec) throws RecordException {
        String verdict = verdicts.get(spec);
        if (verdict == null) {
            verdict = compile(spec);
            keep(spec, verdict);
        }
        if (!verdict.equals(FINE)) {
            throw new RecordException(ErrorCode.INVALID_SCHEMA, verdict);
        }
    }

    private String compile(GrammarSpec spec) {
        long start = System.nanoTime();
        try {
            GrammarCompiler.compile(spec);
            return FINE;
        } catch (GrammarException e) {
            return String.valueOf(e.getMessage());
        } finally {
            compileTime.updateNanos(System.nanoTime() - start);
        }
    }

    private void keep(GrammarSpec spec, String verdict) {
        verdicts.put(spec, verdict);
        keptChars += spec.text().length();
        while (keptChars > MAX_KEPT_CHARS) {
            GrammarSpec oldest = verdicts.keySet().iterator().next();
            verdicts.remove(oldest);
            keptChars -= oldest.text().length();
        }
    }
}
