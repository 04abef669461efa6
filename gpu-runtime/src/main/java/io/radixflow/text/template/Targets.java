package io.radixflow.text.template;

import java.util.List;

/** What can be assigned to. */
final class Targets {

    private Targets() {}

    /** The left side of an assignment, or a loop's variables. */
    interface Target {
        void assign(Context context, Object value);
    }

    /** A variable of the current scope. */
    record NameTarget(String name) implements Target {
        @Override
        public void assign(Context context, Object value) {
            context.scope.set(name, value);
        }
    }

    /** {@code ns.name}. */
    record NamespaceTarget(String namespace, String name) implements Target {
        @Override
        public void assign(Context context, Object value) {
            if (!(context.scope.find(namespace) instanceof Namespace found)) {
                throw new Fault(
                        "can't assign to '" + namespace + "." + name + "': '" + namespace + "' is not a namespace");
            }
            found.set(name, value);
        }
    }

    /** {@code a, b}. */
    record TupleTarget(List<Target> targets) implements Target {
        @Override
        public void assign(Context context, Object value) {
            List<Object> items = Types.items(value, context.work);
            if (items.size() != targets.size()) {
                throw new Fault("can't unpack " + items.size() + " values into " + targets.size() + " names");
            }
            for (int i = 0; i < items.size(); i++) {
                targets.get(i).assign(context, items.get(i));
            }
        }
    }
}
