/**
 * A Jinja subset for chat templates: lexer, parser to a tree, renderer with limits. Values behave as Python's do under jinja2, since
 * templates were written against those; the one entry is {@link io.radixflow.text.template.Template}.
 */
@NullMarked
package io.radixflow.text.template;

import org.jspecify.annotations.NullMarked;
