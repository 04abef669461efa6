package io.radixflow.cache;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Binary heap whose elements remember their place in it, so that any element can be removed or re-sorted in O(log n). The element on top
 * is before all others.
 *
 * <p>Owned by one thread. Allocates only when it grows.
 */
public abstract class IndexedHeap<T> {

    /** Place of an element that is in no heap. */
    public static final int ABSENT = -1;

    private static final Object[] NOTHING = {};

    private @Nullable Object[] elements = NOTHING;
    private int size;

    /** A strict order: whether {@code a} leaves the heap before {@code b}. */
    protected abstract boolean isBefore(T a, T b);

    /** The place last given to {@link #setPlace}, {@link #ABSENT} at first. */
    protected abstract int place(T element);

    protected abstract void setPlace(T element, int place);

    public final int size() {
        return size;
    }

    /** The first element, or null if empty. */
    public final @Nullable T peek() {
        return size == 0 ? null : at(0);
    }

    /** Adds an element that is not in the heap. */
    public final void add(T element) {
        if (size == elements.length) {
            elements = Arrays.copyOf(elements, Math.max(4, 2 * size));
        }
        siftUp(size++, element);
    }

    /** Removes an element that is in the heap. */
    public final void remove(T element) {
        int hole = place(element);
        setPlace(element, ABSENT);
        T last = at(--size);
        elements[size] = null;
        if (hole != size) {
            settle(hole, last);
        }
    }

    /** Restores the order after the element's rank has changed. */
    public final void update(T element) {
        settle(place(element), element);
    }

    /** @throws IllegalStateException if order or places are broken */
    public final void checkIntegrity() {
        for (int i = 0; i < size; i++) {
            if (place(at(i)) != i || (i > 0 && isBefore(at(i), at((i - 1) >>> 1)))) {
                throw new IllegalStateException("heap of " + size + " elements is out of order at " + i);
            }
        }
    }

    /** The element at a place in {@code [0, size)}; for checks. */
    @SuppressWarnings({"unchecked", "NullAway"}) // only T's are stored, and never null below size
    protected final T at(int place) {
        return (T) elements[place];
    }

    private void settle(int place, T element) {
        if (place > 0 && isBefore(element, at((place - 1) >>> 1))) {
            siftUp(place, element);
        } else {
            siftDown(place, element);
        }
    }

    private void siftUp(int from, T element) {
        int place = from;
        while (place > 0) {
            int parent = (place - 1) >>> 1;
            T other = at(parent);
            if (!isBefore(element, other)) {
                break;
            }
            put(place, other);
            place = parent;
        }
        put(place, element);
    }

    private void siftDown(int from, T element) {
        int place = from;
        for (int child = 2 * place + 1; child < size; child = 2 * place + 1) {
            if (child + 1 < size && isBefore(at(child + 1), at(child))) {
                child++;
            }
            T other = at(child);
            if (!isBefore(other, element)) {
                break;
            }
            put(place, other);
            place = child;
        }
        put(place, element);
    }

    private void put(int place, T element) {
        elements[place] = element;
        setPlace(element, place);
    }
}
