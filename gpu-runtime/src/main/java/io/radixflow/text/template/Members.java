package io.radixflow.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attributes and items of values, looked up in jinja2's order: {@code x.a} prefers a method, {@code x['a']} an entry. */
final class Members {

    private Members() {}

    static Object attribute(Object owner, String name) {
        if (name.startsWith("__") && !(owner instanceof Undefined)) { // Python's innards, which jinja2's sandbox hides
            return Undefined.attribute(owner, name);
        }
        Object own = ownAttribute(owner, name);
        if (own != null) {
            return own;
        }
        Object entry = owner instanceof Dict dict ? dict.get(name) : null;
        return entry == null ? Undefined.attribute(owner, name) : entry;
    }

    /** An attribute that is not a dict's entry; null if there is none. */
    private static @Nullable Object ownAttribute(Object owner, String name) {
        if (owner instanceof Undefined missing) {
            throw missing.fault();
        } else if (owner instanceof Namespace namespace) {
            return namespace.attributes().get(name);
        } else if (owner instanceof LoopState loop) {
            return loop.attribute(name);
        } else if (owner instanceof String text) {
            return StringMethods.find(text, name);
        } else if (owner instanceof Dict dict) {
            return DictMethods.find(dict, name);
        } else if (owner instanceof List<?> list) {
            return ListMethods.find(Types.list(list), name, true);
        } else if (owner instanceof Tuple tuple) {
            return ListMethods.find(tuple.items(), name, false);
        }
        return null;
    }

    static Object item(Object owner, Object key, Work work) {
        if (owner instanceof Undefined missing) {
            throw missing.fault();
        }
        if (owner instanceof Dict dict) {
            Object value = Dict.isHashable(key) ? dict.get(key, work) : null;
            if (value != null) {
                return value;
            }
        } else if (PythonNumbers.isInteger(key)) {
            Object value = atIndex(owner, PythonNumbers.asLong(key), work);
            if (value != null) {
                return value;
            }
        }
        if (key instanceof String name) {
            Object own = ownAttribute(owner, name);
            return own == null ? Undefined.attribute(owner, name) : own;
        }
        return new Undefined("'" + Types.name(owner) + " object' has no such element");
    }

    private static @Nullable Object atIndex(Object owner, long index, Work work) {
        if (!(owner instanceof String || owner instanceof List || owner instanceof Tuple || owner instanceof Range)) {
            return null;
        }
        int size = Types.size(owner);
        long counted = index < 0 ? index + size : index;
        if (counted < 0 || counted >= size) {
            return null;
        }
        int at = (int) counted;
        if (owner instanceof String text) {
            work.charge(text.length());
            return CodePoints.at(text, at);
        } else if (owner instanceof List<?> list) {
            return Types.list(list).get(at);
        }
        return owner instanceof Tuple tuple ? tuple.items().get(at) : (Object) ((Range) owner).get(at);
    }
}
