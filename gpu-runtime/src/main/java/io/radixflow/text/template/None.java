package io.radixflow.text.template;

/** Python's None among the values of a template. */
enum None {
    NONE
}
