package io.radixflow.text.template;

/** Counts what a rendering has used against its {@link Limits}. Owned by one rendering. */
final class Work {

    /** Units that running one node costs. */
    static final int NODE = 64;

    /** Units that one item of a list or map costs. */
    static final int ITEM = 16;

    private final Limits limits;
    private long left;
    private int depth;

    Work(Limits limits) {
        this.limits = limits;
        left = limits.work();
    }

    void charge(long units) {
        left -= units;
        if (left < 0 || units < 0) {
            throw new Fault("the template does more work than the limit of " + limits.work() + " units");
        }
    }

    /** Pays for a string or an output of this length before it is made. */
    void chargeText(long chars) {
        checkText(chars);
        charge(chars);
    }

    void checkText(long chars) {
        if (chars > limits.outputChars()) {
            throw new Fault("a text of " + chars + " characters is longer than the limit of " + limits.outputChars());
        }
    }

    void chargeItems(long items) {
        charge(items > Long.MAX_VALUE / ITEM ? Long.MAX_VALUE : items * ITEM);
    }

    /** Pays for finding a text in another; the worst case of the JDK's search is the product of the lengths. */
    void chargeSearch(String text, String wanted) {
        charge(text.length() + (long) text.length() * wanted.length() / 16);
    }

    void enter() {
        if (++depth > limits.depth()) {
            throw new Fault("nested deeper than the limit of " + limits.depth());
        }
    }

    /** Not called when a fault ends the rendering. */
    void leave() {
        depth--;
    }
}
