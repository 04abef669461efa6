package io.radixflow.text.template;

import io.radixflow.text.template.Accesses.Call;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Macros and call blocks. */
final class Macros {

    private Macros() {}

    /** A parameter and, if it has one, its default. */
    record Parameter(String name, @Nullable Expression absent) {}

    /**
     * What a macro does.
     *
     * @param used names that the body reads, which decides whether varargs, kwargs and caller are taken
     */
    record Code(String name, List<Parameter> parameters, List<Statement> body, Set<String> used) {}

    /** {@code macro m(a, b=1)}. */
    record Definition(int line, Code code) implements Statement {
        @Override
        public String construct() {
            return "macro '" + code.name + "'";
        }

        @Override
        public Flow execute(Context context) {
            context.scope.set(code.name, new Macro(code, context.scope));
            return Flow.NEXT;
        }
    }

    /** {@code call(a) m(b)}: calls a macro that can call the body back as {@code caller(a)}. */
    record CallBlock(int line, Code code, Call call) implements Statement {
        @Override
        public String construct() {
            return "call block";
        }

        @Override
        public Flow execute(Context context) {
            Arguments values = call.arguments().evaluate(context).with("caller", new Macro(code, context.scope));
            context.write(context.text(call.call(context, values)));
            return Flow.NEXT;
        }
    }

    /** A macro as a value, with the scope that it was defined in. */
    record Macro(Code code, Scope scope) implements Callable {
        @Override
        public String name() {
            return code.name;
        }

        @Override
        public Object call(Context context, Arguments arguments) {
            Scope outer = context.scope;
            Scope inner = new Scope(scope);
            context.scope = inner;
            bind(context, arguments);
            String written = context.capture(inner, code.body);
            context.scope = outer;
            return written;
        }

        private void bind(Context context, Arguments arguments) {
            Map<String, Object> named = new LinkedHashMap<>(arguments.named());
            List<Object> positional = arguments.positional();
            for (int i = 0; i < code.parameters.size(); i++) {
                Parameter parameter = code.parameters.get(i);
                Object value = named.remove(parameter.name);
                if (i < positional.size()) {
                    if (value != null) {
                        throw new Fault("macro '" + code.name + "' got two values for '" + parameter.name + "'");
                    }
                    value = positional.get(i);
                } else if (value == null) {
                    value = parameter.absent == null
                            ? new Undefined("parameter '" + parameter.name + "' was not provided")
                            : context.value(parameter.absent);
                }
                context.scope.set(parameter.name, value);
            }
            bindRest(context, positional, named);
        }

        private void bindRest(Context context, List<Object> positional, Map<String, Object> named) {
            int numParameters = code.parameters.size();
            if (code.used.contains("caller")) {
                Object caller = named.remove("caller");
                context.scope.set("caller", caller == null ? new Undefined("no caller defined") : caller);
            }
            if (code.used.contains("kwargs")) {
                Dict rest = new Dict();
                named.forEach(rest::put);
                context.scope.set("kwargs", rest);
            } else if (!named.isEmpty()) {
                throw new Fault("macro '" + code.name + "' has no parameter '"
                        + named.keySet().iterator().next() + "'");
            }
            if (code.used.contains("varargs")) {
                List<Object> rest = positional.subList(Math.min(numParameters, positional.size()), positional.size());
                context.scope.set("varargs", new Tuple(new ArrayList<>(rest)));
            } else if (positional.size() > numParameters) {
                throw new Fault("macro '" + code.name + "' takes at most " + numParameters + " arguments, got "
                        + positional.size());
            }
        }
    }
}
