package io.radixflow.text;

import io.radixflow.text.template.Template;
import java.time.Clock;
import java.time.ZoneId;
import java.util.Map;

/** A model's chat template: the Jinja subset that such templates use, parsed once, rendered for each request. Thread-safe. */
public final class ChatTemplate {

    private final Template template;

    private ChatTemplate(Template template) {
        this.template = template;
    }

    /**
     * Parses once, for any number of renderings.
     *
     * @throws IllegalArgumentException in one line that names template line and construct, if the template does not parse
     */
    public static ChatTemplate parse(String source) {
        return new ChatTemplate(Template.parse(source, Clock.system(ZoneId.systemDefault())));
    }

    /**
     * Renders with {@code trim_blocks} and {@code lstrip_blocks}. Values are strings, numbers, booleans, null, lists and maps; strings are
     * data, never template code. Nothing passed is changed.
     *
     * @throws IllegalArgumentException in one line that names template line and construct, if the template raises (raise_exception), uses a
     *     value wrongly, or exceeds a limit of work, output or depth
     */
    public String render(Map<String, ?> variables) {
        return template.render(variables);
    }
}
