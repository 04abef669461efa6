package io.radixflow.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads strict UTF-8 JSON out of a weight file, token by token, so that memory stays within what the caller keeps. Depth and the
 * lengths of names, strings and numbers are limited. Every failure is one line that names the file.
 */
final class JsonCursor implements AutoCloseable {

    /** Safetensors need three levels, their index two. */
    private static final int MAX_DEPTH = 8;

    private static final int MAX_NAME_CHARS = 4096;
    private static final int MAX_STRING_CHARS = 1 << 24;
    private static final int MAX_NUMBER_CHARS = 20;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNameLength(MAX_NAME_CHARS)
                    .maxStringLength(MAX_STRING_CHARS)
                    .maxNumberLength(MAX_NUMBER_CHARS)
                    .build())
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private final Path file;
    private final JsonParser parser;

    JsonCursor(Path file, ByteBuffer text) {
        this.file = file;
        try {
            parser = FACTORY.createParser(new InputStreamReader(
                    new ByteBufferBackedInputStream(text.duplicate()),
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .onUnmappableCharacter(CodingErrorAction.REPORT)));
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    EngineException refusal(String what) {
        return Refusals.refusal(file, what + "; fetch it again");
    }

    /** Enters the object that comes next. */
    void enterObject(String what) {
        expect(JsonToken.START_OBJECT, what, "an object");
    }

    /** The next key of the object entered, or null behind its last. */
    @Nullable
    String nextKey() {
        try {
            return parser.nextFieldName();
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    String string(String what) {
        expect(JsonToken.VALUE_STRING, what, "a string");
        try {
            return parser.getText();
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    /** An array of at most {@code most} integers from 0 up. */
    List<Long> counts(int most, String what) {
        expect(JsonToken.START_ARRAY, what, "an array of integers");
        List<Long> counts = new ArrayList<>();
        for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
            counts.add(count(token, what));
            if (counts.size() > most) {
                throw refusal("is damaged: " + what + " has more than " + most + " numbers");
            }
        }
        return counts;
    }

    private long count(@Nullable JsonToken token, String what) {
        if (token != JsonToken.VALUE_NUMBER_INT) {
            throw refusal("is damaged: " + what + " has something that is no integer");
        }
        try {
            long count = parser.getLongValue();
            if (count < 0) {
                throw refusal("is damaged: " + what + " has " + count);
            }
            return count;
        } catch (IOException e) {
            throw damaged(e); // beyond 64 bits
        }
    }

    /** Passes over the value that comes next. */
    void skipValue() {
        next();
        try {
            parser.skipChildren();
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    /** Nothing but white space may follow. */
    void expectEnd(String what) {
        if (next() != null) {
            throw refusal("is damaged: something follows " + what);
        }
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            assert parser.isClosed(); // reads memory: nothing to lose
        }
    }

    private void expect(JsonToken wanted, String what, String wantedName) {
        if (next() != wanted) {
            throw refusal("is damaged: " + what + " is not " + wantedName);
        }
    }

    private @Nullable JsonToken next() {
        try {
            return parser.nextToken();
        } catch (IOException e) {
            throw damaged(e);
        }
    }

    private EngineException damaged(IOException e) {
        String why;
        if (e instanceof CharacterCodingException) {
            why = "is damaged: its JSON is not UTF-8; fetch it again";
        } else {
            String message = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            why = "is damaged: its JSON can't be read (" + Refusals.quoted(String.valueOf(message))
                    + "); fetch it again";
        }
        return Refusals.refusal(file, why, e);
    }
}
