package io.radixflow.text.template;

import io.radixflow.text.template.Statements.For;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} of a for: where it stands among its items. Callable in a recursive loop. */
final class LoopState implements Callable {

    private final For loop;
    private final List<Object> items;
    private final int depth;
    private final Scope scope;
    private int index;
    private @Nullable Object lastChecked;

    LoopState(For loop, List<Object> items, int depth, Scope scope) {
        this.loop = loop;
        this.items = items;
        this.depth = depth;
        this.scope = scope;
    }

    void moveTo(int newIndex) {
        index = newIndex;
    }

    int size() {
        return items.size();
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) items.size() - index;
            case "revindex0" -> items.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
            case "nextitem" ->
                index == items.size() - 1 ? new Undefined("there is no next item") : items.get(index + 1);
            case "cycle" -> new Function("cycle", this::cycle);
            case "changed" -> new Function("changed", this::isChanged);
            default -> null;
        };
    }

    private Object cycle(Context context, Arguments arguments) {
        List<Object> choices = arguments.positional();
        if (choices.isEmpty()) {
            throw new Fault("needs items to cycle through");
        }
        return choices.get(index % choices.size());
    }

    private Object isChanged(Context context, Arguments arguments) {
        Object value = new Tuple(arguments.positional());
        boolean isChanged = lastChecked == null || !PythonOrder.areEqual(lastChecked, value, context.work);
        lastChecked = value;
        return isChanged;
    }

    @Override
    public String name() {
        return "loop";
    }

    @Override
    public Object call(Context context, Arguments arguments) {
        if (!loop.isRecursive()) {
            throw new Fault("the loop is not marked recursive");
        }
        Object children = arguments.check("items").get(0, "items");
        return loop.recurse(context, children, depth + 1, scope);
    }
}
