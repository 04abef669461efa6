package io.radixflow.text.template;

import java.util.List;

/** What keys(), values() and items() of a dict yield: sized and iterable, without access by index. */
record DictView(String typeName, List<Object> items) {}
