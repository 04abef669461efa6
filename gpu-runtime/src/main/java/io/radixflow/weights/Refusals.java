package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.file.Path;

/** How a file is refused: one line that begins with its name, whatever the file says. */
final class Refusals {

    private static final int QUOTED_CHARS = 80;

    private Refusals() {}

    /** An exception of category CONFIGURATION: the file's name and {@code what}. */
    static EngineException refusal(Path file, String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, file + " " + what);
    }

    static EngineException refusal(Path file, String what, Throwable cause) {
        return new EngineException(EngineException.Category.CONFIGURATION, file + " " + what, cause);
    }

    /** A text out of a file as it may stand in a message: one line, bounded. */
    static String quoted(String text) {
        String head = text.length() > QUOTED_CHARS ? text.substring(0, QUOTED_CHARS) + "..." : text;
        StringBuilder line = new StringBuilder(head.length() + 2).append('\'');
        for (int i = 0; i < head.length(); i++) {
            char c = head.charAt(i);
            line.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? '?' : c);
        }
        return line.append('\'').toString();
    }
}
